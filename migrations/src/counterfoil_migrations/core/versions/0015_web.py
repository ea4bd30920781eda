"""Idempotency keys, versions of what several people edit, and a figure for the monitoring."""

from alembic import op

from counterfoil_migrations.ops import definer_function

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE core.idempotency_keys (
            tenant_id uuid NOT NULL,
            caller text NOT NULL,
            key text NOT NULL,
            id uuid NOT NULL,
            route text NOT NULL,
            request_hash bytea NOT NULL,
            status integer,
            headers jsonb,
            body bytea,
            key_version integer,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, caller, key),
            FOREIGN KEY (tenant_id) REFERENCES core.tenants (id) ON DELETE CASCADE
        )
    """)
    _job_backlog()
    op.execute("CREATE INDEX idempotency_keys_expires_at_idx ON core.idempotency_keys (tenant_id, expires_at)")
    # Few answers bear secrets; these are what a rotation of data keys looks for and goes through by id.
    op.execute("""
        CREATE UNIQUE INDEX idempotency_keys_sealed_key ON core.idempotency_keys (tenant_id, id)
        WHERE key_version IS NOT NULL
    """)
    # Counted where somebody edits, not where a sync writes down how it went: what an entity tag stands for.
    op.execute("ALTER TABLE core.connections ADD COLUMN version integer NOT NULL DEFAULT 1")
    op.execute("ALTER TABLE core.roles ADD COLUMN version integer NOT NULL DEFAULT 1")
    op.execute("ALTER TABLE core.plugin_states ADD COLUMN settings_version integer NOT NULL DEFAULT 0")


def _job_backlog() -> None:
    definer_function(
        "core.job_backlog()",
        returns="TABLE (queue text, status text, jobs bigint, oldest_s double precision)",
        body="""
            SELECT j.queue, j.status, count(*),
                   extract(epoch FROM now() - min(CASE j.status WHEN 'running' THEN j.started_at ELSE j.created_at END))
            FROM core.jobs j WHERE j.status IN ('queued', 'running') GROUP BY j.queue, j.status
        """,
    )
