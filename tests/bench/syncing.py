"""Syncs as a worker does them, for benches: a job in PostgreSQL, found through Valkey, run in a process of its own."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from tests.bench.place import Place, keep_stdout_for_json

from counterfoil.config import Settings
from counterfoil.connections import service as connections
from counterfoil.entitlements import service as entitlements
from counterfoil.ingest.tasks import SYNC, SyncParams
from counterfoil.jobs import repository, service
from counterfoil.jobs.broker import Publisher
from counterfoil.plugins.connector import RateLimit
from counterfoil.plugins.manager import PluginManager
from counterfoil.worker import run_worker
from counterfoil_stripe.connector import Stripe, StripeSettings

_ALL = RateLimit(rps=1_000_000, concurrency=8)


@dataclass(frozen=True, kw_only=True)
class Synced:
    """How long a sync took, from the request for it to its end, and what it says it did."""

    seconds: float
    result: dict[str, Any]


def _without_limits(_self: Stripe, _settings: StripeSettings) -> RateLimit:
    return _ALL


def work(settings: Settings) -> None:
    """A worker with one pool process, for whom the vendor sets no limits: those of Stripe would be all there is to see."""
    keep_stdout_for_json()
    Stripe.limits_for = _without_limits  # type: ignore[method-assign, assignment]
    run_worker(settings, queues=["sync"], concurrency=1)


@contextmanager
def working(settings: Settings) -> Iterator[int]:
    """The worker as a process of its own, and its id."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=(settings,))
    process.start()
    try:
        yield process.pid or 0
    finally:
        process.terminate()
        process.join(20)


class Syncer:
    """Asks for syncs of one tenant's connections and waits for them."""

    def __init__(self, at: Place) -> None:
        self._at = at
        self._publisher = Publisher(at.settings)
        self._plugins = PluginManager.load()
        self._known: dict[str, UUID] = {}

    async def prepare(self) -> None:
        """Let the tenant use the plugin."""
        async with self._at.database.unit_of_work(self._at.tenant_id) as uow:
            await entitlements.enable(uow, "stripe", plugins=self._plugins)

    async def connect(self, label: str, values: Mapping[str, str]) -> UUID:
        """A connection to Stripe; nobody asked yet whose account it is."""
        values = {"api_key": "sk_live_bench", **values}
        async with self._at.database.unit_of_work(self._at.tenant_id) as uow:
            connection = await connections.create(
                uow,
                kind="stripe",
                label=label,
                settings={"api_base": values["api_base"]},
                credentials={"api_key": values["api_key"]},
                plugins=self._plugins,
                configuration=self._at.settings,
            )
        self._known[label] = connection.id
        return connection.id

    async def again(self, label: str, **params: Any) -> Synced:
        return await self.sync(self._known[label], **params)

    async def sync(self, connection_id: UUID, **params: Any) -> Synced:
        """Run one to its end.

        Raises:
            RuntimeError: it did not succeed.
        """
        began = time.perf_counter()
        async with self._at.database.unit_of_work(self._at.tenant_id) as uow:
            job = await service.enqueue(uow, SYNC, SyncParams(connection_id=connection_id, **params))
        async with self._at.database.unit_of_work(None) as uow:
            rows = await repository.claim_unpublished(await uow.driver(), batch=10)
        await asyncio.to_thread(self._publisher.publish, rows)
        while True:
            found = await self._at.admin.fetchrow("SELECT status, result, error FROM core.jobs WHERE id = $1", job.id)
            if found is not None and found["status"] not in ("queued", "running"):
                break
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - began
        if found["status"] != "succeeded":
            raise RuntimeError(f"{found['status']}: {found['error'] or found['result']}")
        return Synced(seconds=seconds, result=orjson.loads(found["result"]))
