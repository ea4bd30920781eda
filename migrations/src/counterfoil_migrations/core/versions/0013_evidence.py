"""Objects and evidence packs."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE core.objects (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            key text NOT NULL,
            sha256 text NOT NULL,
            size bigint NOT NULL,
            media_type text NOT NULL,
            purpose text NOT NULL,
            retention_until timestamptz,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT objects_tenant_id_key_key UNIQUE (tenant_id, key),
            CONSTRAINT objects_key_check CHECK (key LIKE tenant_id || '/%'),
            CONSTRAINT objects_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT objects_size_check CHECK (size >= 0)
        )
    """)
    op.execute("""
        CREATE TABLE core.evidence_packs (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            job_id uuid NOT NULL,
            object_id uuid NOT NULL,
            sha256 text NOT NULL,
            manifest_sha256 text NOT NULL,
            signature bytea NOT NULL,
            key_id text NOT NULL,
            as_of timestamptz NOT NULL,
            records_landed bigint,
            records_packed bigint NOT NULL,
            rows_landed bigint,
            rows_packed bigint NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT evidence_packs_tenant_id_job_id_key UNIQUE (tenant_id, job_id),
            FOREIGN KEY (tenant_id, object_id) REFERENCES core.objects (tenant_id, id)
        )
    """)
    op.execute("""
        CREATE TABLE core.job_artifacts (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            job_id uuid NOT NULL,
            object_id uuid NOT NULL,
            name text NOT NULL,
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT job_artifacts_tenant_id_job_id_name_key UNIQUE (tenant_id, job_id, name),
            FOREIGN KEY (tenant_id, job_id) REFERENCES core.jobs (tenant_id, id) ON DELETE CASCADE,
            FOREIGN KEY (tenant_id, object_id) REFERENCES core.objects (tenant_id, id)
        )
    """)
    op.execute("CREATE INDEX job_artifacts_object_id_idx ON core.job_artifacts (tenant_id, object_id)")
    op.execute("CREATE INDEX evidence_packs_object_id_idx ON core.evidence_packs (tenant_id, object_id)")
    # What the ticker looks for every hour.
    op.execute("""
        CREATE INDEX objects_retention_idx ON core.objects (tenant_id, retention_until) WHERE retention_until IS NOT NULL
    """)
    # Packs of a first sync take minutes: other work does not stand behind them.
    op.execute("""
        ALTER TABLE core.jobs
            DROP CONSTRAINT jobs_queue_check,
            ADD CONSTRAINT jobs_queue_check
                CHECK (queue IN ('sync', 'recon', 'export', 'workspace', 'ai', 'evidence'))
    """)
    # To find the job that makes, or failed to make, another one's pack.
    op.execute("""
        CREATE INDEX jobs_evidence_idx ON core.jobs (tenant_id, subject_id, created_at DESC) WHERE kind = 'core.evidence'
    """)
