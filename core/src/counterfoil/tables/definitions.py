"""Core's own tables: the canonical commerce rows."""

from counterfoil.commerce.models import (
    CustomerRecord,
    DisputeRecord,
    FeeRecord,
    InvoiceRecord,
    PaymentRecord,
    PayoutLineRecord,
    PayoutRecord,
    RefundRecord,
)
from counterfoil.tables.records import Column, Table

_ID = Column(name="id", title="ID", type="uuid", hidden_by_default=True)
_CREATED = Column(name="source_created_at", title="Created", type="timestamp", indexed=True)
_CURRENCY = Column(name="currency", title="Currency", type="text")
_PROVENANCE = (
    Column(name="source", title="Source", type="text"),
    Column(name="source_id", title="Source ID", type="text"),
    Column(
        name="source_account",
        title="Source account",
        type="text",
        description="The account at the vendor",
        hidden_by_default=True,
    ),
    Column(name="subsidiary", title="Subsidiary", type="text", hidden_by_default=True),
    Column(name="source_updated_at", title="Updated at source", type="timestamp", hidden_by_default=True),
    Column(
        name="observed_at",
        title="Observed",
        type="timestamp",
        description="When the vendor was asked",
        hidden_by_default=True,
    ),
    Column(
        name="synced_at",
        title="Synced",
        type="timestamp",
        description="When the row last changed here",
        hidden_by_default=True,
    ),
    Column(
        name="deleted_at",
        title="Deleted",
        type="timestamp",
        description="When it was found gone at the vendor",
        hidden_by_default=True,
    ),
    Column(name="connection_id", title="Connection", type="uuid", hidden_by_default=True),
    Column(name="run_id", title="Stream run", type="uuid", hidden_by_default=True),
)


def _money(
    name: str, title: str, *, hidden: bool = False, indexed: bool = False, description: str | None = None
) -> Column:
    return Column(
        name=name,
        title=title,
        type="money",
        currency_column="currency",
        order_column=f"{name}_micros" if indexed else None,
        hidden_by_default=hidden,
        indexed=indexed,
        description=description,
    )


PAYMENTS = Table(
    name="payments",
    title="Payments",
    description="Money customers paid, one row per payment.",
    model=PaymentRecord,
    columns=(
        _ID,
        _CREATED,
        Column(
            name="status",
            title="Status",
            type="enum",
            enum=("pending", "authorized", "succeeded", "failed", "canceled"),
        ),
        _money("amount", "Amount", indexed=True),
        _CURRENCY,
        _money("amount_captured", "Captured", hidden=True),
        _money("amount_refunded", "Refunded"),
        Column(name="method", title="Method", type="text"),
        Column(name="gateway", title="Gateway", type="text", hidden_by_default=True),
        Column(name="captured_at", title="Captured at", type="timestamp", hidden_by_default=True),
        Column(name="description", title="Description", type="text"),
        Column(name="customer_ref", title="Customer", type="text"),
        Column(name="source_charge", title="Processor's charge", type="text", hidden_by_default=True),
        Column(name="order_id", title="Order", type="uuid", hidden_by_default=True),
        *_PROVENANCE,
    ),
)

REFUNDS = Table(
    name="refunds",
    title="Refunds",
    description="Money given back to customers, one row per refund.",
    model=RefundRecord,
    columns=(
        _ID,
        _CREATED,
        Column(
            name="status",
            title="Status",
            type="enum",
            enum=("pending", "requires_action", "succeeded", "failed", "canceled"),
        ),
        _money("amount", "Amount"),
        _CURRENCY,
        Column(name="reason", title="Reason", type="text"),
        Column(name="failure_reason", title="Why it failed", type="text", hidden_by_default=True),
        Column(name="refunded_at", title="Refunded at", type="timestamp"),
        Column(name="reference", title="Reference on the statement", type="text", hidden_by_default=True),
        Column(name="payment_id", title="Payment", type="uuid", hidden_by_default=True),
        Column(name="order_id", title="Order", type="uuid", hidden_by_default=True),
        *_PROVENANCE,
    ),
)

DISPUTES = Table(
    name="disputes",
    title="Disputes",
    description="Payments that a customer's bank questions, one row per dispute.",
    model=DisputeRecord,
    columns=(
        _ID,
        _CREATED,
        Column(
            name="status",
            title="Status",
            type="enum",
            enum=(
                "warning_needs_response",
                "warning_under_review",
                "warning_closed",
                "needs_response",
                "under_review",
                "appeal_needs_response",
                "appeal_under_review",
                "won",
                "lost",
                "prevented",
            ),
        ),
        _money("amount", "Amount"),
        _CURRENCY,
        Column(name="reason", title="Reason", type="text"),
        Column(name="evidence_due_at", title="Evidence due", type="timestamp"),
        Column(name="payment_id", title="Payment", type="uuid", hidden_by_default=True),
        Column(name="order_id", title="Order", type="uuid", hidden_by_default=True),
        *_PROVENANCE,
    ),
)

INVOICES = Table(
    name="invoices",
    title="Invoices",
    description="Bills to customers, one row per invoice.",
    model=InvoiceRecord,
    columns=(
        _ID,
        _CREATED,
        Column(name="number", title="Number", type="text"),
        Column(
            name="status",
            title="Status",
            type="enum",
            enum=("draft", "open", "paid", "uncollectible", "void"),
        ),
        _money("total", "Total"),
        _money("amount_due", "Due", hidden=True),
        _money("amount_paid", "Paid"),
        _money("amount_remaining", "Remaining"),
        _CURRENCY,
        Column(name="due_at", title="Due at", type="timestamp"),
        Column(name="paid_at", title="Paid at", type="timestamp", hidden_by_default=True),
        Column(name="period_start", title="Period from", type="timestamp", hidden_by_default=True),
        Column(name="period_end", title="Period to", type="timestamp", hidden_by_default=True),
        Column(name="description", title="Description", type="text"),
        Column(name="customer_id", title="Customer", type="uuid", hidden_by_default=True),
        *_PROVENANCE,
    ),
)

CUSTOMERS = Table(
    name="customers",
    title="Customers",
    description="Who buys, one row per customer record of a source.",
    model=CustomerRecord,
    columns=(
        _ID,
        _CREATED,
        Column(name="name", title="Name", type="text"),
        Column(name="email", title="E-mail", type="text"),
        Column(name="phone", title="Phone", type="text", hidden_by_default=True),
        Column(name="country", title="Country", type="text"),
        Column(name="tax_exempt", title="Tax exempt", type="boolean", hidden_by_default=True),
        Column(name="orders_count", title="Orders", type="number", hidden_by_default=True),
        _money("lifetime_value", "Lifetime value", hidden=True),
        _CURRENCY,
        *_PROVENANCE,
    ),
)

PAYOUTS = Table(
    name="payouts",
    title="Payouts",
    description="Money sent to the bank, one row per payout.",
    model=PayoutRecord,
    columns=(
        _ID,
        _CREATED,
        Column(
            name="status",
            title="Status",
            type="enum",
            enum=("pending", "in_transit", "paid", "failed", "canceled"),
        ),
        _money("amount", "Amount", indexed=True),
        _CURRENCY,
        _money("fee", "Fee", hidden=True),
        _money("net", "Net", hidden=True),
        Column(name="arrival_date", title="Arrives", type="date", indexed=True),
        Column(name="method", title="Method", type="text"),
        Column(name="automatic", title="Automatic", type="boolean"),
        Column(name="reconciliation_status", title="Reconciliation at source", type="text", hidden_by_default=True),
        Column(name="bank_reference", title="Bank reference", type="text"),
        Column(name="trace_id", title="Trace ID", type="text"),
        *_PROVENANCE,
    ),
)

PAYOUT_LINES = Table(
    name="payout_lines",
    title="Payout lines",
    description="Movements of the balance, in the settlement currency: net = gross - fee.",
    model=PayoutLineRecord,
    columns=(
        _ID,
        _CREATED,
        Column(
            name="kind",
            title="Kind",
            type="enum",
            enum=("charge", "refund", "dispute", "adjustment", "fee", "reserve", "transfer", "payout"),
        ),
        Column(name="reporting_category", title="Reporting category", type="text", hidden_by_default=True),
        _money("gross", "Gross"),
        _money("fee", "Fee"),
        _money("net", "Net", indexed=True, description="Gross less the fee"),
        _CURRENCY,
        Column(name="status", title="Status", type="enum", enum=("pending", "available")),
        Column(name="description", title="Description", type="text"),
        Column(name="available_on", title="Available on", type="date", indexed=True),
        Column(name="exchange_rate", title="Exchange rate", type="number", hidden_by_default=True),
        Column(name="payout_id", title="Payout", type="uuid", hidden_by_default=True),
        Column(name="payment_id", title="Payment", type="uuid", hidden_by_default=True),
        Column(name="refund_id", title="Refund", type="uuid", hidden_by_default=True),
        Column(name="dispute_id", title="Dispute", type="uuid", hidden_by_default=True),
        *_PROVENANCE,
    ),
)

FEES = Table(
    name="fees",
    title="Fees",
    description="What the fee of a payout line is made of. Fees billed on their own are payout lines of kind fee.",
    model=FeeRecord,
    columns=(
        _ID,
        _CREATED,
        Column(name="kind", title="Kind", type="text"),
        _money("amount", "Amount"),
        _CURRENCY,
        Column(name="description", title="Description", type="text"),
        Column(name="payout_line_id", title="Payout line", type="uuid", hidden_by_default=True),
        *_PROVENANCE,
    ),
)

CORE_TABLES = (PAYMENTS, REFUNDS, DISPUTES, INVOICES, CUSTOMERS, PAYOUTS, PAYOUT_LINES, FEES)
