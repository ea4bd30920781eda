"""A vendor that a test scripts, a job without the job, and a connection between them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from counterfoil.db import Database, UnitOfWork
from counterfoil.ingest.control import Source
from counterfoil.ingest.engine import Mode, Sync
from counterfoil.ingest.records import Origin
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
from counterfoil.sdk import (
    Account,
    Payment,
    PayoutLine,
    Ref,
    SourceError,
    SourceInvalid,
)

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
    counted: int | None = None
    forgotten: bool = False
    renamed: dict[str, Any] = field(default_factory=dict)
    windows: list[tuple[datetime | None, datetime | None]] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def serve(self, name: str, resume: str | None, items: dict[str, Json]) -> list[tuple[list[Raw], str | None]]:
        if resume and self.forgotten:
            raise SourceInvalid("no such place")
        ids = list(reversed(items))
        start = ids.index(resume) + 1 if resume else 0
        pages = []
        for at in range(start, len(ids), PAGE):
            chunk = ids[at : at + PAGE]
            self.calls.append((name, resume))
            pages.append(
                (
                    [Raw(self.renamed.get(key, key), items[key]) for key in chunk],
                    chunk[-1] if at + PAGE < len(ids) else None,
                )
            )
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
        ctx.world.windows.append((w.since, w.until))
        async for page in _served(ctx, "things", w.resume, ctx.world.things):
            yield page

    @things.rows
    @staticmethod
    def thing_rows(raw: Json) -> Sequence[Any]:
        payment = Payment(
            source_id=raw["id"],
            amount=Decimal(raw["amount"]),
            currency=raw.get("currency", "USD"),
            status=raw.get("status", "paid"),
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
        yield Page(records=records, resume=after, expected=ctx.world.counted)


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
    progressed: list[dict[str, Any]] = field(default_factory=list)
    commits: int = 0
    die_at_commit: int | None = None
    tries: int = 0
    """How many attempts may still follow."""

    def tries_again(self, error: SourceError) -> bool:
        return error.retryable and self.tries > 0

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            yield uow
            self.commits += 1
            if self.commits == self.die_at_commit:
                raise ConnectionAbortedError

    async def progress(self, uow: UnitOfWork, **values: Any) -> None:  # noqa: ARG002  (a job's)
        self.progressed.append(deepcopy(values))

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

    async def sync(
        self, *names: str, now: datetime = T0, mode: Mode = "incremental", job: Job | None = None
    ) -> Outcome:
        ctx = Ctx(self.world, http=FakeHttp(sent_at=now))
        source = Source(connector=self.connector, context=cast("Any", ctx), origin=self.origin)
        return await Sync(job or self.job(), source, mode=mode, now=now).run(self.streams(*names))

    def streams(self, *names: str) -> list[Stream]:
        return [found for found in self.connector.streams.values() if not names or found.name in names]

    async def rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            found = await (await uow.driver()).fetch(f"SELECT {columns} FROM core.{table} ORDER BY source_id")  # noqa: S608
            return [dict(row) for row in found]

    async def runs(self) -> list[dict[str, Any]]:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            return [dict(row) for row in await (await uow.driver()).fetch("SELECT * FROM core.stream_runs")]


def things(number: int, **more: Any) -> dict[str, Json]:
    return {f"t{at:04}": {"id": f"t{at:04}", "amount": str(at), **more} for at in range(number)}


def total(outcome: Outcome, name: str) -> dict[str, Any]:
    total: dict[str, Any] = outcome.result["streams"][name]
    return total
