"""Sessions that end and can be ended, a person's own tenants, passwords that can be changed, invitations."""

from alembic import op

from counterfoil_migrations.ops import OWNER, SYSTEM, definer_function

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sessions_end_for_good()
    _sessions_can_be_ended()
    _what_is_mine()
    _passwords()
    _password_resets()
    _invitations()


def _sessions_end_for_good() -> None:
    # Sessions that exist already get the default from today on.
    op.execute(
        "ALTER TABLE core.refresh_sessions ADD COLUMN family_ends_at timestamptz NOT NULL DEFAULT now() + interval '90 days'"
    )
    op.execute("ALTER TABLE core.refresh_sessions ALTER COLUMN family_ends_at DROP DEFAULT")
    # Whatever makes or ends tokens of a user takes this lock first. Row locks would not do: a token that another transaction
    # is just making is not there to be locked, and would outlive the end of its session.
    definer_function(
        "core.lock_sessions(of_user uuid)",
        returns="void",
        body="SELECT pg_advisory_xact_lock(7, hashtext(of_user::text))",
    )
    op.execute(f"SET LOCAL ROLE {SYSTEM}")
    op.execute("DROP FUNCTION core.open_session(uuid, uuid, uuid, bytea, timestamptz, text, text)")
    op.execute(f"SET LOCAL ROLE {OWNER}")
    definer_function(
        "core.open_session(new_id uuid, of_user uuid, in_tenant uuid, first_hash bytea, until timestamptz, ends timestamptz, agent text, address text)",
        returns="void",
        body="""
            SELECT core.lock_sessions(of_user);
            DELETE FROM core.refresh_sessions WHERE user_id = of_user AND expires_at < now();
            INSERT INTO core.refresh_sessions
                (id, family_id, user_id, active_tenant_id, token_hash, expires_at, family_ends_at, user_agent, ip)
            VALUES (new_id, new_id, of_user, in_tenant, first_hash, least(until, ends), ends, agent, address)
        """,
    )
    # As in revision 0002, with the family's end and the lock.
    definer_function(
        "core.rotate_session(presented_hash bytea, child_id uuid, child_hash bytea, until timestamptz, grace interval, agent text, address text)",
        returns="text",
        language="plpgsql",
        body="""
            DECLARE
                parent core.refresh_sessions;
            BEGIN
                PERFORM core.lock_sessions(s.user_id) FROM core.refresh_sessions s WHERE s.token_hash = presented_hash;
                SELECT * INTO parent FROM core.refresh_sessions s WHERE s.token_hash = presented_hash FOR UPDATE;
                IF NOT FOUND OR parent.revoked_at IS NOT NULL OR parent.expires_at <= now() THEN
                    RETURN 'ended';
                END IF;
                IF parent.used_at IS NULL THEN
                    UPDATE core.refresh_sessions s SET used_at = now() WHERE s.id = parent.id;
                    INSERT INTO core.refresh_sessions
                        (id, family_id, user_id, active_tenant_id, token_hash, rotated_from, expires_at, family_ends_at, user_agent, ip)
                    VALUES (child_id, parent.family_id, parent.user_id, parent.active_tenant_id, child_hash, parent.id,
                            least(until, parent.family_ends_at), parent.family_ends_at, agent, address);
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


def _sessions_can_be_ended() -> None:
    definer_function(
        "core.revoke_session(family uuid, of_user uuid, why text)",
        returns="boolean",
        language="plpgsql",
        body="""
            BEGIN
                PERFORM core.lock_sessions(of_user);
                UPDATE core.refresh_sessions s SET revoked_at = now(), revoked_reason = why
                WHERE s.family_id = family AND s.user_id = of_user AND s.revoked_at IS NULL;
                RETURN FOUND;
            END
        """,
    )
    # One (only), all but one (keep) or all of a user's live sessions, in whatever tenants; each once, by its unused token.
    definer_function(
        "core.revoke_sessions(of_user uuid, only_family uuid, keep uuid, why text)",
        returns="TABLE (family_id uuid, tenant_id uuid, ends_at timestamptz)",
        language="plpgsql",
        body="""
            BEGIN
                PERFORM core.lock_sessions(of_user);
                RETURN QUERY
                WITH ended AS (
                    UPDATE core.refresh_sessions s SET revoked_at = now(), revoked_reason = why
                    WHERE s.user_id = of_user AND s.revoked_at IS NULL AND s.expires_at > now()
                      AND (only_family IS NULL OR s.family_id = only_family)
                      AND (keep IS NULL OR s.family_id <> keep)
                    RETURNING s.family_id, s.active_tenant_id, s.family_ends_at, s.used_at
                )
                SELECT e.family_id, e.active_tenant_id, e.family_ends_at FROM ended e WHERE e.used_at IS NULL;
            END
        """,
    )


def _what_is_mine() -> None:
    definer_function(
        "core.tenants_of(of_user uuid, after uuid, row_limit integer)",
        returns="TABLE (tenant_id uuid, name text, slug text, plan text, status text, roles text[], last_used_at timestamptz)",
        body="""
            SELECT t.id, t.name, t.slug, t.plan, CASE WHEN m.status = 'active' THEN t.status ELSE m.status END,
                   ARRAY(SELECT r.role FROM core.membership_roles r
                         WHERE r.tenant_id = m.tenant_id AND r.membership_id = m.id ORDER BY r.role),
                   m.last_used_at
            FROM core.memberships m JOIN core.tenants t ON t.id = m.tenant_id
            WHERE m.user_id = of_user AND (after IS NULL OR t.id > after)
            ORDER BY t.id
            LIMIT row_limit
        """,
    )
    definer_function(
        "core.may_enter(of_user uuid, in_tenant uuid)",
        returns="boolean",
        body="""
            SELECT EXISTS (
                SELECT FROM core.memberships m JOIN core.tenants t ON t.id = m.tenant_id
                WHERE m.user_id = of_user AND m.tenant_id = in_tenant AND m.status = 'active' AND t.status = 'active'
            )
        """,
    )
    # A session's id is time-ordered, and says when it began even after its first token is gone.
    definer_function(
        "core.sessions_of(of_user uuid, before uuid, row_limit integer)",
        returns="TABLE (id uuid, tenant_id uuid, tenant_name text, created_at timestamptz, last_seen_at timestamptz, "
        "expires_at timestamptz, user_agent text, ip text)",
        body="""
            SELECT s.family_id, t.id, t.name, uuid_extract_timestamp(s.family_id), s.created_at, s.expires_at, s.user_agent, s.ip
            FROM core.refresh_sessions s JOIN core.tenants t ON t.id = s.active_tenant_id
            WHERE s.user_id = of_user AND s.used_at IS NULL AND s.revoked_at IS NULL AND s.expires_at > now()
              AND (before IS NULL OR s.family_id < before)
            ORDER BY s.family_id DESC
            LIMIT row_limit
        """,
    )
    definer_function(
        "core.rename_user(of_user uuid, new_name text)",
        returns="void",
        body="UPDATE core.users SET name = new_name, updated_at = now() WHERE id = of_user",
    )


def _passwords() -> None:
    # Tells a log-in that checked the former password a moment ago that it came too late. A stronger hash of the same is no change.
    op.execute("ALTER TABLE core.users ADD COLUMN password_set_at timestamptz NOT NULL DEFAULT now()")
    op.execute(f"SET LOCAL ROLE {SYSTEM}")
    op.execute("DROP FUNCTION core.find_account(text)")
    op.execute(f"SET LOCAL ROLE {OWNER}")
    definer_function(
        "core.find_account(given_email text)",
        returns="TABLE (user_id uuid, name text, password_hash text, password_set_at timestamptz, tenant_id uuid)",
        body="""
            SELECT u.id, u.name, u.password_hash, u.password_set_at, last_used.tenant_id
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
        "core.password_is_from(of_user uuid, set_at timestamptz)",
        returns="boolean",
        language="plpgsql",
        body="""
            BEGIN
                PERFORM core.lock_sessions(of_user);
                RETURN EXISTS (SELECT FROM core.users u WHERE u.id = of_user AND u.password_set_at = set_at);
            END
        """,
    )
    # Both only while the hash is still the one that was checked: what came in between must not be undone.
    definer_function(
        "core.rehash_password(of_user uuid, former_hash text, new_hash text)",
        returns="void",
        body="""
            UPDATE core.users SET password_hash = new_hash, updated_at = now()
            WHERE id = of_user AND password_hash = former_hash
        """,
    )
    definer_function(
        "core.change_password(of_user uuid, former_hash text, new_hash text)",
        returns="boolean",
        language="plpgsql",
        body="""
            BEGIN
                PERFORM core.lock_sessions(of_user);
                UPDATE core.users SET password_hash = new_hash, password_set_at = now(), failed_logins = 0, updated_at = now()
                WHERE id = of_user AND password_hash = former_hash AND status = 'active';
                IF NOT FOUND THEN
                    RETURN false;
                END IF;
                DELETE FROM core.password_resets WHERE user_id = of_user;
                RETURN true;
            END
        """,
    )


def _password_resets() -> None:
    op.execute("""
        CREATE TABLE core.password_resets (
            id uuid PRIMARY KEY,
            user_id uuid NOT NULL REFERENCES core.users (id) ON DELETE CASCADE,
            token_hash bytea NOT NULL UNIQUE,
            expires_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("CREATE INDEX password_resets_user_id_idx ON core.password_resets (user_id)")
    definer_function(
        "core.add_password_reset(new_id uuid, of_user uuid, new_hash bytea, until timestamptz)",
        returns="void",
        body="""
            DELETE FROM core.password_resets WHERE user_id = of_user AND expires_at < now();
            INSERT INTO core.password_resets (id, user_id, token_hash, expires_at) VALUES (new_id, of_user, new_hash, until)
        """,
    )
    definer_function(
        "core.find_password_reset(presented_hash bytea)",
        returns="TABLE (user_id uuid, email text, name text, tenant_id uuid)",
        body="""
            SELECT u.id, u.email, a.name, a.tenant_id
            FROM core.password_resets p JOIN core.users u ON u.id = p.user_id, LATERAL core.find_account(u.email) a
            WHERE p.token_hash = presented_hash AND p.expires_at > now()
        """,
    )
    # A token is used up by removing it, and the user's others with it.
    definer_function(
        "core.reset_password(presented_hash bytea, new_hash text)",
        returns="boolean",
        language="plpgsql",
        body="""
            DECLARE
                found_user uuid;
            BEGIN
                SELECT p.user_id INTO found_user FROM core.password_resets p
                WHERE p.token_hash = presented_hash AND p.expires_at > now();
                IF NOT FOUND THEN
                    RETURN false;
                END IF;
                PERFORM core.lock_sessions(found_user);
                DELETE FROM core.password_resets p WHERE p.token_hash = presented_hash AND p.expires_at > now();
                IF NOT FOUND THEN
                    RETURN false;
                END IF;
                UPDATE core.users u SET password_hash = new_hash, password_set_at = now(), failed_logins = 0, updated_at = now()
                WHERE u.id = found_user AND u.status = 'active';
                IF NOT FOUND THEN
                    RETURN false;
                END IF;
                DELETE FROM core.password_resets p WHERE p.user_id = found_user;
                RETURN true;
            END
        """,
    )


def _invitations() -> None:
    op.execute("""
        CREATE TABLE core.invitations (
            tenant_id uuid NOT NULL REFERENCES core.tenants (id) ON DELETE CASCADE,
            id uuid NOT NULL,
            email text NOT NULL CONSTRAINT invitations_email_check CHECK (email = lower(email)),
            name text,
            roles text[] NOT NULL CONSTRAINT invitations_roles_check CHECK (cardinality(roles) > 0),
            token_hash bytea NOT NULL,
            invited_by uuid REFERENCES core.users (id) ON DELETE SET NULL,
            expires_at timestamptz NOT NULL,
            accepted_at timestamptz,
            accepted_by uuid REFERENCES core.users (id) ON DELETE SET NULL,
            revoked_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id)
        )
    """)
    op.execute("CREATE INDEX invitations_email_idx ON core.invitations (tenant_id, email)")
    # Led by the hash, unlike other indexes on a tenant's table: a link is presented before its tenant is known.
    op.execute("CREATE INDEX invitations_token_hash_idx ON core.invitations (token_hash)")
    definer_function(
        "core.find_invitation(presented_hash bytea)",
        returns="TABLE (tenant_id uuid, id uuid)",
        body="SELECT i.tenant_id, i.id FROM core.invitations i WHERE i.token_hash = presented_hash",
    )
