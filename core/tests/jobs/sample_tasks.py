"""Tasks for the tests; run as a program, a worker that knows them."""

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from counterfoil.config import Settings
from counterfoil.db import Database, UnitOfWork
from counterfoil.jobs.artifacts import add_artifact
from counterfoil.jobs.context import JobContext
from counterfoil.kit.errors import Conflict
from counterfoil.kit.provided import Provided
from counterfoil.objects import ObjectStore
from counterfoil.objects import service as objects
from counterfoil.plugins.connector import SourceForbidden, SourceUnavailable
from counterfoil.plugins.records import Outcome, Reason, RetryPolicy, Task
from counterfoil.worker import WorkerRegistry, basic_resources, run_worker


class Steps(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = 1
    pause_s: float = 0.0
    """Between steps, outside of any transaction."""
    held_s: float = 0.0
    """Idle inside each step's unit of work."""
    busy_s: float = 0.0
    """The database at work inside each step's unit of work."""


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Failing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    times: int
    passing: bool = True


class Seconds(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: float


async def take_steps(job: JobContext, params: Steps) -> Outcome:
    """Each step leaves one effect, and resumes after the last committed one."""
    done = int((job.last_progress or {}).get("done", 0))
    for step in range(done, params.count):
        async with job.unit_of_work() as uow:
            await leave_effect(uow, job, step)
            await job.progress(uow, done=step + 1, total=params.count, message=f"step {step + 1}")
            await job.log(uow, "info", f"step {step + 1} done", {"pid": os.getpid()})
            await asyncio.sleep(params.held_s)
            if params.busy_s:
                await uow.session.execute(text("SELECT pg_sleep(:busy_s)"), {"busy_s": params.busy_s})
        await asyncio.sleep(params.pause_s)
    return Outcome(result={"steps": params.count})


async def leave_effect(uow: UnitOfWork, job: JobContext, step: int) -> None:
    await uow.session.execute(
        text("INSERT INTO jobs_test.effects (job_id, step, pid) VALUES (:job_id, :step, :pid)"),
        {"job_id": job.job_id, "step": step, "pid": os.getpid()},
    )


async def do_nothing(_job: JobContext, _params: Nothing) -> Outcome:
    return Outcome()


async def half(_job: JobContext, _params: Nothing) -> Outcome:
    return Outcome(status="partial", reasons=(Reason(stream="payouts", code="forbidden", detail="No permission."),))


async def sleep(_job: JobContext, params: Seconds) -> Outcome:
    await asyncio.sleep(params.seconds)
    return Outcome()


async def block(_job: JobContext, params: Seconds) -> Outcome:
    time.sleep(params.seconds)  # noqa: ASYNC251  (blocks the job loop on purpose)
    return Outcome()


async def refuse(_job: JobContext, _params: Nothing) -> Outcome:
    raise Conflict("The books are closed.")


async def fail_at_the_source(job: JobContext, params: Failing) -> Outcome:
    """The first attempts do, with an error of the source."""
    if job.attempt <= params.times:
        raise SourceUnavailable("The vendor is down.") if params.passing else SourceForbidden("The vendor says no.")
    return Outcome()


async def leave_a_file(job: JobContext, _params: Nothing) -> Outcome:
    store = job.provided[ObjectStore]  # type: ignore[type-abstract]  # looked up, never made
    written = await objects.write(store, job.tenant_id, io.BytesIO(b"a,b\n1,2\n"), purpose="artifact")
    async with job.unit_of_work() as uow:
        await add_artifact(uow, job.job_id, written, name="table.csv", media_type="text/csv")
    return Outcome()


async def crash(_job: JobContext, _params: Nothing) -> Outcome:
    raise RuntimeError("password=hunter2")


async def lose_database(job: JobContext, _params: Nothing) -> Outcome:
    """The first attempt has its connection cut by the server."""
    async with job.unit_of_work() as uow:
        await leave_effect(uow, job, job.attempt)
        if job.attempt == 1:
            await uow.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    return Outcome()


async def die(_job: JobContext, _params: Nothing) -> Outcome:
    os.kill(os.getpid(), signal.SIGKILL)
    return Outcome()


STEPS = Task(name="test.steps", title="Take steps", params=Steps, run=take_steps)
NOTHING = Task(name="test.nothing", title="Do nothing", params=Nothing, run=do_nothing)
EXPORT = Task(name="test.export", title="Export", params=Nothing, run=do_nothing, queue="export")
HALF = Task(name="test.half", title="Do half", params=Nothing, run=half)
SLEEP = Task(name="test.sleep", title="Sleep", params=Seconds, run=sleep, time_limit_s=1.0)
BLOCK = Task(name="test.block", title="Block", params=Seconds, run=block)
WEDGE = Task(name="test.wedge", title="Wedge", params=Seconds, run=block, time_limit_s=0.5)
REFUSE = Task(name="test.refuse", title="Refuse", params=Nothing, run=refuse)
CRASH = Task(name="test.crash", title="Crash", params=Nothing, run=crash)
LOSE_DATABASE = Task(name="test.lose_database", title="Lose the database", params=Nothing, run=lose_database)
FAILING = Task(
    name="test.failing",
    title="Fail",
    params=Failing,
    run=fail_at_the_source,
    retry=RetryPolicy(attempts={"source_unavailable": 3}, base_s=0.1),
)
FILE = Task(name="test.file", title="Leave a file", params=Nothing, run=leave_a_file)
DIE = Task(name="test.die", title="Die", params=Nothing, run=die, max_idle_attempts=2)
TASKS = {
    task.name: task
    for task in (STEPS, NOTHING, EXPORT, HALF, SLEEP, BLOCK, WEDGE, REFUSE, CRASH, LOSE_DATABASE, FAILING, FILE, DIE)
}
UNKNOWN = Task(name="test.unknown", title="Unknown", params=Nothing, run=do_nothing, max_idle_attempts=1)

PROGRAM = Path(__file__)
FAIL_FIRST = "TEST_FAIL_FIRST"


@asynccontextmanager
async def failing_first(settings: Settings, database: Database) -> AsyncIterator[Provided]:
    """Fails once, when a file is named that does not exist yet; how, its name says."""
    if marker := os.environ.get(FAIL_FIRST):
        with suppress(FileExistsError):
            os.mknod(marker)
            raise ConnectionRefusedError if Path(marker).name == "database" else RuntimeError("no resources yet")
    async with basic_resources(settings, database) as provided:
        yield provided


def main(environment: dict[str, str], log: Path, queue: str) -> int:
    """A worker that knows these tasks."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.update(environment)
    return run_worker(Settings(), queues=[queue], registry=WorkerRegistry(tasks=TASKS, resources=failing_first))


if __name__ == "__main__":
    sys.exit(main(globals()["ENVIRONMENT"], Path(globals()["LOG"]), globals()["QUEUE"]))
