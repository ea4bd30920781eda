"""Packs go when their retention is over, and not a day before."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from core.tests.evidence.conftest import Desk, with_settings
from core.tests.ingest.scripted import T0, things
from redis.asyncio import Redis

from counterfoil.cli.beat import evidence_upkeep
from counterfoil.config import Settings
from counterfoil.evidence.upkeep import Upkeep
from counterfoil.jobs.broker import Publisher
from counterfoil.jobs.ticker import Ticker, hourly
from counterfoil.objects import ObjectStore
from counterfoil.objects.service import sweep_orphans


async def some_packs(desk: Desk, number: int) -> list[UUID]:
    desk.bench.world.things = things(1)
    found = []
    for at in range(number):
        desk.bench.world.things |= {f"x{at}": {"id": f"x{at}", "amount": "1"}}
        job_id = await desk.sync("things", now=T0 + timedelta(hours=at))
        await desk.evidence(job_id)
        found.append(job_id)
    return found


async def age(desk: Desk, admin: "asyncpg.Connection[Any]", *job_ids: UUID) -> None:
    """As if their time were over."""
    await admin.execute(
        "UPDATE core.objects SET retention_until = now() - interval '1 second' WHERE tenant_id = $1 AND id IN"
        " (SELECT object_id FROM core.evidence_packs WHERE job_id = ANY ($2::uuid[]))",
        desk.session.tenant_id, list(job_ids),
    )  # fmt: skip


async def test_packs_whose_time_is_over_go_in_batches_and_leave_an_event_each(
    desk: Desk, admin: "asyncpg.Connection[Any]"
) -> None:
    *old, young = await some_packs(desk, 4)
    await age(desk, admin, *old)
    shown = {job_id: (await desk.session.client.get(f"/api/v1/jobs/{job_id}/evidence")).json() for job_id in old}

    assert await Upkeep(database=desk.database, task=None, batch=2).expire(desk.session.tenant_id) == 3
    assert await Upkeep(database=desk.database, task=None, batch=3).expire(desk.session.tenant_id) == 0

    rows = await admin.fetch(
        "SELECT resource_id, actor_kind, payload FROM core.audit_events"
        " WHERE action = 'core.evidence.expired' AND tenant_id = $1",
        desk.session.tenant_id,
    )
    assert {row["resource_id"] for row in rows} == {each["pack"]["id"] for each in shown.values()}
    assert {json.loads(row["payload"])["sha256"] for row in rows} == {e["pack"]["sha256"] for e in shown.values()}
    for job_id in old:
        path = f"/api/v1/jobs/{job_id}/evidence"
        assert (await desk.session.client.get(path)).json()["state"] == "absent"
        assert (await desk.session.client.get(f"{path}/download")).status_code == 404
    assert (await desk.session.client.get(f"/api/v1/jobs/{young}/evidence")).json()["state"] == "ready"
    # It may be made again, if somebody wants it.
    assert (await desk.evidence(old[0])).verify().verdict == "intact"


async def test_the_bytes_go_with_the_sweep(desk: Desk, admin: "asyncpg.Connection[Any]") -> None:
    [job_id] = await some_packs(desk, 1)
    tenant_id = desk.session.tenant_id
    key = await admin.fetchval("SELECT key FROM core.objects WHERE tenant_id = $1", tenant_id)
    await age(desk, admin, job_id)
    await Upkeep(database=desk.database, task=None).expire(tenant_id)
    store = desk.provided[ObjectStore]  # type: ignore[type-abstract]  # provided under the protocol
    assert await store.exists(key)
    # Not before a day has passed since it was written: others may be about to index what they wrote.
    assert await sweep_orphans(desk.database, store, [tenant_id]) == 0
    assert await admin.fetchval("SELECT count(*) FROM core.objects WHERE tenant_id = $1", tenant_id) == 0


async def test_a_pack_without_an_end_stays(desk: Desk, settings: Settings) -> None:
    for_ever = settings.model_copy(update={"evidence_retention_days": 0, "evidence_auto": False})
    desk.provided = with_settings(desk.provided, for_ever)
    [job_id] = await some_packs(desk, 1)
    assert await Upkeep(database=desk.database, task=None).expire(desk.session.tenant_id) == 0
    pack = (await desk.session.client.get(f"/api/v1/jobs/{job_id}/evidence")).json()["pack"]
    assert pack["retention_until"] is None


async def test_the_ticker_goes_through_all_tenants_under_a_lock_of_its_own(
    desk: Desk, admin: "asyncpg.Connection[Any]", settings: Settings
) -> None:
    [job_id] = await some_packs(desk, 1)
    await age(desk, admin, job_id)
    duty = hourly("evidence", evidence_upkeep(settings, desk.database))
    redis, publisher = Redis.from_url(settings.redis_url.get_secret_value()), Publisher(settings)
    ticker = Ticker(database=desk.database, redis=redis, publisher=publisher, reap_interval_s=60, republish_after_s=60)
    async with admin.transaction():
        await admin.execute("SELECT pg_advisory_xact_lock($1)", duty.lock)
        assert await ticker.perform(duty) == 0
    assert await ticker.perform(duty) >= 1
    publisher.close()
    await redis.aclose()
    assert (await desk.session.client.get(f"/api/v1/jobs/{job_id}/evidence")).json()["state"] == "absent"
