"""The composition root of the Celery worker: a prefork pool whose children each run one job at a time."""

import asyncio
import ctypes
import logging
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any
from uuid import UUID

from celery import Celery
from celery.apps.worker import Worker
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown, worker_shutting_down

from counterfoil.audit.seals import SealKeys
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import is_disconnect
from counterfoil.entitlements.gates import gated
from counterfoil.evidence.tasks import TASKS as EVIDENCE_TASKS
from counterfoil.evidence.tasks import followed_by_evidence
from counterfoil.ingest.tasks import SYNC
from counterfoil.ingest.tasks import TASKS as INGEST_TASKS
from counterfoil.jobs.broker import RUN_JOB, celery_app
from counterfoil.jobs.models import QUEUES
from counterfoil.jobs.runner import JobRunner
from counterfoil.jobs.supervisor import Supervisor
from counterfoil.kit import memory
from counterfoil.kit.provided import Provided
from counterfoil.objects import ObjectStore, open_store
from counterfoil.observability import configure_logging, get_logger
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.migrate import quarantine_unmigrated
from counterfoil.plugins.records import Task
from counterfoil.webhooks.tasks import TASKS as WEBHOOK_TASKS

TASKS = (
    *(followed_by_evidence(task) if task is SYNC else task for task in INGEST_TASKS),
    *EVIDENCE_TASKS,
    *WEBHOOK_TASKS,
)

_JOB_CONNECTIONS = 5
_PATIENCE_S = 60.0
_STATEMENT_TIMEOUT_S = 120
_CLOSE_TIMEOUT_S = 5.0
# The pool replaces a child that ends at once; this keeps a database that is away from making that a busy loop.
_START_AGAIN_AFTER_S = 1.0

_log = get_logger(__name__)

Resources = Callable[[Settings, Database], AbstractAsyncContextManager[Provided]]


@asynccontextmanager
async def basic_resources(settings: Settings, database: Database) -> AsyncIterator[Provided]:
    """The least a job may ask for: settings, the database and the object store."""
    provided = Provided()
    provided.add(settings)
    provided.add(database)
    store = open_store(settings)
    provided.add(store, ObjectStore)
    try:
        yield provided
    finally:
        await store.close()


@dataclass(frozen=True, kw_only=True)
class WorkerRegistry:
    """What this worker can do.

    Args:
        tasks: kinds of job by name.
        resources: opens what jobs share, in the job loop of each pool child; closed when the child ends.
    """

    tasks: Mapping[str, Task]
    resources: Resources = basic_resources


def build_worker(
    settings: Settings, registry: WorkerRegistry, *, queues: Sequence[str] = QUEUES, concurrency: int | None = None
) -> Worker:
    """A worker ready to ``start()``: it blocks until SIGTERM or SIGINT, then hands its jobs over and returns."""
    app = celery_app(settings)
    # Shared with the pool children through fork, so that a shutdown needs no signal that could hit the wrong moment.
    stopping = multiprocessing.RawValue(ctypes.c_bool, False)
    pool = _PoolChildren(app, settings, registry, stopping)
    pool.connect()
    worker: Worker = app.Worker(
        queues=list(queues),
        concurrency=concurrency or settings.worker_concurrency,
        pool="prefork",
        loglevel=settings.log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    return worker


def run_worker(
    settings: Settings,
    *,
    queues: Sequence[str] = QUEUES,
    concurrency: int | None = None,
    registry: WorkerRegistry | None = None,
) -> int:
    """Work until told to stop; the exit code.

    Args:
        settings: complete.
        queues: where to take jobs from.
        concurrency: jobs side by side; by default as the settings say.
        registry: what this worker can do; by default everything installed.
    """
    configure_logging(settings.log_format, settings.log_level)
    # The jobs' own lines say more than "received" and "succeeded" of their messages.
    for chatty in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Celery's concern is pickle; our messages are JSON only, and in a container root is usual.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = build_worker(settings, registry or installed(), queues=queues, concurrency=concurrency)
    worker.start()
    return int(worker.exitcode or 0)


def installed() -> WorkerRegistry:
    """Everything this installation can do: core's jobs, and the plugins they work with."""
    # Before the pool forks, so that its children share the imports.
    plugins = PluginManager.load()

    @asynccontextmanager
    async def resources(settings: Settings, database: Database) -> AsyncIterator[Provided]:
        async with basic_resources(settings, database) as provided:
            await quarantine_unmigrated(plugins, settings)
            provided.add(plugins)
            provided.add(SealKeys.of(settings))
            yield provided

    theirs = (gated(task, plugin.name) for plugin in plugins.active for task in plugin.tasks)
    return WorkerRegistry(tasks={task.name: task for task in (*TASKS, *theirs)}, resources=resources)


class _PoolChildren:
    """Connects Celery's signals to one ``_PoolChild`` per forked process."""

    def __init__(self, app: Celery, settings: Settings, registry: WorkerRegistry, stopping: Any) -> None:
        self.app = app
        self.settings = settings
        self.registry = registry
        self.stopping = stopping
        self.child: _PoolChild | None = None

    def connect(self) -> None:
        self.app.task(name=RUN_JOB)(self.run_job)
        setup_logging.connect(_keep_our_logging, weak=False)
        worker_process_init.connect(self.on_child_started, weak=False)
        worker_process_shutdown.connect(self.on_child_ending, weak=False)
        worker_shutting_down.connect(self.on_shutting_down, weak=False)

    def run_job(self, tenant_id: str, job_id: str) -> None:
        if self.child is None:
            msg = "a job reached a process that is no pool child"
            raise RuntimeError(msg)
        self.child.run(UUID(tenant_id), UUID(job_id))

    def on_child_started(self, **_: object) -> None:
        try:
            self.child = _PoolChild(self.settings, self.registry, self.stopping)
            memory.settle()
        except Exception as error:  # noqa: BLE001  (Celery would swallow any, and hand jobs to a process that can run none)
            if is_disconnect(error):
                _log.warning("worker.database_away", error=type(error).__name__)
            else:
                _log.error("worker.child_failed", exc_info=error)
            time.sleep(_START_AGAIN_AFTER_S)
            os._exit(1)

    def on_child_ending(self, **_: object) -> None:
        if self.child is not None:
            self.child.close()

    def on_shutting_down(self, **_: object) -> None:
        self.stopping.value = True


class _PoolChild:
    """One forked process: job code on its own loop thread, supervision on the main thread's loop."""

    def __init__(self, settings: Settings, registry: WorkerRegistry, stopping: Any) -> None:
        self._stopping = stopping
        self._terminated = False
        self._main = asyncio.Runner()
        self._job_loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._job_loop.run_forever, name="jobs", daemon=True)
        self._thread.start()
        self._stack = AsyncExitStack()
        runner = asyncio.run_coroutine_threadsafe(self._open(settings, registry), self._job_loop).result()
        self._watch_database = Database.connect(
            settings.database_url.get_secret_value(),
            pool_size=1,
            patience_s=settings.job_lease_s / 3,
            server_settings={
                "application_name": "counterfoil job watch",
                # A heartbeat queues behind the job's own unit of work, but not for ever.
                "lock_timeout": _milliseconds(settings.job_lease_s / 3),
                "statement_timeout": _milliseconds(settings.job_lease_s),
            },
        )
        self._supervisor = Supervisor(
            database=self._watch_database,
            runner=runner,
            job_loop=self._job_loop,
            lease_s=settings.job_lease_s,
            is_stopping=lambda: bool(self._stopping.value) or self._terminated,
            is_alive=self._thread.is_alive,
            leave=lambda: os._exit(1),
        )

    async def _open(self, settings: Settings, registry: WorkerRegistry) -> JobRunner:
        database = Database.connect(
            settings.database_url.get_secret_value(),
            pool_size=_JOB_CONNECTIONS,
            patience_s=_PATIENCE_S,
            server_settings={
                "application_name": "counterfoil job",
                # A worker stopped inside a unit of work holds the job's row: for no longer than its lease.
                "idle_in_transaction_session_timeout": _milliseconds(settings.job_lease_s),
                "statement_timeout": _milliseconds(_STATEMENT_TIMEOUT_S),
                # A batch of another connection to the same account may take its time.
                "lock_timeout": _milliseconds(_STATEMENT_TIMEOUT_S),
            },
        )
        self._stack.push_async_callback(database.close)
        provided = await self._stack.enter_async_context(registry.resources(settings, database))
        return JobRunner(database=database, provided=provided, lease_s=settings.job_lease_s, tasks=dict(registry.tasks))

    def run(self, tenant_id: UUID, job_id: UUID) -> None:
        # Only while a job runs: an idle child keeps the pool's own handler and exits.
        previous = signal.signal(signal.SIGTERM, self._on_terminate)
        try:
            self._main.run(self._supervisor.run(tenant_id, job_id))
        finally:
            signal.signal(signal.SIGTERM, previous)

    def close(self) -> None:
        """Close connections; the process ends right after, so one that hangs is left behind."""
        try:
            self._main.run(self._watch_database.close())
            asyncio.run_coroutine_threadsafe(self._stack.aclose(), self._job_loop).result(_CLOSE_TIMEOUT_S)
        except (OSError, RuntimeError) as error:
            _log.warning("worker.close_failed", error=str(error))

    def _on_terminate(self, _signal: int, _frame: FrameType | None) -> None:
        self._terminated = True


def _keep_our_logging(**_: object) -> None:
    """Connected so that Celery leaves the logging set-up alone."""


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
