"""The log of outbound requests, what jobs leave behind, how long both are kept, and the operator's list of tenants."""

from alembic import op

from counterfoil_migrations.ops import APP, definer_function

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _api_calls()
    _partitions()
    _drop_old_api_calls()
    _claim_job()
    _finish_job()
    _job_log_retention()
    _tenants_for_operator()


def _api_calls() -> None:
    # Refers to nothing: no missing row may keep the evidence of a request from being written. Without a default
    # partition, so that making one ahead never collides with rows that came before it.
    op.execute("""
        CREATE TABLE core.api_calls (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            connection_id uuid NOT NULL,
            kind text NOT NULL,
            job_id uuid,
            correlation_id uuid,
            at timestamptz NOT NULL,
            method text NOT NULL,
            url text NOT NULL,
            status integer,
            duration_ms double precision NOT NULL,
            request_bytes bigint NOT NULL,
            response_bytes bigint,
            attempt integer NOT NULL,
            cost numeric,
            error_code text,
            excerpt text,
            PRIMARY KEY (tenant_id, id)
        ) PARTITION BY RANGE (id)
    """)
    op.execute("CREATE INDEX api_calls_connection_id_idx ON core.api_calls (tenant_id, connection_id, id DESC)")
    op.execute("CREATE INDEX api_calls_job_id_idx ON core.api_calls (tenant_id, job_id, id)")
    op.execute("CREATE INDEX api_calls_correlation_id_idx ON core.api_calls (tenant_id, correlation_id)")


def _partitions() -> None:
    # For every table of core that is partitioned by its time-ordered id: this month and the two after it.
    op.execute("""
        CREATE OR REPLACE FUNCTION core.ensure_partitions() RETURNS int
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $$
        DECLARE
            parent name; first timestamptz; made int := 0; part text;
        BEGIN
            PERFORM pg_advisory_xact_lock(4840272);
            FOR parent IN
                SELECT c.relname FROM pg_class c
                WHERE c.relnamespace = 'core'::regnamespace AND c.relkind = 'p' AND pg_get_partkeydef(c.oid) = 'RANGE (id)'
                ORDER BY c.relname
            LOOP
                FOR ahead IN 0..2 LOOP
                    first := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => ahead);
                    part := parent || '_' || to_char(first AT TIME ZONE 'UTC', 'YYYYMM');
                    IF to_regclass(format('core.%I', part)) IS NULL THEN
                        EXECUTE format('CREATE TABLE core.%I PARTITION OF core.%I FOR VALUES FROM (%L) TO (%L)',
                            part, parent, core.uuid_at(first),
                            core.uuid_at((first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'));
                        EXECUTE format('ALTER TABLE core.%I ENABLE ROW LEVEL SECURITY', part);
                        EXECUTE format('ALTER TABLE core.%I FORCE ROW LEVEL SECURITY', part);
                        made := made + 1;
                    END IF;
                END LOOP;
            END LOOP;
            RETURN made;
        END $$
    """)
    op.execute("SELECT core.ensure_partitions()")


def _drop_old_api_calls() -> None:
    # Owned by the migration role, because only a table's owner may drop it. Whoever takes the application over must not
    # be able to wipe the log: the last month stays whatever is asked.
    op.execute("""
        CREATE FUNCTION core.drop_old_api_calls(keep_days integer) RETURNS int
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
        AS $$
        DECLARE
            part name; dropped int := 0;
            before timestamptz := now() - make_interval(days => greatest(keep_days, 30));
        BEGIN
            PERFORM pg_advisory_xact_lock(4840272);
            FOR part IN
                SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'core.api_calls'::regclass AND c.relname ~ '^api_calls_[0-9]{6}$'
            LOOP
                IF (to_date(right(part, 6), 'YYYYMM') + interval '1 month') AT TIME ZONE 'UTC' <= before THEN
                    EXECUTE format('DROP TABLE core.%I', part);
                    dropped := dropped + 1;
                END IF;
            END LOOP;
            RETURN dropped;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION core.drop_old_api_calls(integer) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION core.drop_old_api_calls(integer) TO {APP}")


def _claim_job() -> None:
    # A transaction of its own in one round trip: it binds the tenant itself, and row-level security binds it.
    op.execute("""
        CREATE FUNCTION core.claim_job(tenant uuid, job uuid, owner text, lease_s double precision)
        RETURNS TABLE (fence bigint, kind text, params jsonb, progress jsonb, attempt integer, idle_attempt integer,
                       correlation_id uuid, requested_by_kind text, requested_by_id text, requested_by_label text)
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $$
        BEGIN
            PERFORM set_config('app.current_tenant_id', tenant::text, true);
            RETURN QUERY
                UPDATE core.jobs j
                SET status = 'running', fence = j.fence + 1, attempts = j.attempts + 1, idle_attempts = j.idle_attempts + 1,
                    lease_owner = owner, lease_until = clock_timestamp() + make_interval(secs => lease_s),
                    published_at = coalesce(j.published_at, clock_timestamp()),
                    started_at = coalesce(j.started_at, clock_timestamp()),
                    event_seq = j.event_seq + 1, updated_at = clock_timestamp()
                WHERE j.tenant_id = tenant AND j.id = job AND j.status = 'queued' AND j.run_after <= clock_timestamp()
                RETURNING j.fence, j.kind, j.params, j.progress, j.attempts, j.idle_attempts, j.correlation_id,
                          j.requested_by_kind, j.requested_by_id, j.requested_by_label;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION core.claim_job(uuid, uuid, text, double precision) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION core.claim_job(uuid, uuid, text, double precision) TO {APP}")


def _finish_job() -> None:
    # As above: the end of a job and its audit event are one transaction in one round trip.
    op.execute("""
        CREATE FUNCTION core.finish_job(
            tenant uuid, job uuid, held_fence bigint, ended_as text, job_result jsonb, job_error jsonb, job_reasons jsonb,
            event uuid, actor_kind text, actor_id text, actor_label text, outcome text, reason text
        ) RETURNS boolean
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
        AS $$
        BEGIN
            PERFORM set_config('app.current_tenant_id', tenant::text, true);
            WITH ended AS (
                UPDATE core.jobs j
                SET status = ended_as, result = job_result, error = job_error, reasons = job_reasons,
                    finished_at = clock_timestamp(), lease_owner = NULL, lease_until = NULL,
                    event_seq = j.event_seq + 1, updated_at = clock_timestamp()
                WHERE j.tenant_id = tenant AND j.id = job AND j.fence = held_fence AND j.status = 'running'
                RETURNING j.kind, j.correlation_id
            )
            INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_id, actor_label, action,
                resource_type, resource_id, outcome, reason, correlation_id, job_id, payload)
            SELECT tenant, event, clock_timestamp(), finish_job.actor_kind, finish_job.actor_id, finish_job.actor_label,
                'core.job.finished', 'job', job::text, finish_job.outcome, finish_job.reason, ended.correlation_id, job,
                jsonb_build_object('kind', ended.kind, 'status', ended_as, 'reasons', job_reasons)
            FROM ended;
            RETURN FOUND;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION core.finish_job FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION core.finish_job TO {APP}")


def _job_log_retention() -> None:
    # Lines arrive in the order of their time, so that a few pages of block ranges find the old ones.
    op.execute("CREATE INDEX job_events_created_idx ON core.job_events USING brin (created_at)")
    definer_function(
        "core.trim_job_events(keep_days integer, batch integer)",
        returns="bigint",
        body="""
            WITH old AS (
                SELECT ctid FROM core.job_events
                WHERE created_at < now() - make_interval(days => greatest(keep_days, 7)) LIMIT batch
            ), trimmed AS (
                DELETE FROM core.job_events WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1
            )
            SELECT count(*) FROM trimmed
        """,
    )


def _tenants_for_operator() -> None:
    definer_function(
        "core.tenants_for_operator()",
        returns="TABLE (tenant_id uuid, slug text)",
        body="SELECT t.id, t.slug FROM core.tenants t ORDER BY t.id",
    )
