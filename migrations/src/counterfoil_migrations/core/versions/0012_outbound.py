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
    _job_artifacts()
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


def _job_artifacts() -> None:
    op.execute("""
        CREATE TABLE core.job_artifacts (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            job_id uuid NOT NULL,
            name text NOT NULL,
            media_type text NOT NULL,
            size bigint NOT NULL CONSTRAINT job_artifacts_size_check CHECK (size >= 0),
            sha256 text NOT NULL CONSTRAINT job_artifacts_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
            object_key text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT job_artifacts_tenant_id_job_id_name_key UNIQUE (tenant_id, job_id, name),
            FOREIGN KEY (tenant_id, job_id) REFERENCES core.jobs (tenant_id, id) ON DELETE CASCADE
        )
    """)


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
