"""A sync as a job: what an outage of the vendor makes of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.connections.vendor import PATH, FakeVendor, check, created, serving
from fastapi import FastAPI

from counterfoil.db import Database
from counterfoil.ingest.tasks import SYNC
from counterfoil.jobs import repository as jobs
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.runner import JobRunner
from counterfoil.testing.plugin import SignedIn


@pytest.fixture
async def vendor() -> AsyncIterator[FakeVendor]:
    async with serving() as vendor:
        yield vendor


@dataclass(kw_only=True)
class Syncs:
    """Starts syncs, and runs attempts at them as a worker would once they are due."""

    who: SignedIn
    app: FastAPI
    database: Database
    admin: "asyncpg.Connection[Any]"

    async def start(self, connection: dict[str, Any]) -> UUID:
        answer = await self.who.client.post(f"{PATH}/{connection['id']}/sync")
        return UUID(answer.json()["job_id"])

    async def attempt(self, job_id: UUID) -> dict[str, Any]:
        await self.admin.execute("UPDATE core.jobs SET run_after = now() WHERE id = $1", job_id)
        row = await jobs.claim_now(self.database, self.who.tenant_id, job_id, owner="test", lease_s=30)
        assert row is not None
        provided = self.app.state.provided
        runner = JobRunner(database=self.database, provided=provided, lease_s=30, tasks={SYNC.name: SYNC})
        await runner.execute(Attempt(Claim(tenant_id=self.who.tenant_id, job_id=job_id, row=row)))
        found: dict[str, Any] = (await self.who.client.get(f"/api/v1/jobs/{job_id}")).json()
        return found


@pytest.fixture
def syncs(signed_in: SignedIn, app: FastAPI, database: Database, admin: "asyncpg.Connection[Any]") -> Syncs:
    return Syncs(who=signed_in, app=app, database=database, admin=admin)


async def test_a_vendor_that_is_away_before_the_first_sync_is_waited_for(syncs: Syncs, vendor: FakeVendor) -> None:
    vendor.status = "503 Service Unavailable"
    connection = await created(syncs.who, vendor)
    job_id = await syncs.start(connection)
    waiting = await syncs.attempt(job_id)
    assert (waiting["status"], waiting["finished_at"]) == ("queued", None)
    assert waiting["progress"]["message"].startswith("Trying again in 15 s: GET /v1/account")
    due = await syncs.admin.fetchval("SELECT run_after > now() + interval '10 s' FROM core.jobs WHERE id = $1", job_id)
    assert due


async def test_credentials_that_open_nothing_are_not_tried_again(syncs: Syncs, vendor: FakeVendor) -> None:
    vendor.status = "401 Unauthorized"
    connection = await created(syncs.who, vendor)
    ended = await syncs.attempt(await syncs.start(connection))
    assert (ended["status"], ended["error"]["code"]) == ("failed", "connection_not_ready")


async def test_answers_that_make_no_sense_get_one_more_attempt(syncs: Syncs, vendor: FakeVendor) -> None:
    connection = await created(syncs.who, vendor)
    await check(syncs.who, connection)
    # Whatever list is asked for, an account is the answer.
    job_id = await syncs.start(connection)
    waiting = await syncs.attempt(job_id)
    assert waiting["status"] == "queued"
    shown = waiting["progress"]
    assert shown["message"].startswith("Trying again in 15 s: ")
    assert {stream["status"] for stream in shown["streams"].values()} == {"waiting"}
    listed = (await syncs.who.client.get(f"{PATH}/{connection['id']}/streams")).json()["items"]
    runs = [stream["last_run"] for stream in listed if stream["last_run"]]
    assert {(run["status"], run["reason"]["code"], run["finished_at"]) for run in runs} == {
        ("failed", "source_malformed", None)
    }
    ended = await syncs.attempt(job_id)
    assert (ended["status"], ended["attempts"], ended["error"]["code"]) == ("failed", 2, "source_malformed")
    of_lists = {reason["stream"]: reason["code"] for reason in ended["reasons"] if reason["stream"] in shown["streams"]}
    assert of_lists == dict.fromkeys(shown["streams"], "source_malformed")
    assert {reason["code"] for reason in ended["reasons"] if reason["stream"] not in of_lists} == {"parent_failed"}
