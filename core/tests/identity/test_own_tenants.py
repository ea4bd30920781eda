import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2

from counterfoil.config import Settings
from counterfoil.kit.clock import utc_now

from .people import AuditTrail, Register, Registered

ME, TENANTS, SWITCH, REFRESH = (f"/api/v1/auth/{name}" for name in ("me", "me/tenants", "switch-tenant", "refresh"))

Connection = asyncpg.Connection


async def two_tenants(register: Register) -> tuple[Registered, Registered]:
    """One user of two tenants, signed in to each."""
    first = await register()
    return first, await register(**first.credentials)


def to(tenant: Registered, **more: str) -> dict[str, str]:
    return {"tenant_id": str(tenant.tenant_id), **more}


async def test_my_tenants_come_with_roles_state_and_which_one_is_open(
    register: Register, admin: "Connection[Any]"
) -> None:
    first, second = await two_tenants(register)
    third = await register(**first.credentials)
    await register()
    await admin.execute("UPDATE core.membership_roles SET role = 'finance' WHERE tenant_id = $1", second.tenant_id)
    await admin.execute("UPDATE core.memberships SET status = 'disabled' WHERE tenant_id = $1", second.tenant_id)
    await admin.execute("UPDATE core.tenants SET status = 'suspended' WHERE id = $1", third.tenant_id)
    items = (await first.client.get(TENANTS)).json()["items"]
    assert [(item["id"], item["status"], item["roles"], item["current"]) for item in items] == [
        (str(first.tenant_id), "active", ["owner"], True),
        (str(second.tenant_id), "disabled", ["finance"], False),
        (str(third.tenant_id), "suspended", ["owner"], False),
    ]
    assert items[0]["slug"] == first.form["tenant_slug"]
    assert all(item["last_used_at"] for item in items)


async def test_my_tenants_are_paged(register: Register) -> None:
    first, second = await two_tenants(register)
    one = (await first.client.get(TENANTS, params={"limit": 1})).json()
    two = (await first.client.get(TENANTS, params={"limit": 1, "cursor": one["next_cursor"]})).json()
    assert [page["items"][0]["id"] for page in (one, two)] == [str(first.tenant_id), str(second.tenant_id)]
    assert two["next_cursor"] is None
    assert (await first.client.get(TENANTS, params={"cursor": "bm9uc2Vuc2U"})).json()["code"] == "invalid_cursor"


async def test_switching_opens_the_other_tenant_and_ends_the_session_that_was_left(
    register: Register, client: httpx2.AsyncClient, audit_trail: AuditTrail
) -> None:
    first, second = await two_tenants(register)
    left = dict(first.client.cookies)
    answer = await first.client.post(SWITCH, json=to(second), headers={"User-Agent": "browser/9"})
    assert answer.status_code == 200
    assert answer.json()["tenant"]["id"] == str(second.tenant_id)
    assert (await first.client.get(ME)).json()["tenant"]["id"] == str(second.tenant_id)
    assert (await first.client.post(REFRESH)).json()["tenant"]["id"] == str(second.tenant_id)
    assert (await client.get(ME, headers={"Authorization": f"Bearer {left['cf_access']}"})).status_code == 401
    assert (await client.post(REFRESH, json={"refresh_token": left["cf_refresh"]})).status_code == 401
    closed = (await audit_trail(first.tenant_id))[-1]
    assert (closed["action"], closed["reason"], closed["actor_id"]) == (
        "core.session.closed",
        "switched_tenant",
        str(first.user_id),
    )
    opened = (await audit_trail(second.tenant_id))[-1]
    assert (opened["action"], opened["actor_id"]) == ("core.session.opened", str(first.user_id))
    assert "browser/9" in opened["payload"]
    # Neither tenant learns of the other.
    assert str(second.tenant_id) not in str(dict(closed))
    assert str(first.tenant_id) not in str(dict(opened))


async def test_the_next_log_in_opens_the_tenant_one_switched_to(register: Register, client: httpx2.AsyncClient) -> None:
    first, second = await two_tenants(register)
    await second.client.post(SWITCH, json=to(first))
    assert (await client.post("/api/v1/auth/login", json=first.credentials)).json()["tenant"]["id"] == str(
        first.tenant_id
    )


async def test_a_script_switches_with_its_bearer_token(register: Register, client: httpx2.AsyncClient) -> None:
    first, second = await two_tenants(register)
    headers = {"Authorization": f"Bearer {first.session['access_token']}"}
    answer = await client.post(SWITCH, json=to(second, token_delivery="body"), headers=headers)
    assert "set-cookie" not in answer.headers
    token = answer.json()["refresh_token"]
    refreshed = await client.post(REFRESH, json={"refresh_token": token})
    assert refreshed.json()["tenant"]["id"] == str(second.tenant_id)


async def test_switching_needs_an_active_membership_of_an_active_tenant(
    register: Register, admin: "Connection[Any]"
) -> None:
    first, second = await two_tenants(register)
    foreign = await register()
    suspended = await register(**first.credentials)
    await admin.execute("UPDATE core.memberships SET status = 'disabled' WHERE tenant_id = $1", second.tenant_id)
    await admin.execute("UPDATE core.tenants SET status = 'suspended' WHERE id = $1", suspended.tenant_id)
    answers = [await first.client.post(SWITCH, json=to(each)) for each in (foreign, second, suspended)]
    answers.append(await first.client.post(SWITCH, json={"tenant_id": "00000000-0000-7000-8000-000000000000"}))
    assert [answer.status_code for answer in answers] == [404] * 4
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert (await first.client.get(ME)).status_code == 200


async def test_switching_by_cookie_needs_our_own_origin(register: Register) -> None:
    first, second = await two_tenants(register)
    answer = await first.client.post(SWITCH, json=to(second), headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch")


async def test_simultaneous_switches_leave_one_session(
    register: Register, client: httpx2.AsyncClient, admin: "Connection[Any]"
) -> None:
    first, second = await two_tenants(register)
    headers = {"Authorization": f"Bearer {first.session['access_token']}"}
    answers = await asyncio.gather(*(client.post(SWITCH, json=to(second), headers=headers) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    live = await admin.fetchval(
        "SELECT count(*) FROM core.refresh_sessions WHERE user_id = $1 AND used_at IS NULL AND revoked_at IS NULL",
        first.user_id,
    )
    assert live == 2  # the new one, and the second registration's


async def test_no_session_outlives_its_log_in_by_switching_or_refreshing(
    register: Register, admin: "Connection[Any]", settings: Settings
) -> None:
    first, second = await two_tenants(register)
    ends = "SELECT max(family_ends_at), max(expires_at) FROM core.refresh_sessions WHERE user_id = $1 AND active_tenant_id = $2 AND used_at IS NULL AND revoked_at IS NULL"
    at_log_in = await admin.fetchrow(ends, first.user_id, first.tenant_id)
    assert at_log_in is not None
    assert abs(at_log_in[0] - utc_now() - timedelta(seconds=settings.refresh_family_ttl_s)) < timedelta(minutes=1)
    soon = utc_now() + timedelta(minutes=5)
    await admin.execute(
        "UPDATE core.refresh_sessions SET family_ends_at = $2 WHERE active_tenant_id = $1", first.tenant_id, soon
    )
    await first.client.post(REFRESH)
    assert tuple(await admin.fetchrow(ends, first.user_id, first.tenant_id) or ()) == (soon, soon)
    await admin.execute("DELETE FROM core.refresh_sessions WHERE active_tenant_id = $1", second.tenant_id)
    await first.client.post(SWITCH, json=to(second))
    assert tuple(await admin.fetchrow(ends, first.user_id, second.tenant_id) or ()) == (soon, soon)
    await admin.execute(
        "UPDATE core.refresh_sessions SET family_ends_at = now(), expires_at = now() WHERE active_tenant_id = $1",
        second.tenant_id,
    )
    assert (await first.client.get(ME)).status_code == 401
    assert (await first.client.post(REFRESH)).status_code == 401


async def test_renaming_oneself_shows_everywhere_and_leaves_an_event(
    register: Register, audit_trail: AuditTrail
) -> None:
    first, second = await two_tenants(register)
    other = await register()
    answer = await first.client.patch(ME, json={"full_name": "Olivia O."})
    assert answer.json() == {**first.session["user"], "name": "Olivia O."}
    assert (await second.client.get(ME)).json()["user"]["name"] == "Olivia O."
    assert (await other.client.get(ME)).json()["user"]["name"] == "Olive Owner"
    event = (await audit_trail(first.tenant_id))[-1]
    assert (event["action"], event["resource_id"]) == ("core.user.renamed", str(first.user_id))
    for wrong in ({"full_name": " "}, {"full_name": "x" * 201}, {"full_name": "a\nb"}, {"email": "a@example.com"}):
        assert (await first.client.patch(ME, json=wrong)).status_code == 422
