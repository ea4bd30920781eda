"""What the engine makes of streams that tell of others, forget, delete, stay open, and are read side by side."""

import itertools
from datetime import timedelta

import pytest
from core.tests.ingest.scripted import T0, total
from core.tests.ingest.wide import FIRST, Vendor, WideBench

from counterfoil.ingest import repository
from counterfoil.ingest.positions import SLICES_PER_READER
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import Raw
from counterfoil.sdk import SourceForbidden, SourceMalformed

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told(name: str, amount: str, at: int, *, deleted: bool = False, stream: str = "charges") -> Raw:
    payload = {"id": name, "amount": amount}
    return Raw(name, payload, stream=stream, observed_at=T0 + at * HOUR, deleted=deleted)


# --- slices -----------------------------------------------------------------------------------------------------------


async def test_trouble_with_finding_the_beginning_only_costs_the_slices(wide: WideBench) -> None:
    wide.vendor.add(20)
    wide.vendor.earliest_error = SourceMalformed("/v1/others did not answer with a list")
    outcome = await wide.sync("charges")
    assert outcome.status == "succeeded"
    assert len(await wide.alive()) == 20


async def test_a_back_fill_is_read_in_slices_that_cover_all_time_once(wide: WideBench) -> None:
    wide.vendor.add(50)
    outcome = await wide.sync("charges")
    assert outcome.status == "succeeded"
    assert len(await wide.alive()) == 50
    assert total(outcome, "charges")["expected"] == 50
    bounds = sorted((since, until) for since, until, _ in wide.vendor.windows if since and until)
    assert len(bounds) == 3 * SLICES_PER_READER
    assert (bounds[0][0], bounds[-1][1]) == (FIRST, T0)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(bounds))
    wide.vendor.windows.clear()
    await wide.sync("charges", now=T0 + HOUR)
    assert wide.vendor.windows == [(T0 - HOUR, T0 + HOUR, None)]


async def test_without_a_known_beginning_a_back_fill_is_one_window(wide: WideBench) -> None:
    wide.vendor.add(5)
    wide.vendor.earliest = None
    await wide.sync("charges")
    assert wide.vendor.windows == [(None, T0, None)]


async def test_a_slice_that_fails_leaves_the_others_their_places_and_is_completed_later(wide: WideBench) -> None:
    wide.vendor.add(60)
    wide.vendor.fail_after, wide.vendor.error = 9, SourceMalformed("cut short")
    first = await wide.sync("charges")
    assert (first.status, first.reasons[0].code) == ("partial", "source_malformed")
    landed = len(await wide.alive())
    assert 0 < landed < 60
    wide.vendor.fail_after = None
    wide.vendor.windows.clear()
    assert (await wide.sync("charges", now=T0 + DAY)).status == "succeeded"
    assert len(await wide.alive()) == 60
    runs = await wide.bench.runs()
    # Nothing that had landed was read again, save for the look-back at the end.
    assert sum(run["rows_read"] for run in runs) == 60


async def test_slices_survive_a_death_between_any_two_commits(wide: WideBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.ingest.batches.BATCH_RECORDS", 5)
    wide.vendor.add(60)
    job_id = new_id()
    for attempts in range(60):
        job = wide.bench.job(job_id=job_id, die_at_commit=3 + attempts % 4)
        try:
            outcome = await wide.sync("charges", job=job)
        except ConnectionAbortedError:
            continue
        break
    assert attempts > 3
    assert outcome.status == "succeeded"
    assert len(await wide.alive()) == 60
    counts = total(outcome, "charges")
    assert (counts["rows_inserted"], counts["expected"], counts["short"]) == (60, 60, 0)


async def test_what_fell_short_in_one_slice_is_still_short_after_the_job_was_taken_over(wide: WideBench) -> None:
    wide.vendor.add(12)
    wide.vendor.counted = 1
    job_id = new_id()
    with pytest.raises(ConnectionAbortedError):
        await wide.sync("charges", job=wide.bench.job(job_id=job_id, die_at_commit=5))
    outcome = await wide.sync("charges", job=wide.bench.job(job_id=job_id))
    assert (outcome.status, outcome.reasons[0].code) == ("partial", "short_count")
    assert total(outcome, "charges")["short"] == 3 * SLICES_PER_READER


# --- records of other streams -----------------------------------------------------------------------------------------


async def test_what_an_event_tells_of_lands_in_its_own_stream_and_counts_in_the_run_that_read_it(
    wide: WideBench,
) -> None:
    wide.vendor.add(2)
    await wide.sync()
    wide.vendor.events = [(T0, told("c0001", "77", 1)), (T0, told("new", "5", 1))]
    outcome = await wide.sync("events", now=T0 + 2 * HOUR)
    assert (await wide.alive())["c0001"] == "77"
    counts = total(outcome, "events")
    assert (counts["rows_read"], counts["rows_inserted"], counts["rows_updated"]) == (2, 1, 1)
    assert counts["told"] == {"charges": {"read": 2, "inserted": 1, "updated": 1, "unchanged": 0, "deleted": 0}}
    async with wide.bench.database.unit_of_work(wide.bench.tenant_id) as uow:
        run = (await repository.latest_runs(uow, wide.bench.connection_id, ["events"]))["events"]
    raw = await wide.raw("c0001")
    assert (raw["stream"], raw["run_id"], run.told) == ("charges", run.id, counts["told"])


async def test_news_of_several_streams_lands_in_one_go_each_in_its_own(wide: WideBench) -> None:
    wide.vendor.events = [
        (T0, told("c1", "1", 1)),
        (T0, told("p1", "2", 1, stream="payments")),
        (T0, told("c2", "3", 1)),
        (T0, told("p2", "4", 1, stream="payments")),
    ]
    outcome = await wide.sync("events", now=T0 + 2 * HOUR)
    assert outcome.status == "succeeded", outcome.reasons
    assert {name: counts["inserted"] for name, counts in total(outcome, "events")["told"].items()} == {
        "charges": 2,
        "payments": 2,
    }
    assert await wide.alive() == {"c1": "1", "p1": "2", "c2": "3", "p2": "4"}
    streams = {row["source_id"]: row["stream"] for row in await wide.bench.rows("raw_records")}
    assert streams == {"c1": "charges", "p1": "payments", "c2": "charges", "p2": "payments"}


async def test_an_event_that_is_older_than_what_was_read_changes_nothing(wide: WideBench) -> None:
    wide.vendor.add(1)
    await wide.sync(now=T0 + 5 * HOUR)
    wide.vendor.events = [(T0 + 5 * HOUR, told("c0000", "99", 1))]
    counts = total(await wide.sync("events", now=T0 + 6 * HOUR), "events")
    assert counts["rows_unchanged"] == 1
    assert (await wide.alive())["c0000"] == "0"


async def test_a_deleted_record_loses_its_rows_keeps_its_payload_and_can_come_back(wide: WideBench) -> None:
    wide.vendor.add(1, parts=["a"])
    await wide.sync()
    wide.vendor.events = [(T0, told("c0000", "-", 1, deleted=True))]
    counts = total(await wide.sync("events", now=T0 + 2 * HOUR), "events")
    assert counts["rows_deleted"] == 2
    raw = await wide.raw("c0000")
    assert raw["deleted_at"] is not None
    assert raw["payload"]["amount"] == "0"
    assert await wide.alive() == {}
    wide.vendor.events = [(T0 + 3 * HOUR, told("c0000", "3", 3))]
    await wide.sync("events", now=T0 + 4 * HOUR)
    assert await wide.alive() == {"c0000": "3"}
    assert (await wide.raw("c0000"))["deleted_at"] is None


async def test_a_stream_that_tells_of_one_there_is_not_is_malformed(wide: WideBench) -> None:
    wide.vendor.events = [(T0, Raw("x", {}, stream="refunds", observed_at=T0))]
    outcome = await wide.sync("events", now=T0 + DAY)
    assert (outcome.status, outcome.reasons[0].code) == ("failed", "source_malformed")


# --- lag and horizon --------------------------------------------------------------------------------------------------


async def test_a_stream_that_lags_ends_before_now(wide: WideBench) -> None:
    await wide.sync("events")
    async with wide.bench.database.unit_of_work(wide.bench.tenant_id) as uow:
        state = await repository.load_position(uow, wide.bench.connection_id, "events")
    assert state is not None
    assert state.position["high"] == (T0 - timedelta(minutes=1)).isoformat()


async def test_a_passed_horizon_has_everything_it_tells_of_read_in_full_and_says_so(wide: WideBench) -> None:
    wide.vendor.add(10)
    await wide.sync()
    wide.vendor.charges["c0003"][1]["amount"] = "33"
    job = wide.bench.job()
    # Only the events were asked for; what they cannot tell of any more is read too.
    outcome = await wide.sync("events", now=T0 + 31 * DAY, job=job)
    assert outcome.status == "succeeded"
    assert (await wide.alive())["c0003"] == "33"
    for name in ("charges", "payments", "events"):
        assert [notice["code"] for notice in total(outcome, name)["notices"]] == ["horizon_passed"]
    assert any("Read in full again: Events, Charges, Payments" in line for line in job.logs)
    runs = [run for run in await wide.bench.runs() if run["job_id"] == job.job_id]
    assert {run["stream"] for run in runs} == {"charges", "payments", "events"}
    again = await wide.sync(now=T0 + 32 * DAY)
    assert {name: total(again, name)["notices"] for name in ("charges", "events")} == {"charges": [], "events": []}


async def test_a_stream_that_is_first_read_long_after_the_others_has_missed_something_too(wide: WideBench) -> None:
    wide.vendor.add(10)
    await wide.sync("charges")
    wide.vendor.charges["c0003"][1]["amount"] = "33"
    outcome = await wide.sync(now=T0 + 31 * DAY)
    assert total(outcome, "events")["notices"][0]["code"] == "horizon_passed"
    assert (await wide.alive())["c0003"] == "33"


async def test_a_passed_horizon_survives_the_death_of_its_job(wide: WideBench) -> None:
    wide.vendor.add(10)
    await wide.sync()
    wide.vendor.charges["c0003"][1]["amount"] = "33"
    job_id = new_id()
    with pytest.raises(ConnectionAbortedError):
        await wide.sync(now=T0 + 31 * DAY, job=wide.bench.job(job_id=job_id, die_at_commit=2))
    outcome = await wide.sync(now=T0 + 31 * DAY + HOUR, job=wide.bench.job(job_id=job_id))
    assert total(outcome, "charges")["notices"][0]["code"] == "horizon_passed"
    assert (await wide.alive())["c0003"] == "33"


# --- re-checks --------------------------------------------------------------------------------------------------------


async def test_open_records_that_no_window_shows_are_fetched_once_per_run(wide: WideBench) -> None:
    wide.vendor.add(4)
    wide.vendor.add(2, status="pending")
    await wide.sync("charges")
    assert wide.vendor.fetched == []
    wide.vendor.charges["c0000"][1]["status"] = "paid"
    outcome = await wide.sync("charges", now=T0 + DAY)
    assert sorted(wide.vendor.fetched) == ["c0000", "c0001"]
    assert (total(outcome, "charges")["rechecked"], total(outcome, "charges")["rows_updated"]) == (2, 1)
    wide.vendor.fetched.clear()
    await wide.sync("charges", now=T0 + 2 * DAY)
    assert wide.vendor.fetched == ["c0001"]


async def test_an_open_record_that_a_window_shows_is_not_fetched(wide: WideBench) -> None:
    wide.vendor.charges = {"late": (T0 + HOUR, {"id": "late", "amount": "1", "status": "pending"})}
    await wide.sync("charges", now=T0 + 90 * HOUR / 60)
    await wide.sync("charges", now=T0 + 100 * HOUR / 60)
    assert wide.vendor.fetched == []


async def test_an_open_record_that_is_gone_is_tombstoned(wide: WideBench) -> None:
    wide.vendor.add(1, status="pending")
    await wide.sync("charges")
    wide.vendor.charges.clear()
    outcome = await wide.sync("charges", now=T0 + DAY)
    assert total(outcome, "charges")["rows_deleted"] == 1
    assert await wide.alive() == {}
    wide.vendor.fetched.clear()
    await wide.sync("charges", now=T0 + 2 * DAY)
    assert wide.vendor.fetched == []


async def test_a_re_check_that_is_refused_makes_the_stream_partial(wide: WideBench) -> None:
    wide.vendor.add(2, status="pending")
    await wide.sync("charges")
    wide.vendor.fetch_error = SourceForbidden("may not read one")
    outcome = await wide.sync("charges", now=T0 + DAY)
    assert (outcome.status, outcome.reasons[0].code) == ("partial", "source_forbidden")


async def test_a_re_check_that_died_goes_on_with_the_rest(wide: WideBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.ingest.recheck.AT_A_TIME", 2)
    wide.vendor.add(6, status="pending")
    await wide.sync("charges")
    job_id = new_id()
    with pytest.raises(ConnectionAbortedError):
        await wide.sync("charges", now=T0 + DAY, job=wide.bench.job(job_id=job_id, die_at_commit=8))
    outcome = await wide.sync("charges", now=T0 + DAY + HOUR, job=wide.bench.job(job_id=job_id))
    assert total(outcome, "charges")["rechecked"] == 6
    # What the transaction that died had fetched is fetched again, nothing else.
    assert len(wide.vendor.fetched) <= 8


# --- full reads -------------------------------------------------------------------------------------------------------


async def test_a_full_read_tombstones_what_the_vendor_no_longer_shows(wide: WideBench) -> None:
    wide.vendor.add(20)
    await wide.sync("charges")
    del wide.vendor.charges["c0007"]
    assert len(await wide.alive()) == 20
    backfill = await wide.sync("charges", now=T0 + HOUR, mode="backfill")
    assert total(backfill, "charges")["rows_deleted"] == 0
    outcome = await wide.sync("charges", now=T0 + DAY, mode="full")
    counts = total(outcome, "charges")
    assert (counts["rows_deleted"], counts["rows_updated"], counts["rows_inserted"]) == (1, 0, 0)
    assert "c0007" not in await wide.alive()
    assert len(await wide.alive()) == 19
    again = await wide.sync("charges", now=T0 + 2 * DAY, mode="full")
    assert total(again, "charges")["rows_deleted"] == 0


@pytest.mark.parametrize("fault", ["short count", "failed window"])
async def test_a_full_read_that_is_not_whole_tombstones_nothing(wide: WideBench, fault: str) -> None:
    wide.vendor.add(20)
    await wide.sync("charges")
    del wide.vendor.charges["c0007"]
    if fault == "short count":
        wide.vendor.counted = 1
    else:
        wide.vendor.fail_after, wide.vendor.error = 5, SourceMalformed("cut short")
    outcome = await wide.sync("charges", now=T0 + DAY, mode="full")
    assert outcome.status == "partial"
    assert len(await wide.alive()) == 20


async def test_what_lands_while_a_full_read_is_under_way_is_not_swept(wide: WideBench) -> None:
    wide.vendor.add(5)
    await wide.sync()
    wide.vendor.events = [(T0 + 30 * HOUR, told("fresh", "5", 30))]
    await wide.sync("events", now=T0 + 31 * HOUR)
    # As if the vendor's list did not show it yet, though an event had told of it after the window's end.
    await wide.sync("charges", now=T0 + 29 * HOUR, mode="full")
    assert "fresh" in await wide.alive()


async def test_a_full_read_of_a_source_that_forgets_sweeps_nothing(wide: WideBench) -> None:
    wide.vendor.events = [(T0 - HOUR, told("c1", "1", -1))]
    await wide.sync()
    wide.vendor.events = []
    await wide.sync("events", now=T0 + DAY, mode="full")
    assert await wide.alive() == {"c1": "1"}


# --- single records ---------------------------------------------------------------------------------------------------


async def test_a_refresh_lands_what_the_vendor_says_now_in_a_run_of_its_own(wide: WideBench) -> None:
    wide.vendor.add(3)
    await wide.sync("charges")
    wide.vendor.charges["c0001"][1]["amount"] = "11"
    del wide.vendor.charges["c0002"]
    refresh = await wide.refresh("c0001", "c0002", "c0001", now=T0 + HOUR)
    assert await wide.alive() == {"c0000": "0", "c0001": "11"}
    counts = refresh.totals.by_stream["charges"]
    assert (counts["rows_read"], counts["rows_updated"], counts["rows_deleted"]) == (2, 1, 1)
    run = next(run for run in await wide.bench.runs() if run["mode"] == "refresh")
    assert (run["status"], run["rows_read"]) == ("succeeded", 2)
    async with wide.bench.database.unit_of_work(wide.bench.tenant_id) as uow:
        assert (await repository.latest_runs(uow, wide.bench.connection_id, ["charges"]))[
            "charges"
        ].mode == "incremental"


async def test_an_earliest_instant_that_makes_no_sense_stops_the_stream_alone(wide: WideBench) -> None:
    wide.vendor = Vendor(earliest=FIRST.replace(tzinfo=None))
    outcome = await wide.sync("charges")
    assert (outcome.status, outcome.reasons[0].code) == ("failed", "source_malformed")
