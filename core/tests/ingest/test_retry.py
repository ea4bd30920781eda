"""What an attempt leaves for the next one when the source fails in a way that may pass."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from core.tests.ingest.scripted import PAGE, T0, Bench, Job, things, total

from counterfoil.ingest import repository
from counterfoil.kit.ids import new_id
from counterfoil.sdk import (
    SourceError,
    SourceForbidden,
    SourceMalformed,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
)

MINUTE = timedelta(minutes=1)
DOWN = SourceUnavailable("no answer")


@pytest.fixture
def filled(bench: Bench) -> Bench:
    bench.world.things = things(40)
    bench.world.parents = {"p1": {"id": "p1", "children": ["c1"]}}
    return bench


async def runs_of(bench: Bench, job_id: UUID) -> dict[str, dict[str, Any]]:
    """By stream; a second row of one stream fails the test."""
    found = [run for run in await bench.runs() if run["job_id"] == job_id]
    assert len(found) == len({run["stream"] for run in found})
    return {run["stream"]: run for run in found}


async def test_what_failed_is_read_on_by_the_next_attempt_and_nothing_else(filled: Bench) -> None:
    job_id = new_id()
    filled.world.faults, filled.world.fail_after_pages = {"things": DOWN}, 3
    first = filled.job(job_id=job_id, tries=1)
    with pytest.raises(SourceUnavailable):
        await filled.sync(job=first)
    runs = await runs_of(filled, job_id)
    assert {name: (run["status"], run["finished_at"] is None) for name, run in runs.items()} == {
        "things": ("partial", True),
        "parents": ("succeeded", False),
        "children": ("succeeded", False),
    }
    async with filled.database.unit_of_work(filled.tenant_id) as uow:
        shown = (await repository.latest_runs(uow, filled.connection_id, ["things"]))["things"]
    assert (shown.status, shown.reason) == (
        "partial",
        {"stream": "things", "code": "source_unavailable", "detail": "no answer"},
    )
    assert "warning: Things: 21 read, 21 new, 0 changed; no answer" in first.logs
    statuses = {name: each["status"] for name, each in first.progressed[-1]["data"]["streams"].items()}
    assert statuses == {"things": "waiting", "parents": "succeeded", "children": "succeeded"}

    filled.world.faults = {}
    filled.world.calls.clear()
    outcome = await filled.sync(job=filled.job(job_id=job_id, tries=1), now=T0 + MINUTE)
    assert (outcome.status, outcome.reasons) == ("succeeded", ())
    assert {name for name, _ in filled.world.calls} == {"things"}
    # After the three pages that had landed, and once more for what came since.
    assert filled.world.calls[0] == ("things", "t0019")
    assert total(outcome, "things")["rows_inserted"] == 40
    runs = await runs_of(filled, job_id)
    assert {run["status"] for run in runs.values()} == {"succeeded"}
    assert runs["things"]["reason"] in (None, "null")
    assert all(run["finished_at"] for run in runs.values())
    assert len(await filled.rows("payments")) == 40


async def test_children_wait_for_parents_that_are_yet_to_come(filled: Bench) -> None:
    job_id = new_id()
    filled.world.faults = {"parents": DOWN}
    with pytest.raises(SourceUnavailable):
        await filled.sync(job=filled.job(job_id=job_id, tries=1))
    assert set(await runs_of(filled, job_id)) == {"things", "parents"}
    filled.world.faults = {}
    outcome = await filled.sync(job=filled.job(job_id=job_id, tries=0), now=T0 + MINUTE)
    assert outcome.status == "succeeded"
    assert [row["source_id"] for row in await filled.rows("payout_lines")] == ["c1"]


async def test_what_will_not_pass_is_kept_as_a_reason_and_stops_no_other_stream(filled: Bench) -> None:
    job_id = new_id()
    filled.world.faults = {"things": SourceForbidden("may not list things"), "parents": DOWN}
    with pytest.raises(SourceUnavailable):
        await filled.sync(job=filled.job(job_id=job_id, tries=1))
    filled.world.faults = {}
    filled.world.calls.clear()
    outcome = await filled.sync(job=filled.job(job_id=job_id, tries=1), now=T0 + MINUTE)
    assert outcome.status == "partial"
    assert [(reason.stream, reason.code) for reason in outcome.reasons] == [("things", "source_forbidden")]
    assert "things" not in {name for name, _ in filled.world.calls}
    assert len(await filled.rows("payout_lines")) == 1


@pytest.mark.parametrize("error", [DOWN, SourceMalformed("cut short")])
async def test_with_the_attempts_used_up_it_ends_with_its_reasons(filled: Bench, error: SourceError) -> None:
    job_id = new_id()
    filled.world.faults = {"things": error}
    with pytest.raises(type(error)):
        await filled.sync(job=filled.job(job_id=job_id, tries=1))
    outcome = await filled.sync(job=filled.job(job_id=job_id, tries=0), now=T0 + MINUTE)
    assert outcome.status == "partial"
    assert [(reason.stream, reason.code) for reason in outcome.reasons] == [("things", error.code)]
    run = (await runs_of(filled, job_id))["things"]
    assert (run["status"], run["finished_at"] is not None) == ("failed", True)


async def test_everything_that_fails_to_the_last_is_failed(filled: Bench) -> None:
    filled.world.faults = dict.fromkeys(("things", "parents", "children"), DOWN)
    outcome = await filled.sync("things", "parents")
    assert (outcome.status, {reason.code for reason in outcome.reasons}) == ("failed", {"source_unavailable"})


async def test_the_longest_wait_that_was_asked_for_is_the_one_that_is_waited(filled: Bench) -> None:
    filled.world.faults = {"things": SourceRateLimited("slow down", retry_after_s=90), "parents": DOWN}
    with pytest.raises(SourceRateLimited) as raised:
        await filled.sync(job=filled.job(tries=1))
    assert raised.value.retry_after_s == 90


async def test_with_refused_credentials_nothing_is_worth_another_try(filled: Bench) -> None:
    job = filled.job(tries=1)
    filled.world.faults = {"things": DOWN, "parents": SourceUnauthorized("expired key")}
    outcome = await filled.sync(job=job)
    assert outcome.status == "failed"
    assert {reason.stream: reason.code for reason in outcome.reasons} == {
        "things": "source_unavailable",
        "parents": "source_unauthorized",
        "children": "source_unauthorized",
    }
    assert all(run["finished_at"] for run in (await runs_of(filled, job.job_id)).values())


async def test_a_job_that_never_came_back_leaves_its_reason_and_the_next_one_goes_on(filled: Bench) -> None:
    gone, job = filled.job(tries=1), filled.job()
    filled.world.faults, filled.world.fail_after_pages = {"things": DOWN}, 1
    with pytest.raises(SourceUnavailable):
        await filled.sync("things", job=gone)
    filled.world.faults = {}
    assert (await filled.sync("things", job=job, now=T0 + MINUTE)).status == "succeeded"
    run = (await runs_of(filled, gone.job_id))["things"]
    assert (run["status"], run["finished_at"] is not None) == ("partial", True)
    assert "no answer" in str(run["reason"])
    assert len(await filled.rows("payments")) == 40


async def test_an_attempt_that_dies_after_a_fault_loses_nothing(filled: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.ingest.batches.BATCH_RECORDS", PAGE)
    job_id = new_id()
    filled.world.faults, filled.world.fail_after_pages = {"things": DOWN}, 2

    async def attempt(**values: Any) -> str:
        job: Job = filled.job(job_id=job_id, tries=1, **values)
        try:
            return (await filled.sync(job=job, now=T0)).status
        except (ConnectionAbortedError, SourceUnavailable) as error:
            return type(error).__name__

    assert await attempt() == "SourceUnavailable"
    filled.world.faults = {}
    assert await attempt(die_at_commit=4) == "ConnectionAbortedError"
    assert await attempt() == "succeeded"
    assert len(await filled.rows("payments")) == 40
    run = (await runs_of(filled, job_id))["things"]
    assert (run["rows_read"], run["rows_inserted"]) == (40, 40)
