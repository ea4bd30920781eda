import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from counterfoil import audit
from counterfoil.audit import anchors
from counterfoil.audit.sealer import Sealer
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.jobs.broker import Publisher
from counterfoil.jobs.ticker import Ticker, audit_duties, run_ticker
from counterfoil.kit.ids import new_id
from counterfoil.objects import open_store

from .conftest import Log


async def test_seals_hold_every_event_and_continue_each_other(log: Log) -> None:
    await log.write_sealed(3, 1, 5)

    first, second, third = await log.seals()

    assert [seal["event_count"] for seal in (first, second, third)] == [3, 1, 5]
    assert [seal["sequence"] for seal in (first, second, third)] == [1, 2, 3]
    assert first["from_xid"] == 0
    assert (first["to_xid"], second["to_xid"]) == (second["from_xid"], third["from_xid"])
    assert first["previous_hash"] == bytes(32)
    assert (first["hash"], second["hash"]) == (second["previous_hash"], third["previous_hash"])
    assert (await log.verify()).ok


async def test_nothing_new_makes_no_seal(log: Log) -> None:
    await log.write_sealed(1)
    await log.sealer.seal()
    assert len(await log.seals()) == 1


async def test_a_transaction_that_commits_after_a_seal_is_in_the_next_one(log: Log) -> None:
    """Its id and its time are older than those of events sealed before it."""
    async with log.database.unit_of_work(log.tenant_id) as late:
        await audit.record(late, action="core.thing.begun")
        await log.write()
        await log.sealer.seal()
        # What came after it waits for it: below the oldest open transaction nothing can turn up any more.
        assert await log.seals() == []
    await log.seal()

    assert sum(seal["event_count"] for seal in await log.seals()) == 2
    assert (await log.verify()).events == 2


async def test_an_older_transaction_that_commits_late_does_not_hold_up_what_was_before_it(log: Log) -> None:
    await log.write(2)
    async with log.database.unit_of_work(log.tenant_id) as late:
        await audit.record(late, action="core.thing.begun")
        await log.write(3)
        # Transactions of other databases on this server hold a window back too, for as long as they last.
        async with asyncio.timeout(30):
            while not await log.seals():
                await log.sealer.seal()
                await asyncio.sleep(0.05)
        assert [seal["event_count"] for seal in await log.seals()] == [2]
    await log.seal()
    assert [seal["event_count"] for seal in await log.seals()] == [2, 4]
    assert (await log.verify()).ok


async def test_what_was_rolled_back_is_in_no_seal(log: Log) -> None:
    with pytest.raises(ZeroDivisionError):
        async with log.database.unit_of_work(log.tenant_id) as uow:
            await audit.record(uow, action="core.thing.begun")
            raise ZeroDivisionError
    await log.write_sealed(1)
    assert [seal["event_count"] for seal in await log.seals()] == [1]


async def test_a_window_is_bounded_but_never_parts_a_transaction(log: Log) -> None:
    sealer = replace(log.sealer, window_events=10)
    for count in (4, 4, 25, 4, 4):
        await log.write(count)
    log = replace(log, sealer=sealer)
    await log.seal()

    counts = [seal["event_count"] for seal in await log.seals()]

    assert sum(counts) == 41
    assert 25 in counts
    assert max(counts) == 25
    assert (await log.verify()).ok


async def test_two_sealers_at_once_make_no_seal_twice(log: Log) -> None:
    """Even without the ticker's lock: the second fails on the first's row, and nothing is lost."""
    for _ in range(5):
        await log.write(20)
        outcomes = await asyncio.gather(*(log.sealer.seal() for _ in range(4)), return_exceptions=True)
        assert any(isinstance(outcome, int) for outcome in outcomes)
    await log.seal()
    assert sum(seal["event_count"] for seal in await log.seals()) == 100
    assert (await log.verify()).ok


async def test_two_tickers_seal_side_by_side(log: Log, settings: Settings) -> None:
    tickers = [asyncio.create_task(run_ticker(settings)) for _ in range(2)]
    try:
        for _ in range(10):
            await log.write(10)
            await asyncio.sleep(0.25)
        async with asyncio.timeout(30):
            while sum(seal["event_count"] for seal in await log.seals()) < 100:  # noqa: ASYNC110  (a row has no event to wait for)
                await asyncio.sleep(0.1)
    finally:
        for ticker in tickers:
            ticker.cancel()
        await asyncio.gather(*tickers, return_exceptions=True)
    report = await log.verify()
    assert (report.ok, report.events) == (True, 100)
    assert len(await log.seals()) >= 2


async def test_a_sealer_that_dies_halfway_is_continued(
    log: Log, log_of: Callable[[UUID], Log], other_tenant: UUID
) -> None:
    other = log_of(other_tenant)
    await log.write(2)
    await other.write(2)
    broken = _DiesAfterOneTenant(database=log.database, keys=log.sealer.keys, store=log.sealer.store)
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(30):
            while True:
                await broken.seal()
                await asyncio.sleep(0.05)
    await log.seal()
    await other.seal()
    assert [[seal["event_count"] for seal in await each.seals()] for each in (log, other)] == [[2], [2]]


class _DiesAfterOneTenant(Sealer):
    async def _seal_tenant(self, tenant_id: UUID, window: Any) -> int:
        await super()._seal_tenant(tenant_id, window)
        raise ConnectionError


async def test_twenty_thousand_events_are_sealed_quickly(log: Log) -> None:
    await log.admin.execute(
        """
        INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_id, actor_label, action, resource_type,
                                       resource_id, outcome, correlation_id, client_ip, payload)
        SELECT $1, uuidv7(), now(), 'user', gen_random_uuid(), 'somebody@example.com', 'core.order.changed', 'order',
               n::text, 'ok', gen_random_uuid(), '192.0.2.1', jsonb_build_object('before', 'new', 'after', 'paid', 'n', n)
        FROM generate_series(1, 20000) n
        """,
        log.tenant_id,
    )
    began = time.monotonic()
    await log.seal()
    sealed_s = time.monotonic() - began
    began = time.monotonic()
    report = await log.verify()
    verified_s = time.monotonic() - began

    assert (report.ok, report.events) == (True, 20_000)
    logging.getLogger(__name__).warning(
        "sealed %.0f events/s, verified %.0f events/s", 20_000 / sealed_s, 20_000 / verified_s
    )
    assert sealed_s < 10


async def test_the_newest_seal_is_anchored_once(log: Log) -> None:
    await log.write_sealed(1, 1)
    assert await log.sealer.anchor() >= 1
    await log.sealer.anchor()

    seals = await log.seals()
    [anchor] = await anchors.listed(log.sealer.store, log.tenant_id)

    assert [seal["anchor_key"] for seal in seals] == [None, anchor.key]
    content = await anchors.read(log.sealer.store, anchor.key)
    assert content is not None
    assert (content["sequence"], content["hash"]) == (2, seals[1]["hash"].hex())
    day = seals[1]["sealed_at"]
    assert anchor.key == f"{log.tenant_id}/audit-anchors/{day:%Y/%m/%d}/2.json"


async def test_an_anchor_written_just_before_a_crash_is_taken_for_what_it_is(log: Log) -> None:
    await log.write_sealed(1)
    await log.sealer.anchor()
    await log.admin.execute("UPDATE core.audit_seals SET anchor_key = NULL WHERE tenant_id = $1", log.tenant_id)
    await log.sealer.anchor()
    assert (await log.seals())[0]["anchor_key"]


async def test_events_that_wait_too_long_for_their_seal_are_told(log: Log, settings: Settings) -> None:
    await log.write_sealed(1)
    duties = {duty.name for duty in audit_duties(settings, log.database, log.sealer.store)}
    assert duties == {"seal", "anchor", "watch seals", "retention"}
    async with log.database.unit_of_work(log.tenant_id) as uow:
        await (await uow.driver()).execute(
            "INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_label, action, outcome)"
            " VALUES ($1, $2, now() - interval '70 seconds', 'user', 'x', 'core.x.y', 'ok')",
            log.tenant_id,
            new_id(),
        )
    with capture_logs() as lines:
        assert await log.sealer.watch() == 1
    [line] = [line for line in lines if line["event"] == "audit.unsealed"]
    assert line["log_level"] == "warning"
    assert line["oldest_age_s"] >= 70
    assert (await log.verify()).unsealed.count == 1
    await log.seal()
    assert (await log.verify()).unsealed.count == 0


async def test_a_duty_is_left_to_the_ticker_that_has_its_lock(
    settings: Settings, database: Database, admin: "asyncpg.Connection[Any]"
) -> None:
    [seal] = [duty for duty in audit_duties(settings, database, open_store(settings)) if duty.name == "seal"]
    calls: list[int] = []

    async def work() -> int:
        calls.append(1)
        return 1

    redis = Redis.from_url(settings.redis_url.get_secret_value())
    publisher = Publisher(settings)
    ticker = Ticker(database=database, redis=redis, publisher=publisher, reap_interval_s=60, republish_after_s=60)
    async with admin.transaction():
        await admin.execute("SELECT pg_advisory_xact_lock($1)", seal.lock)
        assert await ticker.perform(replace(seal, work=work)) == 0
    assert await ticker.perform(replace(seal, work=work)) == 1
    assert calls == [1]
    publisher.close()
    await redis.aclose()
