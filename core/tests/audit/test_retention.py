"""A month of years ago: archived, read back, dropped, and still verifiable."""

import gzip
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson
import pytest
from structlog.testing import capture_logs

from counterfoil.audit import seal_repository
from counterfoil.audit.retention import Retention
from counterfoil.kit.clock import utc_now
from counterfoil.kit.ids import id_at
from counterfoil.objects import ObjectStore

from .conftest import Log

Connection: TypeAlias = "asyncpg.Connection[Any]"
OLD_EVENT = """
    INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_label, action, outcome, payload)
    VALUES ($1, $2, $3, 'user', 'x', 'core.thing.done', 'ok', '{"n": 1}')
"""


@dataclass(frozen=True, kw_only=True)
class Past:
    """A month with a partition of its own, and a tenant that has events in it and later ones."""

    month: date
    log: Log
    retention: Retention

    @property
    def partition(self) -> str:
        return f"core.audit_events_{self.month:%Y%m}"

    async def add(self, count: int, *, log: Log | None = None) -> None:
        log = log or self.log
        async with log.admin.transaction():
            for number in range(count):
                at = datetime(self.month.year, self.month.month, 3, tzinfo=UTC) + timedelta(seconds=number)
                await log.admin.execute(OLD_EVENT, log.tenant_id, id_at(int(at.timestamp() * 1000), number + 1), at)

    async def is_there(self) -> bool:
        return bool(await self.log.admin.fetchval("SELECT to_regclass($1) IS NOT NULL", self.partition))

    async def content(self, key: str) -> bytes:
        return b"".join([chunk async for chunk in self.log.sealer.store.read(key)])


@pytest.fixture
async def past(log: Log, admin: Connection) -> AsyncIterator[Past]:
    month = date(2019, 5, 1)
    first, after = (id_at(int(datetime(2019, number, 1, tzinfo=UTC).timestamp() * 1000)) for number in (5, 6))
    await admin.execute(
        f"CREATE TABLE core.audit_events_201905 PARTITION OF core.audit_events FOR VALUES FROM ('{first}') TO ('{after}');"
        "ALTER TABLE core.audit_events_201905 OWNER TO counterfoil_owner"
    )
    sealer = log.sealer
    yield Past(
        month=month,
        log=log,
        retention=Retention(database=log.database, keys=sealer.keys, store=sealer.store, days=400),
    )
    await admin.execute("DROP TABLE IF EXISTS core.audit_events_201905")


async def test_an_old_month_moves_to_the_object_store_and_the_chain_stays_verifiable(
    past: Past, log_of: Callable[[UUID], Log], other_tenant: UUID
) -> None:
    other = log_of(other_tenant)
    await past.add(3)
    # In one seal with events that stay.
    await past.log.write(2)
    await past.log.seal()
    await past.log.write_sealed(4)
    await past.add(2, log=other)
    await other.seal()
    before = await past.log.verify()
    assert (before.ok, before.events) == (True, 9)

    assert await past.retention.run() == 1

    assert not await past.is_there()
    actions = [event["action"] for event in await past.log.events()]
    assert actions.count("core.thing.done") == 6
    assert actions[-2:] == ["core.audit_month.archived", "core.audit_month.purged"]
    await past.log.seal()
    report = await past.log.verify()
    assert (report.ok, report.seals_archived) == (True, 1)
    whole = await past.log.verify(with_archives=True)
    assert (whole.ok, whole.events, whole.archives, whole.seals_archived) == (True, 11, 1, 0)
    assert (await other.verify(with_archives=True)).ok
    # Nothing more to do, and nothing told twice.
    assert await past.retention.run() == 0
    assert [event["action"] for event in await past.log.events()] == actions


async def test_an_archive_is_lines_of_json_with_their_seals_and_a_signed_manifest(past: Past) -> None:
    await past.add(3)
    await past.log.seal()
    await past.retention.run()
    async with past.log.database.unit_of_work(past.log.tenant_id) as uow:
        [archive] = await seal_repository.archives(uow)

    events = gzip.decompress(await past.content(archive.events_key)).splitlines()
    seals = gzip.decompress(await past.content(archive.seals_key)).splitlines()
    manifest = orjson.loads(await past.content(archive.manifest_key))

    assert [orjson.loads(line)["payload"] for line in events] == [{"n": 1}] * 3
    assert [orjson.loads(line)["sequence"] for line in seals] == [1]
    assert (manifest["month"], manifest["event_count"]) == ("2019-05", 3)
    assert manifest["signature"] == archive.signature.hex()
    assert archive.purged_at is not None
    assert archive.events_key.startswith(f"{past.log.tenant_id}/audit-archives/2019/05/")


@pytest.mark.parametrize("what", ["events", "row", "missing"])
async def test_a_tampered_archive_is_found(past: Past, what: str) -> None:
    await past.add(3)
    await past.log.seal()
    await past.retention.run()
    async with past.log.database.unit_of_work(past.log.tenant_id) as uow:
        [archive] = await seal_repository.archives(uow)
    store = past.log.sealer.store
    if what == "row":
        await past.log.admin.execute("UPDATE core.audit_archives SET last_sequence = 99 WHERE id = $1", archive.id)
        assert ("archive_altered", None) in await past.log.findings()
        return
    content = gzip.decompress(await past.content(archive.events_key)).replace(b'"n": 1', b'"n": 2', 1)
    await store.delete(archive.events_key)
    if what == "missing":
        expected = [("event_deleted", 1), ("archive_missing", None)]
    else:
        await store.put(archive.events_key, io.BytesIO(gzip.compress(content)))
        expected = [("event_changed", 1), ("archive_altered", None)]
    assert sorted(await past.log.findings(with_archives=True), key=str) == sorted(expected, key=str)


async def test_a_month_whose_events_are_not_as_sealed_is_kept(past: Past) -> None:
    await past.add(3)
    await past.log.seal()
    await past.log.admin.execute(
        "UPDATE core.audit_events SET reason = 'x' WHERE id = (SELECT id FROM core.audit_events WHERE tenant_id = $1 LIMIT 1)",
        past.log.tenant_id,
    )
    with capture_logs() as lines:
        assert await past.retention.run() == 0
    assert [line["event"] for line in lines] == ["audit.not_archived"]
    assert await past.is_there()


async def test_a_month_with_unsealed_events_is_kept(past: Past) -> None:
    await past.add(1)
    with capture_logs() as lines:
        assert await past.retention.run() == 0
    assert "are in no seal" in lines[0]["reason"]
    assert await past.is_there()


async def test_a_month_is_kept_when_the_store_does_not_give_back_what_was_written(past: Past) -> None:
    await past.add(3)
    await past.log.seal()
    forgetful = replace(past.retention, store=_Forgetful(past.log.sealer.store))
    with capture_logs() as lines:
        assert await forgetful.run() == 0
    assert "does not give back" in lines[0]["reason"]
    assert await past.is_there()
    # The next attempt is not in its own way.
    assert await past.retention.run() == 1


async def test_for_ever_means_for_ever(past: Past) -> None:
    await past.add(1)
    await past.log.seal()
    assert await replace(past.retention, days=0).run() == 0
    assert await past.is_there()


async def test_a_purge_that_was_cut_off_is_told_later(past: Past, admin: Connection) -> None:
    await past.add(1)
    await past.log.seal()
    await past.retention.run()
    await admin.execute("UPDATE core.audit_archives SET purged_at = NULL WHERE tenant_id = $1", past.log.tenant_id)
    await past.retention.run()
    actions = [event["action"] for event in await past.log.events()]
    assert actions.count("core.audit_month.purged") == 2


async def test_nobody_can_drop_a_month_that_is_not_archived_or_is_young(past: Past) -> None:
    await past.add(1)
    for month, reason in (
        (past.month, "not archived"),
        (utc_now().date().replace(day=1), "too young"),
        (date(2019, 5, 2), "too young"),
    ):
        with pytest.raises(asyncpg.ObjectInUseError, match=reason):
            async with past.log.database.unit_of_work(past.log.tenant_id) as uow:
                await seal_repository.drop_month(await uow.driver(), month)
    assert await past.is_there()


class _Forgetful:
    """A store that loses the end of what it was given."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def put(self, key: str, content: Any) -> None:
        await self._store.put(key, io.BytesIO(content.read()[:-3]))
