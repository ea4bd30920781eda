"""What there is to a finished job: running it again, its log, its files; and what of it is not kept for ever."""

import io
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.connections.vendor import FakeVendor, check, created, serving
from redis.asyncio import Redis
from sqlalchemy import text

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.jobs import artifacts, service
from counterfoil.jobs.broker import Publisher
from counterfoil.jobs.errors import JobParamsInvalid, TaskUnknown
from counterfoil.jobs.registry import TaskRegistry
from counterfoil.jobs.ticker import Ticker
from counterfoil.kit.errors import PermissionDenied
from counterfoil.kit.ids import new_id
from counterfoil.objects import ObjectStore, open_store
from counterfoil.objects import service as objects
from counterfoil.plugins.records import Task
from counterfoil.rbac.catalogue import PERMISSIONS, ROLES
from counterfoil.testing.plugin import SignedIn

from .conftest import Jobs
from .sample_tasks import NOTHING, STEPS, Nothing, Steps, do_nothing
from .test_leases import _context

SignIn = Callable[[], Awaitable[SignedIn]]
EVERYTHING = frozenset(PERMISSIONS)


@pytest.fixture
def my_jobs(signed_in: SignedIn, database: Database, admin: "asyncpg.Connection[Any]") -> Jobs:
    return Jobs(database, signed_in.tenant_id, admin)


@pytest.fixture
def store(settings: Settings) -> ObjectStore:
    return open_store(settings)


async def synced(who: SignedIn, vendor: FakeVendor) -> tuple[dict[str, Any], str]:
    """A connection, and a sync of it that was cancelled."""
    connection = await created(who, vendor)
    await check(who, connection)
    job_id: str = (await who.client.post(f"/api/v1/connections/{connection['id']}/sync", json={})).json()["job_id"]
    await who.client.post(f"/api/v1/jobs/{job_id}/cancel")
    return connection, job_id


async def test_a_finished_job_runs_again_with_the_same_parameters(signed_in: SignedIn) -> None:
    async with serving() as vendor:
        connection, job_id = await synced(signed_in, vendor)
        answer = await signed_in.client.post(f"/api/v1/jobs/{job_id}/replay")
        assert answer.status_code == 202, answer.text
        first = (await signed_in.client.get(f"/api/v1/jobs/{job_id}")).json()
        again = (await signed_in.client.get(f"/api/v1/jobs/{answer.json()['job_id']}")).json()
        assert again["id"] != job_id
        assert again["replay_of"] == job_id
        assert [again[name] for name in ("kind", "title", "params")] == [
            first[name] for name in ("kind", "title", "params")
        ]
        assert again["status"] == "queued"
        shown = (await signed_in.client.get(f"/api/v1/connections/{connection['id']}")).json()
        assert shown["latest_job_id"] == again["id"]
        # While it is under way, asking once more joins it.
        joined = await signed_in.client.post(f"/api/v1/jobs/{job_id}/replay")
        assert joined.json()["job_id"] == again["id"]
        refused = await signed_in.client.post(f"/api/v1/jobs/{again['id']}/replay")
        assert (refused.status_code, refused.json()["code"]) == (409, "job_unfinished")


async def test_running_a_sync_again_takes_the_permission_that_starting_one_takes(
    signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    async with serving() as vendor:
        _, job_id = await synced(signed_in, vendor)
    await admin.execute("UPDATE core.membership_roles SET role = 'readonly' WHERE tenant_id = $1", signed_in.tenant_id)
    answer = await signed_in.client.post(f"/api/v1/jobs/{job_id}/replay")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert "connections.sync" in answer.json()["detail"]
    reason = await admin.fetchval(
        "SELECT reason FROM core.audit_events WHERE correlation_id = $1 AND outcome = 'denied'",
        UUID(answer.json()["correlation_id"]),
    )
    assert reason == "connections.sync"


async def test_a_sync_of_a_deleted_connection_does_not_run_again(signed_in: SignedIn) -> None:
    async with serving() as vendor:
        connection, job_id = await synced(signed_in, vendor)
    await signed_in.client.delete(f"/api/v1/connections/{connection['id']}")
    answer = await signed_in.client.post(f"/api/v1/jobs/{job_id}/replay")
    assert (answer.status_code, answer.json()["code"]) == (404, "connection_not_found")


async def test_what_another_tenant_ran_cannot_be_run_again_or_looked_at(sign_in: SignIn) -> None:
    owner, stranger = await sign_in(), await sign_in()
    async with serving() as vendor:
        _, job_id = await synced(owner, vendor)
    assert (await stranger.client.post(f"/api/v1/jobs/{job_id}/replay")).status_code == 404
    for suffix in ("log", "log?format=text", "artifacts", f"artifacts/{new_id()}"):
        assert (await stranger.client.get(f"/api/v1/jobs/{job_id}/{suffix}")).status_code == 404


async def test_the_kind_decides_whether_a_job_can_run_again(jobs: Jobs) -> None:
    job_id = await jobs.enqueue(STEPS, Steps(count=2))
    await jobs.cancel(job_id)
    other = Task(name=STEPS.name, title="Other", params=Nothing, run=do_nothing)

    async def replay(tasks: TaskRegistry, permissions: frozenset[str] = EVERYTHING) -> UUID:
        async with jobs.database.unit_of_work(jobs.tenant_id) as uow:
            return (await service.replay(uow, job_id, tasks=tasks, permissions=permissions)).id

    with pytest.raises(TaskUnknown):
        await replay(TaskRegistry([NOTHING]))
    with pytest.raises(JobParamsInvalid):
        await replay(TaskRegistry([other]))
    with pytest.raises(PermissionDenied):
        await replay(TaskRegistry([STEPS]), ROLES["readonly"])
    again = await jobs.get(await replay(TaskRegistry([STEPS]), ROLES["finance"]))
    assert (again.replay_of, again.params["count"]) == (job_id, 2)
    with pytest.raises(ValueError, match="no such permission"):
        TaskRegistry([Task(name="x.y", title="X", params=Nothing, run=do_nothing, permission="x.run")])


async def test_the_log_pages_oldest_first_and_comes_as_text_whole(signed_in: SignedIn, my_jobs: Jobs) -> None:
    job_id = await my_jobs.enqueue(NOTHING)
    running = await _context(my_jobs, job_id)
    async with running.unit_of_work() as uow:
        for number in range(5):
            await running.log(uow, "info", f"line {number}", {"n": number} if number else None)
        await running.log(uow, "warning", "two\nlines \x1b[2J")
    path = f"/api/v1/jobs/{job_id}/log"
    seen: list[str] = []
    cursor: str | None = ""
    for _ in range(3):
        answer = (await signed_in.client.get(path, params={"limit": "2", "cursor": cursor or ""})).json()
        seen += [line["message"] for line in answer["items"]]
        cursor = answer["next_cursor"]
    assert cursor is None
    assert seen == [*(f"line {number}" for number in range(5)), "two\nlines \x1b[2J"]
    answer = await signed_in.client.get(path, params={"format": "text"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment;")
    lines = answer.text.splitlines()
    assert len(lines) == 6
    assert lines[0].endswith("INFO    line 0")
    assert lines[1].endswith('line 1 {"n":1}')
    assert lines[5].endswith(r"WARNING two\nlines \x1b[2J")
    for query in ("cursor=nonsense", "cursor=WyJ4Il0", "cursor=Wy0xXQ", "format=xml", "limit=0"):
        assert (await signed_in.client.get(f"{path}?{query}")).status_code == 422, query


async def leave(jobs: Jobs, store: ObjectStore, job_id: UUID, content: bytes, *, name: str = "rows.csv") -> UUID:
    """The id of the file."""
    written = await objects.write(store, jobs.tenant_id, io.BytesIO(content), purpose="artifact")
    async with jobs.database.unit_of_work(jobs.tenant_id) as uow:
        return (await artifacts.add_artifact(uow, job_id, written, name=name, media_type="text/html")).id


async def test_a_file_is_listed_and_downloaded_and_never_shown(
    signed_in: SignedIn, my_jobs: Jobs, store: ObjectStore
) -> None:
    job_id = await my_jobs.enqueue(NOTHING)
    content = b"<script>alert(1)</script>" * 50_000
    await leave(my_jobs, store, job_id, b"an earlier attempt's")
    artifact = await leave(my_jobs, store, job_id, content)
    empty = await leave(my_jobs, store, job_id, b"", name='é"\r\n; x=.csv')
    listed = (await signed_in.client.get(f"/api/v1/jobs/{job_id}/artifacts")).json()["items"]
    assert [(each["id"], each["name"], each["size"]) for each in listed] == [
        (str(artifact), "rows.csv", len(content)),
        (str(empty), 'é"\r\n; x=.csv', 0),
    ]
    answer = await signed_in.client.get(f"/api/v1/jobs/{job_id}/artifacts/{artifact}")
    assert answer.content == content
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''rows.csv"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(content))
    nothing = await signed_in.client.get(f"/api/v1/jobs/{job_id}/artifacts/{empty}")
    assert nothing.content == b""
    assert nothing.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9%22%0D%0A%3B%20x%3D.csv"
    assert (await signed_in.client.get(f"/api/v1/jobs/{new_id()}/artifacts/{artifact}")).status_code == 404
    async with my_jobs.database.unit_of_work(my_jobs.tenant_id) as uow:
        indexed = await uow.session.scalar(text("SELECT count(*) FROM core.objects WHERE purpose = 'artifact'"))
    assert indexed == 2, "the one that was replaced is out of the index, for the sweep"


async def test_a_file_that_is_gone_or_changed_is_never_passed_off_as_the_jobs(
    signed_in: SignedIn, my_jobs: Jobs, store: ObjectStore, settings: Settings
) -> None:
    job_id = await my_jobs.enqueue(NOTHING)
    artifact = await leave(my_jobs, store, job_id, b"x" * 10)
    path = f"/api/v1/jobs/{job_id}/artifacts/{artifact}"
    (key,) = await store.keys(f"{my_jobs.tenant_id}/artifact/")
    (settings.home / "objects" / key).write_bytes(b"y" * 10)
    changed = await signed_in.client.get(path)
    assert (changed.status_code, changed.json()["code"]) == (500, "object_damaged")
    await store.delete(key)
    gone = await signed_in.client.get(path)
    assert (gone.status_code, gone.json()["code"]) == (500, "object_damaged")


@pytest.fixture
def publisher(job_settings: Settings) -> Iterator[Publisher]:
    publisher = Publisher(job_settings)
    yield publisher
    publisher.close()


async def test_old_lines_are_trimmed_in_batches_and_young_ones_stay(
    jobs: Jobs, redis: Redis, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.jobs.ticker._TRIM_BATCH", 3)
    job_id = await jobs.enqueue(NOTHING)
    old, young = datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC)
    for seq, at in enumerate([old] * 8 + [young] * 2, start=10):
        await jobs.admin.execute(
            "INSERT INTO core.job_events (tenant_id, job_id, seq, level, message, created_at) VALUES ($1, $2, $3, 'info', 'x', $4)",
            jobs.tenant_id, job_id, seq, at,
        )  # fmt: skip
    ticker = Ticker(
        database=jobs.database, redis=redis, publisher=publisher, reap_interval_s=60, republish_after_s=60,
        job_log_retention_days=0,
    )  # fmt: skip
    assert await ticker.trim_logs() == 8
    left = await jobs.admin.fetch("SELECT seq FROM core.job_events WHERE job_id = $1 ORDER BY seq", job_id)
    assert [row["seq"] for row in left] == [18, 19]
