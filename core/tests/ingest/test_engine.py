"""The engine on a real database, with a source that this file scripts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import insert

from counterfoil.connections.models import Connection
from counterfoil.db import Database, UnitOfWork
from counterfoil.ingest.engine import Source, Sync
from counterfoil.ingest.records import Origin
from counterfoil.ingest.replay import replay
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import (
    Connector,
    Json,
    Page,
    ParentCursor,
    RateLimit,
    Raw,
    Settings,
    Stream,
    TimeCursor,
    Window,
    stream,
)
from counterfoil.plugins.records import Outcome
from counterfoil.sdk import Account, Payment, PayoutLine, Ref, SourceForbidden, SourceMalformed, SourceUnauthorized

T0 = datetime(2026, 3, 1, tzinfo=UTC)
PAGE = 7


@dataclass
class FakeHttp:
    """Only tells the time of a request; the scripted source below has no wire."""

    sent_at: datetime = T0


@dataclass
class Ctx:
    world: "World"
    settings: Any = None
    http: FakeHttp = field(default_factory=FakeHttp)


@dataclass
class World:
    """What the scripted vendor holds, newest last, and the faults it shows."""

    things: dict[str, Json] = field(default_factory=dict)
    parents: dict[str, Json] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    fail_after_pages: int = 0
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def serve(self, name: str, resume: str | None, items: dict[str, Json]) -> list[tuple[list[Raw], str | None]]:
        ids = list(reversed(items))
        start = ids.index(resume) + 1 if resume else 0
        pages = []
        for at in range(start, len(ids), PAGE):
            chunk = ids[at : at + PAGE]
            self.calls.append((name, resume))
            pages.append(([Raw(key, items[key]) for key in chunk], chunk[-1] if at + PAGE < len(ids) else None))
        return pages


class Scripted(Connector):
    kind, title, base_url, settings, limits = (
        "scripted",
        "Scripted",
        "https://scripted.test",
        Settings,
        RateLimit(rps=1000),
    )

    async def check(self, _ctx: Any) -> Account:
        return Account(id="acct_s")

    @stream("things", cursor=TimeCursor(lookback="30d"), targets=[Payment, PayoutLine])
    async def things(self, ctx: Ctx, w: Window) -> AsyncIterator[Page]:
        async for page in _served(ctx, "things", w.resume, ctx.world.things):
            yield page

    @things.rows
    @staticmethod
    def thing_rows(raw: Json) -> Sequence[Any]:
        payment = Payment(
            source_id=raw["id"], amount=Decimal(raw["amount"]), currency=raw.get("currency", "USD"), status="paid"
        )
        lines = [_line(f"{raw['id']}-{part}", raw["amount"]) for part in raw.get("parts", ())]
        return [payment, *lines]

    @stream("parents", cursor=TimeCursor(), targets=[])
    async def parents(self, ctx: Ctx, w: Window) -> AsyncIterator[Page]:
        async for page in _served(ctx, "parents", w.resume, ctx.world.parents):
            yield page

    @stream("children", cursor=ParentCursor(stream="parents"), targets=[PayoutLine], authority=1)
    async def children(self, ctx: Ctx, w: Window) -> AsyncIterator[Page]:
        parent = w.parent or {}
        ctx.world.calls.append(("children", parent["id"]))
        _raise(ctx, "children")
        yield Page(records=[Raw(key, {"id": key, "parent": parent["id"]}) for key in parent["children"]])

    @children.rows
    @staticmethod
    def child_rows(raw: Json) -> Sequence[Any]:
        return [_line(raw["id"], "1", payout=Ref("payout", raw["parent"]))]


def _line(source_id: str, amount: str, *, payout: Ref | None = None) -> PayoutLine:
    gross = Decimal(amount)
    return PayoutLine(
        source_id=source_id, kind="charge", gross=gross, fee=Decimal(0), net=gross, currency="USD", payout=payout
    )


async def _served(ctx: Ctx, name: str, resume: str | None, items: dict[str, Json]) -> AsyncIterator[Page]:
    for number, (records, after) in enumerate(ctx.world.serve(name, resume, items)):
        if number >= ctx.world.fail_after_pages:
            _raise(ctx, name)
        yield Page(records=records, resume=after)


def _raise(ctx: Ctx, name: str) -> None:
    if name in ctx.world.faults:
        raise ctx.world.faults[name]


@dataclass(kw_only=True)
class Job:
    """A job's controls without the job: the engine only needs units of work and somewhere to report to."""

    database: Database
    tenant_id: UUID
    job_id: UUID = field(default_factory=new_id)
    logs: list[str] = field(default_factory=list)
    commits: int = 0
    die_at_commit: int | None = None

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            yield uow
            self.commits += 1
            if self.commits == self.die_at_commit:
                raise ConnectionAbortedError

    async def progress(self, uow: UnitOfWork, **_values: Any) -> None:
        """Nobody watches."""

    async def log(self, uow: UnitOfWork, level: str, message: str, data: Any = None) -> None:  # noqa: ARG002  (a job's)
        self.logs.append(f"{level}: {message}")


@dataclass(kw_only=True)
class Bench:
    """One connection to the scripted vendor."""

    database: Database
    tenant_id: UUID
    connection_id: UUID
    world: World = field(default_factory=World)
    connector: Scripted = field(default_factory=Scripted)

    @property
    def origin(self) -> Origin:
        return Origin(tenant_id=self.tenant_id, connection_id=self.connection_id, source="scripted", account="acct_s")

    def job(self, **values: Any) -> Job:
        return Job(database=self.database, tenant_id=self.tenant_id, **values)

    async def sync(self, *names: str, now: datetime = T0, mode: str = "incremental", job: Job | None = None) -> Outcome:
        ctx = Ctx(self.world, http=FakeHttp(sent_at=now))
        source = Source(
            connection_id=self.connection_id, connector=self.connector, context=cast("Any", ctx), origin=self.origin
        )
        return await Sync(job or self.job(), source, mode=mode, now=now).run(self.streams(*names))

    def streams(self, *names: str) -> list[Stream]:
        return [found for found in self.connector.streams.values() if not names or found.name in names]

    async def rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            found = await (await uow.driver()).fetch(f"SELECT {columns} FROM core.{table} ORDER BY source_id")  # noqa: S608
            return [dict(row) for row in found]


@pytest.fixture
async def bench(database: Database, tenant: UUID) -> Bench:
    connection_id = new_id()
    async with database.unit_of_work(tenant) as uow:
        await uow.session.execute(
            insert(Connection).values(
                tenant_id=tenant, id=connection_id, kind="scripted", plugin="scripted", label="s", auth_kind="api_key"
            )
        )
    return Bench(database=database, tenant_id=tenant, connection_id=connection_id)


def _things(number: int, **more: Any) -> dict[str, Json]:
    return {f"t{at:04}": {"id": f"t{at:04}", "amount": str(at), **more} for at in range(number)}


def _total(outcome: Outcome, name: str) -> dict[str, Any]:
    total: dict[str, Any] = outcome.result["streams"][name]
    return total


async def test_everything_lands_once_and_again_rewrites_nothing(bench: Bench) -> None:
    bench.world.things = _things(40)
    first = await bench.sync("things")
    assert first.status == "succeeded"
    assert (_total(first, "things")["rows_read"], _total(first, "things")["rows_inserted"]) == (40, 40)
    before = await bench.rows("payments", "*, xmin::text")
    second = await bench.sync("things", now=T0 + timedelta(days=1))
    total = _total(second, "things")
    assert (total["rows_read"], total["rows_unchanged"], total["rows_inserted"], total["rows_updated"]) == (
        40,
        40,
        0,
        0,
    )
    assert await bench.rows("payments", "*, xmin::text") == before


async def test_a_changed_record_updates_its_row_and_no_other(bench: Bench) -> None:
    bench.world.things = _things(10)
    await bench.sync("things")
    bench.world.things["t0004"]["amount"] = "4.25"
    total = _total(await bench.sync("things", now=T0 + timedelta(hours=1)), "things")
    assert (total["rows_updated"], total["rows_unchanged"]) == (1, 9)
    assert [row["amount"] for row in await bench.rows("payments")][4] == Decimal("4.25")


async def test_a_child_that_vanished_becomes_a_tombstone_and_comes_back_alive(bench: Bench) -> None:
    bench.world.things = _things(1, parts=["a", "b"])
    await bench.sync("things")
    bench.world.things["t0000"]["parts"] = ["b"]
    total = _total(await bench.sync("things", now=T0 + timedelta(hours=1)), "things")
    assert total["rows_deleted"] == 1
    assert [(row["source_id"], row["deleted_at"] is None) for row in await bench.rows("payout_lines")] == [
        ("t0000-a", False),
        ("t0000-b", True),
    ]
    bench.world.things["t0000"]["parts"] = ["a", "b"]
    await bench.sync("things", now=T0 + timedelta(hours=2))
    assert all(row["deleted_at"] is None for row in await bench.rows("payout_lines"))


async def test_an_older_observation_never_replaces_a_newer_one(bench: Bench) -> None:
    bench.world.things = _things(1)
    await bench.sync("things", now=T0 + timedelta(hours=5))
    bench.world.things["t0000"]["amount"] = "99"
    await bench.sync("things", now=T0, mode="backfill")
    assert [row["amount"] for row in await bench.rows("payments")] == [Decimal(0)]


@pytest.mark.parametrize("error", [SourceForbidden("no permission"), SourceMalformed("cut short")])
async def test_a_stream_that_fails_midway_is_partial_and_the_next_run_completes_it(
    bench: Bench, error: Exception
) -> None:
    bench.world.things = _things(40)
    bench.world.faults, bench.world.fail_after_pages = {"things": error}, 3
    first = await bench.sync("things")
    assert (first.status, first.reasons[0].stream) == ("partial", "things")
    assert first.reasons[0].code == error.code  # type: ignore[attr-defined]  # both are source errors
    assert len(await bench.rows("payments")) == 3 * PAGE
    bench.world.faults = {}
    bench.world.calls.clear()
    second = await bench.sync("things", now=T0 + timedelta(minutes=5))
    assert second.status == "succeeded"
    assert bench.world.calls[0] == ("things", "t0019")
    assert len(await bench.rows("payments")) == 40


async def test_one_refused_stream_makes_the_run_partial_and_the_others_land(bench: Bench) -> None:
    bench.world.things = _things(3)
    bench.world.faults = {"parents": SourceForbidden("may not list parents")}
    bench.world.parents = {"p1": {"id": "p1", "children": []}}
    outcome = await bench.sync()
    assert outcome.status == "partial"
    assert [(reason.stream, reason.code) for reason in outcome.reasons] == [("parents", "source_forbidden")]
    assert len(await bench.rows("payments")) == 3


async def test_refused_credentials_fail_every_stream_without_asking_again(bench: Bench) -> None:
    bench.world.things = _things(3)
    bench.world.parents = {"p1": {"id": "p1", "children": []}}
    bench.world.faults = {name: SourceUnauthorized("expired key") for name in ("things", "parents", "children")}
    outcome = await bench.sync()
    assert outcome.status == "failed"
    assert {reason.code for reason in outcome.reasons} == {"source_unauthorized"}
    assert {name for name, _ in bench.world.calls} == {"things"}


async def test_children_are_read_for_new_and_changed_parents_only(bench: Bench) -> None:
    bench.world.parents = {f"p{at}": {"id": f"p{at}", "children": [f"c{at}"]} for at in range(5)}
    await bench.sync("parents", "children")
    assert len(await bench.rows("payout_lines")) == 5
    bench.world.parents["p2"]["children"] = ["c2", "c2b"]
    bench.world.calls.clear()
    await bench.sync("parents", "children", now=T0 + timedelta(hours=1))
    assert [call for call in bench.world.calls if call[0] == "children"] == [("children", "p2")]
    assert len(await bench.rows("payout_lines")) == 6


async def test_the_stream_of_higher_authority_wins_whichever_comes_last(bench: Bench) -> None:
    bench.world.things = {"x": {"id": "x", "amount": "5", "parts": ["1"]}}
    bench.world.parents = {"p1": {"id": "p1", "children": ["x-1"]}}
    await bench.sync()
    payout_id = bench.origin.row_id("payout", "p1")
    assert [(row["source_id"], row["payout_id"]) for row in await bench.rows("payout_lines")] == [("x-1", payout_id)]
    bench.world.things["x"]["amount"] = "6"
    await bench.sync("things", now=T0 + timedelta(hours=1))
    assert [row["payout_id"] for row in await bench.rows("payout_lines")] == [payout_id]


async def test_a_replay_rebuilds_identical_rows_without_the_vendor(bench: Bench) -> None:
    bench.world.things = _things(30, parts=["a", "b"])
    bench.world.parents = {f"p{at}": {"id": f"p{at}", "children": [f"t{at:04}-a"]} for at in range(5)}
    await bench.sync()
    bench.world.things["t0003"]["amount"] = "3.5"
    await bench.sync(now=T0 + timedelta(hours=1))
    before = await bench.rows("payments"), await bench.rows("payout_lines")
    untouched = await replay(bench.job(), bench.origin, bench.streams())
    assert {_total(untouched, name)["rows_updated"] for name in ("things", "parents", "children")} == {0}
    async with bench.database.unit_of_work(bench.tenant_id) as uow:
        for table in ("payments", "payout_lines"):
            await (await uow.driver()).execute(f"DELETE FROM core.{table}")  # noqa: S608
    bench.world.calls.clear()
    assert (await replay(bench.job(), bench.origin, bench.streams())).status == "succeeded"
    assert bench.world.calls == []
    assert (await bench.rows("payments"), await bench.rows("payout_lines")) == before


async def test_a_record_that_does_not_fit_is_kept_raw_reported_and_tried_again(bench: Bench) -> None:
    bench.world.things = {**_things(2), "bad": {"id": "bad", "amount": "1", "currency": "dollars!"}}
    outcome = await bench.sync("things")
    assert (outcome.status, outcome.reasons[0].code) == ("partial", "unmappable_records")
    assert len(await bench.rows("raw_records")) == 3
    assert len(await bench.rows("payments")) == 2
    bench.world.things["bad"]["currency"] = "USD"
    assert (await bench.sync("things", now=T0 + timedelta(hours=1))).status == "succeeded"
    assert len(await bench.rows("payments")) == 3


async def test_the_vendors_own_count_falling_short_is_never_green(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def short(_self: Any, _ctx: Any, _w: Window) -> AsyncIterator[Page]:
        yield Page(records=[Raw("t1", {"id": "t1", "amount": "1"})], expected=2)

    monkeypatch.setattr(bench.connector.streams["things"], "pages", short)
    outcome = await bench.sync("things")
    assert (outcome.status, outcome.reasons[0].code) == ("partial", "short_count")


async def test_an_attempt_that_dies_between_any_two_commits_loses_and_doubles_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.ingest.engine.BATCH_RECORDS", PAGE)
    bench.world.things = _things(40)
    bench.world.parents = {f"p{at:02}": {"id": f"p{at:02}", "children": [f"c{at:02}"]} for at in range(12)}
    job_id = new_id()
    attempts = 0
    while True:
        attempts += 1
        job = bench.job(job_id=job_id, die_at_commit=4 + attempts % 4)
        try:
            outcome = await bench.sync(job=job)
        except ConnectionAbortedError:
            assert attempts < 60
            continue
        break
    assert attempts > 3
    assert outcome.status == "succeeded"
    assert len(await bench.rows("payments")) == 40
    assert len(await bench.rows("payout_lines")) == 12


async def test_another_tenants_same_account_has_rows_of_its_own(
    bench: Bench, database: Database, other_tenant: UUID
) -> None:
    bench.world.things = _things(3)
    await bench.sync("things")
    async with database.unit_of_work(other_tenant) as uow:
        assert await (await uow.driver()).fetchval("SELECT count(*) FROM core.payments") == 0
    other = Origin(tenant_id=other_tenant, connection_id=bench.connection_id, source="scripted", account="acct_s")
    assert other.row_id("payment", "t0000") != bench.origin.row_id("payment", "t0000")
