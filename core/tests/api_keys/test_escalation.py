"""Attempts to get more out of a key than its maker had."""

import pytest
from core.tests.rbac.people import USERS, Connection, Join, give, make_role, reason, refused

from counterfoil.testing.plugin import SignedIn

from .bearers import KEYS, ME, Holding, ask_for_key, make_key, service_key


async def test_a_key_never_exceeds_its_maker(signed_in: SignedIn, joined: Join, admin: Connection) -> None:
    member = await joined(signed_in, "finance")
    answer = await ask_for_key(member.client, "tables.read", "members.manage")
    assert (refused(answer), await reason(admin, answer)) == ((403, "beyond_own_permissions"), "members.manage")
    answer = await ask_for_key(member.client, "tables.read", kind="service", roles=["readonly"])
    assert (refused(answer), await reason(admin, answer)) == ((403, "permission_denied"), "api_keys.manage")


async def test_a_key_makes_no_broader_key(signed_in: SignedIn, holding: Holding) -> None:
    scopes = ["api_keys.own", "api_keys.manage", "tables.read"]
    for made in (await service_key(signed_in, "admin", *scopes), await make_key(signed_in.client, *scopes)):
        key = holding(made["key"])
        for roles in (["admin"], ["readonly"]):
            answer = await ask_for_key(key, "tables.read", kind="service", roles=roles)
            assert refused(answer) == (403, "beyond_own_permissions")
        assert refused(await ask_for_key(key, "audit.read"))[0] in (403, 422)
    own = await make_key(key, "tables.read")
    assert (await holding(own["key"]).get(ME)).json()["permissions"] == ["tables.read"]


async def test_a_service_has_no_personal_keys(signed_in: SignedIn, holding: Holding) -> None:
    key = holding((await service_key(signed_in, "admin", "api_keys.own", "tables.read"))["key"])
    answer = await ask_for_key(key, "tables.read")
    assert refused(answer) == (422, "api_key_invalid")
    assert answer.json()["errors"][0]["path"] == "kind"


async def test_a_key_makes_a_key_with_a_role_it_has_all_of(signed_in: SignedIn, holding: Holding) -> None:
    await make_role(signed_in, "reader", ["tables.read"])
    key = holding((await service_key(signed_in, "admin", "api_keys.own", "api_keys.manage", "tables.read"))["key"])
    made = await make_key(key, "tables.read", kind="service", roles=["reader"])
    assert made["created_by"] == "Month end"
    assert (await holding(made["key"]).get(ME)).json()["permissions"] == ["tables.read"]


async def test_widening_a_role_later_does_not_widen_the_keys_made_before(signed_in: SignedIn, holding: Holding) -> None:
    role = await make_role(signed_in, "reader", ["tables.read"])
    key = holding((await service_key(signed_in, "reader", "tables.read"))["key"])
    await signed_in.client.patch(f"{USERS}/roles/{role['id']}", json={"permissions": ["tables.read", "audit.read"]})
    assert (await key.get(ME)).json()["permissions"] == ["tables.read"]
    await signed_in.client.patch(f"{USERS}/roles/{role['id']}", json={"permissions": ["audit.read"]})
    assert (await key.get(ME)).json()["permissions"] == []


async def test_rotating_a_broader_key_is_refused(signed_in: SignedIn, joined: Join, holding: Holding) -> None:
    await make_role(signed_in, "keeper", ["api_keys.own", "api_keys.manage", "tables.read"])
    keeper = await joined(signed_in, "keeper")
    broad, narrow = (
        await service_key(signed_in, "admin", "members.manage"),
        await service_key(signed_in, "admin", "tables.read"),
    )
    assert refused(await keeper.client.post(f"{KEYS}/{broad['id']}/rotate")) == (403, "beyond_own_permissions")
    assert (await keeper.client.post(f"{KEYS}/{narrow['id']}/rotate")).status_code == 200
    small = holding((await make_key(signed_in.client, "api_keys.own", "api_keys.manage"))["key"])
    whole = await make_key(signed_in.client, "tenant.manage")
    assert refused(await small.post(f"{KEYS}/{whole['id']}/rotate")) == (403, "beyond_own_permissions")


async def test_nobody_takes_over_a_personal_key_though_a_manager_may_revoke_it(
    signed_in: SignedIn, joined: Join, holding: Holding
) -> None:
    member, other = await joined(signed_in, "finance"), await joined(signed_in, "finance")
    made = await make_key(member.client, "tables.read")
    path = f"{KEYS}/{made['id']}"
    for answer in (await other.client.post(f"{path}/rotate"), await other.client.delete(path)):
        assert refused(answer) == (404, "api_key_not_found")
    assert refused(await signed_in.client.post(f"{path}/rotate")) == (403, "not_your_api_key")
    assert (await signed_in.client.delete(path)).status_code == 204
    assert refused(await holding(made["key"]).get(ME)) == (401, "api_key_ended")


@pytest.mark.parametrize("kind", ["personal", "service"])
async def test_a_key_without_the_scope_changes_no_keys_members_roles_or_sessions(
    signed_in: SignedIn, joined: Join, holding: Holding, admin: Connection, kind: str
) -> None:
    member = await joined(signed_in, "readonly")
    everything = set((await signed_in.client.get(ME)).json()["permissions"])
    scopes = sorted(everything - {"api_keys.own", "api_keys.manage", "members.manage", "roles.manage"})
    rest = {"kind": "service", "roles": ["admin"]} if kind == "service" else {}
    key = holding((await make_key(signed_in.client, *scopes, **rest))["key"])
    for method, path, body in (
        ("POST", KEYS, {"name": "n", "scopes": ["tables.read"]}),
        ("PUT", f"{USERS}/{member.user_id}/roles", {"roles": ["admin"]}),
        ("DELETE", f"{USERS}/{member.user_id}", None),
        ("POST", f"{USERS}/roles", {"name": "boss", "title": "B", "permissions": []}),
    ):
        answer = await key.request(method, f"{path}", json=body)
        assert refused(answer) == (403, "permission_denied"), path
        assert await reason(admin, answer) in ("api_keys.own", "members.manage", "roles.manage")


async def test_an_owners_key_makes_an_owner_only_with_all_that_owners_may(
    signed_in: SignedIn, joined: Join, holding: Holding
) -> None:
    member = await joined(signed_in, "readonly")
    for made in (
        await make_key(signed_in.client, "members.manage"),
        await service_key(signed_in, "admin", *(await signed_in.client.get(ME)).json()["permissions"]),
    ):
        key = holding(made["key"])
        answer = await key.put(f"{USERS}/{member.user_id}/roles", json={"roles": ["owner"]})
        assert answer.status_code == 403
        assert answer.json()["code"] in ("owners_only", "beyond_own_permissions")
        answer = await key.patch(f"{USERS}/{signed_in.user_id}", json={"status": "disabled"})
        assert answer.status_code in (403, 409)
    assert (await give(signed_in, member.user_id, "owner")).status_code == 200


async def test_what_is_for_every_member_a_key_may_only_look_at(
    gate_client: Holding, signed_in: SignedIn, holding: Holding, admin: Connection
) -> None:
    made = await make_key(signed_in.client, "tables.read")
    assert (await holding(made["key"]).get(ME)).status_code == 200
    token = signed_in.client.headers["Authorization"].removeprefix("Bearer ")
    for path in ("/mine", "/session"):
        answer = await gate_client(made["key"]).post(path)
        assert (refused(answer), await reason(admin, answer)) == ((403, "permission_denied"), "api_key")
        assert (await gate_client(token).post(path)).status_code == 200
