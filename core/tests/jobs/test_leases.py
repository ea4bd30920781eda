"""The rules of claim, fence, lease and attempts, without a worker: time passes by moving ``lease_until``."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.jobs import repository, service
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.broker import Publisher
from counterfoil.jobs.context import JobContext
from counterfoil.jobs.errors import AttemptsExhausted, JobCancelled, LostLease
from counterfoil.jobs.repository import ClaimedRow
from counterfoil.jobs.runner import JobRunner
from counterfoil.jobs.schemas import JobOut
from counterfoil.jobs.service import Ending
from counterfoil.jobs.ticker import Ticker
from counterfoil.kit.clock import utc_now
from counterfoil.kit.provided import Provided
from counterfoil.plugins.connector import SourceRateLimited, SourceUnavailable
from counterfoil.plugins.records import Outcome

from .conftest import Jobs
from .sample_tasks import NOTHING, Nothing


@pytest.fixture
def one_ticker(job_settings: Settings, database: Database, redis: Redis) -> Ticker:
    """A ticker whose duties are done by hand."""
    return Ticker(
        database=database,
        redis=redis,
        publisher=Publisher(job_settings),
        reap_interval_s=60,
        republish_after_s=60,
    )


async def test_of_many_claims_one_gets_the_job(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)

    claims = await asyncio.gather(*(_claim(jobs, job_id) for _ in range(6)))

    assert sum(claim is not None for claim in claims) == 1


async def test_a_unit_of_work_of_a_former_attempt_commits_nothing(jobs: Jobs, one_ticker: Ticker) -> None:
    job_id = await jobs.enqueue(NOTHING)
    former = await _context(jobs, job_id)
    await _expire(jobs, job_id)
    await one_ticker.reap()

    with pytest.raises(LostLease):
        async with former.unit_of_work():
            pytest.fail("the block must not be entered")

    successor = await _context(jobs, job_id)
    async with successor.unit_of_work() as uow:
        await successor.progress(uow, done=1)
    with pytest.raises(LostLease):
        async with former.unit_of_work():
            pytest.fail("the block must not be entered")
    with pytest.raises(LostLease):
        async with jobs.database.unit_of_work(jobs.tenant_id) as uow:
            await service.finish(uow, job_id, fence=former.fence, ending=Ending(status="succeeded"))
    assert (await jobs.get(job_id)).status == "running"


async def test_a_cancelled_job_gets_no_further_unit_of_work(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    running = await _context(jobs, job_id)
    await jobs.cancel(job_id)

    with pytest.raises(JobCancelled):
        async with running.unit_of_work():
            pytest.fail("the block must not be entered")
    assert (await jobs.get(job_id)).status == "running"


async def test_a_job_that_always_advances_survives_any_number_of_lost_workers(jobs: Jobs, one_ticker: Ticker) -> None:
    job_id = await jobs.enqueue(NOTHING)
    for done in range(1, 26):
        running = await _context(jobs, job_id)
        async with running.unit_of_work() as uow:
            await running.progress(uow, done=done, total=25)
        await _expire(jobs, job_id)
        await one_ticker.reap()

    job = await jobs.get(job_id)
    assert (job.status, job.attempts, job.idle_attempts) == ("queued", 25, 0)


async def test_a_job_that_never_advances_is_given_up_after_its_last_attempt(jobs: Jobs, one_ticker: Ticker) -> None:
    job_id = await jobs.enqueue(NOTHING)
    for _ in range(NOTHING.max_idle_attempts):
        running = await _context(jobs, job_id)
        async with running.unit_of_work() as uow:
            await running.progress(uow, done=0)
        await _expire(jobs, job_id)
        await one_ticker.reap()

    job = await jobs.get(job_id)
    assert (job.status, job.attempts) == ("failed", NOTHING.max_idle_attempts)
    assert job.error is not None
    assert job.error["code"] == "attempts_exhausted"


async def test_progress_counts_as_an_advance_when_it_grew_or_when_the_job_says_so(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    running = await _context(jobs, job_id)

    async def idle_after(done: int, *, advanced: bool | None = None) -> int:
        await jobs.admin.execute("UPDATE core.jobs SET idle_attempts = 3 WHERE id = $1", job_id)
        async with running.unit_of_work() as uow:
            await running.progress(uow, done=done, advanced=advanced)
        return (await jobs.get(job_id)).idle_attempts

    assert await idle_after(5) == 0
    assert await idle_after(5) == 3
    assert await idle_after(4) == 3
    assert await idle_after(4, advanced=True) == 0
    assert await idle_after(9, advanced=False) == 3


async def test_an_interrupted_attempt_does_not_count_but_a_failed_one_does(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    running = await _context(jobs, job_id)
    assert await _release(jobs, running) is True
    assert (await jobs.get(job_id)).idle_attempts == 0

    for attempt in range(1, NOTHING.max_idle_attempts + 1):
        running = await _context(jobs, job_id)
        again = await _release(jobs, running, failure=AttemptsExhausted())
        assert again is (attempt < NOTHING.max_idle_attempts)

    job = await jobs.get(job_id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "attempts_exhausted"


async def test_an_attempt_the_policy_repeats_counts_whatever_progress_it_made_and_says_when_it_goes_on(
    jobs: Jobs,
) -> None:
    job_id = await jobs.enqueue(NOTHING)
    for attempt in (1, 2):
        running = await _context(jobs, job_id)
        async with running.unit_of_work() as uow:
            await running.progress(uow, done=attempt, advanced=True)
        assert await _release(jobs, running, failure=SourceUnavailable("no\0answer"), tried=attempt)
        assert (await jobs.get(job_id)).idle_attempts == attempt
    running = await _context(jobs, job_id)
    assert await _release(jobs, running, failure=SourceUnavailable("no answer"), tried=3, delay_s=600)
    job = await jobs.get(job_id)
    assert job.progress is not None
    assert (job.status, job.progress["done"]) == ("queued", 2)
    assert job.progress["message"] == "Trying again in 10 min: no answer"
    async with jobs.database.unit_of_work(jobs.tenant_id) as uow:
        lines = await service.events_after(uow, job_id, seq=0, until=job.event_seq, limit=10)
    assert [(line.level, line.message) for line in lines] == [
        ("warning", "Trying again in 0 s: no answer"),
        ("warning", "Trying again in 0 s: no answer"),
        ("warning", "Trying again in 10 min: no answer"),
    ]
    assert lines[-1].data == {"code": "source_unavailable", "detail": "no answer", "attempt": 3}


async def test_a_job_that_waits_says_until_when_and_for_what(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    assert JobOut.of(await jobs.get(job_id)).waiting is None
    running = await _context(jobs, job_id)
    refused = SourceRateLimited("come back tomorrow")
    assert await _release(jobs, running, failure=refused, tried=1, delay_s=86_400)
    shown = JobOut.of(await jobs.get(job_id)).waiting
    assert shown is not None
    assert (shown.code, shown.detail) == ("source_rate_limited", "come back tomorrow")
    assert timedelta(hours=23) < shown.until - utc_now() < timedelta(hours=25)
    await jobs.admin.execute("UPDATE core.jobs SET run_after = now() WHERE id = $1", job_id)
    again = await _context(jobs, job_id)
    assert JobOut.of(await jobs.get(job_id)).waiting is None
    async with again.unit_of_work() as uow:
        await again.progress(uow, done=1)
    assert (await jobs.get(job_id)).progress == {"done": 1, "total": None, "message": ""}


async def test_a_job_goes_by_the_databases_clock_whatever_its_own_machine_says(jobs: Jobs) -> None:
    told: list[timedelta] = []
    job_id = await jobs.enqueue(NOTHING)
    claimed = await _claim(jobs, job_id)
    assert claimed is not None
    assert abs(claimed.claimed_at - utc_now()) < timedelta(minutes=1)
    ahead = replace(claimed, claimed_at=claimed.claimed_at + timedelta(days=2))

    async def tell(_job: JobContext, _params: Nothing) -> Outcome:
        told.append(await asyncio.to_thread(utc_now) - claimed.claimed_at)
        return Outcome()

    task = replace(NOTHING, run=tell)
    runner = JobRunner(database=jobs.database, provided=Provided(), lease_s=30, tasks={task.name: task})
    await runner.execute(Attempt(Claim(tenant_id=jobs.tenant_id, job_id=job_id, row=ahead)))
    assert timedelta(days=2) <= told[0] < timedelta(days=2, minutes=1)


async def test_a_cancelled_job_is_not_tried_again(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    running = await _context(jobs, job_id)
    await jobs.cancel(job_id)
    assert not await _release(jobs, running, failure=SourceUnavailable("no answer"), tried=1)
    job = await jobs.get(job_id)
    assert (job.status, job.error, job.progress) == ("cancelled", None, None)


async def test_a_released_job_waits_for_its_back_off(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    running = await _context(jobs, job_id)
    await _release(jobs, running, delay_s=30)

    assert await _claim(jobs, job_id) is None
    await jobs.admin.execute("UPDATE core.jobs SET run_after = now() - interval '1 second' WHERE id = $1", job_id)
    assert await _claim(jobs, job_id) is not None


async def test_a_job_cancelled_while_its_worker_died_ends_as_cancelled(jobs: Jobs, one_ticker: Ticker) -> None:
    job_id = await jobs.enqueue(NOTHING)
    await _claim(jobs, job_id)
    await jobs.cancel(job_id)
    await _expire(jobs, job_id)

    await one_ticker.reap()

    assert (await jobs.get(job_id)).status == "cancelled"
    assert (await jobs.audited(job_id))[-1]["action"] == "core.job.finished"


async def test_the_reaper_passes_by_a_job_that_is_in_a_unit_of_work(jobs: Jobs, one_ticker: Ticker) -> None:
    job_id = await jobs.enqueue(NOTHING)
    running = await _context(jobs, job_id, lease_s=0.01)

    async with running.unit_of_work() as uow:
        await asyncio.sleep(0.05)
        await one_ticker.reap()
        await running.progress(uow, done=1)

    assert (await jobs.get(job_id)).status == "running"


async def test_a_log_line_and_a_change_share_one_sequence(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    running = await _context(jobs, job_id)
    async with running.unit_of_work() as uow:
        await running.log(uow, "info", "one\0", {"n": 1})
        await running.progress(uow, done=1)
        await running.log(uow, "warning", "two")

    async with jobs.database.unit_of_work(jobs.tenant_id) as uow:
        lines = await service.events_after(uow, job_id, seq=0, until=100, limit=10)
    assert [(line.seq, line.level, line.message, line.data) for line in lines] == [
        (2, "info", "one", {"n": 1}),
        (4, "warning", "two", {}),
    ]
    assert (await jobs.get(job_id)).event_seq == 4


async def test_another_tenant_can_neither_see_nor_claim_nor_cancel_a_job(
    jobs: Jobs, database: Database, other_tenant: UUID
) -> None:
    job_id = await jobs.enqueue(NOTHING)

    async with database.unit_of_work(other_tenant) as uow:
        driver = await uow.driver()
        assert await repository.get(uow, job_id) is None
        assert await repository.request_cancel(driver, job_id) is None
    assert await repository.claim_now(database, other_tenant, job_id, owner="thief", lease_s=2) is None
    assert (await jobs.get(job_id)).status == "queued"


async def _claim(jobs: Jobs, job_id: UUID) -> ClaimedRow | None:
    return await repository.claim_now(jobs.database, jobs.tenant_id, job_id, owner="test", lease_s=30)


async def _context(jobs: Jobs, job_id: UUID, *, lease_s: float = 30) -> JobContext:
    await jobs.admin.execute("UPDATE core.jobs SET run_after = now() - interval '1 second' WHERE id = $1", job_id)
    row = await _claim(jobs, job_id)
    assert row is not None
    return JobContext(
        job_id=job_id,
        tenant_id=jobs.tenant_id,
        attempt=row.attempt,
        provided=Provided(),
        database=jobs.database,
        fence=row.fence,
        lease_s=lease_s,
    )


async def _release(jobs: Jobs, running: JobContext, **kwargs: Any) -> bool:
    async with jobs.database.unit_of_work(jobs.tenant_id) as uow:
        return await service.release(uow, running.job_id, fence=running.fence, **kwargs)


async def _expire(jobs: Jobs, job_id: UUID) -> None:
    await jobs.admin.execute("UPDATE core.jobs SET lease_until = now() - interval '1 second' WHERE id = $1", job_id)
