"""How many no-op jobs one pool process runs per second, next to bare Celery no-op tasks in the same run.

``./dev bench jobs [--jobs 1500] [--rounds 3]`` prints JSON. Both sides find their messages in the same Valkey
when they start, have one pool process and the same broker settings. A job of ours is claimed under a lease, run under its
time limit and heartbeat, finished and audited in PostgreSQL with durable commits; a bare task is none of this.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from pydantic import BaseModel, SecretStr
from redis import Redis
from sqlalchemy import insert
from tests.bench.place import keep_stdout_for_json

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import driver_url
from counterfoil.embedded import EmbeddedPostgres, EmbeddedValkey
from counterfoil.jobs import repository, service
from counterfoil.jobs.broker import Publisher, celery_app
from counterfoil.jobs.context import JobContext
from counterfoil.kit.ids import new_id
from counterfoil.observability import configure_logging
from counterfoil.plugins.migrate import migrate
from counterfoil.plugins.records import Outcome, Task
from counterfoil.tenancy.models import Tenant
from counterfoil.testing.plugin import make_settings
from counterfoil.worker import WorkerRegistry, run_worker

BARE = "bare"
COUNTER = "bench:done"


class Nothing(BaseModel):
    """No parameters."""


async def do_nothing(_job: JobContext, _params: Nothing) -> Outcome:
    return Outcome()


NOTHING = Task(name="bench.nothing", title="Do nothing", params=Nothing, run=do_nothing)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    configure_logging("json", "WARNING")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cf-bench-")))
        folder.chmod(0o755)
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey"))
        settings = make_settings(
            database_url=SecretStr(postgres.url("counterfoil_app", "bench", "bench")),
            database_admin_url=SecretStr(postgres.superuser_url("bench")),
            redis_url=SecretStr(valkey.url()),
            job_lease_s=15.0,
            log_level="WARNING",
        )
        postgres.ensure_database("bench")
        asyncio.run(migrate(settings))
        rounds = [(bare(settings, arguments.jobs), ours(settings, arguments.jobs)) for _ in range(arguments.rounds)]
    print(json.dumps(summary(arguments.jobs, rounds), indent=2))  # noqa: T201  (the result of this program)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a run took: of the clock, and of the worker's processes' CPU."""

    count: int
    wall_s: float
    cpu_s: float


def summary(jobs: int, rounds: list[tuple[Measured, Measured]]) -> dict[str, Any]:
    found: dict[str, Any] = {"jobs": jobs, "load": os.getloadavg()[0]}
    for name, side in (("bare", 0), ("ours", 1)):
        found[f"{name}_per_s"] = [round(each[side].count / each[side].wall_s, 1) for each in rounds]
        found[f"{name}_cpu_ms"] = [round(each[side].cpu_s / each[side].count * 1000, 3) for each in rounds]
    for unit in ("per_s", "cpu_ms"):
        bare, ours = (statistics.median(found[f"{name}_{unit}"]) for name in ("bare", "ours"))
        found[f"ratio_{unit}"] = round(ours / bare if unit == "per_s" else bare / ours, 3)
    return found


def bare(settings: Settings, count: int) -> Measured:
    """Bare no-op tasks."""
    app = celery_app(settings)
    for _ in range(count):
        app.send_task(BARE, queue="sync")
    redis = Redis.from_url(settings.redis_url.get_secret_value())
    redis.delete(COUNTER)
    return _measured(work_bare, settings, count, lambda: int(redis.get(COUNTER) or 0))


def work_bare(settings: Settings) -> None:
    keep_stdout_for_json()
    app = celery_app(settings)
    redis = Redis.from_url(settings.redis_url.get_secret_value())

    def nothing() -> None:
        redis.incr(COUNTER)

    app.task(name=BARE)(nothing)
    app.Worker(queues=["sync"], concurrency=1, pool="prefork", loglevel="WARNING", quiet=True, without_gossip=True,
               without_mingle=True, without_heartbeat=True).start()  # fmt: skip


def ours(settings: Settings, count: int) -> Measured:
    """No-op jobs, everything that makes them jobs included."""
    asyncio.run(_enqueue(settings, count))

    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(driver_url(settings.database_admin_url.get_secret_value())))

        def done() -> int:
            found: int = runner.run(
                connection.fetchval("SELECT count(*) FROM core.jobs WHERE status IN ('queued', 'running')")
            )
            return count - found

        measured = _measured(work, settings, count, done)
        runner.run(connection.close())
    return measured


def work(settings: Settings) -> None:
    keep_stdout_for_json()
    run_worker(settings, queues=["sync"], concurrency=1, registry=WorkerRegistry(tasks={NOTHING.name: NOTHING}))


async def _enqueue(settings: Settings, count: int) -> None:
    database = Database.connect(settings.database_url.get_secret_value())
    publisher = Publisher(settings)
    tenant_id = new_id()
    async with database.unit_of_work(tenant_id) as uow:
        await uow.session.execute(
            insert(Tenant).values(id=tenant_id, name="Bench", slug=f"bench-{tenant_id.hex}", plan="pro")
        )
        for _ in range(count):
            await service.enqueue(uow, NOTHING, Nothing())
    while True:
        async with database.unit_of_work(None) as uow:
            rows = await repository.claim_unpublished(await uow.driver(), batch=500)
        if not rows:
            break
        await asyncio.to_thread(publisher.publish, rows)
    publisher.close()
    await database.close()


def _measured(worker: Callable[[Settings], None], settings: Settings, count: int, done: Callable[[], int]) -> Measured:
    """From the tenth of the work that is done first to its end, so that the start of the process does not count."""
    process = multiprocessing.get_context("spawn").Process(target=worker, args=(settings,))
    process.start()
    seen: list[tuple[int, float, float]] = []
    try:
        while not seen or seen[-1][0] < count:
            seen.append((done(), time.perf_counter(), _cpu_s(process.pid or 0)))
            time.sleep(0.05)
    finally:
        _stop(process)
    first = next(look for look in seen if look[0] >= count / 10)
    last = seen[-1]
    return Measured(count=last[0] - first[0], wall_s=last[1] - first[1], cpu_s=last[2] - first[2])


def _cpu_s(parent: int) -> float:
    """CPU of a worker and its pool processes so far; the database's and the broker's is not counted on either side."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(stat.parent.name) == parent or int(fields[1]) == parent:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stop(process: Any) -> None:
    os.kill(process.pid, 15)
    process.join(20)


if __name__ == "__main__":
    main()
