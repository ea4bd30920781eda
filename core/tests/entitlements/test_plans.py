"""What a plan includes, how much of it, and what happens when it ends."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.db import Database
from counterfoil.entitlements import quotas, service, usage
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.entitlements.plans import CORE_FEATURES, PLANS, QUOTAS, plan_named
from counterfoil.ingest.tasks import REPLAY, SYNC
from counterfoil.jobs import repository as jobs
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.runner import JobRunner
from counterfoil.kit.errors import EntitlementRequired
from counterfoil.plugins.manager import PluginManager
from counterfoil.tenancy.term import PlanExpired, TrialExpired
from counterfoil.testing.plugin import PASSWORD, SignedIn

Connection: TypeAlias = "asyncpg.Connection[Any]"

CONNECTION = {
    "kind": "stripe",
    "settings": {"api_base": "http://127.0.0.1:9"},
    "credentials": {"api_key": "sk_test_x"},
}


async def override(admin: Connection, tenant_id: UUID, kind: str, name: str, value: int | None) -> None:
    await admin.execute(
        "INSERT INTO core.tenant_overrides (tenant_id, id, kind, name, value) VALUES ($1, uuidv7(), $2, $3, $4)"
        " ON CONFLICT (tenant_id, kind, name) DO UPDATE SET value = excluded.value",
        tenant_id,
        kind,
        name,
        value,
    )


async def end_plan(admin: Connection, tenant_id: UUID, plan: str = "trial") -> None:
    await admin.execute(
        "UPDATE core.tenants SET plan = $2, plan_expires_at = now() - interval '1 s' WHERE id = $1", tenant_id, plan
    )


async def reason(admin: Connection, answer: httpx2.Response) -> Any:
    return await admin.fetchval(
        "SELECT reason FROM core.audit_events WHERE correlation_id = $1 AND outcome = 'denied'",
        UUID(answer.json()["correlation_id"]),
    )


def features(plan: dict[str, Any]) -> dict[str, bool]:
    return {feature["name"]: feature["included"] for feature in plan["features"]}


def refused(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_every_plan_says_how_much_of_everything() -> None:
    assert set(PLANS) == {"trial", "pro", "enterprise"}
    for plan in PLANS.values():
        assert plan.quotas.keys() == QUOTAS.keys()
        assert plan.features <= CORE_FEATURES.keys()
    for quota in QUOTAS:
        trial, pro = PLANS["trial"].quotas[quota], PLANS["pro"].quotas[quota]
        assert trial is not None
        assert pro is not None
        assert trial < pro
        assert PLANS["enterprise"].quotas[quota] is None


def test_a_plan_nobody_knows_is_as_small_as_a_trial() -> None:
    assert plan_named("gold") is PLANS["trial"]


async def test_the_plan_is_shown_with_what_is_used(signed_in: SignedIn, database: Database) -> None:
    await signed_in.client.post("/api/v1/connections", json={**CONNECTION, "label": "One"})
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await usage.add(uow, usage.ROWS_LANDED, 1234)
    plan = (await signed_in.client.get("/api/v1/tenants/me/plan")).json()
    assert (plan["plan"], plan["title"], plan["has_ended"]) == ("trial", "Trial", False)
    left = datetime.fromisoformat(plan["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29) < left < timedelta(days=31)
    found = {quota["name"]: (quota["used"], quota["limit"]) for quota in plan["quotas"]}
    limits = PLANS["trial"].quotas
    assert found == {
        "connections": (1, limits["connections"]),
        "members": (1, limits["members"]),
        "api_keys": (0, limits["api_keys"]),
        "rows_per_month": (1234, limits["rows_per_month"]),
        "export_bytes_per_month": (0, limits["export_bytes_per_month"]),
    }
    included = {name: is_in for name, is_in in features(plan).items() if not name.startswith("tiered.")}
    assert included == {"core.custom_roles": True, "core.api_keys": True, "gold.shine": False, "stripe.sync": True}
    titles = {feature["name"]: feature["title"] for feature in plan["features"]}
    assert titles["core.api_keys"] == "API keys for scripts and services"
    assert titles["stripe.sync"] == "Sync from Stripe"
    assert titles["gold.shine"] == "Gold: shine"


async def test_the_operators_word_goes_before_the_plans(signed_in: SignedIn, admin: Connection) -> None:
    for kind, name, value in (
        ("quota", "connections", 3),
        ("quota", "members", None),
        ("feature", "gold.shine", 1),
        ("feature", "stripe.sync", 0),
        ("feature", "core.api_keys", 0),
    ):
        await override(admin, signed_in.tenant_id, kind, name, value)
    plan = (await signed_in.client.get("/api/v1/tenants/me/plan")).json()
    limits = {quota["name"]: quota["limit"] for quota in plan["quotas"]}
    assert (limits["connections"], limits["members"]) == (3, None)
    included = {name: is_in for name, is_in in features(plan).items() if not name.startswith("tiered.")}
    assert included == {"core.custom_roles": True, "core.api_keys": False, "gold.shine": True, "stripe.sync": False}
    assert (await signed_in.client.post("/api/v1/plugins/gold/enable")).json()["enabled"] is True
    stripe = (await signed_in.client.get("/api/v1/plugins/stripe")).json()
    assert (stripe["enabled"], stripe["available"]) == (False, False)


async def test_a_feature_that_is_not_included_is_refused_and_named_on_record(
    signed_in: SignedIn, admin: Connection
) -> None:
    asked = {
        "core.api_keys": ("/api/v1/api-keys", {"name": "n", "scopes": ["tables.read"]}),
        "core.custom_roles": ("/api/v1/users/roles", {"name": "boss", "title": "B", "permissions": []}),
        "stripe.sync": ("/api/v1/connections", {**CONNECTION, "label": "One"}),
    }
    for feature, (path, body) in asked.items():
        await override(admin, signed_in.tenant_id, "feature", feature, 0)
        answer = await signed_in.client.post(path, json=body)
        assert refused(answer) == (403, "entitlement_required")
        assert await reason(admin, answer) == feature
        await override(admin, signed_in.tenant_id, "feature", feature, 1)
        assert (await signed_in.client.post(path, json=body)).status_code == 201


@pytest.mark.parametrize("quota", ["connections", "api_keys"])
async def test_a_used_up_quota_is_refused_and_named_on_record(
    signed_in: SignedIn, admin: Connection, quota: str
) -> None:
    await override(admin, signed_in.tenant_id, "quota", quota, 1)

    async def make(label: str) -> httpx2.Response:
        if quota == "connections":
            return await signed_in.client.post("/api/v1/connections", json={**CONNECTION, "label": label})
        return await signed_in.client.post("/api/v1/api-keys", json={"name": label, "scopes": ["tables.read"]})

    made = await make("One")
    assert made.status_code == 201
    answer = await make("Two")
    assert refused(answer) == (403, "quota_exceeded")
    assert f"{quota} is used up: 1 of 1" in answer.json()["detail"]
    assert await reason(admin, answer) == quota
    # What has ended makes room.
    path = quota.replace("_", "-")
    assert (await signed_in.client.delete(f"/api/v1/{path}/{made.json()['id']}")).status_code == 204
    assert (await make("Three")).status_code == 201


@pytest.mark.parametrize("quota", ["connections", "api_keys"])
async def test_the_last_free_place_is_given_once(signed_in: SignedIn, admin: Connection, quota: str) -> None:
    await override(admin, signed_in.tenant_id, "quota", quota, 2)
    if quota == "connections":
        asked = [
            signed_in.client.post("/api/v1/connections", json={**CONNECTION, "label": str(number)})
            for number in range(6)
        ]
    else:
        asked = [
            signed_in.client.post("/api/v1/api-keys", json={"name": "n", "scopes": ["tables.read"]}) for _ in range(6)
        ]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert codes == [201, 201, 403, 403, 403, 403]


async def test_a_month_starts_at_nothing(database: Database, tenant: UUID, admin: Connection) -> None:
    await override(admin, tenant, "quota", "rows_per_month", 100)
    await admin.execute(
        "INSERT INTO core.usage_counters VALUES"
        " ($1, 'rows_landed', date_trunc('month', now() AT TIME ZONE 'UTC')::date - 1, 1000)",
        tenant,
    )
    async with database.unit_of_work(tenant) as uow:
        await quotas.require_quota(uow, "rows_per_month", add=100)
        await usage.add(uow, usage.ROWS_LANDED, 100)
        with pytest.raises(QuotaExceeded):
            await quotas.require_quota(uow, "rows_per_month")
        with pytest.raises(ValueError, match="no such quota"):
            await quotas.require_quota(uow, "wishes")


async def test_an_application_cannot_grant_itself_anything(database: Database, tenant: UUID) -> None:
    for statement in (
        "INSERT INTO core.tenant_overrides (tenant_id, id, kind, name) VALUES ($1, uuidv7(), 'quota', 'members')",
        "UPDATE core.tenants SET plan = 'enterprise' WHERE id = $1",
        "UPDATE core.api_keys SET scopes = '{a}' WHERE tenant_id = $1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.unit_of_work(tenant) as uow:
                await (await uow.driver()).execute(statement, tenant)


async def test_an_ended_trial_can_be_read_and_nothing_be_changed(
    app: FastAPI, signed_in: SignedIn, admin: Connection
) -> None:
    made = (await signed_in.client.post("/api/v1/connections", json={**CONNECTION, "label": "One"})).json()
    await end_plan(admin, signed_in.tenant_id)
    some_id = made["id"]
    refusals = 0
    for path, methods in app.openapi()["paths"].items():
        for method in methods.keys() & {"post", "put", "patch", "delete"}:
            if path.startswith(("/api/v1/auth/", "/webhooks/")):
                continue
            address = path.replace("{connection_id}", some_id).replace("{name}", "stripe")
            for name in ("job_id", "user_id", "role_id", "key_id"):
                address = address.replace(f"{{{name}}}", some_id)
            answer = await signed_in.client.request(method, address, json=BODIES.get((method, path)))
            assert refused(answer) == (403, "trial_expired"), (method, path, answer.text)
            assert await reason(admin, answer) == "trial_expired"
            refusals += 1
    assert refusals >= 20
    for path in ("/connections", f"/connections/{some_id}", "/jobs", "/plugins", "/tenants/me", "/users", "/api-keys"):
        assert (await signed_in.client.get(f"/api/v1{path}")).status_code == 200
    assert (await signed_in.client.get("/api/v1/tenants/me/plan")).json()["has_ended"] is True


BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/api/v1/connections"): {**CONNECTION, "label": "Two"},
    ("patch", "/api/v1/connections/{connection_id}"): {"label": "x"},
    ("patch", "/api/v1/tenants/me"): {"name": "x"},
    ("post", "/api/v1/users/roles"): {"name": "boss", "title": "B", "permissions": []},
    ("patch", "/api/v1/users/roles/{role_id}"): {"title": "B"},
    ("patch", "/api/v1/users/{user_id}"): {"status": "disabled"},
    ("put", "/api/v1/users/{user_id}/roles"): {"roles": ["admin"]},
    ("post", "/api/v1/api-keys"): {"name": "n", "scopes": ["tables.read"]},
    ("patch", "/api/v1/api-keys/{key_id}"): {"name": "n"},
    ("put", "/api/v1/plugins/{name}/settings"): {"settings": {}},
}


async def test_whoever_cannot_change_anything_can_still_log_in_and_out(signed_in: SignedIn, admin: Connection) -> None:
    await end_plan(admin, signed_in.tenant_id)
    body = {"email": signed_in.email, "password": PASSWORD, "token_delivery": "body"}
    session = await signed_in.client.post("/api/v1/auth/login", json=body)
    token = {"refresh_token": session.json()["refresh_token"]}
    renewed = await signed_in.client.post("/api/v1/auth/refresh", json=token)
    assert renewed.status_code == 200
    token = {"refresh_token": renewed.json()["refresh_token"]}
    assert (await signed_in.client.post("/api/v1/auth/logout", json=token)).status_code == 204


async def test_another_plan_that_ended_says_so_in_its_own_words(signed_in: SignedIn, admin: Connection) -> None:
    await end_plan(admin, signed_in.tenant_id, "pro")
    answer = await signed_in.client.patch("/api/v1/tenants/me", json={"name": "x"})
    assert refused(answer) == (403, "plan_expired")
    await admin.execute("UPDATE core.tenants SET plan_expires_at = NULL WHERE id = $1", signed_in.tenant_id)
    assert (await signed_in.client.patch("/api/v1/tenants/me", json={"name": "x"})).status_code == 200


@pytest.mark.parametrize("path", ["sync", "replay"])
@pytest.mark.parametrize("ended", ["trial_expired", "quota_exceeded"])
async def test_a_job_that_waited_past_the_end_does_not_begin(
    *, signed_in: SignedIn, admin: Connection, database: Database, app: FastAPI, path: str, ended: str
) -> None:
    made = (await signed_in.client.post("/api/v1/connections", json={**CONNECTION, "label": "One"})).json()
    job_id = (await signed_in.client.post(f"/api/v1/connections/{made['id']}/{path}")).json()["job_id"]
    if ended == "trial_expired":
        await end_plan(admin, signed_in.tenant_id)
    else:
        await override(admin, signed_in.tenant_id, "quota", "rows_per_month", 0)
    row = await jobs.claim_now(database, signed_in.tenant_id, UUID(job_id), owner="test", lease_s=30)
    assert row is not None
    tasks = {task.name: task for task in (SYNC, REPLAY)}
    runner = JobRunner(database=database, provided=app.state.provided, lease_s=30, tasks=tasks)
    await runner.execute(Attempt(Claim(tenant_id=signed_in.tenant_id, job_id=UUID(job_id), row=row)))
    job = (await signed_in.client.get(f"/api/v1/jobs/{job_id}")).json()
    assert (job["status"], job["error"]["code"]) == ("failed", ended)


async def test_work_begins_only_within_the_plan(
    database: Database, tenant: UUID, plugins: PluginManager, admin: Connection
) -> None:
    async def begin() -> None:
        async with database.unit_of_work(tenant) as uow:
            await service.require_work(uow, "free", plugins=plugins)

    async with database.unit_of_work(tenant) as uow:
        await service.enable(uow, "free", plugins=plugins)
    await begin()
    await end_plan(admin, tenant, "pro")
    with pytest.raises(PlanExpired):
        await begin()
    await end_plan(admin, tenant, "trial")
    with pytest.raises(TrialExpired) as raised:
        await begin()
    assert isinstance(raised.value, EntitlementRequired)
