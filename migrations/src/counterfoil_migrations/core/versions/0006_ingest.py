"""Cursors, runs, raw records and the canonical commerce tables."""

from alembic import op

revision = "0006"
down_revision = "0005"
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
PAYMENTS = """
    amount numeric(18,6) NOT NULL,
    amount_captured numeric(18,6),
    amount_refunded numeric(18,6),
    currency text NOT NULL,
    status text NOT NULL,
    method text,
    gateway text,
    captured_at timestamptz,
    order_id uuid,
    customer_ref text,
    description text,
    source_charge text,
"""
PAYOUTS = """
    amount numeric(18,6) NOT NULL,
    fee numeric(18,6),
    net numeric(18,6),
    currency text NOT NULL,
    status text NOT NULL,
    arrival_date date,
    method text,
    automatic boolean,
    reconciliation_status text,
    bank_reference text,
    trace_id text,
"""
PAYOUT_LINES = """
    kind text NOT NULL,
    reporting_category text,
    gross numeric(18,6) NOT NULL,
    fee numeric(18,6) NOT NULL,
    net numeric(18,6) NOT NULL,
    currency text NOT NULL,
    status text,
    description text,
    available_on date,
    exchange_rate numeric,
    payout_id uuid,
    payment_id uuid,
    refund_id uuid,
    dispute_id uuid,
"""


def upgrade() -> None:
    _engine_tables()
    for name, columns in (("payments", PAYMENTS), ("payouts", PAYOUTS), ("payout_lines", PAYOUT_LINES)):
        _canonical(name, columns)
    op.execute("CREATE INDEX payout_lines_payout_id_idx ON core.payout_lines (tenant_id, payout_id)")


def _engine_tables() -> None:
    op.execute("""
        CREATE TABLE core.cursor_states (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            connection_id uuid NOT NULL,
            stream text NOT NULL,
            position jsonb NOT NULL,
            mapped_version integer NOT NULL,
            job_id uuid,
            last_synced_at timestamptz,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, connection_id) REFERENCES core.connections (tenant_id, id),
            CONSTRAINT cursor_states_stream_key UNIQUE (tenant_id, connection_id, stream)
        )
    """)
    op.execute("""
        CREATE TABLE core.stream_runs (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            job_id uuid NOT NULL,
            connection_id uuid NOT NULL,
            stream text NOT NULL,
            mode text NOT NULL CONSTRAINT stream_runs_mode_check CHECK (mode IN ('incremental', 'backfill', 'replay')),
            status text NOT NULL CONSTRAINT stream_runs_status_check CHECK (status IN ('running', 'succeeded', 'partial', 'failed')),
            reason jsonb,
            pages integer NOT NULL DEFAULT 0,
            rows_read bigint NOT NULL DEFAULT 0,
            rows_inserted bigint NOT NULL DEFAULT 0,
            rows_updated bigint NOT NULL DEFAULT 0,
            rows_unchanged bigint NOT NULL DEFAULT 0,
            rows_deleted bigint NOT NULL DEFAULT 0,
            expected bigint,
            landed bigint,
            first_position jsonb,
            last_position jsonb,
            started_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, connection_id) REFERENCES core.connections (tenant_id, id)
        )
    """)
    op.execute(
        "CREATE INDEX stream_runs_connection_idx ON core.stream_runs (tenant_id, connection_id, stream, started_at DESC)"
    )
    op.execute("CREATE INDEX stream_runs_job_idx ON core.stream_runs (tenant_id, job_id)")
    op.execute("""
        CREATE TABLE core.raw_records (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            connection_id uuid NOT NULL,
            stream text NOT NULL,
            change bigint NOT NULL,
            source_id text NOT NULL,
            content_hash bytea NOT NULL,
            payload jsonb NOT NULL,
            run_id uuid NOT NULL,
            observed_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id)
        )
    """)
    op.execute("CREATE INDEX raw_records_change_idx ON core.raw_records (tenant_id, connection_id, stream, change)")


def _canonical(name: str, columns: str) -> None:
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
