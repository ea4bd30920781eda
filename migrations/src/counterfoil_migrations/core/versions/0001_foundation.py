"""Tenants, and the audit events in monthly partitions."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE core.tenants (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            slug text NOT NULL UNIQUE,
            plan text NOT NULL,
            plan_expires_at timestamptz,
            status text NOT NULL DEFAULT 'active' CONSTRAINT tenants_status_check CHECK (status IN ('active', 'suspended', 'closing')),
            default_currency text NOT NULL DEFAULT 'USD' CONSTRAINT tenants_currency_check CHECK (default_currency ~ '^[A-Z]{3,5}$'),
            timezone text NOT NULL DEFAULT 'UTC',
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    _audit_events()
    _partitions()


def _audit_events() -> None:
    # Partitioned by the time-ordered id, so that the primary key holds across partitions and a look-up by id prunes.
    op.execute("""
        CREATE TABLE core.audit_events (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            occurred_at timestamptz NOT NULL,
            actor_kind text NOT NULL,
            actor_id text,
            actor_label text NOT NULL,
            action text NOT NULL,
            resource_type text,
            resource_id text,
            outcome text NOT NULL CONSTRAINT audit_events_outcome_check CHECK (outcome IN ('ok', 'denied', 'error')),
            reason text,
            correlation_id uuid,
            job_id uuid,
            client_ip text,
            payload jsonb NOT NULL DEFAULT '{}',
            transaction_id bigint NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,
            PRIMARY KEY (tenant_id, id)
        ) PARTITION BY RANGE (id)
    """)
    op.execute("CREATE INDEX audit_events_correlation_id_idx ON core.audit_events (tenant_id, correlation_id)")
    op.execute("CREATE INDEX audit_events_resource_idx ON core.audit_events (tenant_id, resource_type, resource_id)")
    op.execute("CREATE TABLE core.audit_events_default PARTITION OF core.audit_events DEFAULT")


def _partitions() -> None:
    # The bound of a month is the smallest UUIDv7 of its first millisecond.
    op.execute("""
        CREATE FUNCTION core.uuid_at(instant timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT
        AS $$ SELECT (lpad(to_hex((extract(epoch FROM instant) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid $$
    """)
    # Owned by the migration role, because only a table's owner may attach partitions to it. It takes no argument.
    op.execute("""
        CREATE FUNCTION core.ensure_partitions() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
        AS $$
        DECLARE
            first timestamptz; made int := 0; part text;
        BEGIN
            PERFORM pg_advisory_xact_lock(4840272);
            FOR ahead IN 0..2 LOOP
                first := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => ahead);
                part := 'audit_events_' || to_char(first AT TIME ZONE 'UTC', 'YYYYMM');
                IF to_regclass('core.' || part) IS NULL THEN
                    EXECUTE format('CREATE TABLE core.%I PARTITION OF core.audit_events FOR VALUES FROM (%L) TO (%L)',
                        part, core.uuid_at(first), core.uuid_at((first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'));
                    EXECUTE format('ALTER TABLE core.%I ENABLE ROW LEVEL SECURITY', part);
                    EXECUTE format('ALTER TABLE core.%I FORCE ROW LEVEL SECURITY', part);
                    made := made + 1;
                END IF;
            END LOOP;
            RETURN made;
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION core.ensure_partitions() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION core.ensure_partitions() TO counterfoil_app")
    op.execute("SELECT core.ensure_partitions()")
