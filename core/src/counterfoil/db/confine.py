"""Keeps a lineage inside its own schema: what lies outside must look the same after it as before."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class SchemaTrespass(Exception):
    """A lineage changed something outside its schema."""


_FINGERPRINT = text("""
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT concat_ws('|', 'relation', c.oid, c.relname, c.relowner, c.relnatts, c.relrowsecurity, c.relforcerowsecurity,
                         c.relacl, c.reloptions,
                         (SELECT string_agg(concat_ws('|', p.polname, p.polroles, pg_get_expr(p.polqual, p.polrelid),
                                                      pg_get_expr(p.polwithcheck, p.polrelid)), ',' ORDER BY p.polname)
                          FROM pg_policy p WHERE p.polrelid = c.oid)) AS line
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN (:schema, 'information_schema') AND n.nspname !~ '^pg_'
        UNION ALL
        SELECT concat_ws('|', 'function', p.oid, p.proname, p.proowner, p.prosecdef, p.proacl, md5(p.prosrc))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname NOT IN (:schema, 'information_schema') AND n.nspname !~ '^pg_'
    ) AS outside
""")


async def outside(connection: AsyncConnection, schema: str) -> str | None:
    """A fingerprint of every relation, policy, privilege and function outside one schema."""
    found: str | None = (await connection.execute(_FINGERPRINT, {"schema": schema})).scalar_one()
    return found
