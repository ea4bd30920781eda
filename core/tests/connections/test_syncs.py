"""What syncs leave on a connection, and what a connection lets them do."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI

from counterfoil.config import Settings
from counterfoil.connections import service
from counterfoil.db import Database
from counterfoil.ingest.tasks import REPLAY, SYNC
from counterfoil.jobs import repository as jobs
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.runner import JobRunner
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import Account, SourceForbidden, SourceUnauthorized
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Task
from counterfoil.testing.plugin import SignedIn

from .vendor import KEY, PATH, FakeVendor, check, created, shown


async def test_a_sync_leaves_its_mark_on_the_connection(
    signed_in: SignedIn, vendor: FakeVendor, database: Database
) -> None:
    connection = await created(signed_in, vendor)
    await check(signed_in, connection)
    connection_id, job_id = UUID(connection["id"]), new_id()
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_job(uow, connection_id, job_id)
        await service.record_sync(uow, connection_id, SourceUnauthorized("The key was revoked.\0"))
    now = await shown(signed_in, connection)
    assert now["latest_job_id"] == str(job_id)
    assert now["status"] == "needs_reauth"
    assert now["last_error"] == {"code": "source_unauthorized", "detail": "The key was revoked."}
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, connection_id, SourceForbidden("The key may not read payouts."))
    assert (await shown(signed_in, connection))["status"] == "error"
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, connection_id)
    now = await shown(signed_in, connection)
    assert (now["status"], now["last_error"]) == ("active", None)
    assert now["last_synced_at"] is not None
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, new_id())


async def test_a_sync_that_changes_what_a_connection_is_good_for_is_on_record(
    signed_in: SignedIn, vendor: FakeVendor, database: Database, admin: "asyncpg.Connection[Any]"
) -> None:
    connection = await created(signed_in, vendor)
    await check(signed_in, connection)
    refused = SourceUnauthorized("The key was revoked.")
    for error in (None, refused, refused, SourceForbidden("Not this."), None):
        async with database.unit_of_work(signed_in.tenant_id) as uow:
            await service.record_sync(uow, UUID(connection["id"]), error)
    events = await admin.fetch(
        "SELECT outcome, reason, payload FROM core.audit_events"
        " WHERE resource_id = $1 AND action = 'core.connection.status_changed' ORDER BY id",
        connection["id"],
    )
    assert [(event["outcome"], event["reason"], json.loads(event["payload"])) for event in events] == [
        ("error", "source_unauthorized", {"from": "active", "to": "needs_reauth"}),
        ("error", "source_forbidden", {"from": "needs_reauth", "to": "error"}),
        ("ok", None, {"from": "error", "to": "active"}),
    ]


@pytest.mark.parametrize("task", [SYNC, REPLAY], ids=["sync", "replay"])
async def test_a_job_that_finds_its_connection_deleted_fails_and_says_so(
    signed_in: SignedIn, vendor: FakeVendor, database: Database, app: FastAPI, task: Task
) -> None:
    connection = await created(signed_in, vendor)
    action = task.name.removeprefix("core.")
    job_id = (await signed_in.client.post(f"{PATH}/{connection['id']}/{action}")).json()["job_id"]
    assert (await signed_in.client.delete(f"{PATH}/{connection['id']}")).status_code == 204
    row = await jobs.claim_now(database, signed_in.tenant_id, UUID(job_id), owner="test", lease_s=30)
    assert row is not None
    runner = JobRunner(
        database=database, provided=app.state.provided, lease_s=30, tasks={SYNC.name: SYNC, REPLAY.name: REPLAY}
    )
    await runner.execute(Attempt(Claim(tenant_id=signed_in.tenant_id, job_id=UUID(job_id), row=row)))
    job = (await signed_in.client.get(f"/api/v1/jobs/{job_id}")).json()
    assert (job["status"], job["error"]["code"]) == ("failed", "connection_not_found")
    assert vendor.requests == []


async def test_nothing_is_read_with_new_credentials_before_they_are_seen_to_open_the_same_account(
    signed_in: SignedIn, vendor: FakeVendor, database: Database, settings: Settings, app: FastAPI
) -> None:
    connection = await created(signed_in, vendor)
    connection_id = UUID(connection["id"])

    async def opened() -> service.OpenConnection:
        async with database.unit_of_work(signed_in.tenant_id) as uow:
            return await service.open_connection(
                uow, connection_id, plugins=app.state.provided[PluginManager], configuration=settings
            )

    assert (await opened()).known_account is None
    await check(signed_in, connection)
    assert (await opened()).account == Account(id="acct_1/test", label="Shop of acct_1")
    await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": KEY + "9"}})
    vendor.status = "503 Service Unavailable"
    await check(signed_in, connection)
    now = await opened()
    assert now.account is None
    assert now.known_account == Account(id="acct_1/test", label="Shop of acct_1")
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, connection_id)
    assert (await shown(signed_in, connection))["status"] == "error"
    vendor.status = "200 OK"
    await check(signed_in, connection)
    assert (await opened()).account == now.known_account
