import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
import pytest

from counterfoil.db import Database
from counterfoil.jobs import service
from counterfoil.jobs.context import JobContext
from counterfoil.jobs.feed import JobFeed
from counterfoil.jobs.routes import _events
from counterfoil.jobs.service import Ending
from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn
from counterfoil.web import encode_cursor

from .conftest import Jobs
from .sample_tasks import HALF, NOTHING
from .test_leases import _context

SignIn = Callable[[], Awaitable[SignedIn]]


@dataclass(frozen=True, kw_only=True)
class Event:
    id: int
    name: str
    data: Any


@pytest.fixture
def my_jobs(signed_in: SignedIn, database: Database, admin: "asyncpg.Connection[Any]") -> Jobs:
    return Jobs(database, signed_in.tenant_id, admin)


async def test_the_list_pages_through_all_jobs_newest_first(signed_in: SignedIn, my_jobs: Jobs) -> None:
    made = [str(await my_jobs.enqueue(NOTHING)) for _ in range(5)]

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await signed_in.client.get("/api/v1/jobs", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == made[::-1]


async def test_the_list_filters_by_state_and_kind(signed_in: SignedIn, my_jobs: Jobs) -> None:
    cancelled = await my_jobs.enqueue(NOTHING)
    await my_jobs.cancel(cancelled)
    half = await my_jobs.enqueue(HALF)

    assert await _ids(signed_in, status="cancelled") == [str(cancelled)]
    assert await _ids(signed_in, kind="test.half") == [str(half)]
    assert await _ids(signed_in, kind="test.half", status="cancelled") == []


async def test_a_malformed_query_is_refused(signed_in: SignedIn) -> None:
    for query in ("cursor=nonsense", "cursor=WzEsMl0", "limit=0", "limit=501", "status=odd"):
        answer = await signed_in.client.get(f"/api/v1/jobs?{query}")

        assert answer.status_code == 422, query
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "created_at",
    ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2026-11-23T09:00:00", "2026-11-23", 5, None],
)
async def test_a_cursor_whose_time_is_no_instant_is_refused(signed_in: SignedIn, created_at: object) -> None:
    cursor = encode_cursor(created_at, str(new_id()))
    answer = await signed_in.client.get("/api/v1/jobs", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_a_job_is_shown_as_the_contract_says(signed_in: SignedIn, my_jobs: Jobs) -> None:
    job_id = await my_jobs.enqueue(NOTHING, title="A title")

    shown = (await signed_in.client.get(f"/api/v1/jobs/{job_id}")).json()

    assert shown["id"] == str(job_id)
    assert (shown["kind"], shown["title"], shown["status"], shown["queue"]) == (
        "test.nothing",
        "A title",
        "queued",
        "sync",
    )
    assert (shown["attempts"], shown["max_attempts"], shown["replay_of"]) == (0, NOTHING.max_idle_attempts, None)
    assert (shown["progress"], shown["result"], shown["error"], shown["reasons"]) == (None, None, None, [])
    assert shown["requested_by"] == {"kind": "system", "id": None, "label": "system"}


async def test_cancelling_ends_a_queued_job_and_a_second_time_changes_nothing(
    signed_in: SignedIn, my_jobs: Jobs
) -> None:
    job_id = await my_jobs.enqueue(NOTHING)

    first = await signed_in.client.post(f"/api/v1/jobs/{job_id}/cancel")
    second = await signed_in.client.post(f"/api/v1/jobs/{job_id}/cancel")

    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert second.json() == first.json()
    actions = {event["action"]: event["actor_label"] for event in await my_jobs.audited(job_id)}
    assert actions["core.job.cancelled"] == signed_in.email


async def test_cancelling_a_finished_job_is_a_conflict(signed_in: SignedIn, my_jobs: Jobs) -> None:
    job_id = await my_jobs.enqueue(NOTHING)
    running = await _context(my_jobs, job_id)
    await _finish(running, Ending(status="succeeded"))

    answer = await signed_in.client.post(f"/api/v1/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")


async def test_nobody_sees_or_cancels_another_tenants_job(sign_in: SignIn, my_jobs: Jobs) -> None:
    job_id = await my_jobs.enqueue(NOTHING)
    stranger = await sign_in()

    assert await _ids(stranger) == []
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        answer = await stranger.client.request(method, f"/api/v1/jobs/{job_id}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await my_jobs.get(job_id)).status == "queued"


async def test_nobody_gets_in_without_signing_in(client: httpx2.AsyncClient) -> None:
    for method, path in (
        ("GET", ""),
        ("GET", f"/{new_id()}"),
        ("GET", f"/{new_id()}/events"),
        ("POST", f"/{new_id()}/cancel"),
    ):
        assert (await client.request(method, f"/api/v1/jobs{path}")).status_code == 401


async def test_the_stream_tells_every_line_and_the_end(signed_in: SignedIn, my_jobs: Jobs) -> None:
    job_id = await my_jobs.enqueue(NOTHING)
    running = await _context(my_jobs, job_id)
    async with running.unit_of_work() as uow:
        await running.log(uow, "info", "hello", {"n": 1})
    await _finish(running, Ending(status="succeeded", result={"rows": 3}))

    answer = await signed_in.client.get(f"/api/v1/jobs/{job_id}/events")

    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [_parse(block) for block in answer.text.split("\n\n") if block]
    assert [event.name for event in events] == ["log", "job", "end"]
    assert events[0].data | {"at": None} == {
        "seq": 2,
        "level": "info",
        "message": "hello",
        "data": {"n": 1},
        "at": None,
    }
    assert (events[1].data["status"], events[1].data["result"]) == ("succeeded", {"rows": 3})
    assert events[2].data == {"status": "succeeded"}
    assert [event.id for event in events] == sorted(event.id for event in events)


async def test_the_stream_resumes_after_the_last_event_that_arrived(signed_in: SignedIn, my_jobs: Jobs) -> None:
    job_id = await my_jobs.enqueue(NOTHING)
    running = await _context(my_jobs, job_id)
    async with running.unit_of_work() as uow:
        for message in ("one", "two", "three"):
            await running.log(uow, "info", message)
    await _finish(running, Ending(status="succeeded"))

    async def lines(last_event_id: str) -> list[str]:
        answer = await signed_in.client.get(f"/api/v1/jobs/{job_id}/events", headers={"Last-Event-ID": last_event_id})
        events = [_parse(block) for block in answer.text.split("\n\n") if block]
        assert [event.name for event in events][-2:] == ["job", "end"]
        return [event.data["message"] for event in events if event.name == "log"]

    assert await lines("2") == ["two", "three"]
    assert await lines("99") == []
    assert await lines("not a number") == ["one", "two", "three"]
    assert await lines("9" * 30) == ["one", "two", "three"]


async def test_the_stream_follows_a_job_as_it_changes(jobs: Jobs, feed: JobFeed) -> None:
    job_id = await jobs.enqueue(NOTHING)
    stream = _events(job_id, tenant_id=jobs.tenant_id, database=jobs.database, feed=feed, seen=0)
    assert (await _next(stream)).data["status"] == "queued"

    running = await _context(jobs, job_id)
    assert (await _next(stream)).data["status"] == "running"
    async with running.unit_of_work() as uow:
        await running.progress(uow, done=1, total=2, message="half")
        await running.log(uow, "warning", "careful")
    assert (await _next(stream)).data["message"] == "careful"
    assert (await _next(stream)).data["progress"] == {"done": 1, "total": 2, "message": "half", "streams": None}
    await _finish(running, Ending.cancelled())
    assert [(await _next(stream)).name for _ in range(2)] == ["job", "end"]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_change_is_streamed_by_notice_and_not_by_polling(jobs: Jobs, feed: JobFeed) -> None:
    job_id = await jobs.enqueue(NOTHING)
    stream = _events(job_id, tenant_id=jobs.tenant_id, database=jobs.database, feed=feed, seen=0)
    await _next(stream)
    following = asyncio.ensure_future(_next(stream))
    await asyncio.sleep(0.5)

    await jobs.cancel(job_id)

    async with asyncio.timeout(1.0):
        assert (await following).data["status"] == "cancelled"


async def test_a_stream_that_is_closed_stops_watching(jobs: Jobs, feed: JobFeed) -> None:
    job_id = await jobs.enqueue(NOTHING)
    stream = _events(job_id, tenant_id=jobs.tenant_id, database=jobs.database, feed=feed, seen=0)
    await _next(stream)
    waiting = asyncio.ensure_future(_next(stream))
    await asyncio.sleep(0.1)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert feed.watched == 0


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[JobFeed]:
    feed = JobFeed(database.url)
    yield feed
    await feed.close()


async def _ids(signed_in: SignedIn, **query: str) -> list[str]:
    return [job["id"] for job in (await signed_in.client.get("/api/v1/jobs", params=query)).json()["items"]]


async def _finish(running: JobContext, ending: Ending) -> None:
    async with running.database.unit_of_work(running.tenant_id) as uow:
        await service.finish(uow, running.job_id, fence=running.fence, ending=ending)


async def _next(stream: AsyncIterator[bytes]) -> Event:
    async with asyncio.timeout(5):
        return _parse((await anext(stream)).decode().strip())


def _parse(block: str) -> Event:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return Event(id=int(fields["id"]), name=fields["event"], data=json.loads(fields["data"]))
