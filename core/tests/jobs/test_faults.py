"""What happens when processes die, sleep, or are told to stop in the middle of a job."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.jobs.broker import Publisher
from counterfoil.jobs.repository import PublishedRow

from .conftest import Jobs
from .processes import WorkerProcess
from .sample_tasks import DIE, NOTHING, STEPS, WEDGE, Seconds, Steps

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("redis", "ticker")]

StartWorker = Callable[[], WorkerProcess]


async def test_many_messages_for_one_job_run_it_once(
    jobs: Jobs, job_settings: Settings, start_worker: StartWorker
) -> None:
    job_id = await jobs.enqueue(STEPS, Steps(count=5, pause_s=0.1))
    publisher = Publisher(job_settings)
    await asyncio.to_thread(
        publisher.publish, [PublishedRow(tenant_id=jobs.tenant_id, job_id=job_id, queue="sync")] * 20
    )
    publisher.close()
    start_worker()

    job = await jobs.finished(job_id)

    assert job.attempts == 1
    assert await jobs.effects(job_id) == [0, 1, 2, 3, 4]


async def test_a_killed_worker_loses_nothing_and_repeats_nothing(jobs: Jobs, start_worker: StartWorker) -> None:
    job_id = await jobs.enqueue(STEPS, Steps(count=12, pause_s=0.15))
    first = start_worker()
    await jobs.steps_done(job_id, 3)

    first.kill()
    start_worker()
    job = await jobs.finished(job_id)

    assert (job.status, job.attempts) == ("succeeded", 2)
    assert await jobs.effects(job_id) == list(range(12))


@pytest.mark.parametrize("held_s", [0.0, 0.4], ids=["between units of work", "inside a unit of work"])
async def test_a_worker_that_wakes_up_after_its_lease_writes_nothing(
    jobs: Jobs, start_worker: StartWorker, admin: "asyncpg.Connection[Any]", held_s: float
) -> None:
    job_id = await jobs.enqueue(STEPS, Steps(count=8, pause_s=0.3 if not held_s else 0.0, held_s=held_s))
    sleeper = start_worker()
    await jobs.steps_done(job_id, 2)

    sleeper.signal_all(signal.SIGSTOP)
    start_worker()
    job = await jobs.finished(job_id)
    pids = await _pids(admin, job_id)
    sleeper.signal_all(signal.SIGCONT)
    await asyncio.sleep(1.5)

    assert (job.status, job.attempts) == ("succeeded", 2)
    assert await jobs.effects(job_id) == list(range(8))
    assert await _pids(admin, job_id) == pids
    assert (await jobs.get(job_id)).event_seq == job.event_seq


async def test_a_worker_told_to_stop_hands_its_job_over_at_once(jobs: Jobs, start_worker: StartWorker) -> None:
    job_id = await jobs.enqueue(STEPS, Steps(count=20, pause_s=0.1))
    first = start_worker()
    await jobs.steps_done(job_id, 3)

    code = await asyncio.to_thread(first.terminate)
    released = await jobs.get(job_id)
    start_worker()
    job = await jobs.finished(job_id)

    assert code == 0
    assert (released.status, released.lease_until) == ("queued", None)
    assert (job.status, job.attempts, job.idle_attempts) == ("succeeded", 2, 0)
    assert await jobs.effects(job_id) == list(range(20))


async def test_a_broker_that_forgets_everything_loses_no_job(
    jobs: Jobs, redis: Redis, start_worker: StartWorker
) -> None:
    job_id = await jobs.enqueue(NOTHING)
    await jobs.until(job_id, lambda job: job.published_at is not None)
    await redis.flushall()
    start_worker()

    job = await jobs.finished(job_id)

    assert (job.status, job.attempts) == ("succeeded", 1)


async def test_a_broker_that_dies_and_comes_back_is_found_again_by_worker_and_ticker(
    jobs: Jobs, redis: Redis, start_worker: StartWorker
) -> None:
    start_worker()
    await jobs.finished(await jobs.enqueue(NOTHING))

    os.kill((await redis.info("server"))["process_id"], signal.SIGKILL)
    job = await jobs.finished(await jobs.enqueue(NOTHING))

    assert (job.status, job.attempts) == ("succeeded", 1)


async def test_a_job_that_does_not_stop_when_told_to_ends_with_its_process(
    jobs: Jobs, start_worker: StartWorker
) -> None:
    start_worker()

    job = await jobs.finished(await jobs.enqueue(WEDGE, Seconds(seconds=60)))

    assert job.error is not None
    assert (job.attempts, job.error["code"]) == (1, "time_limit_exceeded")
    assert (await jobs.finished(await jobs.enqueue(NOTHING))).status == "succeeded"


async def test_a_job_that_kills_its_worker_again_and_again_is_given_up(jobs: Jobs, start_worker: StartWorker) -> None:
    start_worker()

    job = await jobs.finished(await jobs.enqueue(DIE))

    assert (job.status, job.attempts) == ("failed", 2)
    assert job.error is not None
    assert job.error["code"] == "attempts_exhausted"
    assert (await jobs.audited(job.id))[-1]["reason"] == "attempts_exhausted"


async def _pids(admin: "asyncpg.Connection[Any]", job_id: UUID) -> list[int]:
    rows = await admin.fetch("SELECT pid FROM jobs_test.effects WHERE job_id = $1 ORDER BY step", job_id)
    return [row["pid"] for row in rows]
