"""Roles of a tenant's own: what they permit, and that nobody gets out of them what they did not have."""

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.db import Database
from counterfoil.rbac.catalogue import PERMISSIONS, ROLES
from counterfoil.testing.plugin import SignedIn

from .people import USERS, Connection, Join, SignIn, give, make_role, permissions, reason, refused


async def test_built_in_roles_are_listed_before_the_tenants_own(signed_in: SignedIn) -> None:
    made = await make_role(signed_in, "treasury", ["tables.read", "audit.read"])
    items = (await signed_in.client.get(f"{USERS}/roles")).json()["items"]
    assert [item["name"] for item in items] == [*ROLES, "treasury"]
    assert items[-1] == made
    assert (made["permissions"], made["built_in"]) == (["audit.read", "tables.read"], False)
    assert set(items[0]["permissions"]) == set(PERMISSIONS)
    assert [item["id"] for item in items[:-1]] == [None] * len(ROLES)


async def test_permissions_are_listed_with_what_they_mean_and_whether_one_has_them(
    signed_in: SignedIn, joined: Join
) -> None:
    reader = await joined(signed_in, "readonly")
    items = (await reader.client.get(f"{USERS}/permissions")).json()["items"]
    assert {item["name"]: item["description"] for item in items if item["plugin"] is None} == PERMISSIONS
    assert {item["name"] for item in items if item["held"]} == ROLES["readonly"]


async def test_a_custom_role_permits_what_it_says_from_the_next_request_on(signed_in: SignedIn, joined: Join) -> None:
    role = await make_role(signed_in, "treasury", ["tables.read"])
    member = await joined(signed_in, "treasury")
    assert await permissions(member) == {"tables.read"}
    assert refused(await member.client.get("/api/v1/jobs")) == (403, "permission_denied")
    path = f"{USERS}/roles/{role['id']}"
    changed = await signed_in.client.patch(path, json={"permissions": ["jobs.read"], "title": "Cash"})
    assert (changed.json()["permissions"], changed.json()["title"]) == (["jobs.read"], "Cash")
    assert await permissions(member) == {"jobs.read"}
    assert (await member.client.get("/api/v1/jobs")).status_code == 200
    assert (await signed_in.client.patch(path, json={"permissions": []})).json()["permissions"] == []
    assert await permissions(member) == set()


async def test_roles_add_up(signed_in: SignedIn, joined: Join) -> None:
    await make_role(signed_in, "auditor", ["audit.read"])
    assert await permissions(await joined(signed_in, "readonly", "auditor")) == ROLES["readonly"] | {"audit.read"}


async def test_another_tenants_role_of_the_same_name_permits_nothing_here(sign_in: SignIn, joined: Join) -> None:
    ours, theirs = await sign_in(), await sign_in()
    await make_role(theirs, "treasury", ["tables.read"])
    assert await permissions(await joined(ours, "treasury")) == set()
    await make_role(ours, "treasury", ["jobs.read"])
    assert await permissions(await joined(ours, "treasury")) == {"jobs.read"}


async def test_nobody_makes_or_widens_a_role_beyond_their_own_permissions(
    signed_in: SignedIn, joined: Join, admin: Connection
) -> None:
    await make_role(signed_in, "clerk", ["roles.manage", "members.read", "tables.read"])
    clerk = await joined(signed_in, "clerk")
    body = {"name": "boss", "title": "Boss", "permissions": ["tables.read", "members.manage", "audit.read"]}
    answer = await clerk.client.post(f"{USERS}/roles", json=body)
    assert refused(answer) == (403, "beyond_own_permissions")
    assert await reason(admin, answer) == "audit.read, members.manage"
    own = next(role for role in (await clerk.client.get(f"{USERS}/roles")).json()["items"] if role["name"] == "clerk")
    widened = {"permissions": [*own["permissions"], "members.manage"]}
    answer = await clerk.client.patch(f"{USERS}/roles/{own['id']}", json=widened)
    assert refused(answer) == (403, "beyond_own_permissions")
    assert await permissions(clerk) == {"roles.manage", "members.read", "tables.read"}
    # What is there already may stay, also where it is more than the editor has.
    rich = await make_role(signed_in, "rich", ["audit.read", "tables.read"])
    answer = await clerk.client.patch(f"{USERS}/roles/{rich['id']}", json={"permissions": ["audit.read"]})
    assert answer.json()["permissions"] == ["audit.read"]


@pytest.mark.parametrize("name", [*ROLES, "Treasury", "a", "t-1", "1st", "x" * 41, ""])
async def test_a_name_is_a_plain_word_and_no_built_in_roles(signed_in: SignedIn, name: str) -> None:
    answer = await signed_in.client.post(f"{USERS}/roles", json={"name": name, "title": "T", "permissions": []})
    expected = (409, "role_name_taken") if name in ROLES else (422, "invalid_input")
    assert refused(answer) == expected


async def test_a_name_is_taken_once(signed_in: SignedIn) -> None:
    await make_role(signed_in, "treasury", [])
    body = {"name": "treasury", "title": "Again", "permissions": []}
    assert refused(await signed_in.client.post(f"{USERS}/roles", json=body)) == (409, "role_name_taken")


async def test_an_unknown_permission_is_named(signed_in: SignedIn) -> None:
    body = {"name": "treasury", "title": "T", "permissions": ["tables.destroy"]}
    answer = await signed_in.client.post(f"{USERS}/roles", json=body)
    assert refused(answer) == (422, "unknown_permission")
    assert "tables.destroy" in answer.json()["errors"][0]["message"]


async def test_a_role_in_use_stays_and_says_by_how_many(signed_in: SignedIn, joined: Join) -> None:
    role = await make_role(signed_in, "treasury", ["tables.read"])
    members = [await joined(signed_in, "treasury") for _ in range(2)]
    key = {"kind": "service", "name": "k", "scopes": ["tables.read"], "roles": ["treasury"]}
    key_id = (await signed_in.client.post("/api/v1/api-keys", json=key)).json()["id"]
    path = f"{USERS}/roles/{role['id']}"
    answer = await signed_in.client.delete(path)
    assert refused(answer) == (409, "role_in_use")
    assert answer.json()["detail"].startswith("3 ")
    for member in members:
        await give(signed_in, member.user_id, "readonly")
    assert (await signed_in.client.delete(path)).json()["detail"].startswith("1 ")
    await signed_in.client.delete(f"/api/v1/api-keys/{key_id}")
    assert (await signed_in.client.delete(path)).status_code == 204
    assert refused(await signed_in.client.delete(path)) == (404, "role_not_found")


async def test_a_role_is_never_given_while_it_is_deleted(signed_in: SignedIn, joined: Join, admin: Connection) -> None:
    member = await joined(signed_in, "readonly")
    for number in range(5):
        name = f"passing_{number}"
        role = await make_role(signed_in, name, ["tables.read"])
        given, deleted = await asyncio.gather(
            give(signed_in, member.user_id, name), signed_in.client.delete(f"{USERS}/roles/{role['id']}")
        )
        held = await admin.fetchval(
            "SELECT count(*) FROM core.membership_roles WHERE tenant_id = $1 AND role = $2", signed_in.tenant_id, name
        )
        assert (given.status_code, deleted.status_code, held) in {(200, 409, 1), (422, 204, 0)}


async def test_a_stale_change_of_a_role_is_refused_and_changes_nothing(signed_in: SignedIn, joined: Join) -> None:
    client, made = signed_in.client, await make_role(signed_in, "treasury", ["tables.read"])
    path = f"{USERS}/roles/{made['id']}"
    seen = await client.get(path)
    assert (seen.json(), seen.headers["etag"], made["version"]) == (made, '"1"', 1)
    mine = await client.patch(path, json={"permissions": ["jobs.read"]}, headers={"If-Match": seen.headers["etag"]})
    assert (mine.status_code, mine.headers["etag"], mine.json()["version"]) == (200, '"2"', 2)
    for answer in (
        await client.patch(path, json={"permissions": ["audit.read"]}, headers={"If-Match": seen.headers["etag"]}),
        await client.delete(path, headers={"If-Match": seen.headers["etag"]}),
    ):
        assert refused(answer) == (412, "precondition_failed")
    assert await permissions(await joined(signed_in, "treasury")) == {"jobs.read"}
    # What changes nothing is no new version, and without the header the newest is changed.
    assert (await client.patch(path, json={"permissions": ["jobs.read"]})).headers["etag"] == '"2"'
    assert (await client.patch(path, json={"title": "Cash"})).headers["etag"] == '"3"'
    listed = (await client.get(f"{USERS}/roles")).json()["items"]
    assert [role["version"] for role in listed] == [None] * len(ROLES) + [3]


async def test_of_several_who_saw_the_same_role_one_changes_it(signed_in: SignedIn) -> None:
    path = f"{USERS}/roles/{(await make_role(signed_in, 'treasury', []))['id']}"
    wanted = ["tables.read", "jobs.read", "audit.read", "members.read"]
    answers = await asyncio.gather(
        *(
            signed_in.client.patch(path, json={"permissions": [permission]}, headers={"If-Match": '"1"'})
            for permission in wanted
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    won = next(answer.json() for answer in answers if answer.is_success)
    assert (await signed_in.client.get(path)).json() == won


async def test_other_tenants_roles_do_not_exist(sign_in: SignIn) -> None:
    ours, theirs = await sign_in(), await sign_in()
    path = f"{USERS}/roles/{(await make_role(theirs, 'treasury', []))['id']}"
    for answer in (
        await ours.client.get(path),
        await ours.client.patch(path, json={"title": "Mine"}),
        await ours.client.delete(path),
    ):
        assert refused(answer) == (404, "role_not_found")


async def test_who_may_not_manage_roles_is_told_which_permission_is_missing(
    signed_in: SignedIn, joined: Join, admin: Connection
) -> None:
    finance = await joined(signed_in, "finance")
    answer = await finance.client.post(f"{USERS}/roles", json={"name": "boss", "title": "B", "permissions": []})
    assert (refused(answer), await reason(admin, answer)) == ((403, "permission_denied"), "roles.manage")


async def test_members_roles_and_permissions_need_signing_in(client: httpx2.AsyncClient, app: FastAPI) -> None:
    paths = [path for path in app.openapi()["paths"] if path.startswith(USERS)]
    assert len(paths) >= 5
    for path in (USERS, f"{USERS}/roles", f"{USERS}/permissions"):
        assert (await client.get(path)).status_code == 401


async def test_a_member_is_resolved_in_one_query(signed_in: SignedIn, database: Database, joined: Join) -> None:
    from counterfoil.identity import repository  # noqa: PLC0415  (used once)
    from counterfoil.kit.ids import new_id  # noqa: PLC0415  (same)

    await make_role(signed_in, "treasury", ["tables.read"])
    member = await joined(signed_in, "treasury", "ops")
    asked: list[Any] = []
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        driver = await uow.driver()
        driver.add_query_logger(asked.append)
        found = await repository.member(uow, member.user_id, session_id=new_id())
        driver.remove_query_logger(asked.append)
    assert found is not None
    assert found.roles == {"treasury", "ops"}
    assert found.custom_permissions == {"tables.read"}
    assert len([one for one in asked if "memberships" in one.query]) == len(asked) == 1
