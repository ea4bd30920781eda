import asyncio
from typing import Any

import asyncpg
import httpx2

from counterfoil.identity.opaque import hashed

from .people import AuditTrail, MakeForm, Registered

REFRESH, LOGOUT, ME = "/api/v1/auth/refresh", "/api/v1/auth/logout", "/api/v1/auth/me"


async def script(client: httpx2.AsyncClient, form: MakeForm) -> dict[str, Any]:
    """Register as a script would: both tokens in the body."""
    answer = await client.post("/api/v1/auth/register", json=form(token_delivery="body"))
    session: dict[str, Any] = answer.json()
    return session


async def refreshed(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await client.post(REFRESH, json={"refresh_token": token})


def bearer(session: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def test_a_browser_refreshes_by_cookie_and_gets_new_cookies(owner: Registered) -> None:
    before = dict(owner.client.cookies)
    answer = await owner.client.post(REFRESH)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] is None
    assert owner.client.cookies["cf_refresh"] != before["cf_refresh"]
    assert (await owner.client.get(ME)).status_code == 200


async def test_a_script_refreshes_by_body_and_gets_no_cookie(client: httpx2.AsyncClient, form: MakeForm) -> None:
    session = await script(client, form)
    answer = await refreshed(client, session["refresh_token"])
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.json()["refresh_token"] not in (None, session["refresh_token"])
    assert (await client.get(ME, headers=bearer(answer.json()))).status_code == 200


async def test_the_database_knows_refresh_tokens_by_their_hash_only(
    client: httpx2.AsyncClient, form: MakeForm, admin: "asyncpg.Connection[Any]"
) -> None:
    session = await script(client, form)
    row = await admin.fetchrow("SELECT * FROM core.refresh_sessions WHERE user_id = $1::uuid", session["user"]["id"])
    assert row is not None
    assert row["token_hash"] == hashed(session["refresh_token"])
    assert session["refresh_token"] not in str(dict(row))


async def test_using_an_old_refresh_token_ends_every_session_of_its_family(
    client: httpx2.AsyncClient, form: MakeForm, audit_trail: AuditTrail
) -> None:
    session = await script(client, form)
    second = (await refreshed(client, session["refresh_token"])).json()
    third = (await refreshed(client, second["refresh_token"])).json()
    assert (await client.get(ME, headers=bearer(third))).status_code == 200

    replayed = await refreshed(client, session["refresh_token"])

    assert (replayed.status_code, replayed.json()["code"]) == (401, "session_ended")
    assert (await refreshed(client, third["refresh_token"])).status_code == 401
    for each in (session, second, third):
        assert (await client.get(ME, headers=bearer(each))).status_code == 401
    last = (await audit_trail(session["tenant"]["id"]))[-1]
    assert (last["action"], last["outcome"], last["reason"]) == (
        "core.session.revoked",
        "denied",
        "refresh_token_reused",
    )
    assert last["payload"] is not None
    assert session["user"]["id"] in last["payload"]


async def test_eight_simultaneous_uses_make_exactly_one_new_token(
    client: httpx2.AsyncClient, form: MakeForm, admin: "asyncpg.Connection[Any]"
) -> None:
    session = await script(client, form)
    answers = await asyncio.gather(*(refreshed(client, session["refresh_token"]) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    rows = await admin.fetch("SELECT * FROM core.refresh_sessions WHERE user_id = $1::uuid", session["user"]["id"])
    assert sorted(row["used_at"] is None for row in rows) == [False, True]


async def test_the_same_token_is_let_through_again_for_a_moment_only(
    client: httpx2.AsyncClient, form: MakeForm, admin: "asyncpg.Connection[Any]"
) -> None:
    session = await script(client, form)
    once = (await refreshed(client, session["refresh_token"])).json()
    again = await refreshed(client, session["refresh_token"])
    assert again.json()["refresh_token"] == once["refresh_token"]
    await admin.execute(
        "UPDATE core.refresh_sessions SET used_at = used_at - interval '11 s' WHERE user_id = $1::uuid",
        session["user"]["id"],
    )
    assert (await refreshed(client, session["refresh_token"])).status_code == 401
    assert (await refreshed(client, once["refresh_token"])).status_code == 401


async def test_eight_simultaneous_replays_revoke_once_and_let_nobody_in(
    client: httpx2.AsyncClient, form: MakeForm, audit_trail: AuditTrail
) -> None:
    session = await script(client, form)
    second = (await refreshed(client, session["refresh_token"])).json()
    await refreshed(client, second["refresh_token"])
    answers = await asyncio.gather(*(refreshed(client, session["refresh_token"]) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {401}
    trail = await audit_trail(session["tenant"]["id"])
    assert [event["action"] for event in trail].count("core.session.revoked") == 1


async def test_an_expired_or_unknown_or_absent_refresh_token_ends_the_session(
    client: httpx2.AsyncClient, form: MakeForm, admin: "asyncpg.Connection[Any]"
) -> None:
    session = await script(client, form)
    await admin.execute(
        "UPDATE core.refresh_sessions SET expires_at = now() WHERE user_id = $1::uuid", session["user"]["id"]
    )
    answers = [
        await refreshed(client, session["refresh_token"]),
        await refreshed(client, "x" * 43),
        await client.post(REFRESH),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "session_ended")}
    assert (await client.get(ME, headers=bearer(session))).status_code == 401


async def test_logging_out_ends_access_at_once_and_clears_the_cookies(
    owner: Registered, audit_trail: AuditTrail
) -> None:
    refresh_token = owner.client.cookies["cf_refresh"]
    answer = await owner.client.post(LOGOUT)
    assert answer.status_code == 204
    assert not owner.client.cookies
    headers = bearer(owner.session)
    assert (await owner.client.get(ME, headers=headers)).status_code == 401
    assert (await refreshed(owner.client, refresh_token)).status_code == 401
    last = (await audit_trail(owner.tenant_id))[-1]
    assert (last["action"], last["actor_id"]) == ("core.session.closed", str(owner.user_id))


async def test_a_script_logs_out_by_refresh_or_access_token(client: httpx2.AsyncClient, form: MakeForm) -> None:
    for by_refresh_token in (True, False):
        session = await script(client, form)
        if by_refresh_token:
            answer = await client.post(LOGOUT, json={"refresh_token": session["refresh_token"]})
        else:
            answer = await client.post(LOGOUT, headers=bearer(session))
        assert answer.status_code == 204
        assert (await refreshed(client, session["refresh_token"])).status_code == 401


async def test_logging_out_twice_or_of_nothing_answers_the_same_and_is_recorded_once(
    client: httpx2.AsyncClient, form: MakeForm, audit_trail: AuditTrail
) -> None:
    session = await script(client, form)
    for _ in range(2):
        answer = await client.post(LOGOUT, json={"refresh_token": session["refresh_token"]})
        assert answer.status_code == 204
    assert (await client.post(LOGOUT)).status_code == 204
    assert (await client.post(LOGOUT, headers={"Authorization": "Bearer nonsense"})).status_code == 204
    trail = await audit_trail(session["tenant"]["id"])
    assert [event["action"] for event in trail].count("core.session.closed") == 1


async def test_logging_out_of_one_session_leaves_the_users_others(
    owner: Registered, client: httpx2.AsyncClient
) -> None:
    other = (await client.post("/api/v1/auth/login", json=owner.credentials)).json()
    await owner.client.post(LOGOUT)
    assert (await client.get(ME, headers=bearer(other))).status_code == 200
