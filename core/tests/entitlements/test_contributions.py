"""What a plugin brings besides connectors: routes and kinds of job, for the tenants that may use it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.entitlements.gates import gated
from counterfoil.jobs import repository
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.registry import TaskRegistry
from counterfoil.jobs.runner import JobRunner
from counterfoil.plugins.manager import PluginManager
from counterfoil.testing.plugin import ORIGIN, PASSWORD
from counterfoil.testing.plugins import installed, write_distribution

SHOP = """
from typing import Annotated
from fastapi import APIRouter
from pydantic import BaseModel
from counterfoil.sdk import JobContext, Outcome, Scope, Task, enqueue, hookimpl, problem_responses, require

router = APIRouter(prefix="/api/v1/shop", tags=["shop"], responses=problem_responses(401, 403))


class Count(BaseModel):
    goods: int


async def run_count(job: JobContext, params: Count) -> Outcome:
    return Outcome(result={"counted": params.goods})


COUNT = Task(name="shop.count", title="Count the goods", params=Count, run=run_count, permission="shop.count")


@router.get("/goods", operation_id="listGoods")
async def list_goods(scope: Annotated[Scope, require("tables.read")]) -> list[str]:
    return ["tea"]


@router.post("/counts", operation_id="countGoods", status_code=202)
async def count_goods(body: Count, scope: Annotated[Scope, require("shop.count")]) -> dict[str, str]:
    job = await enqueue(scope.uow, COUNT, body)
    return {"job_id": str(job.id)}


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_tasks():
    return [COUNT]
"""
CLAIMS = '[permissions]\n"shop.count" = "Count the goods"\n'
TASK = """
from pydantic import BaseModel
from counterfoil.sdk import Task
async def run(job, params): ...
@hookimpl
def register_tasks():
    return [Task(name="bad.one", title="x", params=BaseModel, run={run}, {more})]
"""
ROUTES = """
from fastapi import APIRouter
router = APIRouter()
@router.get("/api/v1/connections")
async def mine(): ...
@hookimpl
def register_routes():
    return [{router}]
"""
BAD = {
    "a route of core's": (ROUTES.format(router="router"), "the route /api/v1/connections is already taken"),
    "no router": (ROUTES.format(router="'x'"), "mounting its routes failed: AttributeError"),
    "a task of core's": (
        "from counterfoil.ingest.tasks import SYNC\n@hookimpl\ndef register_tasks():\n    return [SYNC]\n",
        "the task 'core.sync' is outside the plugin's namespace: call it bad.<noun>",
    ),
    "no task": ("@hookimpl\ndef register_tasks():\n    return [print]\n", "which is no Task"),
    "a task that does not wait": (TASK.format(run="print", more=""), "task 'bad.one': its run is no async function"),
    "a permission nobody has": (
        TASK.format(run="run", more="permission='bad.some'"),
        "bad.one: no such permission: 'bad.some'",
    ),
    "a queue nobody works on": (TASK.format(run="run", more="queue='fast'"), "bad.one: no queue is called 'fast'"),
}


def manifest(name: str, rest: str = "") -> str:
    return f'name = "{name}"\ntitle = "{name.title()}"\npublisher = "Acme"\napi = 1\n{rest}'


@pytest.fixture
def plugins(tmp_path: Path) -> PluginManager:
    write_distribution(tmp_path, "shop", {"hooks.py": SHOP}, manifest=manifest("shop", CLAIMS))
    with installed(tmp_path):
        return PluginManager.load()


@pytest.fixture
async def shop(settings: Settings, plugins: PluginManager) -> AsyncIterator[FastAPI]:
    app = create_app(settings, plugins=plugins, with_ui=False)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def owner(shop: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=shop), base_url=ORIGIN) as client:
        name = f"shop-{id(client)}"
        person = {"email": f"{name}@example.com", "password": PASSWORD, "full_name": "Olive Owner"}
        joined = await client.post("/api/v1/auth/register", json={"tenant_name": "Acme", "tenant_slug": name, **person})
        joined.raise_for_status()
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {joined.json()['access_token']}"
        yield client


async def run(job_id: UUID, app: FastAPI, database: Database, admin: "asyncpg.Connection[Any]") -> dict[str, Any]:
    """Let a worker's runner take the job; how it stands then."""
    plugins: PluginManager = app.state.provided[PluginManager]
    tasks = {task.name: gated(task, plugin.name) for plugin in plugins.active for task in plugin.tasks}
    tenant_id = await admin.fetchval("SELECT tenant_id FROM core.jobs WHERE id = $1", job_id)
    claimed = await repository.claim_now(database, tenant_id, job_id, owner="test", lease_s=30)
    assert claimed is not None
    runner = JobRunner(database=database, provided=app.state.provided, lease_s=30, tasks=tasks)
    await runner.execute(Attempt(Claim(tenant_id=tenant_id, job_id=job_id, row=claimed)))
    row = await admin.fetchrow("SELECT status, result, error FROM core.jobs WHERE id = $1", job_id)
    assert row is not None
    return dict(row)


async def test_its_routes_and_its_jobs_are_there_for_who_enabled_it(
    shop: FastAPI, owner: httpx2.AsyncClient, database: Database, admin: "asyncpg.Connection[Any]"
) -> None:
    assert (await owner.get("/api/v1/shop/goods")).json()["code"] == "plugin_disabled"
    (await owner.post("/api/v1/plugins/shop/enable")).raise_for_status()

    assert (await owner.get("/api/v1/shop/goods")).json() == ["tea"]
    asked = await owner.post("/api/v1/shop/counts", json={"goods": 7})
    assert asked.status_code == 202
    done = await run(UUID(asked.json()["job_id"]), shop, database, admin)
    assert (done["status"], done["result"]) == ("succeeded", '{"counted": 7}')
    again = await owner.post(f"/api/v1/jobs/{asked.json()['job_id']}/replay")
    assert again.status_code == 202, again.text


async def test_a_job_of_a_plugin_that_was_turned_off_meanwhile_does_nothing(
    shop: FastAPI, owner: httpx2.AsyncClient, database: Database, admin: "asyncpg.Connection[Any]"
) -> None:
    (await owner.post("/api/v1/plugins/shop/enable")).raise_for_status()
    asked = await owner.post("/api/v1/shop/counts", json={"goods": 7})
    (await owner.post("/api/v1/plugins/shop/disable")).raise_for_status()

    done = await run(UUID(asked.json()["job_id"]), shop, database, admin)

    assert (done["status"], done["result"]) == ("failed", None)
    assert '"code": "plugin_disabled"' in done["error"]


def test_its_routes_are_in_the_document_of_the_api(shop: FastAPI) -> None:
    assert shop.openapi()["paths"]["/api/v1/shop/counts"]["post"]["operationId"] == "countGoods"


@pytest.mark.parametrize("case", BAD)
def test_one_that_brings_what_cannot_be_brings_nothing(case: str, tmp_path: Path, settings: Settings) -> None:
    source, finding = BAD[case]
    write_distribution(tmp_path, "bad", {"hooks.py": f"from counterfoil.sdk import hookimpl\n{source}"})
    with installed(tmp_path):
        plugins = PluginManager.load()
        create_app(settings, plugins=plugins, with_ui=False)
        TaskRegistry((), plugins=plugins)

    bad = plugins.find("bad")

    assert bad is not None
    assert bad.status == "quarantined"
    assert finding in (bad.reason or "")
    assert bad.tasks == []
