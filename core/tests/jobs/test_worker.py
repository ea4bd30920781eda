import asyncio
from pathlib import Path

import pytest

from counterfoil.config import Settings
from counterfoil.jobs import artifacts
from counterfoil.objects import open_store
from counterfoil.objects import service as objects

from .conftest import Jobs
from .processes import WorkerProcess
from .sample_tasks import (
    BLOCK,
    CRASH,
    EXPORT,
    FAIL_FIRST,
    FAILING,
    FILE,
    HALF,
    LOSE_DATABASE,
    REFUSE,
    SLEEP,
    STEPS,
    UNKNOWN,
    Failing,
    Seconds,
    Steps,
)

pytestmark = pytest.mark.usefixtures("redis", "ticker", "worker")


async def test_a_job_runs_and_its_row_tells_how_it_went(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(STEPS, Steps(count=2), title="Two steps")

    job = await jobs.finished(job_id)

    assert (job.status, job.result, job.error) == ("succeeded", {"steps": 2}, None)
    assert (job.attempts, job.idle_attempts, job.title) == (1, 0, "Two steps")
    assert job.progress == {"done": 2, "total": 2, "message": "step 2"}
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.lease_until is None
    assert await jobs.effects(job_id) == [0, 1]


async def test_everything_a_job_does_is_audited_with_its_requester_and_correlation_id(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(HALF)

    job = await jobs.finished(job_id)

    assert job.status == "partial"
    assert job.reasons == [{"stream": "payouts", "code": "forbidden", "detail": "No permission."}]
    events = await jobs.audited(job_id)
    assert [event["action"] for event in events] == ["core.job.requested", "core.job.finished"]
    assert {event["actor_label"] for event in events} == {"system"}
    assert events[1]["correlation_id"] == job.correlation_id
    assert events[1]["job_id"] == job_id


@pytest.mark.parametrize(
    ("missing", "event"), [("settings", "worker.child_failed"), ("database", "worker.database_away")]
)
async def test_a_pool_process_that_cannot_start_is_replaced(
    jobs: Jobs, worker_environment: dict[str, str], tmp_path: Path, missing: str, event: str
) -> None:
    process = WorkerProcess(
        {**worker_environment, FAIL_FIRST: str(tmp_path / missing), "COUNTERFOIL_WORKER_CONCURRENCY": "1"},
        log=tmp_path / "worker.log",
        queue="export",
    )
    try:
        job = await jobs.finished(await jobs.enqueue(EXPORT))
    finally:
        process.destroy()

    assert job.status == "succeeded"
    told = (tmp_path / "worker.log").read_text()
    assert event in told
    assert ("Traceback" in told) == (missing == "settings")


async def test_a_problem_fails_the_job_with_its_code_and_a_crash_keeps_its_secrets(jobs: Jobs) -> None:
    refused_id, crashed_id = await jobs.enqueue(REFUSE), await jobs.enqueue(CRASH)

    refused, crashed = await jobs.finished(refused_id), await jobs.finished(crashed_id)

    assert (refused.status, refused.error) == ("failed", {"code": "conflict", "detail": "The books are closed."})
    assert crashed.status == "failed"
    assert crashed.error is not None
    assert crashed.error["code"] == "internal_error"
    assert str(crashed.correlation_id) in crashed.error["detail"]
    assert "hunter2" not in str(crashed.error)
    assert (await jobs.audited(crashed_id))[-1]["outcome"] == "error"


async def test_an_unknown_kind_ends_with_its_own_code(jobs: Jobs) -> None:
    job = await jobs.finished(await jobs.enqueue(UNKNOWN))

    assert job.error is not None
    assert job.error["code"] == "task_unknown"


async def test_a_job_that_loses_its_database_connection_is_tried_again(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(LOSE_DATABASE)

    job = await jobs.finished(job_id)

    assert (job.status, job.attempts) == ("succeeded", 2)
    assert await jobs.effects(job_id) == [2]


async def test_a_job_past_its_time_limit_is_stopped(jobs: Jobs) -> None:
    job = await jobs.finished(await jobs.enqueue(SLEEP, Seconds(seconds=30)), timeout_s=8)

    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "time_limit_exceeded"


async def test_a_running_job_stops_when_it_is_cancelled(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(STEPS, Steps(count=1000, pause_s=0.1))
    await jobs.steps_done(job_id, 2)

    await jobs.cancel(job_id)
    job = await jobs.finished(job_id, timeout_s=5)

    assert (job.status, job.error) == ("cancelled", None)
    actions = [event["action"] for event in await jobs.audited(job_id)]
    assert actions == ["core.job.requested", "core.job.cancelled", "core.job.finished"]
    seen = await jobs.effects(job_id)
    await asyncio.sleep(0.5)
    assert await jobs.effects(job_id) == seen


async def test_the_heartbeat_goes_on_while_a_job_blocks_its_own_loop(jobs: Jobs) -> None:
    job = await jobs.finished(await jobs.enqueue(BLOCK, Seconds(seconds=3.0)))

    assert (job.status, job.attempts) == ("succeeded", 1)


async def test_a_unit_of_work_longer_than_the_lease_keeps_the_job(jobs: Jobs) -> None:
    job = await jobs.finished(await jobs.enqueue(STEPS, Steps(busy_s=3.0)))

    assert (job.status, job.attempts) == ("succeeded", 1)


async def test_an_error_of_a_source_that_may_pass_is_tried_again(jobs: Jobs) -> None:
    job = await jobs.finished(await jobs.enqueue(FAILING, Failing(times=2)))
    assert (job.status, job.attempts, job.error) == ("succeeded", 3, None)


async def test_an_error_that_does_not_pass_ends_the_job_as_what_it_is_after_its_last_attempt(jobs: Jobs) -> None:
    job = await jobs.finished(await jobs.enqueue(FAILING, Failing(times=9)))
    assert (job.status, job.attempts) == ("failed", 3)
    assert job.error == {"code": "source_unavailable", "detail": "The vendor is down."}


async def test_an_error_that_is_not_in_the_policy_ends_the_job_at_once(jobs: Jobs) -> None:
    job = await jobs.finished(await jobs.enqueue(FAILING, Failing(times=9, passing=False)))
    assert (job.status, job.attempts) == ("failed", 1)
    assert job.error == {"code": "source_forbidden", "detail": "The vendor says no."}


async def test_a_file_that_a_job_leaves_is_named_by_its_row_and_lies_in_the_store(
    jobs: Jobs, job_settings: Settings
) -> None:
    job_id = await jobs.enqueue(FILE)
    await jobs.finished(job_id)
    async with jobs.database.unit_of_work(jobs.tenant_id) as uow:
        ((artifact, stored),) = await artifacts.of_job(uow, job_id)
    assert (artifact.name, stored.media_type, stored.size) == ("table.csv", "text/csv", 8)
    assert stored.key.startswith(f"{jobs.tenant_id}/artifact/")
    read = [chunk async for chunk in objects.read(open_store(job_settings), stored)]
    assert b"".join(read) == b"a,b\n1,2\n"
