"""Tenants' data keys, and connections with their sealed credentials."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE core.tenant_keys (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            version integer NOT NULL CONSTRAINT tenant_keys_version_check CHECK (version > 0),
            wrapped bytea NOT NULL,
            master_key_id text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            rewrapped_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, version),
            FOREIGN KEY (tenant_id) REFERENCES core.tenants (id)
        )
    """)
    op.execute("""
        CREATE TABLE core.connections (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            plugin text NOT NULL,
            label text NOT NULL,
            status text NOT NULL DEFAULT 'pending' CONSTRAINT connections_status_check
                CHECK (status IN ('pending', 'active', 'error', 'needs_reauth', 'revoked')),
            auth_kind text NOT NULL,
            credentials bytea,
            key_version integer,
            settings jsonb NOT NULL DEFAULT '{}',
            external_account_id text,
            external_account_label text,
            verified_at timestamptz,
            last_check_at timestamptz,
            last_error jsonb,
            last_synced_at timestamptz,
            latest_job_id uuid,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id) REFERENCES core.tenants (id),
            CONSTRAINT connections_sealed_check CHECK ((credentials IS NULL) = (key_version IS NULL)),
            CONSTRAINT connections_shredded_check CHECK (status <> 'revoked' OR credentials IS NULL)
        )
    """)
    # A deleted connection keeps its row, not its claim on the label.
    op.execute("""
        CREATE UNIQUE INDEX connections_label_key ON core.connections (tenant_id, label) WHERE status <> 'revoked'
    """)
