import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.embedded import EmbeddedValkey
from counterfoil.jobs.broker import Publisher, broker_url
from counterfoil.jobs.ticker import Duty, Ticker, run_ticker
from counterfoil.kit.clock import Reading, following, utc_now

from .conftest import Jobs
from .sample_tasks import NOTHING

QUEUE = "counterfoil:sync"


@pytest.fixture
def publisher(job_settings: Settings) -> Iterator[Publisher]:
    publisher = Publisher(job_settings)
    yield publisher
    publisher.close()


@pytest.fixture
def one_ticker(database: Database, redis: Redis, publisher: Publisher) -> Ticker:
    """A ticker whose duties are done by hand."""
    return Ticker(database=database, redis=redis, publisher=publisher, reap_interval_s=60, republish_after_s=0.2)


async def test_every_queued_job_is_published_once_however_many_tickers_there_are(
    jobs: Jobs, redis: Redis, one_ticker: Ticker, database: Database, publisher: Publisher
) -> None:
    made = {await jobs.enqueue(NOTHING) for _ in range(60)}
    second = Ticker(database=database, redis=redis, publisher=publisher, reap_interval_s=60, republish_after_s=60)

    await asyncio.gather(*(ticker.publish() for ticker in (one_ticker, second) * 3))

    assert await redis.llen(QUEUE) == len(made)
    assert await one_ticker.publish() == 0


async def test_a_message_holds_nothing_but_the_two_ids(jobs: Jobs, redis: Redis, one_ticker: Ticker) -> None:
    job_id = await jobs.enqueue(NOTHING)
    await one_ticker.publish()

    [message] = await redis.lrange(QUEUE, 0, -1)

    decoded = _body(message)
    assert decoded == {"tenant_id": str(jobs.tenant_id), "job_id": str(job_id)}


async def test_a_duty_is_done_by_the_databases_clock_whatever_the_tickers_machine_says(one_ticker: Ticker) -> None:
    told: list[datetime] = []

    async def tell() -> int:
        told.append(utc_now())
        return 1

    now = utc_now()
    with following(Reading(at=now + timedelta(days=4))):
        assert await one_ticker.perform(Duty(name="tell", lock=4_840_299, every_s=60, work=tell)) == 1
    assert abs(told[0] - now) < timedelta(minutes=1)


@pytest.mark.usefixtures("ticker")
async def test_a_job_is_published_right_after_its_commit(jobs: Jobs, redis: Redis) -> None:
    await asyncio.sleep(0.5)
    await jobs.enqueue(NOTHING)

    async with asyncio.timeout(0.9):
        while not await redis.llen(QUEUE):  # noqa: ASYNC110  (a list has no event to wait for)
            await asyncio.sleep(0.01)


async def test_what_a_flushed_broker_forgot_is_published_again_but_what_waits_there_is_not(
    jobs: Jobs, redis: Redis, one_ticker: Ticker
) -> None:
    await jobs.enqueue(NOTHING)
    await one_ticker.publish()
    await asyncio.sleep(0.3)

    assert await one_ticker.republish() == 0
    await redis.flushall()
    assert await one_ticker.republish() == 1
    assert await one_ticker.publish() == 1
    assert await redis.llen(QUEUE) == 1


async def test_a_message_lost_behind_a_backlog_is_published_again_too_only_later(
    jobs: Jobs, redis: Redis, one_ticker: Ticker
) -> None:
    await jobs.enqueue(NOTHING)
    await one_ticker.publish()
    await redis.delete(QUEUE)
    await redis.lpush(QUEUE, "somebody else's")
    await asyncio.sleep(0.3)

    assert await one_ticker.republish() == 0
    await asyncio.sleep(2.0)
    assert await one_ticker.republish() == 1


async def test_the_ticker_outlives_a_broker_that_is_away(jobs: Jobs, job_settings: Settings, valkey_root: Path) -> None:
    server = EmbeddedValkey(valkey_root)
    address = type(job_settings.redis_url)(server.url())
    ticking = asyncio.create_task(run_ticker(job_settings.model_copy(update={"redis_url": address})))
    job_id = await jobs.enqueue(NOTHING)
    await asyncio.sleep(1.0)
    assert not ticking.done()

    with server:
        redis = Redis.from_url(server.url())
        async with asyncio.timeout(20):
            while not await redis.llen(QUEUE):  # noqa: ASYNC110  (a list has no event to wait for)
                await asyncio.sleep(0.05)
        job = await jobs.get(job_id)
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        await redis.aclose()
    assert job.status == "queued"


@pytest.mark.usefixtures("ticker", "redis")
async def test_the_ticker_outlives_a_database_that_drops_it(jobs: Jobs, admin: "asyncpg.Connection[Any]") -> None:
    await jobs.until(await jobs.enqueue(NOTHING), lambda job: job.published_at is not None)

    await admin.execute("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'counterfoil%'
    """)

    await asyncio.sleep(0.5)
    await jobs.until(await jobs.enqueue(NOTHING), lambda job: job.published_at is not None)


async def test_partitions_are_made_ahead(one_ticker: Ticker, admin: "asyncpg.Connection[Any]") -> None:
    assert await one_ticker.ensure_partitions() == 0

    months = await admin.fetchval("""
        SELECT count(*) FROM pg_inherits WHERE inhparent = 'core.audit_events'::regclass
          AND inhrelid::regclass::text ~ '[0-9]{6}$'
    """)
    assert months >= 3


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://:secret@cache:6379/3", "redis://:secret@cache:6379/3"),
        ("unix:///run/valkey.sock?db=2", "redis+socket:///run/valkey.sock?virtual_host=2"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
    ],
)
def test_the_broker_reads_the_same_address_as_the_cache(redis_url: str, expected: str) -> None:
    assert broker_url(redis_url) == expected


def _body(message: str | bytes) -> Any:
    _args, kwargs, _embed = json.loads(base64.b64decode(json.loads(message)["body"]))
    return kwargs
