"""Who belongs to a tenant, with which roles; and that there is always an owner left."""

import asyncio
from uuid import UUID

import pytest

from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import PASSWORD, SignedIn

from .people import USERS, Connection, Join, SignIn, give, join, make_role, permissions, reason, refused


async def owners(admin: Connection, tenant_id: UUID) -> set[UUID]:
    rows = await admin.fetch(
        "SELECT m.user_id FROM core.memberships m JOIN core.membership_roles r ON r.membership_id = m.id"
        " WHERE m.tenant_id = $1 AND r.role = 'owner' AND m.status = 'active'",
        tenant_id,
    )
    return {row["user_id"] for row in rows}


async def test_members_are_listed_page_by_page_in_the_order_they_joined(signed_in: SignedIn, joined: Join) -> None:
    second, third = await joined(signed_in, "finance", "ops"), await joined(signed_in, "readonly")
    whole = (await signed_in.client.get(USERS)).json()
    assert [item["user_id"] for item in whole["items"]] == [str(one.user_id) for one in (signed_in, second, third)]
    shown = whole["items"][1]
    assert (shown["email"], shown["name"], shown["roles"], shown["status"]) == (
        second.email,
        "Olive Owner",
        ["finance", "ops"],
        "active",
    )
    assert shown["last_used_at"] is not None
    assert await get(signed_in, second) == shown
    first = (await signed_in.client.get(USERS, params={"limit": 2})).json()
    rest = (await signed_in.client.get(USERS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert first["items"] + rest["items"] == whole["items"]
    assert rest["next_cursor"] is None
    assert refused(await signed_in.client.get(USERS, params={"cursor": "WyJ4Il0"})) == (422, "invalid_cursor")


async def get(who: SignedIn, member: SignedIn) -> object:
    return (await who.client.get(f"{USERS}/{member.user_id}")).json()


async def test_an_admin_changes_roles_and_the_change_is_on_record(
    signed_in: SignedIn, joined: Join, admin: Connection
) -> None:
    chief, member = await joined(signed_in, "admin"), await joined(signed_in, "readonly")
    answer = await give(chief, member.user_id, "finance", "ops")
    assert answer.json()["roles"] == ["finance", "ops"]
    assert "audit.read" in await permissions(member)
    event = await admin.fetchrow(
        "SELECT actor_label, resource_id, payload::jsonb ->> 'given' AS given, payload::jsonb ->> 'taken' AS taken"
        " FROM core.audit_events WHERE tenant_id = $1 AND action = 'core.member.roles_changed'",
        signed_in.tenant_id,
    )
    assert event is not None
    assert tuple(event) == (chief.email, str(member.user_id), '["finance", "ops"]', '["readonly"]')


async def test_who_manages_members_gives_no_more_than_they_have(
    signed_in: SignedIn, joined: Join, admin: Connection
) -> None:
    await make_role(signed_in, "hr", ["members.read", "members.manage", "tables.read"])
    await make_role(signed_in, "reader", ["tables.read"])
    await make_role(signed_in, "auditor", ["audit.read"])
    hr, member = await joined(signed_in, "hr"), await joined(signed_in, "finance")
    for role, missing in (("auditor", "audit.read"), ("admin", "api_keys.manage"), ("readonly", "connections.read")):
        for target in (member, hr):
            answer = await give(hr, target.user_id, "hr", role)
            assert refused(answer) == (403, "beyond_own_permissions")
            assert missing in (await reason(admin, answer) or "")
    assert await permissions(hr) == {"members.read", "members.manage", "tables.read"}
    # Roles that a member has already are not given anew.
    assert (await give(hr, member.user_id, "finance", "reader")).json()["roles"] == ["finance", "reader"]
    assert (await give(hr, member.user_id, "reader")).json()["roles"] == ["reader"]


async def test_letting_somebody_in_again_gives_them_their_roles(signed_in: SignedIn, joined: Join) -> None:
    await make_role(signed_in, "hr", ["members.manage"])
    hr, member = await joined(signed_in, "hr"), await joined(signed_in, "finance")
    path = f"{USERS}/{member.user_id}"
    assert (await hr.client.patch(path, json={"status": "disabled"})).json()["status"] == "disabled"
    assert refused(await hr.client.patch(path, json={"status": "active"})) == (403, "beyond_own_permissions")
    assert (await signed_in.client.patch(path, json={"status": "active"})).json()["status"] == "active"


async def test_only_owners_make_unmake_disable_and_remove_owners(
    signed_in: SignedIn, joined: Join, admin: Connection
) -> None:
    chief, second = await joined(signed_in, "admin"), await joined(signed_in, "owner")
    path = f"{USERS}/{second.user_id}"
    for answer in (
        await give(chief, chief.user_id, "admin", "owner"),
        await give(chief, second.user_id, "admin"),
        await give(chief, second.user_id, "owner", "finance"),
        await chief.client.patch(path, json={"status": "disabled"}),
        await chief.client.delete(path),
    ):
        assert refused(answer) == (403, "owners_only")
        assert await reason(admin, answer) == "owner"
    assert await owners(admin, signed_in.tenant_id) == {signed_in.user_id, second.user_id}
    assert (await give(signed_in, second.user_id, "admin")).status_code == 200
    assert (await give(signed_in, chief.user_id, "owner")).status_code == 200


async def test_the_last_owner_can_be_neither_demoted_disabled_nor_removed(
    signed_in: SignedIn, joined: Join, admin: Connection
) -> None:
    second = await joined(signed_in, "owner")
    await signed_in.client.patch(f"{USERS}/{second.user_id}", json={"status": "disabled"})
    path = f"{USERS}/{signed_in.user_id}"
    for answer in (
        await give(signed_in, signed_in.user_id, "admin"),
        await signed_in.client.patch(path, json={"status": "disabled"}),
        await signed_in.client.delete(path),
    ):
        assert refused(answer) == (409, "last_owner")
        assert await reason(admin, answer) == "last_owner"
    assert (await give(signed_in, signed_in.user_id, "owner", "finance")).status_code == 200
    assert await owners(admin, signed_in.tenant_id) == {signed_in.user_id}


@pytest.mark.parametrize("action", ["demote", "disable", "remove"])
async def test_two_owners_who_unmake_each_other_at_once_leave_one(
    signed_in: SignedIn, joined: Join, admin: Connection, action: str
) -> None:
    async def unmake(who: SignedIn, whom: SignedIn) -> int:
        path = f"{USERS}/{whom.user_id}"
        if action == "demote":
            return (await give(who, whom.user_id, "admin")).status_code
        if action == "disable":
            return (await who.client.patch(path, json={"status": "disabled"})).status_code
        return (await who.client.delete(path)).status_code

    for _ in range(3):
        second = await joined(signed_in, "owner")
        codes = await asyncio.gather(unmake(signed_in, second), unmake(second, signed_in))
        left = await owners(admin, signed_in.tenant_id)
        assert len(left) == 1, codes
        assert sum(code < 400 for code in codes) == 1
        if left == {second.user_id}:
            return


async def test_a_removed_member_is_out_at_once_and_their_sessions_do_not_come_back(
    signed_in: SignedIn, admin: Connection, sign_in: SignIn
) -> None:
    guest = await sign_in()
    home = guest.client.headers["Authorization"]
    member = await join(admin, signed_in, guest, ["finance"])
    assert (await signed_in.client.delete(f"{USERS}/{member.user_id}")).status_code == 204
    assert refused(await member.client.get("/api/v1/auth/me")) == (401, "inactive_member")
    assert refused(await signed_in.client.get(f"{USERS}/{member.user_id}")) == (404, "member_not_found")
    # The account, and what it does elsewhere, is not this tenant's.
    elsewhere = await member.client.get("/api/v1/auth/me", headers={"Authorization": home})
    assert elsewhere.json()["roles"] == ["owner"]
    old = member.client.headers["Authorization"]
    again = await join(admin, signed_in, guest, ["finance"])
    assert (await again.client.get("/api/v1/auth/me")).status_code == 200
    assert refused(await again.client.get("/api/v1/auth/me", headers={"Authorization": old})) == (
        401,
        "unauthenticated",
    )


async def test_a_disabled_member_cannot_log_in_until_enabled(signed_in: SignedIn, joined: Join) -> None:
    member = await joined(signed_in, "finance")
    path = f"{USERS}/{member.user_id}"
    await signed_in.client.patch(path, json={"status": "disabled"})
    assert refused(await member.client.get("/api/v1/auth/me")) == (401, "inactive_member")
    await signed_in.client.patch(path, json={"status": "active"})
    # The session it had has ended; a new log-in works.
    assert refused(await member.client.get("/api/v1/auth/me")) == (401, "unauthenticated")
    answer = await member.client.post("/api/v1/auth/login", json={"email": member.email, "password": PASSWORD})
    assert answer.json()["tenant"]["id"] == str(signed_in.tenant_id)


async def test_other_tenants_members_do_not_exist(sign_in: SignIn) -> None:
    ours, theirs = await sign_in(), await sign_in()
    for user_id in (theirs.user_id, new_id()):
        path = f"{USERS}/{user_id}"
        for answer in (
            await ours.client.get(path),
            await ours.client.patch(path, json={"status": "disabled"}),
            await ours.client.delete(path),
            await give(ours, user_id, "readonly"),
        ):
            assert refused(answer) == (404, "member_not_found")
    assert (await theirs.client.get("/api/v1/auth/me")).status_code == 200


async def test_a_role_nobody_knows_and_no_role_at_all_are_refused(
    signed_in: SignedIn, joined: Join, sign_in: SignIn
) -> None:
    member = await joined(signed_in, "readonly")
    await make_role(await sign_in(), "theirs", ["tables.read"])
    for role in ("nobody", "theirs", ""):
        assert refused(await give(signed_in, member.user_id, "readonly", role)) == (422, "unknown_role")
    assert refused(await give(signed_in, member.user_id)) == (422, "invalid_input")


async def test_only_who_manages_members_changes_them(signed_in: SignedIn, joined: Join, admin: Connection) -> None:
    finance = await joined(signed_in, "finance")
    path = f"{USERS}/{signed_in.user_id}"
    assert (await finance.client.get(path)).status_code == 200
    for answer in (
        await give(finance, finance.user_id, "admin"),
        await finance.client.patch(path, json={"status": "disabled"}),
        await finance.client.delete(path),
    ):
        assert refused(answer) == (403, "permission_denied")
        assert await reason(admin, answer) == "members.manage"


@pytest.mark.parametrize("word", ["invitations", "me", "roles/x/y"])
async def test_words_beside_the_ids_are_left_to_others(signed_in: SignedIn, word: str) -> None:
    assert refused(await signed_in.client.patch(f"{USERS}/{word}", json={"status": "disabled"}))[0] in (404, 405)
