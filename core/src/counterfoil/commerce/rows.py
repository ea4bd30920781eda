"""Canonical rows as connectors build them: exact money, upper-case currency, references instead of ids."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from counterfoil.plugins.connector import CanonicalRow, Ref


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
