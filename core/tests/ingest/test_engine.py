"""The engine on a real database, with a source that this file scripts."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from core.tests.ingest.scripted import PAGE, T0, Bench, Scripted, things, total

from counterfoil.db import Database
from counterfoil.ingest import repository
from counterfoil.ingest.landing import Lander
from counterfoil.ingest.records import Origin, raw_version
from counterfoil.ingest.replay import replay
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import (
    Json,
    Raw,
)
from counterfoil.sdk import (
    Payment,
    SourceForbidden,
    SourceMalformed,
    SourceUnauthorized,
    SourceUnavailable,
)


async def test_everything_lands_once_and_again_rewrites_nothing(bench: Bench) -> None:
    bench.world.things = things(40)
    first = await bench.sync("things")
    assert first.status == "succeeded"
    assert (total(first, "things")["rows_read"], total(first, "things")["rows_inserted"]) == (40, 40)
    before = await bench.rows("payments", "*, xmin::text")
    second = await bench.sync("things", now=T0 + timedelta(days=1))
    counts = total(second, "things")
    assert (counts["rows_read"], counts["rows_unchanged"], counts["rows_inserted"], counts["rows_updated"]) == (
        40,
        40,
        0,
        0,
    )
    assert await bench.rows("payments", "*, xmin::text") == before


async def test_a_changed_record_updates_its_row_and_no_other(bench: Bench) -> None:
    bench.world.things = things(10)
    await bench.sync("things")
    bench.world.things["t0004"]["amount"] = "4.25"
    counts = total(await bench.sync("things", now=T0 + timedelta(hours=1)), "things")
    assert (counts["rows_updated"], counts["rows_unchanged"]) == (1, 9)
    assert [row["amount"] for row in await bench.rows("payments")][4] == Decimal("4.25")


async def test_a_child_that_vanished_becomes_a_tombstone_and_comes_back_alive(bench: Bench) -> None:
    bench.world.things = things(1, parts=["a", "b"])
    await bench.sync("things")
    bench.world.things["t0000"]["parts"] = ["b"]
    counts = total(await bench.sync("things", now=T0 + timedelta(hours=1)), "things")
    assert counts["rows_deleted"] == 1
    assert [(row["source_id"], row["deleted_at"] is None) for row in await bench.rows("payout_lines")] == [
        ("t0000-a", False),
        ("t0000-b", True),
    ]
    bench.world.things["t0000"]["parts"] = ["a", "b"]
    await bench.sync("things", now=T0 + timedelta(hours=2))
    assert all(row["deleted_at"] is None for row in await bench.rows("payout_lines"))


async def test_an_older_observation_never_replaces_a_newer_one(bench: Bench) -> None:
    bench.world.things = things(1)
    await bench.sync("things", now=T0 + timedelta(hours=5))
    bench.world.things["t0000"]["amount"] = "99"
    await bench.sync("things", now=T0, mode="backfill")
    assert [row["amount"] for row in await bench.rows("payments")] == [Decimal(0)]


@pytest.mark.parametrize("error", [SourceForbidden("no permission"), SourceMalformed("cut short")])
async def test_a_stream_that_fails_midway_is_partial_and_the_next_run_completes_it(
    bench: Bench, error: Exception
) -> None:
    bench.world.things = things(40)
    bench.world.faults, bench.world.fail_after_pages = {"things": error}, 3
    first = await bench.sync("things")
    assert (first.status, first.reasons[0].stream) == ("partial", "things")
    assert first.reasons[0].code == error.code  # type: ignore[attr-defined]  # both are source errors
    assert len(await bench.rows("payments")) == 3 * PAGE
    bench.world.faults = {}
    bench.world.calls.clear()
    second = await bench.sync("things", now=T0 + timedelta(minutes=5))
    assert second.status == "succeeded"
    assert bench.world.calls[0] == ("things", "t0019")
    assert len(await bench.rows("payments")) == 40


async def test_one_refused_stream_makes_the_run_partial_and_the_others_land(bench: Bench) -> None:
    bench.world.things = things(3)
    bench.world.faults = {"parents": SourceForbidden("may not list parents")}
    bench.world.parents = {"p1": {"id": "p1", "children": []}}
    outcome = await bench.sync()
    assert outcome.status == "partial"
    assert [(reason.stream, reason.code) for reason in outcome.reasons] == [
        ("parents", "source_forbidden"),
        ("children", "parent_failed"),
    ]
    assert len(await bench.rows("payments")) == 3


async def test_refused_credentials_fail_every_stream_without_asking_again(bench: Bench) -> None:
    bench.world.things = things(3)
    bench.world.parents = {"p1": {"id": "p1", "children": []}}
    bench.world.faults = {name: SourceUnauthorized("expired key") for name in ("things", "parents", "children")}
    outcome = await bench.sync()
    assert outcome.status == "failed"
    assert {reason.code for reason in outcome.reasons} == {"source_unauthorized"}
    assert {name for name, _ in bench.world.calls} == {"things"}


async def test_with_the_vendor_down_nothing_has_succeeded_not_even_the_children_nobody_told_of(bench: Bench) -> None:
    down = SourceUnavailable("no answer")
    bench.world.things, bench.world.parents = things(1), {"p1": {"id": "p1", "children": ["c1"]}}
    bench.world.faults = {"things": down, "parents": down}
    outcome = await bench.sync()
    assert outcome.status == "failed"
    assert {run["stream"]: run["status"] for run in await bench.runs()} == dict.fromkeys(
        ("things", "parents", "children"), "failed"
    )


async def test_children_are_read_for_new_and_changed_parents_only(bench: Bench) -> None:
    bench.world.parents = {f"p{at}": {"id": f"p{at}", "children": [f"c{at}"]} for at in range(5)}
    await bench.sync("parents", "children")
    assert len(await bench.rows("payout_lines")) == 5
    bench.world.parents["p2"]["children"] = ["c2", "c2b"]
    bench.world.calls.clear()
    await bench.sync("parents", "children", now=T0 + timedelta(hours=1))
    assert [call for call in bench.world.calls if call[0] == "children"] == [("children", "p2")]
    assert len(await bench.rows("payout_lines")) == 6


async def test_the_stream_of_higher_authority_wins_whichever_comes_last(bench: Bench) -> None:
    bench.world.things = {"x": {"id": "x", "amount": "5", "parts": ["1"]}}
    bench.world.parents = {"p1": {"id": "p1", "children": ["x-1"]}}
    await bench.sync()
    payout_id = bench.origin.row_id("payout", "p1")
    assert [(row["source_id"], row["payout_id"]) for row in await bench.rows("payout_lines")] == [("x-1", payout_id)]
    bench.world.things["x"]["amount"] = "6"
    await bench.sync("things", now=T0 + timedelta(hours=1))
    assert [row["payout_id"] for row in await bench.rows("payout_lines")] == [payout_id]


async def test_a_replay_rebuilds_identical_rows_without_the_vendor(bench: Bench) -> None:
    bench.world.things = things(30, parts=["a", "b"])
    bench.world.parents = {f"p{at}": {"id": f"p{at}", "children": [f"t{at:04}-a"]} for at in range(5)}
    await bench.sync()
    bench.world.things["t0003"]["amount"] = "3.5"
    await bench.sync(now=T0 + timedelta(hours=1))
    before = await bench.rows("payments"), await bench.rows("payout_lines")
    untouched = await replay(bench.job(), bench.origin, bench.streams())
    assert {total(untouched, name)["rows_updated"] for name in ("things", "parents", "children")} == {0}
    async with bench.database.unit_of_work(bench.tenant_id) as uow:
        for table in ("payments", "payout_lines"):
            await (await uow.driver()).execute(f"DELETE FROM core.{table}")  # noqa: S608
    bench.world.calls.clear()
    assert (await replay(bench.job(), bench.origin, bench.streams())).status == "succeeded"
    assert bench.world.calls == []
    assert (await bench.rows("payments"), await bench.rows("payout_lines")) == before


async def test_a_record_that_does_not_fit_is_kept_raw_reported_and_tried_again(bench: Bench) -> None:
    bench.world.things = {**things(2), "bad": {"id": "bad", "amount": "1", "currency": "dollars!"}}
    outcome = await bench.sync("things")
    assert (outcome.status, outcome.reasons[0].code) == ("partial", "unmappable_records")
    assert len(await bench.rows("raw_records")) == 3
    assert len(await bench.rows("payments")) == 2
    bench.world.things["bad"]["currency"] = "USD"
    assert (await bench.sync("things", now=T0 + timedelta(hours=1))).status == "succeeded"
    assert len(await bench.rows("payments")) == 3


async def test_the_vendors_own_count_falling_short_is_never_green(bench: Bench) -> None:
    bench.world.things, bench.world.counted = things(20), 21
    outcome = await bench.sync("things")
    assert (outcome.status, outcome.reasons[0].code) == ("partial", "short_count")


async def test_a_count_of_the_whole_window_on_every_page_is_counted_once(bench: Bench) -> None:
    bench.world.things, bench.world.counted = things(40), 40
    bench.world.faults, bench.world.fail_after_pages = {"things": SourceMalformed("cut short")}, 3
    assert (await bench.sync("things")).reasons[0].code == "source_malformed"
    bench.world.faults = {}
    outcome = await bench.sync("things", now=T0 + timedelta(hours=1))
    assert (outcome.status, outcome.reasons) == ("succeeded", ())


async def test_a_record_that_no_longer_fits_keeps_the_rows_it_had(bench: Bench) -> None:
    bench.world.things = things(2, parts=["a"])
    await bench.sync("things")
    bench.world.things["t0001"]["currency"] = "dollars!"
    outcome = await bench.sync("things", now=T0 + timedelta(hours=1))
    assert (outcome.status, total(outcome, "things")["rows_deleted"]) == ("partial", 0)
    await replay(bench.job(), bench.origin, bench.streams("things"))
    assert [row["deleted_at"] for row in await bench.rows("payments") + await bench.rows("payout_lines")] == [None] * 4


@pytest.mark.parametrize(
    "record",
    [
        {"id": "bad", "amount": "1", "status": None},
        {"id": "bad", "amount": "1", "status": 7},
        {"id": "bad\0", "amount": "x"},
    ],
    ids=["nothing where a value belongs", "number where text belongs", "no amount"],
)
async def test_one_bad_record_never_holds_the_others_back(bench: Bench, record: Json) -> None:
    bench.world.things = {**things(3), "bad": record}
    outcome = await bench.sync("things")
    assert (outcome.status, outcome.reasons[0].code) == ("partial", "unmappable_records")
    assert len(await bench.rows("payments")) == 3
    assert len(await bench.rows("raw_records")) == 4


@pytest.mark.parametrize("source_id", [7, "", None])
async def test_a_record_without_an_id_that_is_text_is_malformed(bench: Bench, source_id: Any) -> None:
    bench.world.things = {**things(2), "odd": {"id": "odd", "amount": "1"}}
    bench.world.renamed = {"odd": source_id}
    outcome = await bench.sync("things")
    assert (outcome.status, outcome.reasons[0].code) == ("failed", "source_malformed")


async def test_an_answer_the_connector_cannot_read_stops_its_stream_alone(bench: Bench) -> None:
    bench.world.things = things(3)
    bench.world.parents = {"p1": {"id": "p1", "children": []}}
    bench.world.faults = {"parents": KeyError("has_more")}
    outcome = await bench.sync()
    assert outcome.status == "partial"
    assert [(reason.stream, reason.code) for reason in outcome.reasons] == [
        ("parents", "source_malformed"),
        ("children", "parent_failed"),
    ]
    assert len(await bench.rows("payments")) == 3


async def test_a_place_the_vendor_forgot_is_read_again_from_the_windows_beginning(bench: Bench) -> None:
    bench.world.things = things(40)
    bench.world.faults, bench.world.fail_after_pages = {"things": SourceMalformed("cut short")}, 3
    await bench.sync("things")
    bench.world.faults, bench.world.forgotten = {}, True
    outcome = await bench.sync("things", now=T0 + timedelta(hours=1))
    assert outcome.status == "succeeded"
    assert len(await bench.rows("payments")) == 40


async def test_a_tombstone_outlives_an_older_observation(bench: Bench) -> None:
    bench.world.things = things(1, parts=["a", "b"])
    await bench.sync("things", now=T0)
    bench.world.things["t0000"]["parts"] = ["b"]
    await bench.sync("things", now=T0 + timedelta(hours=2))
    async with bench.database.unit_of_work(bench.tenant_id) as uow:
        driver = await uow.driver()
        assert await driver.fetchval(
            "SELECT observed_at FROM core.payout_lines WHERE deleted_at IS NOT NULL"
        ) == T0 + timedelta(hours=2)
    await replay(bench.job(), bench.origin, bench.streams("things"))
    assert [row["source_id"] for row in await bench.rows("payout_lines") if row["deleted_at"] is None] == ["t0000-b"]


async def test_a_replay_waits_for_a_sync_and_sees_what_it_landed(bench: Bench) -> None:
    bench.world.things = things(1, parts=["a"])
    await bench.sync("things")
    bench.world.things["t0000"]["parts"] = ["b"]
    async with bench.database.unit_of_work(bench.tenant_id) as holder:
        await Lander(bench.origin, bench.streams("things")[0]).lock(holder)
        rebuilding = asyncio.create_task(replay(bench.job(), bench.origin, bench.streams("things")))
        await asyncio.sleep(0.3)
        version = raw_version(
            bench.origin, bench.streams("things")[0], Raw("t0000", bench.world.things["t0000"]), T0 + timedelta(hours=1)
        )
        await Lander(bench.origin, bench.streams("things")[0]).land(holder, [version], run_id=new_id())
    await rebuilding
    alive = [row["source_id"] for row in await bench.rows("payout_lines") if row["deleted_at"] is None]
    assert alive == ["t0000-b"]


async def test_a_new_version_of_the_mapping_maps_every_kept_record_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.world.things = things(10)
    await bench.sync("things")
    [stream] = bench.streams("things")
    changed = replace(
        stream,
        version=2,
        to_rows=lambda raw: [
            Payment(source_id=raw["id"], amount=Decimal(raw["amount"]) * 2, currency="USD", status="x")
        ],
    )
    monkeypatch.setattr(Scripted, "streams", {"things": changed})
    # Nothing in the look-back any more: only what is kept can tell.
    bench.world.things = {}
    assert (await bench.sync("things", now=T0 + timedelta(days=90))).status == "succeeded"
    assert [row["amount"] for row in await bench.rows("payments")] == [Decimal(2 * at) for at in range(10)]


async def test_a_backfill_reads_from_the_beginning_again(bench: Bench) -> None:
    bench.world.things = things(3)
    await bench.sync("things")
    bench.world.windows.clear()
    await bench.sync("things", now=T0 + timedelta(days=1), mode="backfill")
    assert bench.world.windows == [(None, T0 + timedelta(days=1))]
    await bench.sync("things", now=T0 + timedelta(days=2))
    assert bench.world.windows[-1] == (T0 - timedelta(days=29), T0 + timedelta(days=2))


async def test_a_run_whose_job_died_is_shown_as_interrupted(bench: Bench) -> None:
    bench.world.things = things(3)
    with pytest.raises(ConnectionAbortedError):
        await bench.sync("things", job=bench.job(die_at_commit=4))
    async with bench.database.unit_of_work(bench.tenant_id) as uow:
        run = (await repository.latest_runs(uow, bench.connection_id, ["things"]))["things"]
    assert (run.status, run.reason) == ("failed", repository.INTERRUPTED)
    await bench.sync("things")
    async with bench.database.unit_of_work(bench.tenant_id) as uow:
        assert (await repository.latest_runs(uow, bench.connection_id, ["things"]))["things"].status == "succeeded"
    assert {row["status"] for row in await bench.runs()} == {"failed", "succeeded"}


async def test_an_attempt_that_dies_between_any_two_commits_loses_and_doubles_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.ingest.batches.BATCH_RECORDS", PAGE)
    bench.world.things = things(40)
    bench.world.parents = {f"p{at:02}": {"id": f"p{at:02}", "children": [f"c{at:02}"]} for at in range(12)}
    job_id = new_id()
    attempts = 0
    while True:
        attempts += 1
        job = bench.job(job_id=job_id, die_at_commit=4 + attempts % 4)
        try:
            outcome = await bench.sync(job=job)
        except ConnectionAbortedError:
            assert attempts < 60
            continue
        break
    assert attempts > 3
    assert outcome.status == "succeeded"
    assert len(await bench.rows("payments")) == 40
    assert len(await bench.rows("payout_lines")) == 12


async def test_another_tenants_same_account_has_rows_of_its_own(
    bench: Bench, database: Database, other_tenant: UUID
) -> None:
    bench.world.things = things(3)
    await bench.sync("things")
    async with database.unit_of_work(other_tenant) as uow:
        assert await (await uow.driver()).fetchval("SELECT count(*) FROM core.payments") == 0
    other = Origin(tenant_id=other_tenant, connection_id=bench.connection_id, source="scripted", account="acct_s")
    assert other.row_id("payment", "t0000") != bench.origin.row_id("payment", "t0000")
