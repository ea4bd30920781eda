"""A ticker in this process, workers as processes of their own, and a Valkey nobody else looks into."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.embedded import EmbeddedValkey
from counterfoil.jobs import service
from counterfoil.jobs.models import Job
from counterfoil.jobs.ticker import run_ticker

from .processes import WorkerProcess

Look = Callable[[Job], bool]


class Jobs:
    """Enqueues, and looks at rows, as one tenant."""

    def __init__(self, database: Database, tenant_id: UUID, admin: "asyncpg.Connection[Any]") -> None:
        self.database = database
        self.tenant_id = tenant_id
        self.admin = admin

    async def enqueue(self, task: Any, params: Any = None, **kwargs: Any) -> UUID:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            job = await service.enqueue(uow, task, params or task.params(), **kwargs)
            return job.id

    async def get(self, job_id: UUID) -> Job:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            return await service.get(uow, job_id)

    async def cancel(self, job_id: UUID) -> None:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            await service.cancel(uow, job_id)

    async def until(self, job_id: UUID, condition: Look, *, timeout_s: float = 40) -> Job:
        deadline = time.monotonic() + timeout_s
        while not condition(job := await self.get(job_id)):
            if time.monotonic() > deadline:
                pytest.fail(f"the job stayed {job.status}, attempt {job.attempts}, progress {job.progress}")
            await asyncio.sleep(0.05)
        return job

    async def finished(self, job_id: UUID, *, timeout_s: float = 40) -> Job:
        return await self.until(job_id, lambda job: job.is_finished, timeout_s=timeout_s)

    async def steps_done(self, job_id: UUID, count: int) -> Job:
        return await self.until(job_id, lambda job: (job.progress or {}).get("done", 0) >= count)

    async def effects(self, job_id: UUID) -> list[int]:
        rows = await self.admin.fetch("SELECT step FROM jobs_test.effects WHERE job_id = $1 ORDER BY step", job_id)
        return [row["step"] for row in rows]

    async def audited(self, job_id: UUID) -> list["asyncpg.Record"]:
        return await self.admin.fetch(
            "SELECT * FROM core.audit_events WHERE resource_type = 'job' AND resource_id = $1 ORDER BY id", str(job_id)
        )


@contextmanager
def _open_folder() -> Iterator[Path]:
    """One that the servers' own account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="cf-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def valkey_root() -> Iterator[Path]:
    """Where a test may start a Valkey of its own."""
    with _open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedValkey]:
    with _open_folder() as folder, EmbeddedValkey(folder) as server:
        yield server


@pytest.fixture(scope="session")
def job_settings(settings: Settings, valkey: EmbeddedValkey) -> Settings:
    return settings.model_copy(
        update={
            "redis_url": type(settings.redis_url)(valkey.url()),
            "job_lease_s": 2.0,
            "reap_interval_s": 0.3,
            "republish_after_s": 1.0,
            "worker_concurrency": 2,
        }
    )


@pytest.fixture
async def redis(job_settings: Settings) -> AsyncIterator[Redis]:
    redis = Redis.from_url(job_settings.redis_url.get_secret_value(), decode_responses=True)
    await redis.flushall()
    yield redis
    await redis.aclose()


@pytest.fixture
async def jobs(database: Database, tenant: UUID, admin: "asyncpg.Connection[Any]") -> Jobs:
    # What other tests left queued or running must not reach this one's ticker and worker.
    await admin.execute("DELETE FROM core.jobs")
    # Outside of core: an effect is something no fence protects but the job's own unit of work.
    await admin.execute("""
        CREATE SCHEMA IF NOT EXISTS jobs_test;
        CREATE TABLE IF NOT EXISTS jobs_test.effects (job_id uuid, step int, pid int);
        GRANT USAGE ON SCHEMA jobs_test TO counterfoil_app;
        GRANT SELECT, INSERT ON jobs_test.effects TO counterfoil_app;
    """)
    return Jobs(database, tenant, admin)


@pytest.fixture
async def ticker(job_settings: Settings) -> AsyncIterator["asyncio.Task[None]"]:
    ticking = asyncio.create_task(run_ticker(job_settings))
    yield ticking
    assert not ticking.done(), "the ticker must outlive every trouble of its services"
    ticking.cancel()
    _, hanging = await asyncio.wait({ticking}, timeout=10)
    if hanging:
        for task in asyncio.all_tasks():
            task.print_stack()
        pytest.fail("the ticker does not stop")


@pytest.fixture(scope="session")
def worker_environment(job_settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": job_settings.database_url.get_secret_value(),
        "REDIS_URL": job_settings.redis_url.get_secret_value(),
        "COUNTERFOIL_JOB_LEASE_S": str(job_settings.job_lease_s),
        "COUNTERFOIL_WORKER_CONCURRENCY": str(job_settings.worker_concurrency),
        "COUNTERFOIL_LOG_FORMAT": "console",
        "COUNTERFOIL_HOME": str(job_settings.home),
    }


@pytest.fixture
def start_worker(worker_environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], WorkerProcess]]:
    """Starts workers that are killed with the test."""
    started: list[WorkerProcess] = []

    def start() -> WorkerProcess:
        process = WorkerProcess(worker_environment, log=tmp_path / f"worker-{len(started)}.log")
        started.append(process)
        return process

    yield start
    for process in started:
        process.destroy()


@pytest.fixture(scope="module")
def worker(worker_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """One worker for all tests of a module, which do not hurt it."""
    process = WorkerProcess(worker_environment, log=tmp_path_factory.mktemp("worker") / "worker.log")
    yield process
    process.destroy()
