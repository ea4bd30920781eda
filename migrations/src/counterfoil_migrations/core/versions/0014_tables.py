"""Saved views, and the orders in which tables are walked."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


# Besides the time of creation. One index serves both directions; amounts are no index condition under row-level security
# (numeric comparison is not leakproof), yet their order is.
SORTS = (
    ("payments", "amount"),
    ("payouts", "amount"),
    ("payouts", "arrival_date"),
    ("payout_lines", "net"),
    ("payout_lines", "available_on"),
)


def upgrade() -> None:
    for table, column in SORTS:
        op.execute(f"CREATE INDEX {table}_{column}_idx ON core.{table} (tenant_id, {column} DESC NULLS LAST, id DESC)")
    op.execute("""
        CREATE TABLE core.saved_views (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            table_name text NOT NULL,
            name text NOT NULL,
            owner_id uuid NOT NULL,
            shared boolean NOT NULL,
            filters jsonb NOT NULL,
            sort text,
            columns jsonb,
            chart jsonb,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT saved_views_name_key UNIQUE (tenant_id, owner_id, table_name, name),
            FOREIGN KEY (tenant_id, owner_id) REFERENCES core.memberships (tenant_id, user_id) ON DELETE CASCADE
        )
    """)
