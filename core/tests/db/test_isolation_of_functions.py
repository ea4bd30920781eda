"""What the functions that the application's role may call tell or change of a tenant that is not the bound one.

Each is called with the other tenant's ids and addresses. Those that must reach across tenants are listed with the reason;
what is not listed may not, and what is listed and does not is struck off.
"""

# ruff: noqa: S608  (names from the catalogue)

from itertools import product
from typing import Any

import asyncpg

from counterfoil.db.roles import APP
from counterfoil.kit.ids import new_id

from .two_tenants import HALF, Connection, Side, TwoTenants, parent_of

PERSON = "acts on a person, who belongs to no tenant; the caller is that person, signed in"
TICKER = "a duty of the ticker or a worker, which serves all tenants and binds each one in turn"
BEFORE = "answers before a tenant is known"
ACROSS = {
    "core.add_password_reset": f"{BEFORE}: who forgot a password has no session; the address was looked up first",
    "core.audit_month_tenants": TICKER,
    "core.audit_window": TICKER,
    "core.audited_tenants": TICKER,
    "core.claim_job": "a worker's step: names its tenant and binds it in the same statement, as any unit of work does",
    "core.claim_unpublished_jobs": TICKER,
    "core.finish_job": "as core.claim_job",
    "core.find_account": f"{BEFORE}: a login, which knows an address and a password",
    "core.may_enter": PERSON,
    "core.open_session": PERSON,
    "core.reap_jobs": TICKER,
    "core.record_login": f"{BEFORE}: a login that failed is counted",
    "core.rename_user": PERSON,
    "core.republish_jobs": TICKER,
    "core.revoke_session": PERSON,
    "core.revoke_sessions": PERSON,
    "core.session_is_live": f"{BEFORE}: of a token whose signature was right",
    "core.sessions_of": PERSON,
    "core.tenants_for_operator": "the operator's commands, which name a tenant by its slug",
    "core.tenants_of": PERSON,
    "core.trim_job_events": TICKER,
    "core.unanchored_tenants": TICKER,
    "core.unpublish_jobs": TICKER,
    "core.webhook_target": f"{BEFORE}: a webhook's address names a connection, and whose it is has to be found out",
}
_FUNCTIONS = """
    SELECT p.oid, 'core.' || p.proname AS name,
           ARRAY(SELECT format_type(t.type, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY t(type, place) ORDER BY place) AS types,
           coalesce(p.proargnames[1:p.pronargs], '{}') AS names, p.prorettype = 'boolean'::regtype AND NOT p.proretset AS is_yes_or_no
    FROM pg_proc p WHERE p.pronamespace = 'core'::regnamespace AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
        AND has_function_privilege($1, p.oid, 'EXECUTE')
    ORDER BY p.proname
"""


def _literal(name: str, kind: str, b: Side, number: int) -> str:
    """What an attacker would put in: the other tenant's ids and addresses, yet nothing that was only ever a secret."""
    if kind.endswith("[]"):
        return f"ARRAY[{_literal(name, kind.removesuffix('[]'), b, number)}]::{kind}"
    if kind == "uuid":
        if name in {"after", "before", "keep"}:
            return "NULL::uuid"
        given = new_id() if name.startswith(("new", "child", "event")) else None
        return f"'{given or b.ids[parent_of(name.removesuffix('s'), 'jobs', b)][number]}'::uuid"
    text = {
        "email": f"{b.word}-users-email-{number}@example.com",
        "kind": f"{b.word}-connections-kind-{number}",
        "queue": "sync",
    }
    values = {
        "text": f"'{next((value for part, value in text.items() if part in name), 'anything')}'",
        "bytea": f"'\\x{new_id().hex}{new_id().hex}'",
        "timestamp with time zone": "now() + interval '1 hour'" if name in {"until", "ends"} else "now()",
        "date": "current_date",
        "interval": "interval '1 minute'",
        "jsonb": "'{}'",
        "boolean": "true",
        # A whole row, to be written as text: made of the caller's own values.
        "core.audit_events": "NULL",
    }
    return f"({values.get(kind, '2' if number == 1 else '100')})::{kind}"


async def _snapshot(superuser: Connection, two_tenants: TwoTenants) -> str:
    """One word for all rows of the other tenant."""
    parts = [
        f"(SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {one.sql} t WHERE {one.owner})"
        for one in two_tenants.relations
        if one.owner
    ]
    return str(await superuser.fetchval(f"SELECT {' || '.join(parts)}", two_tenants.b.tenant))


async def _call(
    superuser: Connection, function: asyncpg.Record, two_tenants: TwoTenants, number: int
) -> tuple[str, str]:
    """The function's answer or complaint, and the snapshot after it; whatever it did is undone."""
    pairs = zip(function["names"], function["types"], strict=True)
    arguments = ", ".join(_literal(name, kind, two_tenants.b, number) for name, kind in pairs)
    attempt = superuser.transaction()
    await attempt.start()
    try:
        await superuser.execute(f"SET LOCAL app.current_tenant_id = '{two_tenants.a.tenant}'")
        # Both the session's user and the current one: what a login as the application's role would be.
        await superuser.execute(f"SET LOCAL SESSION AUTHORIZATION {APP}")
        answer: list[Any]
        try:
            async with superuser.transaction():
                answer = [tuple(row) for row in await superuser.fetch(f"SELECT * FROM {function['name']}({arguments})")]
        except asyncpg.SyntaxOrAccessError as error:
            raise AssertionError(f"{function['name']} was not called as it wants to be: {error}") from error
        except asyncpg.PostgresError as error:
            answer = [(str(error), str(error.detail))]
        await superuser.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
        return str(answer), await _snapshot(superuser, two_tenants)
    finally:
        await attempt.rollback()


async def test_only_the_listed_functions_reach_another_tenant(superuser: Connection, two_tenants: TwoTenants) -> None:
    functions = await superuser.fetch(_FUNCTIONS, APP)
    assert len(functions) >= 40
    before = await _snapshot(superuser, two_tenants)
    reached = {}
    # With a waiting job and a batch that takes all; then with a running job and its fence; then with what is published.
    for function, number in product(functions, (0, 1, HALF)):
        answer, after = await _call(superuser, function, two_tenants, number)
        told = two_tenants.b.shows_in(answer) or (function["is_yes_or_no"] and "True" in answer)
        if told or after != before:
            reached[function["name"]] = f"told {answer}" if told else "changed rows"
    assert {name: what for name, what in reached.items() if name not in ACROSS} == {}
    assert ACROSS.keys() - reached.keys() == set()
