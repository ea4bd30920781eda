"""Features of plugins, one by one: asked for by routes, by tasks, and by every sync."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from counterfoil.db import Database
from counterfoil.entitlements import service
from counterfoil.entitlements.mounting import mount_plugin_routes
from counterfoil.ingest.tasks import REPLAY, SYNC
from counterfoil.jobs import repository as jobs
from counterfoil.jobs import service as job_service
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.context import JobContext
from counterfoil.jobs.runner import JobRunner
from counterfoil.kit.errors import EntitlementRequired, PluginDisabled
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Outcome, Task
from counterfoil.sdk import needs_feature, require_feature
from counterfoil.testing.plugin import ORIGIN, SignedIn
from counterfoil.web.problems import install_problem_handlers

Connection: TypeAlias = "asyncpg.Connection[Any]"
PATH = "/api/v1/races"


class Nothing(BaseModel):
    pass


async def race(job: JobContext, _params: Nothing) -> Outcome:
    async with job.unit_of_work() as uow:
        await require_feature(uow, "tiered.fast", provided=job.provided)
    return Outcome()


RACE = Task(name="tiered.race", title="Race", params=Nothing, run=race)


@pytest.fixture
async def caller(app: FastAPI, signed_in: SignedIn) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody before routes of the plugin ``tiered``."""
    router = APIRouter(prefix=PATH)

    @router.get("")
    async def list_races() -> list[str]:
        return ["Sunday"]

    @router.post("", dependencies=[needs_feature("tiered.fast")])
    async def start_race() -> str:
        return "started"

    other = FastAPI()
    other.state.provided = app.state.provided
    install_problem_handlers(other)
    mount_plugin_routes(other, "tiered", [router])
    headers = {"Authorization": signed_in.client.headers["Authorization"]}
    transport = httpx2.ASGITransport(app=other)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        yield client


async def put_on(admin: Connection, tenant_id: UUID, plan: str) -> None:
    await admin.execute("UPDATE core.tenants SET plan = $2 WHERE id = $1", tenant_id, plan)


async def run(app: FastAPI, database: Database, tenant_id: UUID, job_id: UUID) -> None:
    row = await jobs.claim_now(database, tenant_id, job_id, owner="test", lease_s=30)
    assert row is not None
    tasks = {task.name: task for task in (SYNC, REPLAY, RACE)}
    runner = JobRunner(database=database, provided=app.state.provided, lease_s=30, tasks=tasks)
    await runner.execute(Attempt(Claim(tenant_id=tenant_id, job_id=job_id, row=row)))


async def refusals(admin: Connection, tenant_id: UUID) -> list[tuple[str, str]]:
    rows = await admin.fetch(
        "SELECT action, reason FROM core.audit_events WHERE tenant_id = $1 AND outcome = 'denied' ORDER BY id",
        tenant_id,
    )
    return [(row["action"], row["reason"]) for row in rows]


async def test_a_feature_of_a_plugin_is_asked_for_as_one_of_cores(
    database: Database, tenant: UUID, plugins: PluginManager, admin: Connection
) -> None:
    async def ask(feature: str) -> None:
        async with database.unit_of_work(tenant) as uow:
            await service.require_feature(uow, feature, plugins=plugins)

    await put_on(admin, tenant, "trial")
    for absent in ("tiered.basic", "nothing.fast", "broken.fast"):
        with pytest.raises(PluginDisabled):
            await ask(absent)
    async with database.unit_of_work(tenant) as uow:
        await service.enable(uow, "tiered", plugins=plugins)
    await ask("tiered.basic")
    await ask("core.api_keys")
    with pytest.raises(EntitlementRequired, match=r"tiered\.fast needs another plan: pro") as raised:
        await ask("tiered.fast")
    assert raised.value.reason == "tiered.fast"
    for unknown in ("tiered.nothing", "tiered", "core.nothing", "core"):
        with pytest.raises(ValueError, match="no such feature"):
            await ask(unknown)
    await put_on(admin, tenant, "pro")
    await ask("tiered.fast")
    with pytest.raises(EntitlementRequired):
        await ask("tiered.basic")


async def test_a_route_behind_a_feature_is_refused_on_record_while_others_answer(
    caller: httpx2.AsyncClient, signed_in: SignedIn, admin: Connection
) -> None:
    assert (await caller.post(PATH)).json()["code"] == "plugin_disabled"
    await signed_in.client.post("/api/v1/plugins/tiered/enable")
    assert (await caller.get(PATH)).json() == ["Sunday"]
    answer = await caller.post(PATH)
    assert (answer.status_code, answer.json()["code"]) == (403, "entitlement_required")
    assert await refusals(admin, signed_in.tenant_id) == [
        ("core.request.refused", "plugin_disabled"),
        ("core.request.refused", "tiered.fast"),
    ]
    await put_on(admin, signed_in.tenant_id, "pro")
    assert (await caller.post(PATH)).json() == "started"
    del caller.headers["Authorization"]
    assert (await caller.post(PATH)).status_code == 401


async def test_a_task_behind_a_feature_fails_with_the_feature_on_record(
    app: FastAPI, signed_in: SignedIn, database: Database, admin: Connection
) -> None:
    async def attempt() -> Any:
        async with database.unit_of_work(signed_in.tenant_id) as uow:
            made = await job_service.enqueue(uow, RACE, Nothing(), title="Race")
        await run(app, database, signed_in.tenant_id, made.id)
        return (await signed_in.client.get(f"/api/v1/jobs/{made.id}")).json()

    await signed_in.client.post("/api/v1/plugins/tiered/enable")
    job = await attempt()
    assert (job["status"], job["error"]["code"]) == ("failed", "entitlement_required")
    assert await refusals(admin, signed_in.tenant_id) == [("core.job.finished", "tiered.fast")]
    await put_on(admin, signed_in.tenant_id, "pro")
    assert (await attempt())["status"] == "succeeded"


async def test_a_connector_is_offered_to_those_whose_plan_includes_its_syncs(
    signed_in: SignedIn, admin: Connection
) -> None:
    async def offer() -> tuple[bool, str | None, str | None]:
        items = (await signed_in.client.get("/api/v1/connections/providers")).json()["items"]
        found = next(item for item in items if item["kind"] == "tiered")
        return found["available"], found["unavailable_code"], found["unavailable_reason"]

    connection = {"kind": "tiered", "label": "One"}
    assert (await offer())[:2] == (False, "plugin_disabled")
    # The trial includes the plugin, and not its syncs: a form for it would be filled in for nothing.
    await signed_in.client.post("/api/v1/plugins/tiered/enable")
    assert await offer() == (False, "entitlement_required", "tiered.sync needs another plan: enterprise, pro.")
    refused = await signed_in.client.post("/api/v1/connections", json=connection)
    assert (refused.status_code, refused.json()["code"]) == (403, "entitlement_required")
    await put_on(admin, signed_in.tenant_id, "pro")
    assert await offer() == (True, None, None)
    assert (await signed_in.client.post("/api/v1/connections", json=connection)).status_code == 201


@pytest.mark.parametrize("path", ["sync", "replay"])
async def test_a_sync_needs_the_plugins_feature_sync(
    *, app: FastAPI, signed_in: SignedIn, database: Database, admin: Connection, path: str
) -> None:
    client, tenant_id = signed_in.client, signed_in.tenant_id
    await client.post("/api/v1/plugins/tiered/enable")
    await put_on(admin, tenant_id, "pro")
    made = (await client.post("/api/v1/connections", json={"kind": "tiered", "label": "One"})).json()
    await put_on(admin, tenant_id, "trial")
    answer = await client.post(f"/api/v1/connections/{made['id']}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (403, "entitlement_required")
    await put_on(admin, tenant_id, "pro")
    started = await client.post(f"/api/v1/connections/{made['id']}/{path}")
    assert started.status_code == 202
    # A plan that was changed while the job waited counts too.
    await put_on(admin, tenant_id, "trial")
    await run(app, database, tenant_id, UUID(started.json()["job_id"]))
    job = (await client.get(f"/api/v1/jobs/{started.json()['job_id']}")).json()
    assert (job["status"], job["error"]["code"]) == ("failed", "entitlement_required")
    # Nor is it started again, only to fail.
    again = await client.post(f"/api/v1/jobs/{job['id']}/replay")
    assert (again.status_code, again.json()["code"]) == (403, "entitlement_required")
    assert await refusals(admin, tenant_id) == [
        ("core.request.refused", "tiered.sync"),
        ("core.job.finished", "tiered.sync"),
        ("core.request.refused", "tiered.sync"),
    ]
    await put_on(admin, tenant_id, "pro")
    assert (await client.post(f"/api/v1/jobs/{job['id']}/replay")).status_code == 202
