"""A second scripted vendor: it forgets, deletes, tells of changes, and is read side by side."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from core.tests.ingest.scripted import T0, Bench, FakeHttp, Job

from counterfoil.ingest.control import Source
from counterfoil.ingest.engine import Mode, Sync
from counterfoil.ingest.refresh import Refresh
from counterfoil.plugins.connector import (
    Account,
    Connector,
    Hint,
    Json,
    Page,
    RateLimit,
    Raw,
    Settings,
    SourceError,
    TimeCursor,
    Window,
    stream,
)
from counterfoil.plugins.records import Outcome
from counterfoil.sdk import Payment

FIRST = T0 - timedelta(days=40)
PAGE = 3


@dataclass
class Vendor:
    """Charges by the instant they were made, and events about them that are kept for thirty days."""

    charges: dict[str, tuple[datetime, Json]] = field(default_factory=dict)
    events: list[tuple[datetime, Raw]] = field(default_factory=list)
    earliest: datetime | None = FIRST
    earliest_error: SourceError | None = None
    counted: int = 0
    fail_after: int | None = None
    error: Exception | None = None
    windows: list[tuple[datetime | None, datetime | None, Any]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    fetch_error: SourceError | None = None
    asked_at_once: int = 0
    asking: int = 0

    def add(self, number: int, *, span: timedelta = timedelta(days=39), **more: Any) -> None:
        for at in range(number):
            name = f"c{at:04}"
            made = FIRST + timedelta(hours=1) + span * at / max(1, number)
            self.charges[name] = (made, {"id": name, "amount": str(at), **more})


@dataclass
class WideCtx:
    vendor: Vendor
    settings: Any = None
    http: FakeHttp = field(default_factory=FakeHttp)


class Wide(Connector):
    kind, title, base_url, settings, limits = "wide", "Wide", "https://wide.test", Settings, RateLimit(rps=1000)

    async def check(self, _ctx: Any) -> Account:
        return Account(id="acct_w")

    async def earliest(self, ctx: Any) -> datetime | None:
        if ctx.vendor.earliest_error is not None:
            raise ctx.vendor.earliest_error
        found: datetime | None = ctx.vendor.earliest
        return found

    @stream("charges", cursor=TimeCursor(lookback="1h", slices=3), targets=[Payment])
    async def charges(self, ctx: WideCtx, w: Window) -> AsyncIterator[Page]:
        vendor = ctx.vendor
        vendor.windows.append((w.since, w.until, w.resume))
        inside = [
            Raw(name, payload)
            for name, (made, payload) in reversed(vendor.charges.items())
            if (w.since is None or made >= w.since) and (w.until is None or made < w.until)
        ]
        start = w.resume or 0
        for at in range(start, max(len(inside), start + 1), PAGE):
            if vendor.fail_after is not None:
                vendor.fail_after -= 1
                if vendor.fail_after < 0:
                    raise vendor.error or RuntimeError
            yield Page(records=inside[at : at + PAGE], resume=at + PAGE, expected=len(inside) + vendor.counted)

    @charges.rows
    @staticmethod
    def of_charge(raw: Json) -> Sequence[Any]:
        names = [raw["id"], *(f"{raw['id']}-{part}" for part in raw.get("parts", ()))]
        return [
            Payment(source_id=name, amount=Decimal(raw["amount"]), currency="USD", status=raw.get("status", "paid"))
            for name in names
        ]

    @charges.open
    @staticmethod
    def is_open(raw: Json) -> bool:
        return raw.get("status") == "pending"

    @charges.fetch
    async def fetch_charge(self, ctx: WideCtx, source_id: str) -> Raw | None:
        vendor = ctx.vendor
        vendor.fetched.append(source_id)
        if vendor.fetch_error is not None:
            raise vendor.fetch_error
        found = vendor.charges.get(source_id)
        return Raw(source_id, found[1]) if found else None

    @stream("payments", cursor=TimeCursor(), targets=[Payment])
    async def payments(self, _ctx: WideCtx, _w: Window) -> AsyncIterator[Page]:
        yield Page(records=[])

    payments.rows(of_charge)

    @stream("events", cursor=TimeCursor(lag="1m", horizon="30d"), targets=[], tells_of=["charges", "payments"])
    async def events(self, ctx: WideCtx, w: Window) -> AsyncIterator[Page]:
        shown = [
            raw
            for at, raw in ctx.vendor.events
            if (w.since is None or at >= w.since) and (w.until is None or at <= w.until)
        ]
        yield Page(records=shown)


@dataclass(kw_only=True)
class WideBench:
    """One connection to it."""

    bench: Bench
    vendor: Vendor = field(default_factory=Vendor)
    connector: Wide = field(default_factory=Wide)

    def source(self, now: datetime) -> Source:
        context = cast("Any", WideCtx(self.vendor, http=FakeHttp(sent_at=now)))
        return Source(connector=self.connector, context=context, origin=self.bench.origin)

    async def sync(
        self, *names: str, now: datetime = T0, mode: Mode = "incremental", job: Job | None = None
    ) -> Outcome:
        sync = Sync(job or self.bench.job(), self.source(now), mode=mode, now=now)
        return await sync.run([one for one in self.connector.streams.values() if not names or one.name in names])

    async def refresh(self, *source_ids: str, now: datetime) -> Refresh:
        job = self.bench.job()
        refresh = Refresh(job, self.source(now))
        await refresh.begin()
        answers = await refresh.ask([Hint(stream="charges", source_id=one) for one in source_ids])
        async with job.unit_of_work() as uow:
            await refresh.land(uow, answers)
        await refresh.end()
        return refresh

    async def alive(self) -> dict[str, str]:
        """Amount by id of the payments that are not deleted."""
        rows = await self.bench.rows("payments")
        return {row["source_id"]: str(row["amount"].normalize()) for row in rows if row["deleted_at"] is None}

    async def raw(self, source_id: str) -> dict[str, Any]:
        rows = await self.bench.rows("raw_records")
        return next(row for row in rows if row["source_id"] == source_id)
