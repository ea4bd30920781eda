"""Jobs, their events, and the functions that look for work across tenants."""

from alembic import op

from counterfoil_migrations.ops import definer_function

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _jobs()
    _job_events()
    _notices()
    _claim_unpublished()
    _unpublish()
    _reap()
    _republish()


def _jobs() -> None:
    op.execute("""
        CREATE TABLE core.jobs (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            title text NOT NULL,
            queue text NOT NULL CONSTRAINT jobs_queue_check CHECK (queue IN ('sync', 'recon', 'export', 'workspace', 'ai')),
            status text NOT NULL DEFAULT 'queued' CONSTRAINT jobs_status_check
                CHECK (status IN ('queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled')),
            params jsonb NOT NULL DEFAULT '{}',
            progress jsonb,
            result jsonb,
            error jsonb,
            reasons jsonb NOT NULL DEFAULT '[]',
            subject_type text,
            subject_id uuid,
            attempts integer NOT NULL DEFAULT 0,
            idle_attempts integer NOT NULL DEFAULT 0,
            max_idle_attempts integer NOT NULL,
            fence bigint NOT NULL DEFAULT 0,
            lease_owner text,
            lease_until timestamptz,
            run_after timestamptz NOT NULL DEFAULT now(),
            published_at timestamptz,
            cancel_requested_at timestamptz,
            event_seq bigint NOT NULL DEFAULT 0,
            correlation_id uuid NOT NULL,
            requested_by_kind text NOT NULL,
            requested_by_id text,
            requested_by_label text NOT NULL,
            replay_of uuid,
            started_at timestamptz,
            finished_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            FOREIGN KEY (tenant_id) REFERENCES core.tenants (id),
            FOREIGN KEY (tenant_id, replay_of) REFERENCES core.jobs (tenant_id, id),
            CONSTRAINT jobs_subject_check CHECK ((subject_type IS NULL) = (subject_id IS NULL)),
            CONSTRAINT jobs_lease_check CHECK ((status = 'running') = (lease_until IS NOT NULL)),
            CONSTRAINT jobs_finished_check CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL))
        )
    """)
    op.execute("CREATE INDEX jobs_created_idx ON core.jobs (tenant_id, created_at DESC, id DESC)")
    # One unfinished job of a kind per subject: pressing "sync" twice gives one job.
    op.execute("""
        CREATE UNIQUE INDEX jobs_unfinished_subject_key ON core.jobs (tenant_id, kind, subject_type, subject_id)
        WHERE status IN ('queued', 'running') AND subject_id IS NOT NULL
    """)
    # Small, because partial: these hold work in hand only, whatever the number of finished jobs. None has lease_until,
    # so that a heartbeat stays a heap-only update.
    op.execute("""
        CREATE INDEX jobs_unpublished_idx ON core.jobs (tenant_id, run_after) WHERE status = 'queued' AND published_at IS NULL
    """)
    op.execute("""
        CREATE INDEX jobs_unclaimed_idx ON core.jobs (tenant_id, published_at)
        WHERE status = 'queued' AND published_at IS NOT NULL
    """)
    op.execute("CREATE INDEX jobs_running_idx ON core.jobs (tenant_id, id) WHERE status = 'running'")


def _job_events() -> None:
    op.execute("""
        CREATE TABLE core.job_events (
            tenant_id uuid NOT NULL,
            job_id uuid NOT NULL,
            seq bigint NOT NULL,
            level text NOT NULL CONSTRAINT job_events_level_check CHECK (level IN ('debug', 'info', 'warning', 'error')),
            message text NOT NULL,
            data jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, job_id, seq),
            FOREIGN KEY (tenant_id, job_id) REFERENCES core.jobs (tenant_id, id) ON DELETE CASCADE
        )
    """)


def _notices() -> None:
    # By trigger, so that no way of changing a job forgets to tell.
    op.execute("""
        CREATE FUNCTION core.tell_job_waits() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $$ BEGIN PERFORM pg_notify('counterfoil_jobs', ''); RETURN NULL; END $$
    """)
    op.execute("""
        CREATE FUNCTION core.tell_job_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $$ BEGIN PERFORM pg_notify('counterfoil_job_events', NEW.tenant_id || ':' || NEW.id); RETURN NULL; END $$
    """)
    op.execute("""
        CREATE TRIGGER jobs_waits AFTER INSERT OR UPDATE OF published_at ON core.jobs FOR EACH ROW
        WHEN (NEW.status = 'queued' AND NEW.published_at IS NULL) EXECUTE FUNCTION core.tell_job_waits()
    """)
    op.execute("""
        CREATE TRIGGER jobs_changed AFTER UPDATE OF event_seq ON core.jobs FOR EACH ROW
        EXECUTE FUNCTION core.tell_job_changed()
    """)


def _claim_unpublished() -> None:
    definer_function(
        "core.claim_unpublished_jobs(batch integer)",
        returns="TABLE (tenant_id uuid, job_id uuid, queue text)",
        body="""
            WITH due AS (
                SELECT j.tenant_id, j.id FROM core.jobs j
                WHERE j.status = 'queued' AND j.published_at IS NULL AND j.run_after <= clock_timestamp()
                ORDER BY j.run_after, j.id LIMIT batch
                FOR NO KEY UPDATE SKIP LOCKED
            ), published AS (
                UPDATE core.jobs j SET published_at = clock_timestamp() FROM due
                WHERE j.tenant_id = due.tenant_id AND j.id = due.id
                RETURNING j.tenant_id, j.id, j.queue, j.run_after
            )
            SELECT p.tenant_id, p.id, p.queue FROM published p ORDER BY p.run_after, p.id
        """,
    )


def _unpublish() -> None:
    definer_function(
        "core.unpublish_jobs(tenant_ids uuid[], job_ids uuid[])",
        returns="bigint",
        body="""
            WITH unpublished AS (
                UPDATE core.jobs j SET published_at = NULL
                FROM unnest(tenant_ids, job_ids) AS given (tenant_id, job_id)
                WHERE j.tenant_id = given.tenant_id AND j.id = given.job_id AND j.status = 'queued'
                RETURNING 1
            )
            SELECT count(*) FROM unpublished
        """,
    )


def _reap() -> None:
    # What must end (given up, or cancelled while its worker died) is only reported: ending it takes an audit event in
    # its tenant's own transaction. SKIP LOCKED passes by whoever is in a unit of work at this moment: that is a sign of life.
    definer_function(
        "core.reap_jobs(batch integer)",
        returns="TABLE (tenant_id uuid, job_id uuid, must_end boolean)",
        body="""
            WITH lost AS (
                SELECT j.tenant_id, j.id,
                       j.idle_attempts >= j.max_idle_attempts OR j.cancel_requested_at IS NOT NULL AS must_end
                FROM core.jobs j
                WHERE j.status = 'running' AND j.lease_until < clock_timestamp()
                ORDER BY j.lease_until LIMIT batch
                FOR NO KEY UPDATE SKIP LOCKED
            ), requeued AS (
                UPDATE core.jobs j
                SET status = 'queued', published_at = NULL, lease_owner = NULL, lease_until = NULL,
                    run_after = clock_timestamp(), event_seq = j.event_seq + 1, updated_at = clock_timestamp()
                FROM lost
                WHERE j.tenant_id = lost.tenant_id AND j.id = lost.id AND NOT lost.must_end
            )
            SELECT lost.tenant_id, lost.id, lost.must_end FROM lost
        """,
    )


def _republish() -> None:
    definer_function(
        "core.republish_jobs(queues text[], older_than_s double precision[])",
        returns="bigint",
        body="""
            WITH forgotten AS (
                SELECT j.tenant_id, j.id FROM core.jobs j
                JOIN unnest(queues, older_than_s) AS age (queue, secs) ON age.queue = j.queue
                WHERE j.status = 'queued' AND j.published_at < clock_timestamp() - make_interval(secs => age.secs)
                FOR NO KEY UPDATE OF j SKIP LOCKED
            ), unpublished AS (
                UPDATE core.jobs j SET published_at = NULL FROM forgotten
                WHERE j.tenant_id = forgotten.tenant_id AND j.id = forgotten.id
                RETURNING 1
            )
            SELECT count(*) FROM unpublished
        """,
    )
