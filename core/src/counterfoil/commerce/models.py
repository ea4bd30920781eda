"""The canonical tables. Primary key (tenant_id, id) with the deterministic id; no second unique index, no foreign keys.

References between canonical rows are computed the same way as the ids, so that load order is free and a replay from raw
rebuilds identical rows.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, Index, Numeric, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.commerce.rows import Customer, Dispute, Fee, Invoice, Payment, Payout, PayoutLine, Refund
from counterfoil.db.base import CoreBase, TenantOwned
from counterfoil.plugins.connector import CanonicalRow

MONEY = Numeric(18, 6)


class Canonical(TenantOwned):
    """The columns every canonical table has: where the row came from, and when."""

    row: ClassVar[type[CanonicalRow]]

    dedupe_key: Mapped[str]
    source: Mapped[str]
    source_account: Mapped[str]
    source_id: Mapped[str]
    connection_id: Mapped[UUID]
    run_id: Mapped[UUID]
    raw_id: Mapped[UUID]
    content_hash: Mapped[bytes]
    authority: Mapped[int]
    source_created_at: Mapped[datetime | None]
    source_updated_at: Mapped[datetime | None]
    observed_at: Mapped[datetime]
    synced_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    subsidiary: Mapped[str | None]


def _arguments(table: str, *, is_looked_up: bool = True) -> tuple[Index | CheckConstraint, ...]:
    """``is_looked_up`` says that people look for one of its rows by the vendor's id."""
    return (
        CheckConstraint("currency ~ '^[A-Z]{3,5}$'", name="currency"),
        Index(f"{table}_created_idx", "tenant_id", text("source_created_at DESC NULLS LAST"), text("id DESC")),
        Index(f"{table}_raw_id_idx", "tenant_id", "raw_id"),
        *([Index(f"{table}_source_id_idx", "tenant_id", "source_id")] if is_looked_up else []),
    )


def _micros_of(amount: str) -> Mapped[int]:
    """The same amount in millionths, by which an index has the rows in order: numerics are no index condition under RLS."""
    return mapped_column(BigInteger, Computed(f"((({amount} * (1000000)::numeric))::bigint)", persisted=True))


class PaymentRecord(Canonical, CoreBase):
    __tablename__ = "payments"
    __table_args__ = _arguments(__tablename__)
    row = Payment

    amount: Mapped[Decimal] = mapped_column(MONEY)
    amount_captured: Mapped[Decimal | None] = mapped_column(MONEY)
    amount_refunded: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str]
    status: Mapped[str]
    method: Mapped[str | None]
    gateway: Mapped[str | None]
    captured_at: Mapped[datetime | None]
    order_id: Mapped[UUID | None]
    customer_ref: Mapped[str | None]
    description: Mapped[str | None]
    source_charge: Mapped[str | None]
    amount_micros: Mapped[int] = _micros_of("amount")


class CustomerRecord(Canonical, CoreBase):
    __tablename__ = "customers"
    __table_args__ = _arguments(__tablename__)
    row = Customer

    email: Mapped[str | None]
    name: Mapped[str | None]
    phone: Mapped[str | None]
    country: Mapped[str | None]
    tax_exempt: Mapped[bool | None]
    orders_count: Mapped[Decimal | None] = mapped_column(Numeric)
    lifetime_value: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str | None]


class RefundRecord(Canonical, CoreBase):
    __tablename__ = "refunds"
    __table_args__ = (*_arguments(__tablename__), Index("refunds_payment_id_idx", "tenant_id", "payment_id"))
    row = Refund

    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    failure_reason: Mapped[str | None]
    refunded_at: Mapped[datetime | None]
    reference: Mapped[str | None]
    payment_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]


class DisputeRecord(Canonical, CoreBase):
    __tablename__ = "disputes"
    __table_args__ = (*_arguments(__tablename__), Index("disputes_payment_id_idx", "tenant_id", "payment_id"))
    row = Dispute

    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    evidence_due_at: Mapped[datetime | None]
    payment_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]


class InvoiceRecord(Canonical, CoreBase):
    __tablename__ = "invoices"
    __table_args__ = (*_arguments(__tablename__), Index("invoices_customer_id_idx", "tenant_id", "customer_id"))
    row = Invoice

    total: Mapped[Decimal] = mapped_column(MONEY)
    amount_due: Mapped[Decimal] = mapped_column(MONEY)
    amount_paid: Mapped[Decimal] = mapped_column(MONEY)
    amount_remaining: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    status: Mapped[str]
    number: Mapped[str | None]
    due_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    description: Mapped[str | None]
    customer_id: Mapped[UUID | None]


class PayoutRecord(Canonical, CoreBase):
    __tablename__ = "payouts"
    __table_args__ = _arguments(__tablename__)
    row = Payout

    amount: Mapped[Decimal] = mapped_column(MONEY)
    fee: Mapped[Decimal | None] = mapped_column(MONEY)
    net: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str]
    status: Mapped[str]
    arrival_date: Mapped[date | None]
    method: Mapped[str | None]
    automatic: Mapped[bool | None]
    reconciliation_status: Mapped[str | None]
    bank_reference: Mapped[str | None]
    trace_id: Mapped[str | None]
    amount_micros: Mapped[int] = _micros_of("amount")


class PayoutLineRecord(Canonical, CoreBase):
    __tablename__ = "payout_lines"
    __table_args__ = (*_arguments(__tablename__), Index("payout_lines_payout_id_idx", "tenant_id", "payout_id"))
    row = PayoutLine

    kind: Mapped[str]
    reporting_category: Mapped[str | None]
    gross: Mapped[Decimal] = mapped_column(MONEY)
    fee: Mapped[Decimal] = mapped_column(MONEY)
    net: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    status: Mapped[str | None]
    description: Mapped[str | None]
    available_on: Mapped[date | None]
    exchange_rate: Mapped[Decimal | None] = mapped_column(Numeric)
    payout_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]
    dispute_id: Mapped[UUID | None]
    net_micros: Mapped[int] = _micros_of("net")


class FeeRecord(Canonical, CoreBase):
    __tablename__ = "fees"
    __table_args__ = (
        *_arguments(__tablename__, is_looked_up=False),
        Index("fees_payout_line_id_idx", "tenant_id", "payout_line_id"),
    )
    row = Fee

    kind: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    payout_line_id: Mapped[UUID]
    description: Mapped[str | None]


RECORDS: tuple[type[Canonical], ...] = (
    CustomerRecord,
    PaymentRecord,
    RefundRecord,
    DisputeRecord,
    InvoiceRecord,
    PayoutRecord,
    PayoutLineRecord,
    FeeRecord,
)


def table_of(row: type[CanonicalRow]) -> Table:
    """The table a kind of canonical row lands in."""
    return next(record.__table__ for record in RECORDS if record.row is row)  # type: ignore[attr-defined]  # mapped classes have one
