"""What keys look like, what they open, and when they stop."""

import asyncio
import hashlib
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from core.tests.rbac.people import USERS, Connection, Join, SignIn, give, reason, refused
from fastapi import FastAPI

from counterfoil.testing.plugin import SignedIn

from .bearers import KEYS, ME, Holding, ask_for_key, make_key, service_key

READING = ["connections.read", "jobs.read", "tables.read"]


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(signed_in: SignedIn, admin: Connection) -> None:
    made = await make_key(signed_in.client, *READING)
    assert re.fullmatch(r"cfk_p_[0-9a-f]{8}_[0-9a-f]{64}", made["key"])
    assert made["key"].startswith(f"cfk_p_{made['prefix']}_")
    row = await admin.fetchrow("SELECT *, k::text AS whole FROM core.api_keys k WHERE id = $1", UUID(made["id"]))
    assert row is not None
    assert row["key_hash"] == hashlib.sha256(made["key"].encode()).digest()
    secret = made["key"].rpartition("_")[2]
    events = await admin.fetch(
        "SELECT payload::text AS payload FROM core.audit_events WHERE tenant_id = $1", signed_in.tenant_id
    )
    assert not [text for text in (row["whole"], *(event["payload"] for event in events)) if secret in text]
    [listed] = (await signed_in.client.get(KEYS)).json()["items"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert (listed["status"], listed["created_by"], listed["last_used_at"]) == ("active", signed_in.email, None)


async def test_a_personal_key_does_what_its_member_may_within_its_scopes(
    signed_in: SignedIn, holding: Holding, joined: Join, admin: Connection
) -> None:
    member = await joined(signed_in, "finance")
    key = holding((await make_key(member.client, "tables.read", "jobs.read", "connections.sync"))["key"])
    who = (await key.get(ME)).json()
    assert who["user"]["email"] == member.email
    assert set(who["permissions"]) == {"tables.read", "jobs.read", "connections.sync"}
    assert (await key.get("/api/v1/jobs")).status_code == 200
    answer = await key.get("/api/v1/connections")
    assert (refused(answer), await reason(admin, answer)) == ((403, "permission_denied"), "connections.read")
    await give(signed_in, member.user_id, "readonly")
    assert set((await key.get(ME)).json()["permissions"]) == {"tables.read", "jobs.read"}


async def test_a_service_key_does_what_its_roles_may_within_its_scopes(signed_in: SignedIn, holding: Holding) -> None:
    made = await service_key(signed_in, "readonly", "tables.read", "audit.read")
    assert made["key"].startswith("cfk_s_")
    key = holding(made["key"])
    who = (await key.get(ME)).json()
    assert (who["user"]["name"], who["user"]["id"], who["roles"]) == ("Month end", made["id"], ["readonly"])
    assert who["permissions"] == ["tables.read"]


async def test_what_a_key_does_is_recorded_under_its_name(
    signed_in: SignedIn, holding: Holding, admin: Connection
) -> None:
    made = await service_key(signed_in, "admin", "tenant.manage")
    key = holding(made["key"])
    assert (await key.patch("/api/v1/tenants/me", json={"name": "By machine"})).status_code == 200
    refusal = await key.post("/api/v1/plugins/stripe/disable")
    assert refused(refusal) == (403, "permission_denied")
    for action in ("core.tenant.updated", "core.request.refused"):
        event = await admin.fetchrow(
            "SELECT actor_kind, actor_id, actor_label FROM core.audit_events WHERE tenant_id = $1 AND action = $2",
            signed_in.tenant_id,
            action,
        )
        assert event is not None
        assert tuple(event) == ("api_key", made["id"], "Month end")


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_a_key_that_has_ended_is_refused_on_record(
    signed_in: SignedIn, holding: Holding, admin: Connection, end: str
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = await make_key(signed_in.client, "tables.read", expires_at=soon.isoformat())
    key = holding(made["key"])
    assert (await key.get(ME)).status_code == 200
    if end == "revoked":
        for _ in range(2):
            assert (await signed_in.client.delete(f"{KEYS}/{made['id']}")).status_code == 204
    else:
        await admin.execute("UPDATE core.api_keys SET expires_at = now() WHERE id = $1", UUID(made["id"]))
    answer = await key.get(ME)
    assert (refused(answer), await reason(admin, answer)) == ((401, "api_key_ended"), "api_key_ended")
    [listed] = (await signed_in.client.get(KEYS)).json()["items"]
    assert listed["status"] == end
    assert refused(await signed_in.client.post(f"{KEYS}/{made['id']}/rotate")) == (409, "api_key_is_over")


async def test_a_disabled_members_key_is_refused_on_record_until_they_are_enabled(
    signed_in: SignedIn, holding: Holding, joined: Join, admin: Connection
) -> None:
    member = await joined(signed_in, "finance")
    key = holding((await make_key(member.client, "tables.read"))["key"])
    path = f"{USERS}/{member.user_id}"
    await signed_in.client.patch(path, json={"status": "disabled"})
    answer = await key.get(ME)
    assert (refused(answer), await reason(admin, answer)) == ((401, "inactive_member"), "inactive_member")
    await signed_in.client.patch(path, json={"status": "active"})
    assert (await key.get(ME)).status_code == 200


async def test_personal_keys_die_with_the_membership_and_stay_dead(
    signed_in: SignedIn, holding: Holding, joined: Join, admin: Connection
) -> None:
    member = await joined(signed_in, "finance")
    key = holding((await make_key(member.client, "tables.read"))["key"])
    await signed_in.client.delete(f"{USERS}/{member.user_id}")
    assert refused(await key.get(ME)) == (401, "api_key_ended")
    await admin.execute(
        "INSERT INTO core.memberships (tenant_id, id, user_id) VALUES ($1, uuidv7(), $2)",
        signed_in.tenant_id,
        member.user_id,
    )
    assert refused(await key.get(ME)) == (401, "api_key_ended")


async def test_a_suspended_tenants_keys_open_nothing(signed_in: SignedIn, holding: Holding, admin: Connection) -> None:
    keys = [
        holding((await make_key(signed_in.client, "tables.read"))["key"]),
        holding((await service_key(signed_in, "readonly", "tables.read"))["key"]),
    ]
    await admin.execute("UPDATE core.tenants SET status = 'suspended' WHERE id = $1", signed_in.tenant_id)
    assert [refused(await key.get(ME)) for key in keys] == [(401, "inactive_member")] * 2


async def test_rotating_replaces_the_secret_at_once(signed_in: SignedIn, holding: Holding) -> None:
    made = await make_key(signed_in.client, "tables.read")
    old = holding(made["key"])
    rotated = (await signed_in.client.post(f"{KEYS}/{made['id']}/rotate")).json()
    assert rotated["id"] == made["id"]
    assert rotated["key"] != made["key"]
    assert (await holding(rotated["key"]).get(ME)).status_code == 200
    assert refused(await old.get(ME)) == (401, "unauthenticated")


@pytest.mark.parametrize("token", ["cfk_", "cfk_p_00000000_" + "0" * 64, "cfk_p_é", "cfk_" + "x" * 3000])
async def test_a_key_nobody_made_is_nobodys(holding: Holding, token: str) -> None:
    client = holding("")
    answer = await client.get(ME, headers={b"Authorization": f"Bearer {token}".encode()})
    assert refused(answer) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_key_is_no_cookie(client: httpx2.AsyncClient, signed_in: SignedIn) -> None:
    made = await make_key(signed_in.client, "tables.read")
    assert refused(await client.get(ME, headers={"Cookie": f"cf_access={made['key']}"})) == (401, "unauthenticated")


async def test_use_is_noted_at_most_once_a_minute_and_keeps_nobody_waiting(
    signed_in: SignedIn, holding: Holding, admin: Connection
) -> None:
    made = await make_key(signed_in.client, "tables.read")
    key, key_id = holding(made["key"]), UUID(made["id"])

    async def noted() -> tuple[datetime, int]:
        row = await admin.fetchrow("SELECT last_used_at, xmin::text::int AS x FROM core.api_keys WHERE id = $1", key_id)
        assert row is not None
        return row["last_used_at"], row["x"]

    answers = await asyncio.gather(*(key.get(ME) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    first = await noted()
    assert first[0] is not None
    await key.get(ME)
    assert await noted() == first
    await admin.execute("UPDATE core.api_keys SET last_used_at = now() - interval '61 s' WHERE id = $1", key_id)
    async with admin.transaction():
        await admin.execute("SELECT FROM core.api_keys WHERE id = $1 FOR UPDATE", key_id)
        assert (await asyncio.wait_for(key.get(ME), 5)).status_code == 200
    await key.get(ME)
    assert (await noted())[0] > first[0]


async def test_keys_work_on_every_route_that_takes_a_token(signed_in: SignedIn, holding: Holding, app: FastAPI) -> None:
    everything = (await signed_in.client.get(ME)).json()["permissions"]
    key = holding((await make_key(signed_in.client, *everything))["key"])
    asked = 0
    for path, methods in app.openapi()["paths"].items():
        if path.startswith("/api/") and "get" in methods and methods["get"].get("security") and "{" not in path:
            asked += 1
            assert (await key.get(path)).status_code in (200, 422), path
    assert asked >= 10


async def test_keys_are_listed_page_by_page_ones_own_or_everybodys(signed_in: SignedIn, joined: Join) -> None:
    member = await joined(signed_in, "ops")
    mine = [(await make_key(signed_in.client, "tables.read"))["id"] for _ in range(2)]
    theirs = (await make_key(member.client, "tables.read"))["id"]
    first = (await signed_in.client.get(KEYS, params={"limit": 2})).json()
    rest = (await signed_in.client.get(KEYS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [key["id"] for key in first["items"] + rest["items"]] == [*mine, theirs]
    assert rest["next_cursor"] is None
    assert [key["id"] for key in (await member.client.get(KEYS)).json()["items"]] == [theirs]


async def test_a_key_gets_another_name(signed_in: SignedIn) -> None:
    made = await make_key(signed_in.client, "tables.read")
    path = f"{KEYS}/{made['id']}"
    assert (await signed_in.client.patch(path, json={"name": " Year end "})).json()["name"] == "Year end"
    assert refused(await signed_in.client.patch(path, json={"scopes": ["audit.read"]})) == (422, "invalid_input")


WRONG = {
    "no scope": {"scopes": []},
    "unknown scope": {"scopes": ["tables.destroy"]},
    "past expiry": {"expires_at": "2020-01-01T00:00:00Z"},
    "expiry without a zone": {"expires_at": "2090-01-01T00:00:00"},
    "roles of a person": {"roles": ["admin"]},
    "service without roles": {"kind": "service"},
    "service of an unknown role": {"kind": "service", "roles": ["nobody"]},
    "service as owner": {"kind": "service", "roles": ["owner"]},
    "unknown kind": {"kind": "chat"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_what_cannot_be_a_key_is_refused(signed_in: SignedIn, wrong: dict[str, object]) -> None:
    answer = await ask_for_key(signed_in.client, **{"scopes": ["tables.read"], **wrong})
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_other_tenants_keys_do_not_exist(sign_in: SignIn, holding: Holding) -> None:
    ours, theirs = await sign_in(), await sign_in()
    made = await make_key(theirs.client, "tables.read")
    path = f"{KEYS}/{made['id']}"
    for answer in (
        await ours.client.patch(path, json={"name": "Mine"}),
        await ours.client.post(f"{path}/rotate"),
        await ours.client.delete(path),
    ):
        assert refused(answer) == (404, "api_key_not_found")
    assert (await holding(made["key"]).get(ME)).status_code == 200
