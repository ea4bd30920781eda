"""Orders an index can give under row-level security: amounts as whole numbers, rows by the vendor's id, lists by what filters them."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Comparing numerics is not leakproof, so under row-level security no amount is ever an index condition: a range, or a page far
# behind the first, reads the index from its beginning. Comparing integers is. Millionths are exact, and the largest
# numeric(18,6) is less than 10^18 of them. The column is the database's own work and replaces the amount in the index.
# Adding it writes the table anew, under a lock: about a minute for ten million rows.
AMOUNTS = (("payments", "amount"), ("payouts", "amount"), ("payout_lines", "net"))
# Nobody looks for a part of a fee by its own id.
LOOKED_UP = ("customers", "payments", "refunds", "disputes", "invoices", "payouts", "payout_lines")


def upgrade() -> None:
    for table, column in AMOUNTS:
        op.execute(f"DROP INDEX core.{table}_{column}_idx")
        op.execute(f"""
            ALTER TABLE core.{table} ADD COLUMN {column}_micros bigint NOT NULL
            GENERATED ALWAYS AS ((({column} * (1000000)::numeric))::bigint) STORED
        """)
        op.execute(
            f"CREATE INDEX {table}_{column}_micros_idx ON core.{table} (tenant_id, {column}_micros DESC NULLS LAST, id DESC)"
        )
    # What people look for most is one id of the vendor's, and nothing else leads to it.
    for table in LOOKED_UP:
        op.execute(f"CREATE INDEX {table}_source_id_idx ON core.{table} (tenant_id, source_id)")
    _jobs()
    _audit_events()
    _rare_ones()


def _jobs() -> None:
    for column in ("status", "kind"):
        op.execute(f"CREATE INDEX jobs_{column}_idx ON core.jobs (tenant_id, {column}, created_at DESC, id DESC)")


def _audit_events() -> None:
    # The same as before with the id behind it: what happened to one thing comes newest first, however much that was.
    op.execute("DROP INDEX core.audit_events_resource_idx")
    op.execute("""
        CREATE INDEX audit_events_resource_idx ON core.audit_events (tenant_id, resource_type, resource_id, id)
    """)
    op.execute("""
        CREATE INDEX audit_events_job_id_idx ON core.audit_events (tenant_id, job_id, id) WHERE job_id IS NOT NULL
    """)


def _rare_ones() -> None:
    """Partial indexes of the few rows a list is about among the many it is not about: hardly any row is written to them."""
    op.execute("""
        CREATE INDEX api_calls_unusual_idx ON core.api_calls (tenant_id, connection_id, id DESC)
        WHERE status IS NULL OR status < 200 OR status >= 300
    """)
    op.execute("""
        CREATE INDEX stream_runs_syncs_idx ON core.stream_runs (tenant_id, connection_id, stream, started_at DESC)
        WHERE mode IN ('incremental', 'backfill', 'full')
    """)
    op.execute("""
        CREATE INDEX schema_notices_open_idx ON core.schema_notices (tenant_id, connection_id, id DESC)
        WHERE acknowledged_at IS NULL
    """)
    op.execute("""
        CREATE INDEX invitations_open_idx ON core.invitations (tenant_id, id)
        WHERE accepted_at IS NULL AND revoked_at IS NULL
    """)
