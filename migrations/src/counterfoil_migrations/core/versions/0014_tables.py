"""Saved views."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
