"""Which plugins a tenant turned on."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # enabled_by is no foreign key: users are global, and an account that is gone leaves its deeds behind.
    op.execute("""
        CREATE TABLE core.plugin_states (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            plugin text NOT NULL,
            enabled boolean NOT NULL,
            enabled_by text,
            enabled_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, plugin)
        )
    """)
