import asyncio
import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import driver_url
from counterfoil.jobs import service
from counterfoil.jobs.errors import JobAlreadyFinished, JobInProgress
from counterfoil.kit import context
from counterfoil.kit.context import Actor
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.plugins.records import Task

from .conftest import Jobs
from .sample_tasks import HALF, NOTHING, STEPS, Nothing, Steps, do_nothing


async def test_a_job_keeps_who_asked_for_it_and_in_which_request(jobs: Jobs) -> None:
    correlation_id = new_id()
    olive = Actor(kind="user", id=str(new_id()), label="olive@example.com")
    with (
        context.bound(context.current_actor, olive),
        context.bound(context.current_correlation_id, correlation_id),
    ):
        job = await jobs.get(await jobs.enqueue(STEPS, Steps(count=3), title="Three steps"))

    assert (job.kind, job.title, job.status, job.queue) == ("test.steps", "Three steps", "queued", "sync")
    assert job.params == {"count": 3, "pause_s": 0.0, "held_s": 0.0, "busy_s": 0.0}
    assert job.correlation_id == correlation_id
    assert (job.requested_by_kind, job.requested_by_id, job.requested_by_label) == (olive.kind, olive.id, olive.label)
    [event] = await jobs.audited(job.id)
    assert (event["action"], event["actor_label"]) == ("core.job.requested", "olive@example.com")


async def test_a_job_exists_exactly_if_its_business_transaction_commits(jobs: Jobs, database: Database) -> None:
    made: list[UUID] = []

    async def business() -> None:
        async with database.unit_of_work(jobs.tenant_id) as uow:
            made.append((await service.enqueue(uow, NOTHING, Nothing())).id)
            raise LookupError

    with pytest.raises(LookupError):
        await business()

    with pytest.raises(NotFound):
        await jobs.get(made[0])
    assert await jobs.audited(made[0]) == []


async def test_committing_a_job_wakes_the_ticker(jobs: Jobs, settings: Settings) -> None:
    woken = asyncio.Event()
    listener = await asyncpg.connect(driver_url(settings.database_url.get_secret_value()))
    await listener.add_listener("counterfoil_jobs", lambda *_: woken.set())

    await jobs.enqueue(NOTHING)

    await asyncio.wait_for(woken.wait(), 5)
    await listener.close()


async def test_asking_twice_for_the_same_subject_gives_the_unfinished_job(jobs: Jobs) -> None:
    subject = ("connection", new_id())

    first = await jobs.enqueue(NOTHING, subject=subject)

    assert await jobs.enqueue(NOTHING, subject=subject) == first
    assert await jobs.enqueue(HALF, subject=subject) != first
    assert await jobs.enqueue(NOTHING, subject=("connection", new_id())) != first
    assert await jobs.enqueue(NOTHING) != await jobs.enqueue(NOTHING)
    assert len(await jobs.audited(first)) == 1
    await jobs.cancel(first)
    assert await jobs.enqueue(NOTHING, subject=subject) != first


async def test_an_unfinished_job_with_other_parameters_is_not_taken_for_this_one(jobs: Jobs) -> None:
    subject = ("connection", new_id())
    first = await jobs.enqueue(STEPS, Steps(count=1), subject=subject, title="Sync the shop")

    with pytest.raises(JobInProgress, match="Sync the shop is queued with other options") as refusal:
        await jobs.enqueue(STEPS, Steps(count=2), subject=subject)
    assert refusal.value.job_id == first


async def test_what_was_asked_for_is_on_record(jobs: Jobs) -> None:
    subject = ("connection", new_id())

    [event] = await jobs.audited(await jobs.enqueue(STEPS, Steps(count=7), subject=subject))

    payload = json.loads(event["payload"])
    assert payload["params"]["count"] == 7
    assert payload["subject"] == {"type": "connection", "id": str(subject[1])}


async def test_asking_at_the_same_moment_gives_one_job(jobs: Jobs) -> None:
    subject = ("connection", new_id())

    made = await asyncio.gather(*(jobs.enqueue(NOTHING, subject=subject) for _ in range(8)))

    assert len(set(made)) == 1


async def test_subjects_of_other_tenants_do_not_count(
    jobs: Jobs, database: Database, other_tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    subject = ("connection", new_id())

    mine = await jobs.enqueue(NOTHING, subject=subject)

    assert await Jobs(database, other_tenant, admin).enqueue(NOTHING, subject=subject) != mine


async def test_a_task_of_an_unknown_queue_is_refused(jobs: Jobs) -> None:
    task = Task(name="test.lost", title="Lost", params=Nothing, run=do_nothing, queue="nowhere")

    with pytest.raises(ValueError, match="no queue is called 'nowhere'"):
        await jobs.enqueue(task)


async def test_a_queued_job_is_cancelled_at_once_and_only_once(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)

    await jobs.cancel(job_id)
    await jobs.cancel(job_id)

    job = await jobs.get(job_id)
    assert job.status == "cancelled"
    assert job.finished_at is not None
    first, *others = [event["action"] for event in await jobs.audited(job_id)]
    assert first == "core.job.requested"
    # Of one millisecond, mostly.
    assert sorted(others) == ["core.job.cancelled", "core.job.finished"]


async def test_a_finished_job_cannot_be_cancelled(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(NOTHING)
    await jobs.admin.execute("UPDATE core.jobs SET status = 'succeeded', finished_at = now() WHERE id = $1", job_id)

    with pytest.raises(JobAlreadyFinished, match="ended as succeeded"):
        await jobs.cancel(job_id)
