"""Row-level security, applied from the catalogue: no policy is ever written by hand.

After each lineage ``secure(connection, schema)`` visits every table of the schema. A table with ``tenant_id`` gets the
tenant policy; a table without one has to be on core's list of global tables, or the migration fails.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from counterfoil.db.connection import TENANT_SETTING
from counterfoil.db.roles import APP, OWNER, READ_ONLY, SYSTEM

# As an InitPlan the setting is read once per statement, and without missing_ok an unset tenant is an error, not "no rows".
CURRENT_TENANT = f"(SELECT current_setting('{TENANT_SETTING}')::uuid)"
TENANT_ROLES = f"{OWNER}, {APP}, {READ_ONLY}"

VERSION_TABLE = "alembic_version"
_OUR_POLICIES = frozenset({"tenant", "system", "visible"})

# Tables that no single tenant owns, with the rows the application may see. None: it reaches them through definer functions only.
GLOBAL_TABLES: dict[str, str | None] = {
    "core.tenants": f"id = {CURRENT_TENANT}",
    # With OFFSET 0 one membership is looked up per user. Without it the planner, which takes every tenant for an average one,
    # may read all of a tenant's memberships into a hash, on every request.
    "core.users": "EXISTS (SELECT FROM core.memberships m WHERE m.user_id = users.id OFFSET 0)",
    "core.refresh_sessions": None,
    "core.password_resets": None,
    "core.epochs": None,
}
# Tables the definer functions work on before a tenant is known. Anything added here needs a reason in review; a test holds the list.
SYSTEM_TABLES = frozenset(
    {
        "core.tenants",
        "core.users",
        "core.refresh_sessions",
        "core.memberships",
        # A person's tenants are shown with the roles in each.
        "core.membership_roles",
        # Who asks for a new password has no session.
        "core.password_resets",
        # A link is presented by somebody who is no member yet.
        "core.invitations",
        "core.jobs",
        "core.job_events",
        # A window of transaction ids goes across tenants, and so does the question which of them have something in it.
        "core.epochs",
        "core.audit_events",
        "core.audit_seals",
        "core.audit_archives",
        # An API key is presented before its tenant is known: it is looked up by its hash, and its use is noted.
        "core.api_keys",
        # A webhook's address names a connection; whose it is has to be found out first.
        "core.connections",
    }
)

DEFAULT_GRANT = "SELECT, INSERT, UPDATE, DELETE"
APP_GRANTS: dict[str, str] = {
    "core.api_calls": "SELECT, INSERT",
    "core.audit_events": "SELECT, INSERT",
    # Written once: what a row says of an object, and for how long it must stay, nobody changes afterwards.
    "core.objects": "SELECT, INSERT, DELETE",
    "core.evidence_packs": "SELECT, INSERT, DELETE",
    "core.audit_seals": "SELECT, INSERT, UPDATE (anchor_key)",
    "core.audit_archives": "SELECT, INSERT, UPDATE (purged_at)",
    "core.users": "SELECT (id, email, name, status, last_login_at, created_at, updated_at)",
    "core.tenants": "SELECT, INSERT, UPDATE (name, default_currency, timezone, updated_at)",
    # What a key may do is settled when it is made.
    "core.api_keys": "SELECT, INSERT, DELETE, UPDATE (name, prefix, key_hash, revoked_at, revoked_reason, updated_at)",
    # What a tenant is granted is for the operator to say, who writes as the owner.
    "core.tenant_overrides": "SELECT",
}
# What is append-only is so for the definer functions too.
SYSTEM_GRANTS = dict.fromkeys(("core.audit_events", "core.audit_seals", "core.audit_archives"), "SELECT")
# What even a reader of everything has no business with: sealed credentials, wrapped keys, answers kept for one caller.
HIDDEN_FROM_READ_ONLY = frozenset({"core.connections", "core.idempotency_keys", "core.tenant_keys", "core.api_keys"})


class UnsecuredTable(Exception):
    """A table or view that would let rows cross tenants."""


@dataclass(frozen=True, kw_only=True)
class Relation:
    schema: str
    name: str
    kind: str
    has_tenant: bool
    is_partition: bool
    secured: bool
    security_invoker: bool
    policies: dict[str, str | None]

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        return f'"{self.schema}"."{self.name}"'


_RELATIONS = text("""
    SELECT c.relname AS name, c.relkind::text AS kind, c.relispartition AS is_partition,
           c.relrowsecurity AND c.relforcerowsecurity AS secured,
           coalesce('security_invoker=true' = ANY (c.reloptions) OR 'security_invoker=on' = ANY (c.reloptions), false)
               AS security_invoker,
           EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnum > 0 AND NOT a.attisdropped) AS has_tenant,
           (SELECT jsonb_object_agg(p.polname, obj_description(p.oid, 'pg_policy'))
            FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm')
    ORDER BY c.relname
""")


async def relations(connection: AsyncConnection, schema: str) -> list[Relation]:
    rows = (await connection.execute(_RELATIONS, {"schema": schema})).mappings()
    return [Relation(schema=schema, **{**row, "policies": row["policies"] or {}}) for row in rows]


async def secure(connection: AsyncConnection, schema: str) -> None:
    """Apply enable, force, policies and grants to every table of a schema; does nothing where they already hold.

    Raises:
        UnsecuredTable: for a table without ``tenant_id`` that is not a known global one, a view that runs with its
            owner's rights, or a materialized view.
    """
    await connection.execute(text(f'GRANT USAGE ON SCHEMA "{schema}" TO {APP}, {READ_ONLY}, {SYSTEM}'))
    for relation in await relations(connection, schema):
        if relation.kind == "m":
            msg = f"{relation.qualified}: a materialized view ignores row-level security; use a table"
            raise UnsecuredTable(msg)
        if relation.kind == "v":
            if not relation.security_invoker:
                msg = f"{relation.qualified}: create the view WITH (security_invoker = true)"
                raise UnsecuredTable(msg)
            await connection.execute(text(f"GRANT SELECT ON {relation.sql} TO {APP}, {READ_ONLY}"))
        elif relation.name == VERSION_TABLE:
            # So that a process without the admin address can tell whether its code and the schema belong together.
            await connection.execute(text(f"GRANT SELECT ON {relation.sql} TO {APP}"))
        else:
            await _secure_table(connection, relation)


async def _secure_table(connection: AsyncConnection, relation: Relation) -> None:
    wanted = _policies(relation)
    strange = relation.policies.keys() - _OUR_POLICIES
    if strange:
        msg = f"{relation.qualified}: policies are never written by hand, and one more permissive policy opens the table: {strange}"
        raise UnsecuredTable(msg)
    if not relation.secured or relation.policies != {name: _mark(policy) for name, policy in wanted.items()}:
        await _apply_policies(connection, relation, wanted)
    await _apply_grants(connection, relation, is_reachable="tenant" in wanted or "visible" in wanted)


async def _apply_policies(connection: AsyncConnection, relation: Relation, wanted: dict[str, str]) -> None:
    table = relation.sql
    await connection.execute(text(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))
    await connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
    for name in sorted(_OUR_POLICIES):
        await connection.execute(text(f"DROP POLICY IF EXISTS {name} ON {table}"))
    for name, policy in wanted.items():
        await connection.execute(text(f"CREATE POLICY {name} ON {table} {policy}"))
        await connection.execute(text(f"COMMENT ON POLICY {name} ON {table} IS '{_mark(policy)}'"))


async def _apply_grants(connection: AsyncConnection, relation: Relation, *, is_reachable: bool) -> None:
    """Anew on every run: a privilege that somebody added by hand does not outlive the next migration."""
    table = relation.sql
    await connection.execute(text(f"REVOKE ALL ON {table} FROM PUBLIC, {APP}, {READ_ONLY}, {SYSTEM}"))
    if relation.qualified in SYSTEM_TABLES:
        await connection.execute(
            text(f"GRANT {SYSTEM_GRANTS.get(relation.qualified, DEFAULT_GRANT)} ON {table} TO {SYSTEM}")
        )
    # A partition is reached through its parent, whose policy and privileges then apply.
    if is_reachable and not relation.is_partition:
        await connection.execute(text(f"GRANT {APP_GRANTS.get(relation.qualified, DEFAULT_GRANT)} ON {table} TO {APP}"))
        if relation.qualified not in GLOBAL_TABLES and relation.qualified not in HIDDEN_FROM_READ_ONLY:
            await connection.execute(text(f"GRANT SELECT ON {table} TO {READ_ONLY}"))


def _policies(relation: Relation) -> dict[str, str]:
    policies: dict[str, str] = {}
    if relation.qualified in GLOBAL_TABLES:
        visible = GLOBAL_TABLES[relation.qualified]
        if visible is not None:
            policies["visible"] = f"TO {TENANT_ROLES} USING ({visible}) WITH CHECK ({visible})"
    elif relation.has_tenant:
        rule = f"tenant_id = {CURRENT_TENANT}"
        policies["tenant"] = f"TO {TENANT_ROLES} USING ({rule}) WITH CHECK ({rule})"
    else:
        msg = f"{relation.qualified}: every table needs tenant_id, or a place on core's list of global tables"
        raise UnsecuredTable(msg)
    if relation.qualified in SYSTEM_TABLES:
        policies["system"] = f"TO {SYSTEM} USING (true) WITH CHECK (true)"
    return policies


def _mark(policy: str) -> str:
    return "counterfoil " + hashlib.sha256(policy.encode()).hexdigest()[:16]
