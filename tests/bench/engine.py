"""What landing costs: records in memory to raw and canonical rows, against COPY of the very same rows into the same tables.

`./dev bench engine [--records 50000] [--rounds 5]` prints JSON. Both sides take turns on a database of their own;
a ratio above 1 means that landing is faster than that COPY.
"""

import argparse
import asyncio
import gc
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import insert
from tests.bench.place import place

from counterfoil.connections.models import Connection
from counterfoil.db import Database, UnitOfWork
from counterfoil.ingest.control import Source
from counterfoil.ingest.engine import Sync
from counterfoil.ingest.records import Origin
from counterfoil.kit import memory
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import Connector, Json, Page, Raw, Settings, SourceError, TimeCursor, Window, stream
from counterfoil.sdk import PayoutLine, Ref

BATCH = 5_000
PAGE = 100
T0 = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = ("raw_records", "payout_lines")


class Ledger(Connector):
    """Balance transactions, as a payment processor lists them; already here, so that nothing waits for a wire."""

    kind, title, base_url, settings = "ledger", "Ledger", "https://ledger.test", Settings

    def __init__(self, records: Sequence[Raw] = ()) -> None:
        self.records = records

    @stream("lines", cursor=TimeCursor(), targets=[PayoutLine])
    async def lines(self, _ctx: Any, _window: Window) -> AsyncIterator[Page]:
        for start in range(0, len(self.records), PAGE):
            yield Page(records=self.records[start : start + PAGE], resume=start)

    @lines.rows
    @staticmethod
    def of_line(raw: Json) -> Sequence[PayoutLine]:
        return [
            PayoutLine(
                source_id=raw["id"],
                source_created_at=datetime.fromtimestamp(raw["created"], UTC),
                kind=raw["type"],
                reporting_category=raw["reporting_category"],
                gross=Decimal(raw["amount"]) / 100,
                fee=Decimal(raw["fee"]) / 100,
                net=Decimal(raw["net"]) / 100,
                currency=raw["currency"].upper(),
                status=raw["status"],
                description=raw["description"],
                available_on=datetime.fromtimestamp(raw["available_on"], UTC).date(),
                payment=Ref("payment", raw["source"]),
            )
        ]


@dataclass(kw_only=True)
class Context:
    """All that a stream without a wire needs of one."""

    sent_at: datetime
    settings: Any = None

    @property
    def http(self) -> Any:
        return self


@dataclass(kw_only=True)
class Job:
    """A job's controls without the job: units of work, and nobody who watches."""

    database: Database
    tenant_id: UUID
    job_id: UUID = field(default_factory=new_id)

    def tries_again(self, error: SourceError) -> bool:  # noqa: ARG002  (a job's)
        return False

    def unit_of_work(self) -> Any:
        return self.database.unit_of_work(self.tenant_id)

    async def progress(self, uow: UnitOfWork, **_report: Any) -> None:
        """Nobody watches."""

    async def log(self, uow: UnitOfWork, level: str, message: str, data: Any = None) -> None:
        """Nobody reads."""


def records(number: int, *, changed: int = 0) -> list[Raw]:
    """As the API sends them; with ``changed``, every so manieth differs from the first time."""
    found = []
    for at in range(number):
        amount = 1000 + at % 90_000 + (1 if changed and at % changed == 0 else 0)
        payload = {
            "id": f"txn_{at:024}",
            "object": "balance_transaction",
            "amount": amount,
            "available_on": 1_770_000_000 + at,
            "balance_type": "payments",
            "created": 1_769_000_000 + at,
            "currency": "usd",
            "description": f"Order {at}",
            "exchange_rate": None,
            "fee": 59,
            "fee_details": [
                {
                    "amount": 59,
                    "application": None,
                    "currency": "usd",
                    "description": "Stripe fees",
                    "type": "stripe_fee",
                }
            ],
            "net": amount - 59,
            "reporting_category": "charge",
            "source": f"ch_{at:024}",
            "status": "available",
            "type": "charge",
        }
        found.append(Raw(f"txn_{at:024}", payload))
    return found


class Bench:
    """The two sides on one server."""

    def __init__(
        self, database: Database, admin: "asyncpg.Connection[Any]", tenant_id: UUID, connection_id: UUID
    ) -> None:
        self.database = database
        self.admin = admin
        self.tenant_id = tenant_id
        self.origin = Origin(tenant_id=tenant_id, connection_id=connection_id, source="ledger", account="acct")
        self.at = T0
        self.written = 0

    async def empty(self) -> None:
        await self.admin.execute("; ".join(f"TRUNCATE core.{name}" for name in TABLES))

    async def land(self, raws: Sequence[Raw]) -> float:
        """The engine's side, from the vendor's records: read, hash, map, ship, merge, in a whole back-fill."""
        self.at += timedelta(hours=1)
        source = Source(connector=Ledger(raws), context=Context(sent_at=self.at), origin=self.origin)
        sync = Sync(Job(database=self.database, tenant_id=self.tenant_id), source, mode="backfill", now=self.at)
        await self._settle()
        began = time.perf_counter()
        outcome = await sync.run(list(Ledger.streams.values()))
        seconds = time.perf_counter() - began
        if outcome.status != "succeeded":
            raise RuntimeError(outcome.reasons)
        total = outcome.result["streams"]["lines"]
        self.written = total["rows_inserted"] + total["rows_updated"]
        return seconds

    async def rows(self) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
        """The rows of both tables as they stand, for the other side to copy."""
        found = {}
        for name in TABLES:
            # What the database works out by itself nobody writes.
            columns = await self.admin.fetchval(
                "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute"
                " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                f"core.{name}",
            )
            rows = await self.admin.fetch(f"SELECT {', '.join(columns)} FROM core.{name}")  # noqa: S608  (our own tables)
            found[name] = (columns, [tuple(row) for row in rows])
        return found

    async def copy(self, rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> float:
        """The other side: COPY of ready-made rows in as many transactions, as a superuser, past row-level security."""
        await self._settle()
        began = time.perf_counter()
        size = len(rows[TABLES[0]][1])
        for start in range(0, size, BATCH):
            async with self.admin.transaction():
                for name, (columns, values) in rows.items():
                    await self.admin.copy_records_to_table(
                        name, schema_name="core", columns=columns, records=values[start : start + BATCH]
                    )
        return time.perf_counter() - began

    async def _settle(self) -> None:
        await self.admin.execute("; ".join(f"ANALYZE core.{name}" for name in TABLES))
        await self.admin.execute("CHECKPOINT")
        # What is in memory before is no side's to look through.
        gc.collect()
        memory.settle()


async def measure(bench: Bench, number: int, rounds: int) -> dict[str, Any]:
    fresh, tenth = records(number), records(number, changed=10)
    await bench.land(fresh)
    rows = await bench.rows()
    seconds: dict[str, list[float]] = {name: [] for name in ("copy", "fresh", "unchanged", "tenth")}
    written: dict[str, int] = {}
    for _ in range(rounds):
        await bench.empty()
        seconds["copy"].append(await bench.copy(rows))
        await bench.empty()
        for name, raws in (("fresh", fresh), ("unchanged", fresh), ("tenth", tenth)):
            seconds[name].append(await bench.land(raws))
            written[name] = bench.written
    median = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = {name: [c / s for c, s in zip(seconds["copy"], values, strict=True)] for name, values in seconds.items()}
    return {
        "records": number,
        "rounds": rounds,
        "records_per_s": {name: round(number / value) for name, value in median.items()},
        "rows_written": written,
        "ratio_to_copy": {name: round(statistics.median(ratios[name]), 2) for name in ("fresh", "unchanged", "tenth")},
        "reach": {"fresh": 0.45, "unchanged": 2.0, "tenth": 1.0},
    }


async def run(number: int, rounds: int, folder: Path) -> dict[str, Any]:
    async with place(folder) as at:
        connection_id = new_id()
        async with at.database.unit_of_work(at.tenant_id) as uow:
            values = {"kind": "ledger", "plugin": "ledger", "label": "l", "auth_kind": "api_key"}
            await uow.session.execute(insert(Connection).values(tenant_id=at.tenant_id, id=connection_id, **values))
        return await measure(Bench(at.database, at.admin, at.tenant_id, connection_id), number, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options.records, options.rounds, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
