"""Canonical rows as connectors build them: exact money, upper-case currency, references instead of ids."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from counterfoil.plugins.connector import CanonicalRow, Ref


@dataclass(frozen=True, kw_only=True)
class Customer(CanonicalRow):
    """Somebody who buys. ``currency`` is that of ``lifetime_value``, and the one the source bills the customer in."""

    object: ClassVar[str] = "customer"

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    country: str | None = None
    tax_exempt: bool | None = None
    orders_count: Decimal | None = None
    lifetime_value: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, kw_only=True)
class Payment(CanonicalRow):
    """Money a customer paid. ``source_charge`` is the processor's own id where the source is not the processor."""

    object: ClassVar[str] = "payment"

    amount: Decimal
    currency: str
    status: str
    amount_captured: Decimal | None = None
    amount_refunded: Decimal | None = None
    method: str | None = None
    gateway: str | None = None
    captured_at: datetime | None = None
    order: Ref | None = None
    customer_ref: str | None = None
    description: str | None = None
    source_charge: str | None = None


@dataclass(frozen=True, kw_only=True)
class Refund(CanonicalRow):
    """Money given back. ``reference`` finds it on the customer's statement; ``refunded_at`` is unset when it came to nothing."""

    object: ClassVar[str] = "refund"

    amount: Decimal
    currency: str
    status: str
    reason: str | None = None
    failure_reason: str | None = None
    refunded_at: datetime | None = None
    reference: str | None = None
    payment: Ref | None = None
    order: Ref | None = None


@dataclass(frozen=True, kw_only=True)
class Dispute(CanonicalRow):
    """A payment the customer's bank questions. ``evidence_due_at`` is when an answer has to be there."""

    object: ClassVar[str] = "dispute"

    amount: Decimal
    currency: str
    status: str
    reason: str | None = None
    evidence_due_at: datetime | None = None
    payment: Ref | None = None
    order: Ref | None = None


@dataclass(frozen=True, kw_only=True)
class Invoice(CanonicalRow):
    """A bill to a customer: of ``total``, ``amount_due`` was asked for, and ``amount_paid + amount_remaining`` is that."""

    object: ClassVar[str] = "invoice"

    total: Decimal
    amount_due: Decimal
    amount_paid: Decimal
    amount_remaining: Decimal
    currency: str
    status: str
    number: str | None = None
    due_at: datetime | None = None
    paid_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    description: str | None = None
    customer: Ref | None = None


@dataclass(frozen=True, kw_only=True)
class Payout(CanonicalRow):
    """Money sent to the bank. ``trace_id`` and ``bank_reference`` find it on the statement."""

    object: ClassVar[str] = "payout"

    amount: Decimal
    currency: str
    status: str
    fee: Decimal | None = None
    net: Decimal | None = None
    arrival_date: date | None = None
    method: str | None = None
    automatic: bool | None = None
    reconciliation_status: str | None = None
    bank_reference: str | None = None
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class PayoutLine(CanonicalRow):
    """One movement of the balance: ``net = gross - fee``, in the settlement currency. ``payout`` once it is known."""

    object: ClassVar[str] = "payout_line"

    kind: str
    gross: Decimal
    fee: Decimal
    net: Decimal
    currency: str
    reporting_category: str | None = None
    status: str | None = None
    description: str | None = None
    available_on: date | None = None
    exchange_rate: Decimal | None = None
    payout: Ref | None = None
    payment: Ref | None = None
    refund: Ref | None = None
    dispute: Ref | None = None


@dataclass(frozen=True, kw_only=True)
class Fee(CanonicalRow):
    """One part of a payout line's fee, in the line's currency: the fees of a line sum to its ``fee``."""

    object: ClassVar[str] = "fee"

    kind: str
    amount: Decimal
    currency: str
    payout_line: Ref
    description: str | None = None
