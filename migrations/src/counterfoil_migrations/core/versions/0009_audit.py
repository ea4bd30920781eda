"""Seals over audit events: epochs, windows of transaction ids, archives, and the functions that see across tenants."""

from alembic import op

from counterfoil_migrations.ops import OWNER, SYSTEM, definer_function

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _epoch()
    _events()
    _seals()
    _archives()
    _window()
    _advance()
    _epochs()
    _oldest_unsealed()
    _unanchored()
    _tenants()
    _months()
    _drop_month()
    # For the timeline, which finds everything with one correlation id.
    op.execute("CREATE INDEX jobs_correlation_id_idx ON core.jobs (tenant_id, correlation_id)")


def _epoch() -> None:
    # A transaction id means something within one database cluster only: restored into another, the database counts from the
    # beginning again. Neither SECURITY DEFINER nor STABLE, so that it is expanded into the INSERT whose default it is.
    op.execute("""
        CREATE FUNCTION core.audit_epoch() RETURNS bigint LANGUAGE sql
        AS $$ SELECT (pg_catalog.pg_control_system()).system_identifier $$
    """)
    op.execute("""
        CREATE TABLE core.epochs (
            epoch bigint PRIMARY KEY,
            number integer NOT NULL UNIQUE,
            sealed_until bigint NOT NULL DEFAULT 0,
            began_at timestamptz NOT NULL DEFAULT now()
        )
    """)


def _events() -> None:
    # A constant first: what is there already gets it without being rewritten.
    op.execute("""
        DO $$ BEGIN
            EXECUTE format('ALTER TABLE core.audit_events ADD COLUMN epoch bigint NOT NULL DEFAULT %s', core.audit_epoch());
        END $$
    """)
    op.execute("ALTER TABLE core.audit_events ALTER COLUMN epoch SET DEFAULT core.audit_epoch()")
    # The second word of what core did, and the name of the plugin for what a plugin did; costs an INSERT nothing.
    op.execute("""
        ALTER TABLE core.audit_events ADD COLUMN category text GENERATED ALWAYS AS (
            CASE WHEN split_part(action, '.', 1) = 'core' THEN split_part(action, '.', 2) ELSE split_part(action, '.', 1) END
        ) VIRTUAL
    """)
    # Windows go across tenants, so this one does not lead with the tenant.
    op.execute("CREATE INDEX audit_events_window_idx ON core.audit_events (epoch, transaction_id, tenant_id)")
    # The one encoding that is hashed, and that an archive holds line by line: JSON, put together by hand because that takes
    # half the time of json_build_object.
    op.execute("""
        CREATE FUNCTION core.audit_line(event core.audit_events) RETURNS text LANGUAGE sql STABLE
        AS $$
            SELECT '{"tenant_id":"' || event.tenant_id || '","id":"' || event.id
                || '","occurred_at":"' || to_char(event.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                || '","epoch":"' || event.epoch || '","transaction_id":"' || event.transaction_id
                || '","actor_kind":' || to_json(event.actor_kind)::text
                || ',"actor_id":' || coalesce(to_json(event.actor_id)::text, 'null')
                || ',"actor_label":' || to_json(event.actor_label)::text
                || ',"action":' || to_json(event.action)::text
                || ',"resource_type":' || coalesce(to_json(event.resource_type)::text, 'null')
                || ',"resource_id":' || coalesce(to_json(event.resource_id)::text, 'null')
                || ',"outcome":' || to_json(event.outcome)::text
                || ',"reason":' || coalesce(to_json(event.reason)::text, 'null')
                || ',"correlation_id":' || coalesce('"' || event.correlation_id || '"', 'null')
                || ',"job_id":' || coalesce('"' || event.job_id || '"', 'null')
                || ',"client_ip":' || coalesce(to_json(event.client_ip)::text, 'null')
                || ',"payload":' || event.payload || '}'
        $$
    """)


def _seals() -> None:
    op.execute("""
        CREATE TABLE core.audit_seals (
            tenant_id uuid NOT NULL REFERENCES core.tenants (id),
            sequence bigint NOT NULL CONSTRAINT audit_seals_sequence_check CHECK (sequence > 0),
            epoch bigint NOT NULL,
            from_xid bigint NOT NULL,
            to_xid bigint NOT NULL,
            event_count bigint NOT NULL CONSTRAINT audit_seals_count_check CHECK (event_count > 0),
            root bytea NOT NULL,
            previous_hash bytea NOT NULL,
            hash bytea NOT NULL,
            key_id text NOT NULL,
            signature bytea NOT NULL,
            sealed_at timestamptz NOT NULL,
            anchor_key text,
            PRIMARY KEY (tenant_id, sequence),
            CONSTRAINT audit_seals_window_key UNIQUE (tenant_id, epoch, to_xid),
            CONSTRAINT audit_seals_window_check CHECK (from_xid < to_xid)
        )
    """)
    op.execute("CREATE INDEX audit_seals_sealed_at_idx ON core.audit_seals (tenant_id, sealed_at)")


def _archives() -> None:
    op.execute("""
        CREATE TABLE core.audit_archives (
            tenant_id uuid NOT NULL REFERENCES core.tenants (id),
            id uuid NOT NULL,
            month date NOT NULL,
            first_sequence bigint NOT NULL,
            last_sequence bigint NOT NULL,
            event_count bigint NOT NULL,
            events_key text NOT NULL,
            events_sha256 bytea NOT NULL,
            seals_key text NOT NULL,
            seals_sha256 bytea NOT NULL,
            manifest_key text NOT NULL,
            key_id text NOT NULL,
            signature bytea NOT NULL,
            archived_at timestamptz NOT NULL,
            purged_at timestamptz,
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT audit_archives_month_key UNIQUE (tenant_id, month)
        )
    """)


def _window() -> None:
    # Everything below the oldest transaction still running is committed or gone, so nothing can turn up there later.
    # The horizon is read in a statement of its own: those after it see all that is below it.
    definer_function(
        "core.audit_window(batch integer)",
        returns="TABLE (window_epoch bigint, from_xid bigint, to_xid bigint, tenant_ids uuid[])",
        language="plpgsql",
        body="""
            DECLARE
                -- What no transaction id reaches: an epoch that is over is sealed until here.
                for_ever bigint := 9223372036854775807;
                here bigint := core.audit_epoch();
                horizon bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
                past core.epochs; ceiling bigint; lowest bigint; beyond bigint;
            BEGIN
                IF NOT EXISTS (SELECT FROM core.epochs e WHERE e.epoch = here) THEN
                    INSERT INTO core.epochs (epoch, number) SELECT here, coalesce(max(e.number), 0) + 1 FROM core.epochs e
                    ON CONFLICT DO NOTHING;
                END IF;
                FOR past IN SELECT * FROM core.epochs e WHERE e.sealed_until < for_ever ORDER BY e.number LOOP
                    ceiling := CASE WHEN past.epoch = here THEN horizon ELSE for_ever END;
                    SELECT a.transaction_id INTO lowest FROM core.audit_events a
                    WHERE a.epoch = past.epoch AND a.transaction_id >= past.sealed_until AND a.transaction_id < ceiling
                    ORDER BY a.transaction_id LIMIT 1;
                    IF lowest IS NULL THEN
                        IF past.epoch <> here THEN
                            UPDATE core.epochs e SET sealed_until = for_ever WHERE e.epoch = past.epoch;
                        END IF;
                        CONTINUE;
                    END IF;
                    SELECT a.transaction_id INTO beyond FROM core.audit_events a
                    WHERE a.epoch = past.epoch AND a.transaction_id >= past.sealed_until AND a.transaction_id < ceiling
                    ORDER BY a.transaction_id OFFSET batch LIMIT 1;
                    IF beyond IS NOT NULL THEN
                        -- One transaction is never in two windows, however many events it wrote.
                        ceiling := greatest(beyond, lowest + 1);
                    ELSIF past.epoch <> here THEN
                        SELECT max(a.transaction_id) + 1 INTO ceiling FROM core.audit_events a
                        WHERE a.epoch = past.epoch AND a.transaction_id >= past.sealed_until;
                    END IF;
                    RETURN QUERY SELECT past.epoch, past.sealed_until, ceiling, array_agg(DISTINCT a.tenant_id)
                        FROM core.audit_events a
                        WHERE a.epoch = past.epoch AND a.transaction_id >= past.sealed_until AND a.transaction_id < ceiling;
                    RETURN;
                END LOOP;
            END
        """,
    )


def _advance() -> None:
    definer_function(
        "core.advance_audit_window(past_epoch bigint, until_xid bigint)",
        returns="void",
        body="""
            UPDATE core.epochs e SET sealed_until = greatest(e.sealed_until, until_xid)
            WHERE e.epoch = past_epoch
              AND (e.epoch <> core.audit_epoch() OR until_xid <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
        """,
    )


def _epochs() -> None:
    definer_function(
        "core.audit_epochs()",
        returns="TABLE (epoch bigint, number integer, sealed_until bigint, is_current boolean)",
        body="""
            SELECT e.epoch, e.number, e.sealed_until, e.epoch = core.audit_epoch() FROM core.epochs e ORDER BY e.number
        """,
    )


def _oldest_unsealed() -> None:
    definer_function(
        "core.oldest_unsealed_event()",
        returns="timestamptz",
        body="""
            SELECT min(oldest.occurred_at) FROM core.epochs e CROSS JOIN LATERAL (
                SELECT a.occurred_at FROM core.audit_events a
                WHERE a.epoch = e.epoch AND a.transaction_id >= e.sealed_until ORDER BY a.transaction_id LIMIT 1
            ) oldest
        """,
    )


def _unanchored() -> None:
    definer_function(
        "core.unanchored_tenants()",
        returns="SETOF uuid",
        body="""
            SELECT t.id FROM core.tenants t CROSS JOIN LATERAL (
                SELECT s.anchor_key FROM core.audit_seals s WHERE s.tenant_id = t.id ORDER BY s.sequence DESC LIMIT 1
            ) newest
            WHERE newest.anchor_key IS NULL
        """,
    )


def _tenants() -> None:
    definer_function(
        "core.audited_tenants()",
        returns="TABLE (tenant_id uuid, slug text)",
        body="SELECT t.id, t.slug FROM core.tenants t ORDER BY t.slug",
    )


def _months() -> None:
    definer_function(
        "core.audit_month_tenants(month date)",
        returns="TABLE (tenant_id uuid, event_count bigint, is_archived boolean)",
        body="""
            SELECT counted.tenant_id, counted.events, EXISTS (
                SELECT FROM core.audit_archives r
                WHERE r.tenant_id = counted.tenant_id AND r.month = $1 AND r.event_count = counted.events
            )
            FROM (
                SELECT a.tenant_id, count(*) AS events FROM core.audit_events a
                WHERE a.id >= core.uuid_at($1::timestamp AT TIME ZONE 'UTC')
                  AND a.id < core.uuid_at(($1 + interval '1 month') AT TIME ZONE 'UTC')
                GROUP BY a.tenant_id
            ) counted
        """,
    )
    op.execute(f"SET LOCAL ROLE {SYSTEM}")
    op.execute(f"GRANT EXECUTE ON FUNCTION core.audit_month_tenants(date) TO {OWNER}")
    op.execute(f"SET LOCAL ROLE {OWNER}")
    definer_function(
        "core.purged_audit_archives()",
        returns="TABLE (tenant_id uuid, archive_id uuid)",
        body="""
            SELECT r.tenant_id, r.id FROM core.audit_archives r
            WHERE r.purged_at IS NULL AND to_regclass('core.audit_events_' || to_char(r.month, 'YYYYMM')) IS NULL
        """,
    )


def _drop_month() -> None:
    # Owned by the migration role, because only a table's owner may drop its partitions. Whoever calls it, a month is never
    # dropped that is young, or that some tenant's archive does not hold in full.
    op.execute("""
        CREATE FUNCTION core.drop_audit_month(month date) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $$
        DECLARE
            part text := 'audit_events_' || to_char(month, 'YYYYMM');
        BEGIN
            IF month <> date_trunc('month', month)::date OR month + interval '1 month' > now() - interval '31 days' THEN
                RAISE EXCEPTION 'this month of audit events is too young to be dropped' USING ERRCODE = 'object_in_use';
            END IF;
            IF to_regclass('core.' || part) IS NULL THEN
                RETURN;
            END IF;
            EXECUTE format('LOCK TABLE core.%I IN SHARE MODE', part);
            IF EXISTS (SELECT FROM core.audit_month_tenants(month) m WHERE NOT m.is_archived) THEN
                RAISE EXCEPTION 'this month of audit events is not archived for every tenant' USING ERRCODE = 'object_in_use';
            END IF;
            EXECUTE format('ALTER TABLE core.audit_events DETACH PARTITION core.%I', part);
            EXECUTE format('DROP TABLE core.%I', part);
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION core.drop_audit_month(date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION core.drop_audit_month(date) TO counterfoil_app")
