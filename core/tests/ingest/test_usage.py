"""What a job lands counts towards the month's rows, and once they are used up it stops."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from core.tests.ingest.scripted import PAGE, T0, Bench, Job, things, total
from core.tests.ingest.wide import WideBench
from sqlalchemy import event

from counterfoil.db import UnitOfWork
from counterfoil.entitlements import usage
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.kit.clock import utc_now
from counterfoil.kit.ids import new_id

Allow = Callable[[int | None], Awaitable[None]]


@pytest.fixture
def allow(bench: Bench, admin: "asyncpg.Connection[asyncpg.Record]") -> Allow:
    """Sets the month's rows."""

    async def set_rows(rows: int | None) -> None:
        await admin.execute(
            "INSERT INTO core.tenant_overrides (tenant_id, id, kind, name, value)"
            " VALUES ($1, $2, 'quota', 'rows_per_month', $3)"
            " ON CONFLICT (tenant_id, kind, name) DO UPDATE SET value = excluded.value",
            bench.tenant_id,
            new_id(),
            rows,
        )

    return set_rows


async def landed(bench: Bench) -> list[tuple[str, int]]:
    today = utc_now().date()
    async with bench.database.unit_of_work(bench.tenant_id) as uow:
        return [(one.metric, one.value) for one in await usage.by_day(uow, since=today, until=today)]


async def test_new_and_changed_rows_are_counted_and_unchanged_ones_are_not(bench: Bench) -> None:
    bench.world.things = things(40)
    await bench.sync("things")
    assert await landed(bench) == [("rows_landed", 40)]
    await bench.sync("things", now=T0 + timedelta(days=1))
    assert await landed(bench) == [("rows_landed", 40)]
    bench.world.things["t0004"]["amount"] = "4.25"
    await bench.sync("things", now=T0 + timedelta(days=2))
    assert await landed(bench) == [("rows_landed", 41)]


@pytest.mark.parametrize("died_at", range(3, 8))
async def test_a_job_that_dies_has_counted_exactly_what_landed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, died_at: int
) -> None:
    monkeypatch.setattr("counterfoil.ingest.batches.BATCH_RECORDS", PAGE)
    bench.world.things = things(40)
    with pytest.raises(ConnectionAbortedError):
        await bench.sync("things", job=bench.job(die_at_commit=died_at))
    rows = len(await bench.rows("payments"))
    assert rows < 40
    assert sum(number for _, number in await landed(bench)) == rows


async def test_single_records_that_were_asked_for_count_too(wide: WideBench) -> None:
    wide.vendor.add(3)
    await wide.refresh("c0000", "c0002", now=T0)
    assert await landed(wide.bench) == [("rows_landed", 2)]
    await wide.refresh("c0000", "c0001", now=T0 + timedelta(hours=1))
    assert await landed(wide.bench) == [("rows_landed", 3)]


async def test_a_run_stops_at_the_batch_after_the_one_that_used_up_the_rows(
    bench: Bench, allow: Allow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.ingest.batches.BATCH_RECORDS", PAGE)
    bench.world.things = things(40)
    bench.world.parents = {"p1": {"id": "p1", "children": ["c1"]}}
    await allow(20)
    outcome = await bench.sync(job=bench.job(tries=1))
    assert outcome.status == "partial"
    assert {reason.stream: reason.code for reason in outcome.reasons} == dict.fromkeys(
        ("things", "parents", "children"), "quota_exceeded"
    )
    assert "21 of 20" in outcome.reasons[0].detail
    assert (len(await bench.rows("payments")), await landed(bench)) == (21, [("rows_landed", 21)])
    assert "parents" not in {name for name, _ in bench.world.calls}
    await allow(None)
    bench.world.calls.clear()
    outcome = await bench.sync(now=T0 + timedelta(minutes=1))
    assert outcome.status == "succeeded"
    assert bench.world.calls[0] == ("things", "t0019")
    assert len(await bench.rows("payments")) == 40
    assert await landed(bench) == [("rows_landed", 41)]


async def test_a_run_that_just_fits_is_whole(bench: Bench, allow: Allow) -> None:
    bench.world.things = things(40)
    await allow(40)
    assert (await bench.sync("things")).status == "succeeded"


async def test_room_that_was_made_meanwhile_is_found(
    bench: Bench, allow: Allow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.ingest.batches.BATCH_RECORDS", PAGE)
    bench.world.things = things(40)
    await allow(10)

    class Upgraded(Job):
        async def progress(self, uow: UnitOfWork, **values: Any) -> None:
            await super().progress(uow, **values)
            if len(self.progressed) == 3:
                await allow(None)

    outcome = await bench.sync("things", job=Upgraded(database=bench.database, tenant_id=bench.tenant_id))
    assert outcome.status == "succeeded"
    assert total(outcome, "things")["rows_inserted"] == 40


async def test_single_records_stop_at_the_quota_too(wide: WideBench, allow: Allow) -> None:
    wide.vendor.add(3)
    await allow(1)
    refresh = await wide.refresh("c0000", now=T0)
    with pytest.raises(QuotaExceeded) as full:
        await refresh.ask([])
    refresh.stop(full.value)
    [reason] = await refresh.end()
    assert (reason.stream, reason.code) == ("charges", "quota_exceeded")


async def test_counting_costs_one_statement_per_batch(
    bench: Bench, allow: Allow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is asked for once; without one the month is never added up."""
    monkeypatch.setattr("counterfoil.ingest.batches.BATCH_RECORDS", PAGE)
    bench.world.things = things(5 * PAGE)
    await allow(None)
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "usage_counters" in statement or "tenant_overrides" in statement:
            seen.append(statement)

    engine = bench.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await bench.sync("things")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len([one for one in seen if "tenant_overrides" in one]) == 1
    assert len(seen) == 1 + 5
    assert not any("sum(" in one for one in seen)
