"""Every sync that has news gets its pack by itself, and a pack says what of its sync is no longer in it."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.evidence.conftest import Desk, with_settings
from core.tests.ingest.scripted import T0, things
from core.tests.ingest.test_width import told
from core.tests.ingest.wide import WideBench

from counterfoil.config import Settings
from counterfoil.evidence import repository
from counterfoil.evidence.tasks import EVIDENCE
from counterfoil.evidence.upkeep import Upkeep
from counterfoil.ingest.tasks import SYNC, SyncParams
from counterfoil.jobs import service as jobs
from counterfoil.sdk import SourceForbidden

HOUR = timedelta(hours=1)


@pytest.fixture
def own(desk: Desk, settings: Settings) -> Desk:
    """With the settings nobody has touched."""
    desk.provided = with_settings(desk.provided, settings)
    return desk


async def state(desk: Desk, job_id: UUID) -> dict[str, Any]:
    answer: dict[str, Any] = (await desk.session.client.get(f"/api/v1/jobs/{job_id}/evidence")).json()
    return answer


async def pack_of(desk: Desk, job_id: UUID) -> dict[str, Any]:
    pack: dict[str, Any] = (await state(desk, job_id))["pack"]
    return pack


# -- by itself ---------------------------------------------------------------------------------------------------------


async def test_a_sync_with_news_gets_its_pack_by_itself(own: Desk, admin: "asyncpg.Connection[Any]") -> None:
    own.bench.world.things = things(3)
    job_id = await own.sync("things")
    asked = await state(own, job_id)
    assert asked["state"] == "preparing"
    queue = await admin.fetchval("SELECT queue FROM core.jobs WHERE id = $1", UUID(asked["job_id"]))
    assert queue == "evidence"
    await own.seal()
    assert (await own.run(UUID(asked["job_id"]))).status == "succeeded"
    assert (await pack_of(own, job_id))["records"] == {"landed": 3, "in_this_pack": 3}


async def test_one_that_found_nothing_new_gets_none_but_may_have_one(own: Desk) -> None:
    own.bench.world.things = things(3)
    await own.sync("things")
    quiet = await own.sync("things", now=T0 + HOUR)
    assert (await state(own, quiet))["state"] == "absent"
    pack = await own.evidence(quiet)
    assert pack.verify().verdict == "intact"
    assert pack.manifest["content"]["rows"] == {"landed": None, "in_this_pack": 0}


async def test_a_record_that_makes_no_row_is_news_too(own: Desk) -> None:
    own.bench.world.parents = {"p1": {"id": "p1", "children": []}}
    job_id = await own.sync("parents")
    assert (await state(own, job_id))["state"] == "preparing"


async def test_one_that_was_cut_short_gets_a_pack_though_it_wrote_nothing(own: Desk) -> None:
    own.bench.world.things = things(20)
    await own.sync("things")
    own.bench.world.faults["things"], own.bench.world.fail_after_pages = SourceForbidden("/things"), 2
    job_id = await own.sync("things", now=T0 + HOUR)
    asked = await state(own, job_id)
    assert asked["state"] == "preparing"
    await own.seal()
    assert (await own.run(UUID(asked["job_id"]))).status == "succeeded"


async def test_one_that_read_nothing_gets_none(own: Desk) -> None:
    own.bench.world.faults["things"] = SourceForbidden("/things")
    own.bench.world.things = things(1)
    assert (await state(own, await own.sync("things")))["state"] == "absent"


async def test_no_sync_gets_one_where_the_operator_says_so(desk: Desk) -> None:
    desk.bench.world.things = things(3)
    job_id = await desk.sync("things")
    assert (await state(desk, job_id))["state"] == "absent"
    assert await Upkeep(database=desk.database, task=None).catch_up(desk.session.tenant_id) == 0


async def test_a_sync_that_was_cancelled_gets_its_pack_from_the_ticker(
    own: Desk, admin: "asyncpg.Connection[Any]"
) -> None:
    """Its worker had no say any more, so nobody has counted what landed either."""
    own.bench.world.things = things(4)
    tenant_id = own.session.tenant_id
    async with own.database.unit_of_work(tenant_id) as uow:
        job = await jobs.enqueue(uow, SYNC, SyncParams(connection_id=own.bench.connection_id))
    await own.bench.sync("things", job=own.bench.job(job_id=job.id))
    async with own.database.unit_of_work(tenant_id) as uow:
        await jobs.cancel(uow, job.id)
    upkeep = Upkeep(database=own.database, task=EVIDENCE)
    assert await upkeep.catch_up(tenant_id) == 0
    await admin.execute("UPDATE core.jobs SET finished_at = now() - interval '2 minutes' WHERE id = $1", job.id)

    assert await upkeep.catch_up(tenant_id) == 1
    assert await upkeep.catch_up(tenant_id) == 0

    pack = await own.evidence(job.id)
    assert pack.manifest["content"]["records"] == {"landed": None, "in_this_pack": 4}
    assert "cut off before it counted what it landed; 4 in this pack" in pack.members["README.txt"].decode()


# -- what is in it -----------------------------------------------------------------------------------------------------


async def test_what_a_later_sync_changed_is_said_to_be_missing(desk: Desk) -> None:
    desk.bench.world.things = things(5, parts=["a"])
    first = await desk.sync("things")
    desk.bench.world.things |= {"t0001": {"id": "t0001", "amount": "77"}, "new": {"id": "new", "amount": "5"}}
    second = await desk.sync("things", now=T0 + HOUR)

    early, late = await desk.evidence(first), await desk.evidence(second)

    # Of t0001 the payment was changed, and its line is gone.
    expected = {"records": {"landed": 5, "in_this_pack": 4}, "rows": {"landed": 10, "in_this_pack": 8}}
    assert early.manifest["content"] == json.loads(early.members["counts.json"])["content"] == expected
    shown = await pack_of(desk, first)
    assert {name: shown[name] for name in expected} == expected
    readme = early.members["README.txt"].decode()
    assert "5 landed, 4 in this pack; 1 were changed by later syncs and are theirs now" in readme
    assert "10 landed, 8 in this pack; 2 were changed by later syncs and are theirs now" in readme
    assert late.manifest["content"] == {
        "records": {"landed": 2, "in_this_pack": 2}, "rows": {"landed": 3, "in_this_pack": 3},
    }  # fmt: skip
    assert len(early.lines("raw/things.jsonl")) == 4
    assert "later syncs and are theirs" not in late.members["README.txt"].decode()


async def test_a_row_that_two_streams_of_one_sync_wrote_counts_once(desk: Desk) -> None:
    desk.bench.world.things = {"p1-x": {"id": "p1", "amount": "3", "parts": ["x"]}}
    desk.bench.world.parents = {"p1": {"id": "p1", "children": ["p1-x"]}}
    pack = await desk.evidence(await desk.sync())
    counts = json.loads(pack.members["counts.json"])
    assert sum(run["inserted"] + run["updated"] for run in counts["streams"]) == 3
    assert counts["content"]["rows"] == {"landed": 2, "in_this_pack": 2}


async def test_records_of_streams_that_a_run_was_only_told_of_are_in_its_pack(desk: Desk) -> None:
    wide = WideBench(bench=desk.bench)
    wide.vendor.add(3)
    await desk.sync(vendor=wide)
    wide.vendor.events = [(T0, told("c0001", "77", 1)), (T0, told("p1", "2", 1, stream="payments"))]
    job_id = await desk.sync("events", now=T0 + 2 * HOUR, vendor=wide)

    pack = await desk.evidence(job_id)

    assert {name for name in pack.members if name.startswith("raw/")} == {
        "raw/events.jsonl", "raw/charges.jsonl", "raw/payments.jsonl",
    }  # fmt: skip
    assert [line["source_id"] for line in pack.lines("raw/charges.jsonl")] == ["c0001"]
    assert [line["source_id"] for line in pack.lines("raw/payments.jsonl")] == ["p1"]
    assert pack.manifest["content"]["records"] == {"landed": 2, "in_this_pack": 2}


async def test_the_same_is_found_among_many_records_as_among_few(
    desk: Desk, admin: "asyncpg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.bench.world.things = things(30, parts=["a", "b"])
    await desk.sync("things")
    await admin.execute(
        "UPDATE core.raw_records SET changed_at = changed_at - interval '1 day' WHERE tenant_id = $1",
        desk.session.tenant_id,
    )
    desk.bench.world.things |= things(3, parts=["c"])
    job_id = await desk.sync("things", now=T0 + HOUR)
    packs = []
    for few in (5_000, 1):
        monkeypatch.setattr(repository, "_FEW_RECORDS", few)
        packs.append(await desk.evidence(job_id))
        await admin.execute("DELETE FROM core.evidence_packs WHERE job_id = $1", job_id)
    one, other = ({n: b for n, b in pack.members.items() if n.startswith(("raw", "canonical"))} for pack in packs)
    assert one == other
    # Three records, three payments, a line each that is new and two that are gone.
    assert packs[0].manifest["content"] == {
        "records": {"landed": 3, "in_this_pack": 3}, "rows": {"landed": 12, "in_this_pack": 12},
    }  # fmt: skip


# -- the sealer --------------------------------------------------------------------------------------------------------


async def test_packing_waits_a_moment_for_the_sealer(own: Desk) -> None:
    own.bench.world.things = things(2)
    asked = await state(own, await own.sync("things"))
    making = asyncio.create_task(own.run(UUID(asked["job_id"])))
    await asyncio.sleep(1)
    assert not making.done()
    await own.seal()
    async with asyncio.timeout(3):
        assert (await making).status == "succeeded"


async def test_events_that_nobody_has_sealed_are_named_as_such(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.evidence.tasks._SEAL_PATIENCE_S", 0)
    desk.bench.world.things = things(2)
    job_id = await desk.sync("things")
    await desk.seal()
    monkeypatch.setattr(type(desk), "seal", lambda _desk: asyncio.sleep(0))

    pack = await desk.evidence(job_id)

    proofs = json.loads(pack.members["audit_proofs.json"])
    events = pack.lines("audit.jsonl")
    assert [proof["id"] for proof in proofs["events"]] == [event["id"] for event in events]
    sealed = {event["action"] for event, proof in zip(events, proofs["events"], strict=True) if proof["seal"]}
    assert sealed == {"core.job.requested", "core.job.finished"}
    report = pack.verify()
    assert (report.verdict, report.audit.sealed, report.audit.unsealed) == ("intact", 2, len(events) - 2)
