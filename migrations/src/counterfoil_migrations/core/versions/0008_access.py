"""Custom roles, API keys, what an operator grants a tenant, usage, and plugins' settings."""

from alembic import op

from counterfoil_migrations.ops import definer_function

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _roles()
    _api_keys()
    _entitlements()
    _end_sessions()


def _roles() -> None:
    op.execute("""
        CREATE TABLE core.roles (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            name text NOT NULL CONSTRAINT roles_name_check CHECK (
                name ~ '^[a-z][a-z0-9_]{1,39}$'
                AND name NOT IN ('owner', 'admin', 'finance', 'ops', 'developer', 'readonly')
            ),
            title text NOT NULL,
            description text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, name)
        )
    """)
    # By the role's name, as memberships hold it: the look-up on every request then joins one table less.
    op.execute("""
        CREATE TABLE core.role_permissions (
            tenant_id uuid NOT NULL,
            role text NOT NULL,
            permission text NOT NULL,
            PRIMARY KEY (tenant_id, role, permission),
            FOREIGN KEY (tenant_id, role) REFERENCES core.roles (tenant_id, name) ON DELETE CASCADE
        )
    """)


def _api_keys() -> None:
    op.execute("""
        CREATE TABLE core.api_keys (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL CONSTRAINT api_keys_kind_check CHECK (kind IN ('personal', 'service')),
            name text NOT NULL,
            prefix text NOT NULL,
            key_hash bytea NOT NULL,
            scopes text[] NOT NULL CONSTRAINT api_keys_scopes_check CHECK (cardinality(scopes) > 0),
            user_id uuid REFERENCES core.users (id) ON DELETE CASCADE,
            roles text[] NOT NULL,
            expires_at timestamptz,
            last_used_at timestamptz,
            revoked_at timestamptz,
            revoked_reason text,
            created_by text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            CONSTRAINT api_keys_bearer_check CHECK (
                (kind = 'personal' AND user_id IS NOT NULL AND cardinality(roles) = 0)
                OR (kind = 'service' AND user_id IS NULL AND cardinality(roles) > 0)
            )
        )
    """)
    op.execute("CREATE INDEX api_keys_user_id_idx ON core.api_keys (tenant_id, user_id)")
    # Led by the hash, unlike every other index on a tenant's table: a key is presented before its tenant is known.
    op.execute("CREATE INDEX api_keys_key_hash_idx ON core.api_keys (key_hash)")
    # The use is noted in this short transaction of its own, at most once a minute, and by one of simultaneous requests.
    definer_function(
        "core.use_api_key(presented_hash bytea)",
        returns="TABLE (tenant_id uuid, id uuid, kind text, name text, user_id uuid, is_live boolean)",
        body="""
            WITH stale AS (
                SELECT s.tenant_id, s.id FROM core.api_keys s
                WHERE s.key_hash = presented_hash AND s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > now())
                  AND (s.last_used_at IS NULL OR s.last_used_at < now() - interval '1 minute')
                FOR UPDATE SKIP LOCKED
            ), noted AS (
                UPDATE core.api_keys u SET last_used_at = now() FROM stale
                WHERE u.tenant_id = stale.tenant_id AND u.id = stale.id
            )
            SELECT k.tenant_id, k.id, k.kind, k.name, k.user_id,
                   k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
            FROM core.api_keys k WHERE k.key_hash = presented_hash
        """,
    )


def _entitlements() -> None:
    # A quota without a value is unlimited; a feature's value is 1 or 0.
    op.execute("""
        CREATE TABLE core.tenant_overrides (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL CONSTRAINT tenant_overrides_kind_check CHECK (kind IN ('quota', 'feature')),
            name text NOT NULL,
            value bigint,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, kind, name),
            CONSTRAINT tenant_overrides_value_check CHECK (
                (kind = 'quota' AND (value IS NULL OR value >= 0)) OR (kind = 'feature' AND value IS NOT NULL AND value IN (0, 1))
            )
        )
    """)
    op.execute("""
        CREATE TABLE core.usage_counters (
            tenant_id uuid NOT NULL,
            metric text NOT NULL,
            day date NOT NULL,
            value bigint NOT NULL CONSTRAINT usage_counters_value_check CHECK (value >= 0),
            PRIMARY KEY (tenant_id, metric, day)
        )
    """)
    # A plugin may be given its settings before anybody ever turns it on.
    op.execute("ALTER TABLE core.plugin_states ADD COLUMN settings jsonb")
    op.execute("ALTER TABLE core.plugin_states ALTER COLUMN enabled_at DROP NOT NULL")


def _end_sessions() -> None:
    # In the current tenant only, whichever one a caller may have in mind. The lock is the one that everything which makes or
    # ends tokens of a user takes: a token that is just being made would otherwise outlive this.
    definer_function(
        "core.end_sessions(of_user uuid, why text)",
        returns="bigint",
        body="""
            SELECT core.lock_sessions(of_user);
            WITH ended AS (
                UPDATE core.refresh_sessions s SET revoked_at = now(), revoked_reason = why
                WHERE s.user_id = of_user AND s.active_tenant_id = current_setting('app.current_tenant_id')::uuid
                  AND s.revoked_at IS NULL AND s.expires_at > now()
                RETURNING s.family_id
            )
            SELECT count(DISTINCT family_id) FROM ended
        """,
    )
