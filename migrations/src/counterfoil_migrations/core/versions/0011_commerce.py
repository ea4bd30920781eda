"""Customers, refunds, disputes, invoices and the parts of fees: the rest of what a processor tells."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CANONICAL = """
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    dedupe_key text NOT NULL,
    source text NOT NULL,
    source_account text NOT NULL,
    source_id text NOT NULL,
    connection_id uuid NOT NULL,
    run_id uuid NOT NULL,
    raw_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    authority integer NOT NULL,
    source_created_at timestamptz,
    source_updated_at timestamptz,
    observed_at timestamptz NOT NULL,
    synced_at timestamptz NOT NULL,
    deleted_at timestamptz,
    subsidiary text,
"""
CUSTOMERS = """
    email text,
    name text,
    phone text,
    country text,
    tax_exempt boolean,
    orders_count numeric,
    lifetime_value numeric(18,6),
    currency text,
"""
REFUNDS = """
    amount numeric(18,6) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    reason text,
    failure_reason text,
    refunded_at timestamptz,
    reference text,
    payment_id uuid,
    order_id uuid,
"""
DISPUTES = """
    amount numeric(18,6) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    reason text,
    evidence_due_at timestamptz,
    payment_id uuid,
    order_id uuid,
"""
INVOICES = """
    total numeric(18,6) NOT NULL,
    amount_due numeric(18,6) NOT NULL,
    amount_paid numeric(18,6) NOT NULL,
    amount_remaining numeric(18,6) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    number text,
    due_at timestamptz,
    paid_at timestamptz,
    period_start timestamptz,
    period_end timestamptz,
    description text,
    customer_id uuid,
"""
FEES = """
    kind text NOT NULL,
    amount numeric(18,6) NOT NULL,
    currency text NOT NULL,
    payout_line_id uuid NOT NULL,
    description text,
"""


def upgrade() -> None:
    _canonical("customers", CUSTOMERS)
    _canonical("refunds", REFUNDS, referring="payment_id")
    _canonical("disputes", DISPUTES, referring="payment_id")
    _canonical("invoices", INVOICES, referring="customer_id")
    _canonical("fees", FEES, referring="payout_line_id")


def _canonical(name: str, columns: str, *, referring: str | None = None) -> None:
    op.execute(f"""
        CREATE TABLE core.{name} (
            {CANONICAL} {columns}
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT {name}_currency_check CHECK (currency ~ '^[A-Z]{{3,5}}$')
        )
    """)
    op.execute(
        f"CREATE INDEX {name}_created_idx ON core.{name} (tenant_id, source_created_at DESC NULLS LAST, id DESC)"
    )
    op.execute(f"CREATE INDEX {name}_raw_id_idx ON core.{name} (tenant_id, raw_id)")
    if referring:
        op.execute(f"CREATE INDEX {name}_{referring}_idx ON core.{name} (tenant_id, {referring})")
