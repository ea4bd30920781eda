"""Users, memberships with their roles, refresh sessions, and what has to answer before a tenant is known."""

from alembic import op

from counterfoil_migrations.ops import definer_function

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _users_and_memberships()
    _refresh_sessions()
    _before_a_tenant_is_known()
    _session_functions()


def _users_and_memberships() -> None:
    op.execute("""
        CREATE TABLE core.users (
            id uuid PRIMARY KEY,
            email text NOT NULL UNIQUE CONSTRAINT users_email_check CHECK (email = lower(email)),
            name text NOT NULL,
            password_hash text NOT NULL,
            status text NOT NULL DEFAULT 'active' CONSTRAINT users_status_check CHECK (status IN ('active', 'disabled')),
            last_login_at timestamptz,
            failed_logins integer NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("""
        CREATE TABLE core.memberships (
            tenant_id uuid NOT NULL REFERENCES core.tenants (id) ON DELETE CASCADE,
            id uuid NOT NULL,
            user_id uuid NOT NULL REFERENCES core.users (id) ON DELETE CASCADE,
            status text NOT NULL DEFAULT 'active' CONSTRAINT memberships_status_check CHECK (status IN ('active', 'disabled')),
            last_used_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id),
            UNIQUE (tenant_id, user_id)
        )
    """)
    # Led by the user, unlike every other index on a tenant's table: log-in looks for a user's tenants before it has one.
    op.execute("CREATE INDEX memberships_user_id_idx ON core.memberships (user_id)")
    op.execute("""
        CREATE TABLE core.membership_roles (
            tenant_id uuid NOT NULL,
            membership_id uuid NOT NULL,
            role text NOT NULL,
            PRIMARY KEY (tenant_id, membership_id, role),
            FOREIGN KEY (tenant_id, membership_id) REFERENCES core.memberships (tenant_id, id) ON DELETE CASCADE
        )
    """)


def _refresh_sessions() -> None:
    # The rows of one family are the successive refresh tokens of one log-in; at most one of them is unused.
    op.execute("""
        CREATE TABLE core.refresh_sessions (
            id uuid PRIMARY KEY,
            family_id uuid NOT NULL,
            user_id uuid NOT NULL REFERENCES core.users (id) ON DELETE CASCADE,
            active_tenant_id uuid NOT NULL REFERENCES core.tenants (id) ON DELETE CASCADE,
            token_hash bytea NOT NULL UNIQUE,
            rotated_from uuid,
            user_agent text,
            ip text,
            expires_at timestamptz NOT NULL,
            used_at timestamptz,
            revoked_at timestamptz,
            revoked_reason text,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute(
        "CREATE UNIQUE INDEX refresh_sessions_head_idx ON core.refresh_sessions (family_id) WHERE used_at IS NULL"
    )
    op.execute("CREATE INDEX refresh_sessions_family_id_idx ON core.refresh_sessions (family_id)")
    op.execute("CREATE INDEX refresh_sessions_user_id_idx ON core.refresh_sessions (user_id)")


def _before_a_tenant_is_known() -> None:
    definer_function(
        "core.find_account(given_email text)",
        returns="TABLE (user_id uuid, name text, password_hash text, tenant_id uuid)",
        body="""
            SELECT u.id, u.name, u.password_hash, last_used.tenant_id
            FROM core.users u
            LEFT JOIN LATERAL (
                SELECT m.tenant_id
                FROM core.memberships m JOIN core.tenants t ON t.id = m.tenant_id
                WHERE m.user_id = u.id AND m.status = 'active' AND t.status = 'active'
                ORDER BY m.last_used_at DESC NULLS LAST, m.created_at
                LIMIT 1
            ) last_used ON true
            WHERE u.email = given_email AND u.status = 'active'
        """,
    )
    definer_function(
        "core.create_user(new_id uuid, new_email text, new_name text, new_password_hash text)",
        returns="boolean",
        language="plpgsql",
        body="""
            BEGIN
                INSERT INTO core.users (id, email, name, password_hash)
                VALUES (new_id, new_email, new_name, new_password_hash)
                ON CONFLICT (email) DO NOTHING;
                RETURN FOUND;
            END
        """,
    )
    definer_function(
        "core.record_login(of_user uuid, succeeded boolean)",
        returns="void",
        body="""
            UPDATE core.users
            SET last_login_at = CASE WHEN succeeded THEN now() ELSE last_login_at END,
                failed_logins = CASE WHEN succeeded THEN 0 ELSE failed_logins + 1 END,
                updated_at = now()
            WHERE id = of_user
        """,
    )


def _session_functions() -> None:
    definer_function(
        "core.open_session(new_id uuid, of_user uuid, in_tenant uuid, first_hash bytea, until timestamptz, agent text, address text)",
        returns="void",
        body="""
            DELETE FROM core.refresh_sessions WHERE user_id = of_user AND expires_at < now();
            INSERT INTO core.refresh_sessions (id, family_id, user_id, active_tenant_id, token_hash, expires_at, user_agent, ip)
            VALUES (new_id, new_id, of_user, in_tenant, first_hash, until, agent, address)
        """,
    )
    definer_function(
        "core.find_session(presented_hash bytea)",
        returns="TABLE (family_id uuid, user_id uuid, tenant_id uuid)",
        body="""
            SELECT s.family_id, s.user_id, s.active_tenant_id
            FROM core.refresh_sessions s
            WHERE s.token_hash = presented_hash AND s.revoked_at IS NULL AND s.expires_at > now()
        """,
    )
    definer_function(
        "core.session_is_live(family uuid, of_user uuid)",
        returns="boolean",
        body="""
            SELECT EXISTS (
                SELECT FROM core.refresh_sessions s
                WHERE s.family_id = family AND s.user_id = of_user
                  AND s.used_at IS NULL AND s.revoked_at IS NULL AND s.expires_at > now()
            )
        """,
    )
    definer_function(
        "core.revoke_session(family uuid, of_user uuid, why text)",
        returns="boolean",
        language="plpgsql",
        body="""
            BEGIN
                UPDATE core.refresh_sessions s SET revoked_at = now(), revoked_reason = why
                WHERE s.family_id = family AND s.user_id = of_user AND s.revoked_at IS NULL;
                RETURN FOUND;
            END
        """,
    )
    # The row lock makes simultaneous uses queue up. Whoever comes second within the grace time brings the same successor
    # and is let through: two tabs, or an answer lost on the way. Any other second use means that two parties hold the token.
    definer_function(
        "core.rotate_session(presented_hash bytea, child_id uuid, child_hash bytea, until timestamptz, grace interval, agent text, address text)",
        returns="text",
        language="plpgsql",
        body="""
            DECLARE
                parent core.refresh_sessions;
            BEGIN
                SELECT * INTO parent FROM core.refresh_sessions s WHERE s.token_hash = presented_hash FOR UPDATE;
                IF NOT FOUND OR parent.revoked_at IS NOT NULL OR parent.expires_at <= now() THEN
                    RETURN 'ended';
                END IF;
                IF parent.used_at IS NULL THEN
                    UPDATE core.refresh_sessions s SET used_at = now() WHERE s.id = parent.id;
                    INSERT INTO core.refresh_sessions
                        (id, family_id, user_id, active_tenant_id, token_hash, rotated_from, expires_at, user_agent, ip)
                    VALUES (child_id, parent.family_id, parent.user_id, parent.active_tenant_id, child_hash, parent.id, until, agent, address);
                    RETURN 'rotated';
                END IF;
                IF parent.used_at > now() - grace AND EXISTS (
                    SELECT FROM core.refresh_sessions s
                    WHERE s.token_hash = child_hash AND s.rotated_from = parent.id AND s.used_at IS NULL AND s.revoked_at IS NULL
                ) THEN
                    RETURN 'repeated';
                END IF;
                UPDATE core.refresh_sessions s SET revoked_at = now(), revoked_reason = 'reused'
                WHERE s.family_id = parent.family_id AND s.revoked_at IS NULL;
                RETURN 'reused';
            END
        """,
    )
