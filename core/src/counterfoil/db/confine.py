"""Keeps a lineage inside its own schema: what lies outside must look the same after it as before."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class SchemaTrespass(Exception):
    """A lineage changed something outside its schema."""


_ELSEWHERE = "n.nspname NOT IN (:schema, 'information_schema') AND n.nspname !~ '^pg_'"
_FINGERPRINT = text(f"""
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT concat_ws('|', 'schema', n.nspname, n.nspowner, n.nspacl) AS line FROM pg_namespace n WHERE {_ELSEWHERE}
        UNION ALL
        SELECT concat_ws('|', 'relation', c.oid, c.relname, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relacl,
                         c.reloptions, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_ELSEWHERE}
        UNION ALL
        SELECT concat_ws('|', 'column', a.attrelid, a.attname, a.atttypid, a.attnotnull, a.attisdropped, a.attacl,
                         pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND {_ELSEWHERE}
        UNION ALL
        SELECT concat_ws('|', 'policy', p.oid, p.polname, p.polcmd, p.polpermissive, p.polroles,
                         pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_ELSEWHERE}
        UNION ALL
        SELECT concat_ws('|', 'constraint', k.oid, pg_get_constraintdef(k.oid))
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_ELSEWHERE}
        UNION ALL
        -- Internal triggers carry foreign keys, and another schema may well refer to a table of core.
        SELECT concat_ws('|', 'trigger', t.oid, t.tgenabled, pg_get_triggerdef(t.oid))
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND {_ELSEWHERE}
        UNION ALL
        SELECT concat_ws('|', 'rule', r.oid, pg_get_ruledef(r.oid))
        FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_ELSEWHERE}
        UNION ALL
        SELECT concat_ws('|', 'function', p.oid, p.proname, p.proowner, p.prosecdef, p.proconfig, p.proacl, md5(p.prosrc))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_ELSEWHERE}
    ) AS outside
""")  # noqa: S608  (the condition above)


async def outside(connection: AsyncConnection, schema: str) -> str | None:
    """A fingerprint of every relation, policy, privilege and function outside one schema."""
    found: str | None = (await connection.execute(_FINGERPRINT, {"schema": schema})).scalar_one()
    return found
