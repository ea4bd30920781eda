"""What the stream engine needs beyond the thin path: sightings and tombstones, notices, webhook receipts."""

from alembic import op

from counterfoil_migrations.ops import definer_function

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that may be empty on what is there already, and three tables."""
    _raw_records()
    _stream_runs()
    _schemas()
    _webhooks()


def _raw_records() -> None:
    op.execute("""
        ALTER TABLE core.raw_records
            ADD COLUMN is_open boolean NOT NULL DEFAULT false,
            ADD COLUMN seen_at timestamptz,
            ADD COLUMN seen_run uuid,
            ADD COLUMN deleted_at timestamptz
    """)
    op.execute("""
        CREATE INDEX raw_records_open_idx ON core.raw_records (tenant_id, connection_id, stream, id) WHERE is_open
    """)


def _stream_runs() -> None:
    op.execute("""
        ALTER TABLE core.stream_runs
            ADD COLUMN read_at timestamptz,
            ADD COLUMN rechecked bigint NOT NULL DEFAULT 0,
            ADD COLUMN short bigint NOT NULL DEFAULT 0,
            ADD COLUMN told jsonb NOT NULL DEFAULT '{}',
            ADD COLUMN notices jsonb NOT NULL DEFAULT '[]',
            DROP CONSTRAINT stream_runs_mode_check,
            ADD CONSTRAINT stream_runs_mode_check
                CHECK (mode IN ('incremental', 'backfill', 'full', 'replay', 'refresh'))
    """)


def _schemas() -> None:
    op.execute("""
        CREATE TABLE core.stream_schemas (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            connection_id uuid NOT NULL,
            stream text NOT NULL,
            paths jsonb NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, connection_id) REFERENCES core.connections (tenant_id, id),
            CONSTRAINT stream_schemas_stream_key UNIQUE (tenant_id, connection_id, stream)
        )
    """)
    op.execute("""
        CREATE TABLE core.schema_notices (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            connection_id uuid NOT NULL,
            stream text NOT NULL,
            path text NOT NULL,
            kind text NOT NULL CONSTRAINT schema_notices_kind_check CHECK (kind IN ('appeared', 'type_changed')),
            sample_type text NOT NULL,
            run_id uuid NOT NULL,
            first_seen_at timestamptz NOT NULL DEFAULT now(),
            acknowledged_at timestamptz,
            acknowledged_by uuid,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, connection_id) REFERENCES core.connections (tenant_id, id),
            CONSTRAINT schema_notices_path_key UNIQUE (tenant_id, connection_id, stream, path, kind, sample_type)
        )
    """)
    op.execute("CREATE INDEX schema_notices_newest_idx ON core.schema_notices (tenant_id, connection_id, id DESC)")


def _webhooks() -> None:
    op.execute("""
        CREATE TABLE core.webhook_receipts (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            connection_id uuid NOT NULL,
            kind text NOT NULL,
            event_id text NOT NULL,
            event_type text NOT NULL,
            event_created_at timestamptz,
            body_hash bytea NOT NULL,
            hints jsonb NOT NULL,
            received_at timestamptz NOT NULL DEFAULT now(),
            handled_at timestamptz,
            error text,
            job_id uuid,
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id, connection_id) REFERENCES core.connections (tenant_id, id),
            CONSTRAINT webhook_receipts_event_key UNIQUE (tenant_id, connection_id, event_id)
        )
    """)
    op.execute("""
        CREATE INDEX webhook_receipts_pending_idx ON core.webhook_receipts (tenant_id, connection_id, id)
        WHERE handled_at IS NULL
    """)
    op.execute("CREATE INDEX webhook_receipts_newest_idx ON core.webhook_receipts (tenant_id, connection_id, id DESC)")
    # An address names a connection only, so it is looked for among those of all tenants.
    op.execute("CREATE INDEX connections_id_idx ON core.connections (id)")
    # Before the signature is checked nobody knows whose request it is: the address names the connection, and that its tenant.
    definer_function(
        "core.webhook_target(wanted_kind text, wanted_connection uuid)",
        returns="TABLE (tenant_id uuid, plugin text)",
        body="""
            SELECT c.tenant_id, c.plugin FROM core.connections c
            JOIN core.tenants t ON t.id = c.tenant_id AND t.status = 'active'
            WHERE c.id = wanted_connection AND c.kind = wanted_kind AND c.status <> 'revoked'
        """,
    )
