"""What the commerce world is made of.

Money is an integer in the minor unit ISO 4217 gives the currency (cents, yen, fils); vendors that count otherwise convert.
An id is the position of a record in its own table, so `world.orders[payment.order_id]` is the payment's order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

PaymentStatus = Literal["succeeded", "authorized", "failed"]
RefundReason = Literal["requested_by_customer", "duplicate", "fraudulent"]
DisputeStatus = Literal["needs_response", "under_review", "won", "lost"]
DisputeReason = Literal["fraudulent", "product_not_received", "product_unacceptable", "duplicate"]
InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void"]
RefundStatus = Literal["pending", "succeeded", "failed"]
EntryKind = Literal[
    "payment", "refund", "refund_failure", "dispute", "dispute_reversal", "processor_fee", "payout", "payout_failure"
]
EntryStatus = Literal["pending", "available"]
PayoutStatus = Literal["pending", "in_transit", "paid", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    id: int
    name: str
    email: str
    country: str
    currency: str
    created_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    id: int
    sku: str
    title: str
    vendor: str
    category: str
    price_usd: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderLine:
    product_id: int
    quantity: int
    unit_price: int
    discount: int
    tax: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    id: int
    number: str
    customer_id: int
    country: str
    currency: str
    placed_at: datetime
    lines: tuple[OrderLine, ...]
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """One attempt to pay for an order by card; `refunded` and `disputed` change after it was made."""

    id: int
    order_id: int
    customer_id: int
    amount: int
    captured: int
    refunded: int
    currency: str
    status: PaymentStatus
    card_brand: str
    card_last4: str
    created_at: datetime
    captured_at: datetime | None
    decline_code: str | None
    disputed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    id: int
    payment_id: int
    order_id: int
    amount: int
    currency: str
    reason: RefundReason
    created_at: datetime
    status: RefundStatus = "succeeded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispute:
    id: int
    payment_id: int
    order_id: int
    amount: int
    currency: str
    reason: DisputeReason
    status: DisputeStatus
    opened_at: datetime
    evidence_due_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Invoice:
    """A bill for an order. `payment_id` is the payment that settled it; without one a paid invoice was paid elsewhere."""

    id: int
    number: str
    order_id: int
    customer_id: int
    amount: int
    currency: str
    status: InvoiceStatus
    created_at: datetime
    due_at: datetime
    payment_id: int | None = None
    finalized_at: datetime | None = None
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BalanceEntry:
    """One movement of the balance held at the payment processor, in the settlement currency; net = amount - fee.

    `paid_out_in` is the payout that carries this entry to the bank. `payout_id` is the payout the entry itself moves (its
    withdrawal from the balance, or its return after a failure).
    """

    id: int
    kind: EntryKind
    amount: int
    fee: int
    net: int
    currency: str
    created_at: datetime
    available_on: date
    status: EntryStatus
    exchange_rate: Decimal | None = None
    payment_id: int | None = None
    refund_id: int | None = None
    dispute_id: int | None = None
    payout_id: int | None = None
    paid_out_in: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Payout:
    """A daily automatic transfer to the bank: `amount` is the sum of the nets of `member_ids` (balance entries)."""

    id: int
    amount: int
    currency: str
    created_at: datetime
    arrival_on: date
    status: PayoutStatus
    reconciled: bool
    trace_id: str
    member_ids: tuple[int, ...]
    entry_id: int
    failure_entry_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BankDeposit:
    id: int
    payout_id: int
    amount: int
    currency: str
    value_on: date
    reference: str


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that is on record of one shop at the moment `as_of`."""

    seed: int
    as_of: datetime
    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    orders: tuple[Order, ...]
    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    entries: tuple[BalanceEntry, ...]
    payouts: tuple[Payout, ...]
    invoices: tuple[Invoice, ...]
    deposits: tuple[BankDeposit, ...]
