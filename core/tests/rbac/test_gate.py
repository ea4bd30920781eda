import asyncio
import base64
import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from counterfoil.kit import context
from counterfoil.kit.errors import EntitlementRequired, PermissionDenied, PluginDisabled, problem_catalogue
from counterfoil.testing.plugin import SignedIn


def bearer(owner: SignedIn) -> dict[str, str]:
    return {"Authorization": owner.client.headers["Authorization"]}


async def set_role(admin: "asyncpg.Connection[Any]", tenant_id: UUID, role: str) -> None:
    await admin.execute("UPDATE core.membership_roles SET role = $2 WHERE tenant_id = $1", tenant_id, role)


async def tenant_name(admin: "asyncpg.Connection[Any]", tenant_id: UUID) -> str:
    return str(await admin.fetchval("SELECT name FROM core.tenants WHERE id = $1", tenant_id))


async def last_event(admin: "asyncpg.Connection[Any]", tenant_id: UUID) -> dict[str, Any]:
    row = await admin.fetchrow(
        "SELECT * FROM core.audit_events WHERE tenant_id = $1 ORDER BY occurred_at DESC, id DESC LIMIT 1", tenant_id
    )
    assert row is not None
    return dict(row)


async def test_whoever_has_the_permission_gets_through_and_the_work_is_committed(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    assert (await gate.post("/rename", headers=bearer(signed_in))).status_code == 200
    assert await tenant_name(admin, signed_in.tenant_id) == "Renamed"


async def test_whoever_lacks_it_is_refused_with_an_audit_event_that_names_it(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    await set_role(admin, signed_in.tenant_id, "readonly")
    answer = await gate.post("/rename", headers=bearer(signed_in))
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert "plugins.manage" in answer.json()["detail"]
    assert await tenant_name(admin, signed_in.tenant_id) != "Renamed"
    event = await last_event(admin, signed_in.tenant_id)
    assert (event["action"], event["resource_id"], event["outcome"], event["reason"]) == (
        "core.request.refused",
        "POST /rename",
        "denied",
        "plugins.manage",
    )
    assert (event["actor_id"], event["actor_label"]) == (str(signed_in.user_id), signed_in.email)
    assert str(event["correlation_id"]) == answer.json()["correlation_id"]
    assert event["client_ip"] == "203.0.113.7"


async def test_a_change_of_role_counts_from_the_next_request_on(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    for role, status in (("readonly", 403), ("admin", 200), ("nonsense", 403), ("owner", 200)):
        await set_role(admin, signed_in.tenant_id, role)
        assert (await gate.post("/rename", headers=bearer(signed_in))).status_code == status
        assert (await gate.get("/roles", headers=bearer(signed_in))).json()["roles"] == [role]


@pytest.mark.parametrize("path", ["/rename-then-fail", "/rename-then-refuse"])
async def test_what_a_failing_route_did_is_rolled_back(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]", path: str
) -> None:
    answer = await gate.post(path, headers=bearer(signed_in))
    assert answer.status_code in (403, 500)
    assert await tenant_name(admin, signed_in.tenant_id) != "Renamed"


async def test_a_refusal_by_the_route_outlives_the_transaction_it_rolls_back(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    answer = await gate.post("/rename-then-refuse", headers=bearer(signed_in))
    event = await last_event(admin, signed_in.tenant_id)
    assert (event["action"], event["outcome"], event["reason"]) == (
        "core.request.refused",
        "denied",
        "permission_denied",
    )
    assert json.loads(event["payload"]) == {
        "code": "permission_denied",
        "detail": "not this one",
        "roles": ["owner"],
    }
    assert (event["actor_label"], str(event["correlation_id"])) == (signed_in.email, answer.json()["correlation_id"])


async def test_an_error_that_is_no_refusal_leaves_no_event_of_one(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    before = await last_event(admin, signed_in.tenant_id)
    await gate.post("/rename-then-fail", headers=bearer(signed_in))
    assert await last_event(admin, signed_in.tenant_id) == before


def test_every_answer_that_forbids_counts_as_a_refusal() -> None:
    forbidding = {problem for problem in problem_catalogue().values() if problem.status == HTTPStatus.FORBIDDEN}
    assert {PermissionDenied, EntitlementRequired, PluginDisabled} <= forbidding
    assert all(problem.is_refusal for problem in forbidding)


async def test_a_failed_commit_is_an_error_and_never_a_success(gate: httpx2.AsyncClient, signed_in: SignedIn) -> None:
    answer = await gate.post("/fail-to-commit", headers=bearer(signed_in))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "twice" not in answer.text


async def test_the_route_sees_tenant_actor_and_address_of_its_own_request(
    gate: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    seen = (await gate.get("/work-in-hand", headers=bearer(signed_in))).json()
    assert seen == {
        "tenant": str(signed_in.tenant_id),
        "actor_kind": "user",
        "actor_id": str(signed_in.user_id),
        "actor_label": signed_in.email,
        "client_ip": "203.0.113.7",
        "caller": str(signed_in.user_id),
    }


async def test_simultaneous_requests_never_see_each_others_context(gate: httpx2.AsyncClient, sign_in: Any) -> None:
    owners = [await sign_in() for _ in range(4)]
    asked = [owner for _ in range(5) for owner in owners]
    answers = await asyncio.gather(
        *(
            gate.get("/work-in-hand", params={"pause_s": 0.01 * (number % 3)}, headers=bearer(owner))
            for number, owner in enumerate(asked)
        )
    )
    for owner, answer in zip(asked, answers, strict=True):
        seen = answer.json()
        assert (seen["tenant"], seen["actor_id"]) == (str(owner.tenant_id), str(owner.user_id))


@pytest.mark.parametrize("path", ["/rename", "/rename-then-fail", "/fail-to-commit"])
async def test_a_request_leaves_nothing_in_the_context_it_ran_in(
    gate: httpx2.AsyncClient, signed_in: SignedIn, path: str
) -> None:
    await gate.post(path, headers=bearer(signed_in))
    assert context.current_actor.get() == context.SYSTEM
    assert context.current_tenant_id.get() is None
    assert context.current_client_ip.get() is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Basic {base64.b64encode(b'olive:password').decode()}"},
        {"Cookie": "cf_access=nonsense"},
    ],
)
async def test_nobody_gets_through_without_a_token_of_ours(gate: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    answer = await gate.get("/roles", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_cookie_authenticates_and_an_unsafe_method_needs_our_origin(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    cookie = {"Cookie": f"cf_access={signed_in.client.headers['Authorization'].removeprefix('Bearer ')}"}
    assert (await gate.get("/roles", headers=cookie)).status_code == 200
    for origin in ({}, {"Origin": "https://evil.example"}):
        answer = await gate.post("/rename", headers={**cookie, **origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch")
        assert (await last_event(admin, signed_in.tenant_id))["reason"] == "origin_mismatch"
    assert await tenant_name(admin, signed_in.tenant_id) != "Renamed"
    assert (await gate.post("/rename", headers={**cookie, "Origin": str(gate.base_url)})).status_code == 200


async def test_a_disabled_member_is_refused_with_an_audit_event(
    gate: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    await admin.execute("UPDATE core.memberships SET status = 'disabled' WHERE tenant_id = $1", signed_in.tenant_id)
    answer = await gate.get("/roles", headers=bearer(signed_in))
    assert (answer.status_code, answer.json()["code"]) == (401, "inactive_member")
    event = await last_event(admin, signed_in.tenant_id)
    assert (event["action"], event["outcome"], event["reason"]) == (
        "core.request.refused",
        "denied",
        "inactive_member",
    )


async def test_a_token_does_not_open_a_tenant_its_user_is_no_member_of(
    gate: httpx2.AsyncClient, sign_in: Any, admin: "asyncpg.Connection[Any]"
) -> None:
    ours, theirs = await sign_in(), await sign_in()
    await admin.execute("UPDATE core.memberships SET user_id = $1 WHERE tenant_id = $2", theirs.user_id, ours.tenant_id)
    assert (await gate.get("/roles", headers=bearer(ours))).status_code == 401
