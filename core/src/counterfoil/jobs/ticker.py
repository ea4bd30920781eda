"""The ticker: publishes queued jobs, brings back lost ones, makes partitions ahead, seals the audit log, drops what is old.

Any number may run. Each duty is done under an advisory lock, so that one ticker at a time has it, and each works on rows
locked by SKIP LOCKED, so that a second one could do no harm.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from kombu.exceptions import OperationalError as BrokerError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from counterfoil.audit.retention import Retention
from counterfoil.audit.seal_repository import audited_tenants
from counterfoil.audit.sealer import Sealer
from counterfoil.audit.seals import SealKeys
from counterfoil.config import Settings
from counterfoil.db.database import Database
from counterfoil.jobs import repository, service
from counterfoil.jobs.broker import KEY_PREFIX, Publisher
from counterfoil.jobs.errors import DATABASE_TROUBLE
from counterfoil.jobs.listener import listen
from counterfoil.jobs.models import QUEUES
from counterfoil.jobs.repository import JOBS_CHANNEL, LostRow, PublishedRow
from counterfoil.kit import cache
from counterfoil.kit.clock import Reading, following
from counterfoil.kit.errors import Unavailable
from counterfoil.objects import ObjectStore, open_store
from counterfoil.objects.service import sweep_orphans
from counterfoil.observability import get_logger

# Answers how much was done.
Work = Callable[[], Awaitable[int]]


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Something else to do every so often, under an advisory lock while it is done."""

    name: str
    lock: int
    every_s: float
    work: Work


_LOCKS = {
    "publish": 4_840_281,
    "reap": 4_840_282,
    "republish": 4_840_283,
    "partitions": 4_840_284,
    "logs": 4_840_285,
    "seal": 4_840_291,
    "anchor": 4_840_292,
    "watch seals": 4_840_293,
    "retention": 4_840_294,
    "sweep objects": 4_840_295,
    "evidence": 4_840_296,
    "receipts": 4_840_297,
}
_BATCH = 500
_PUBLISH_EVERY_S = 1.0
_PARTITIONS_EVERY_S = 3600.0
_SEAL_EVERY_S = 1.0
_ANCHOR_EVERY_S = 60.0
_WATCH_SEALS_EVERY_S = 30.0
_RETENTION_EVERY_S = 3600.0
_LOGS_EVERY_S = 3600.0
# Each sweep lists the whole store.
_SWEEP_EVERY_S = 6 * 3600.0
_UPKEEP_EVERY_S = 3600.0
_TRIM_BATCH = 5_000
_LONGEST_PAUSE_S = 10.0
_REDIS_TIMEOUT_S = 10.0
# How much longer a message may wait in a queue that still holds others.
_BUSY_FACTOR = 10
_TROUBLE = (*DATABASE_TROUBLE, BrokerError, RedisError, Unavailable)

_log = get_logger(__name__)


async def run_ticker(
    settings: Settings, upkeep: Mapping[str, Callable[[Settings, Database], Work]] | None = None
) -> None:
    """Tick until cancelled; a database or a Redis that is away only delays it.

    Args:
        settings: complete.
        upkeep: by its name, what there is to do every hour that is of no concern to jobs.
    """
    # Some duties hold their lock on one connection and work on another.
    database = Database.connect(settings.database_url.get_secret_value(), pool_size=2 * len(_LOCKS), patience_s=0)
    redis = cache.connect(settings.redis_url.get_secret_value())
    publisher = Publisher(settings)
    store = open_store(settings)
    ticker = Ticker(
        database=database,
        redis=redis,
        publisher=publisher,
        reap_interval_s=settings.reap_interval_s,
        republish_after_s=settings.republish_after_s,
        duties=[
            *audit_duties(settings, database, store),
            sweeping(database, store),
            *(hourly(name, work(settings, database)) for name, work in (upkeep or {}).items()),
        ],
        api_call_retention_days=settings.api_call_retention_days,
        job_log_retention_days=settings.job_log_retention_days,
    )
    try:
        await ticker.run()
    finally:
        publisher.close()
        await store.close()
        await redis.aclose()
        await database.close()


def audit_duties(settings: Settings, database: Database, store: ObjectStore) -> list[Duty]:
    """Seal every second, anchor every minute, look after retention every hour; and watch that it happens."""
    keys = SealKeys.of(settings)
    sealer = Sealer(database=database, keys=keys, store=store)
    retention = Retention(database=database, keys=keys, store=store, days=settings.audit_retention_days)
    return [
        Duty(name="seal", lock=_LOCKS["seal"], every_s=_SEAL_EVERY_S, work=sealer.seal),
        Duty(name="anchor", lock=_LOCKS["anchor"], every_s=_ANCHOR_EVERY_S, work=sealer.anchor),
        Duty(name="watch seals", lock=_LOCKS["watch seals"], every_s=_WATCH_SEALS_EVERY_S, work=sealer.watch),
        Duty(name="retention", lock=_LOCKS["retention"], every_s=_RETENTION_EVERY_S, work=retention.run),
    ]


def sweeping(database: Database, store: ObjectStore) -> Duty:
    """Take out of the store what rolled-back transactions left there."""

    async def sweep() -> int:
        async with database.unit_of_work(None) as uow:
            tenants = await audited_tenants(await uow.driver())
        swept = await sweep_orphans(database, store, tenants.values())
        if swept:
            _log.info("objects.swept", count=swept)
        return swept

    return Duty(name="sweep objects", lock=_LOCKS["sweep objects"], every_s=_SWEEP_EVERY_S, work=sweep)


def hourly(name: str, work: Work) -> Duty:
    """Something that others see to every hour: packs or receipts whose time is over, packs that nobody asked for."""
    return Duty(name=name, lock=_LOCKS[name], every_s=_UPKEEP_EVERY_S, work=work)


@dataclass(frozen=True, kw_only=True)
class Ticker:
    database: Database
    redis: Redis
    publisher: Publisher
    reap_interval_s: float
    republish_after_s: float
    duties: Sequence[Duty] = ()
    api_call_retention_days: int = 90
    job_log_retention_days: int = 90
    _due: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as duties:
            duties.create_task(self._listen())
            duties.create_task(self._repeat("publish", self.publish, _PUBLISH_EVERY_S, wake=self._due))
            duties.create_task(self._repeat("reap", self.reap, self.reap_interval_s))
            duties.create_task(self._repeat("republish", self.republish, self.reap_interval_s))
            duties.create_task(self._repeat("partitions", self.ensure_partitions, _PARTITIONS_EVERY_S))
            duties.create_task(self._repeat("logs", self.trim_logs, _LOGS_EVERY_S))
            for duty in self.duties:
                duties.create_task(self._repeat(duty.name, partial(self.perform, duty), duty.every_s))

    async def publish(self) -> int:
        """Publish everything that is due; how many messages were sent."""
        sent = 0
        while rows := await self._claim_batch():
            # The claim is committed: a worker may take a job the moment its message is out.
            try:
                await asyncio.to_thread(self.publisher.publish, rows)
            except (BrokerError, RedisError, OSError):
                await self._unpublish(rows)
                raise
            sent += len(rows)
        return sent

    async def reap(self) -> int:
        """Requeue jobs whose worker died, end those that may not run again; how many were found."""
        found: list[LostRow] = []
        async with self.database.unit_of_work(None) as uow:
            driver = await uow.driver()
            if await repository.try_duty(driver, _LOCKS["reap"]):
                found = await repository.reap(driver, batch=_BATCH)
        for row in found:
            if row.must_end:
                async with self.database.unit_of_work(row.tenant_id) as uow:
                    await service.end_stuck(uow, row.job_id)
            _log.warning("job.lost", tenant_id=str(row.tenant_id), job_id=str(row.job_id), ended=row.must_end)
        return len(found)

    async def republish(self) -> int:
        """Publish again what nobody claimed: the broker has lost it.

        That is soon certain of an empty queue. One that still holds messages is probably just slow, and more of the same
        would fill the broker; but behind a backlog that never ends a lost message must be found too, so there it takes
        ten times as long.
        """
        async with asyncio.timeout(_REDIS_TIMEOUT_S):
            empty = [name for name in QUEUES if not await self.redis.llen(f"{KEY_PREFIX}{name}")]
        ages = {name: self.republish_after_s * (1 if name in empty else _BUSY_FACTOR) for name in QUEUES}
        async with self.database.unit_of_work(None) as uow:
            driver = await uow.driver()
            if not await repository.try_duty(driver, _LOCKS["republish"]):
                return 0
            count = await repository.republish(driver, older_than_s=ages)
        if count:
            _log.warning("job.republished", count=count)
            self._due.set()
        return count

    async def ensure_partitions(self) -> int:
        async with self.database.unit_of_work(None) as uow:
            driver = await uow.driver()
            if not await repository.try_duty(driver, _LOCKS["partitions"]):
                return 0
            return await repository.ensure_partitions(driver)

    async def perform(self, duty: Duty) -> int:
        """Do a duty, unless another ticker is at it."""
        async with self.database.unit_of_work(None) as uow:
            driver = await uow.driver()
            if not await repository.try_duty(driver, duty.lock):
                return 0
            # This transaction only holds the lock, for as long as the work takes.
            await driver.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            # What is old enough to go is not for a machine to say whose clock may be days ahead.
            with following(Reading(at=await driver.fetchval("SELECT clock_timestamp()"))):
                return await duty.work()

    async def trim_logs(self) -> int:
        """Drop old months of the log of requests, and old lines of jobs' logs in small batches; how much went."""
        async with self.database.unit_of_work(None) as uow:
            driver = await uow.driver()
            if not await repository.try_duty(driver, _LOCKS["logs"]):
                return 0
            gone = await repository.drop_old_api_calls(driver, keep_days=self.api_call_retention_days)
        trimmed = _TRIM_BATCH
        while trimmed == _TRIM_BATCH:
            async with self.database.unit_of_work(None) as uow:
                trimmed = await repository.trim_job_events(
                    await uow.driver(), keep_days=self.job_log_retention_days, batch=_TRIM_BATCH
                )
            gone += trimmed
        return gone

    async def _claim_batch(self) -> list[PublishedRow]:
        async with self.database.unit_of_work(None) as uow:
            driver = await uow.driver()
            if not await repository.try_duty(driver, _LOCKS["publish"]):
                return []
            return await repository.claim_unpublished(driver, batch=_BATCH)

    async def _unpublish(self, rows: list[PublishedRow]) -> None:
        async with self.database.unit_of_work(None) as uow:
            await repository.unpublish(await uow.driver(), rows)

    async def _listen(self) -> None:
        await listen(self.database.url, JOBS_CHANNEL, lambda _payload: self._due.set(), on_connected=self._due.set)

    async def _repeat(self, duty: str, work: Work, every_s: float, *, wake: asyncio.Event | None = None) -> None:
        failures = 0
        while True:
            if wake is not None:
                wake.clear()
            began = time.monotonic()
            try:
                await work()
                failures = 0
            except _TROUBLE as error:
                failures += 1
                _log.warning("ticker.duty_failed", duty=duty, failures=failures, error=str(error))
            except Exception:  # noqa: BLE001  (see below)
                # Nobody foresaw it, but the other duties must go on: jobs wait to be published and to be brought back.
                failures += 1
                _log.exception("ticker.duty_broke", duty=duty, failures=failures)
            if failures:
                await asyncio.sleep(min(0.2 * 2 ** min(failures, 10), _LONGEST_PAUSE_S))
                continue
            await _pause(max(0.0, every_s - (time.monotonic() - began)), wake)


async def _pause(seconds: float, wake: asyncio.Event | None) -> None:
    if wake is None:
        await asyncio.sleep(seconds)
        return
    # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()
