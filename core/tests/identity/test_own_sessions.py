import asyncio
from typing import Any

import asyncpg
import httpx2
import pytest

from counterfoil.db import Database
from counterfoil.identity import repository
from counterfoil.identity.opaque import hashed
from counterfoil.identity.repository import Device, Session
from counterfoil.kit.clock import duration, utc_now

from .people import AuditTrail, Register, Registered

ME, SESSIONS, REFRESH = (f"/api/v1/auth/{name}" for name in ("me", "sessions", "refresh"))
OTHERS = f"{SESSIONS}/revoke-others"
NOWHERE = Device(user_agent=None, address=None)


async def listed(client: httpx2.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get(SESSIONS, params=params)).json()["items"]
    return items


async def test_my_sessions_say_where_they_are_used_from_and_which_is_this_one(
    owner: Registered, second_device: httpx2.AsyncClient
) -> None:
    phone, desk = await listed(owner.client)
    assert (phone["user_agent"], phone["ip"], phone["current"]) == ("phone/2", "198.51.100.9", False)
    assert (desk["ip"], desk["current"]) == ("127.0.0.1", True)
    assert phone["tenant"] == {"id": str(owner.tenant_id), "name": owner.form["tenant_name"]}
    assert [session["current"] for session in await listed(second_device)] == [True, False]
    assert "token" not in str(phone)


async def test_a_refreshed_session_is_listed_once_with_its_first_and_last_time(owner: Registered) -> None:
    [before] = await listed(owner.client)
    await owner.client.post(REFRESH, headers={"User-Agent": "upgraded/3"})
    [after] = await listed(owner.client)
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert after["last_seen_at"] > before["last_seen_at"]
    assert after["user_agent"] == "upgraded/3"


async def test_my_sessions_are_paged_and_span_tenants(register: Register) -> None:
    first = await register()
    second = await register(**first.credentials)
    one = (await first.client.get(SESSIONS, params={"limit": 1})).json()
    [two] = await listed(first.client, limit=1, cursor=one["next_cursor"])
    assert [each["tenant"]["id"] for each in (*one["items"], two)] == [str(second.tenant_id), str(first.tenant_id)]


async def test_an_ended_session_stops_at_once_and_the_others_go_on(
    owner: Registered, second_device: httpx2.AsyncClient, audit_trail: AuditTrail
) -> None:
    phone, _ = await listed(owner.client)
    assert (await second_device.get(ME)).status_code == 200
    assert (await owner.client.delete(f"{SESSIONS}/{phone['id']}")).status_code == 204
    assert (await second_device.get(ME)).status_code == 401
    assert (await second_device.post(REFRESH)).status_code == 401
    assert (await owner.client.get(ME)).status_code == 200
    assert len(await listed(owner.client)) == 1
    event = (await audit_trail(owner.tenant_id))[-1]
    assert (event["action"], event["resource_id"], event["actor_id"]) == (
        "core.session.revoked",
        phone["id"],
        str(owner.user_id),
    )
    assert (await owner.client.delete(f"{SESSIONS}/{phone['id']}")).status_code == 404


async def test_ending_this_very_session_logs_the_browser_out(owner: Registered) -> None:
    [session] = await listed(owner.client)
    answer = await owner.client.delete(f"{SESSIONS}/{session['id']}")
    assert answer.status_code == 204
    assert len(answer.headers.get_list("set-cookie")) == 2
    assert not owner.client.cookies


async def test_nobody_ends_somebody_elses_session(register: Register) -> None:
    ours, theirs = await register(), await register()
    [session] = await listed(theirs.client)
    assert (await ours.client.delete(f"{SESSIONS}/{session['id']}")).status_code == 404
    assert (await theirs.client.get(ME)).status_code == 200
    assert [each["tenant"]["id"] for each in await listed(ours.client)] == [str(ours.tenant_id)]


async def test_a_session_in_another_tenant_is_ended_on_the_record_of_both(
    register: Register, audit_trail: AuditTrail
) -> None:
    first = await register()
    second = await register(**first.credentials)
    there = next(each["id"] for each in await listed(first.client) if not each["current"])
    assert (await first.client.delete(f"{SESSIONS}/{there}")).status_code == 204
    assert (await second.client.get(ME)).status_code == 401
    for tenant_id in (first.tenant_id, second.tenant_id):
        event = (await audit_trail(tenant_id))[-1]
        assert (event["action"], event["resource_id"]) == ("core.session.revoked", there)


async def test_ending_all_others_spares_this_one_and_other_people(
    register: Register, client: httpx2.AsyncClient, audit_trail: AuditTrail
) -> None:
    first = await register()
    second = await register(**first.credentials)
    stranger = await register()
    for _ in range(2):
        await client.post("/api/v1/auth/login", json=first.credentials)
    answer = await first.client.post(OTHERS)
    assert answer.json() == {"revoked": 3}
    assert (await first.client.get(ME)).status_code == 200
    assert (await stranger.client.get(ME)).status_code == 200
    assert (await second.client.get(ME)).status_code == 401
    here, there = (await audit_trail(first.tenant_id))[-1], (await audit_trail(second.tenant_id))[-1]
    assert {here["action"], there["action"]} == {"core.session.others_revoked"}
    # The last two log-ins opened the second tenant, which was used last.
    assert here["payload"] == '{"sessions_ended": []}'
    assert len(there["payload"].split(",")) == 3
    assert (await first.client.post(OTHERS)).json() == {"revoked": 0}


@pytest.mark.parametrize("method_and_path", [("GET", SESSIONS), ("POST", OTHERS), ("DELETE", f"{SESSIONS}/{'0' * 32}")])
async def test_sessions_are_for_those_who_are_signed_in(
    client: httpx2.AsyncClient, method_and_path: tuple[str, str]
) -> None:
    assert (await client.request(*method_and_path)).status_code == 401


async def _opened(owner: Registered, database: Database, token: str) -> Session:
    async with database.unit_of_work(owner.tenant_id) as uow:
        until = utc_now() + duration("1d")
        family = await repository.open_session(
            uow, owner.user_id, token_hash=hashed(token), until=until, ends_at=until, device=NOWHERE
        )
    return Session(family_id=family, user_id=owner.user_id, tenant_id=owner.tenant_id)


@pytest.mark.parametrize("how", ["log out", "end all"])
async def test_a_refresh_in_flight_does_not_outlive_the_end_of_its_session(
    owner: Registered, database: Database, how: str
) -> None:
    session = await _opened(owner, database, f"parent {how}")

    async def end() -> None:
        async with database.unit_of_work(owner.tenant_id) as uow:
            if how == "log out":
                await repository.revoke_session(uow, session, reason="logged_out")
            else:
                await repository.revoke_sessions(uow, owner.user_id, reason="password_reset")

    async with database.unit_of_work(owner.tenant_id) as uow:
        outcome = await repository.rotate_session(
            uow,
            hashed(f"parent {how}"),
            child_hash=hashed(f"child {how}"),
            until=utc_now() + duration("1d"),
            grace=duration("10s"),
            device=NOWHERE,
        )
        assert outcome == "rotated"
        ending = asyncio.create_task(end())
        await asyncio.sleep(0.3)
        assert not ending.done()
    await ending
    async with database.unit_of_work(owner.tenant_id) as uow:
        member = await repository.member(uow, owner.user_id, session_id=session.family_id)
        assert member is not None
        assert not member.session_is_live
        assert await repository.find_session(uow, hashed(f"child {how}")) is None


async def test_an_expired_session_is_not_listed(owner: Registered, admin: "asyncpg.Connection[Any]") -> None:
    await admin.execute(
        "INSERT INTO core.refresh_sessions (id, family_id, user_id, active_tenant_id, token_hash, expires_at, family_ends_at)"
        " SELECT id, id, $1, $2, sha256(id::text::bytea), now(), now() FROM (SELECT uuidv7() AS id) made",
        owner.user_id,
        owner.tenant_id,
    )
    assert len(await listed(owner.client)) == 1
