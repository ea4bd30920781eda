"""The explorer over ten million rows of 1,000 tenants, next to the same questions over ten thousand rows of one.

``./dev bench explorer [--rows 10000000] [--tenants 1000] [--rounds 30]`` prints JSON. Both databases are asked in turns, by the
application's own role under row-level security, through the service the API calls, JSON included. In the large one a tenant
with a fifth of all rows is asked, and one with an even share (6,500 of ten million). Wall time is what somebody waits; CPU is
the server's and ours together, which neighbours on the machine do not disturb.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from tests.bench.place import Place, place

from counterfoil.db import Database, UnitOfWork
from counterfoil.ingest.raw import repository as raw_records
from counterfoil.tables import repository, service
from counterfoil.tables.aggregates import read_aggregate
from counterfoil.tables.definitions import CUSTOMERS, PAYMENTS, PAYOUT_LINES
from counterfoil.tables.records import Table
from counterfoil.tables.rendering import to_json
from counterfoil.tables.sorting import Position, encode_position, parse_sort
from counterfoil.testing.population import populate

SHARES = {"payments": 40, "payout_lines": 35, "customers": 15, "raw_records": 10}
BASE_ROWS = 10_000
PAGE = 50
_REACH = 1.5

Question = Callable[["Asker"], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A tenant of one of the databases; ``database`` keeps one connection, whose server process is ``backend``."""

    name: str
    database: Database
    tenant_id: UUID
    backend: int
    known: Mapping[str, Any]

    async def ask(self, question: Question) -> tuple[float, float]:
        """Milliseconds of wall time and of CPU."""
        cpu, began = self._cpu(), time.perf_counter()
        await question(self)
        return (time.perf_counter() - began) * 1e3, self._cpu() - cpu

    def _cpu(self) -> float:
        server = int(Path(f"/proc/{self.backend}/schedstat").read_text().split()[0])
        return server / 1e6 + time.thread_time() * 1e3


def listing(table: Table, *, filters: Sequence[str] = (), sort: str | None = None, at: str | None = None) -> Question:
    """A page; ``at`` names the position it begins behind."""

    async def ask(asker: Asker) -> object:
        cursor = asker.known[f"{table.name} {sort} {at}"] if at else None
        texts = [text.format(**asker.known) for text in filters]
        query = service.read_query(table, filters=texts, sort=sort, cursor=cursor, limit=PAGE)
        async with asker.database.unit_of_work(asker.tenant_id) as uow:
            return to_json(await service.list_rows(uow, query))

    return ask


def counting(table: Table, filters: Sequence[str] = ()) -> Question:
    async def ask(asker: Asker) -> object:
        query = service.read_query(table, filters=filters, sort=None, cursor=None, limit=1)
        async with asker.database.unit_of_work(asker.tenant_id) as uow:
            return await service.list_rows(uow, query, with_total=True)

    return ask


def aggregate(table: Table, **asked: Any) -> Question:
    async def ask(asker: Asker) -> object:
        query = read_aggregate(table, **{"limit": 200, "timezone": "Europe/Berlin", **asked})
        async with asker.database.unit_of_work(asker.tenant_id) as uow:
            return to_json(await service.aggregate(uow, query))

    return ask


def reading(read: Callable[[UnitOfWork, Mapping[str, Any]], Awaitable[object]]) -> Question:
    async def ask(asker: Asker) -> object:
        async with asker.database.unit_of_work(asker.tenant_id) as uow:
            return await read(uow, asker.known)

    return ask


SORTS = (
    (PAYMENTS, ("source_created_at", "amount")),
    (PAYOUT_LINES, ("source_created_at", "net", "available_on")),
)
RECENT = "source_created_at:gte:{recent}"
# Every operator of every kind of column, about values that are common or that an index leads to.
FILTERS = (
    (
        PAYMENTS,
        "enum",
        ("status:eq:succeeded", "status:ne:succeeded", "status:in:pending,failed", "status:is_null:false"),
    ),
    (PAYMENTS, "text", ("currency:eq:EUR", "currency:ne:USD", "method:in:card,sepa_debit", "method:is_null:true")),
    (PAYMENTS, "text", ("description:contains:hat",)),
    (
        PAYMENTS,
        "text, looked up",
        ("source_id:eq:{source_id}", "source_id:in:{source_id},ch_none", "source_id:eq:ch_none"),
    ),
    (PAYMENTS, "uuid", ("id:eq:{id}", "id:in:{id}", "order_id:ne:{id}", "subsidiary:is_null:true")),
    (
        PAYMENTS,
        "money",
        ("amount:eq:{amount}", "amount:ne:5", "amount:in:{amount},7.005", "amount:gt:99990", "amount:gte:50000"),
    ),
    (PAYMENTS, "money", ("amount:lt:10", "amount:lte:50000", "amount:lt:0", "amount_refunded:is_null:true")),
    (PAYMENTS, "money, not indexed", ("amount_refunded:gt:100", "amount_refunded:lte:50000")),
    (
        PAYMENTS,
        "timestamp",
        ("source_created_at:gte:{recent}", "source_created_at:lt:{recent}", "source_created_at:gt:{recent}"),
    ),
    (
        PAYMENTS,
        "timestamp",
        ("source_created_at:lte:{recent}", "source_created_at:is_null:true", "deleted_at:is_null:false"),
    ),
    (
        PAYOUT_LINES,
        "date",
        ("available_on:eq:{day}", "available_on:gte:{day}", "available_on:lt:{day}", "available_on:in:{day}"),
    ),
    (
        PAYOUT_LINES,
        "date",
        ("available_on:ne:{day}", "available_on:is_null:true", "available_on:gt:{day}", "available_on:lte:{day}"),
    ),
    (
        PAYOUT_LINES,
        "number",
        ("exchange_rate:gt:1.1", "exchange_rate:lte:1.1", "exchange_rate:is_null:false", "exchange_rate:ne:1.1"),
    ),
    (CUSTOMERS, "boolean", ("tax_exempt:eq:true", "tax_exempt:ne:true", "tax_exempt:is_null:true")),
    (CUSTOMERS, "number", ("orders_count:gte:10", "orders_count:eq:7", "orders_count:in:3,4", "orders_count:lt:5")),
)
SEVERAL = (
    (PAYMENTS, ("currency:eq:EUR", "amount:gte:50000"), "-amount"),
    (PAYMENTS, ("currency:eq:KWD", "amount:lt:1000"), "amount"),
    (PAYMENTS, ("status:eq:succeeded", RECENT, "currency:eq:USD"), "-source_created_at"),
)
# No index leads to the few rows these find: all of a tenant's are looked through.
SEARCHES = (
    (PAYMENTS, "status:eq:failed", ("status:eq:canceled",)),
    (PAYMENTS, "customer", ("customer_ref:eq:nobody",)),
    (PAYMENTS, "contains", ("description:contains:no such words",)),
    (CUSTOMERS, "e-mail", ("email:eq:nobody@example.com",)),
)


def lists() -> dict[str, Question]:
    found: dict[str, Question] = {}
    for table, columns in SORTS:
        for sort in (sign + column for column in columns for sign in ("", "-")):
            for at in (None, "deep", "last"):
                found[f"{table.name} by {sort}, {at or 'first'} page"] = listing(table, sort=sort, at=at)
    for table, kind, filters in FILTERS:
        found |= {f"{table.name}, {kind}: {text}": listing(table, filters=[text]) for text in filters}
    for table, texts, sort in SEVERAL:
        found[f"{table.name}: {' and '.join(texts)} by {sort}"] = listing(table, filters=texts, sort=sort)
    found["a row with its lineage"] = reading(lambda uow, known: service.open_row(uow, PAYMENTS, known["row"]))
    found["raw records, newest first"] = reading(
        lambda uow, known: raw_records.page(uow, known["connection"], "charges", before=None, limit=PAGE)
    )
    found["raw records, far back"] = reading(
        lambda uow, known: raw_records.page(uow, known["connection"], "charges", before=known["change"], limit=PAGE)
    )
    found["one raw record"] = reading(lambda uow, known: raw_records.by_id(uow, known["connection"], known["raw"]))
    return found


def aggregates() -> dict[str, tuple[Table, Question]]:
    money = ("count", "sum:amount")
    return {
        "total": (PAYMENTS, counting(PAYMENTS)),
        "total, status": (PAYMENTS, counting(PAYMENTS, ["status:eq:succeeded"])),
        "count by status": (PAYMENTS, aggregate(PAYMENTS, groups=["status"])),
        "sum by currency": (PAYMENTS, aggregate(PAYMENTS, groups=["currency"], measures=money)),
        **{
            f"sum by {bucket}": (PAYMENTS, aggregate(PAYMENTS, groups=[f"source_created_at:{bucket}"], measures=money))
            for bucket in ("day", "week", "month")
        },
        "sum by month, status and currency": (
            PAYMENTS,
            aggregate(PAYMENTS, groups=["source_created_at:month", "status", "currency"], measures=money),
        ),
        "top ten customers": (PAYMENTS, aggregate(PAYMENTS, groups=["customer_ref"], limit=10)),
        "net by kind": (PAYOUT_LINES, aggregate(PAYOUT_LINES, groups=["kind"], measures=["sum:net", "avg:fee"])),
        "lines by day": (PAYOUT_LINES, aggregate(PAYOUT_LINES, groups=["available_on:day"])),
    }


async def asker(at: Place, name: str, tenant_id: UUID) -> Asker:
    database = Database.connect(at.database.url, pool_size=1, server_settings={"statement_timeout": "0"})
    async with database.unit_of_work(tenant_id) as uow:
        backend = await (await uow.driver()).fetchval("SELECT pg_backend_pid()")
        known = await _known(uow, tenant_id)
        made = Asker(name=name, database=database, tenant_id=tenant_id, backend=backend, known=known)
        for table, columns in SORTS:
            rows = await repository.count(uow, table, conditions=())
            for sort in (sign + column for column in columns for sign in ("", "-")):
                for where, offset in (("deep", rows // 2), ("last", rows - PAGE // 2)):
                    known[f"{table.name} {sort} {where}"] = await _cursor(uow, table, sort, offset)
    return replace(made, known=known)


async def _known(uow: UnitOfWork, tenant_id: UUID) -> dict[str, Any]:
    row = await _row(
        uow,
        "SELECT id, source_id, raw_id, amount, connection_id FROM core.payments WHERE deleted_at IS NULL ORDER BY id LIMIT 1",
    )
    middle = await _row(
        uow,
        "SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY source_created_at) AS recent,"
        " percentile_disc(0.5) WITHIN GROUP (ORDER BY source_created_at)::date AS day FROM core.payments",
    )
    raw = await _row(uow, "SELECT id, change FROM core.raw_records WHERE stream = 'charges' ORDER BY id LIMIT 1")
    return {
        "id": row["id"],
        "row": row["id"],
        "source_id": row["source_id"],
        "amount": f"{row['amount']:f}",
        "connection": row["connection_id"],
        "recent": middle["recent"].isoformat(),
        "day": middle["day"].isoformat(),
        "raw": raw["id"],
        "change": raw["change"],
        "tenant": tenant_id,
    }


async def _row(uow: UnitOfWork, query: str) -> sa.RowMapping:
    return (await uow.session.execute(sa.text(query))).mappings().one()


async def _cursor(uow: UnitOfWork, table: Table, text: str, offset: int) -> str:
    sort, own = parse_sort(table, text), table.source.columns
    wanted = sa.select(own[sort.column.name], own["id"]).where(*repository.criteria(table, ()))
    value, row_id = (await uow.session.execute(repository.in_order(wanted, table, sort).offset(offset).limit(1))).one()
    return encode_position(table, sort, Position(value=value, id=row_id))


async def timed(askers: Sequence[Asker], question: Question, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    found: dict[str, tuple[list[float], list[float]]] = {each.name: ([], []) for each in askers}
    for _ in range(2):
        for each in askers:
            await each.ask(question)
    for _ in range(rounds):
        for each in askers:
            wall, cpu = await each.ask(question)
            found[each.name][0].append(wall)
            found[each.name][1].append(cpu)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def figures(walls: Sequence[float], cpus: Sequence[float]) -> dict[str, float]:
    return {
        "p50_ms": round(statistics.median(walls), 2),
        "p95_ms": round(percentile(walls, 0.95), 2),
        "cpu_p50_ms": round(statistics.median(cpus), 2),
        "cpu_p95_ms": round(percentile(cpus, 0.95), 2),
    }


def beside(taken: Mapping[str, tuple[list[float], list[float]]]) -> dict[str, Any]:
    rows = {name: figures(*values) for name, values in taken.items()}
    return {
        **rows,
        "ratio": {
            name: {key: round(value / rows["base"][key], 2) for key, value in row.items()}
            for name, row in rows.items()
            if name != "base"
        },
    }


async def measure(askers: Sequence[Asker], rounds: int) -> dict[str, Any]:
    listed = {name: beside(await timed(askers, question, rounds)) for name, question in lists().items()}
    rows = {table: await _rows(askers, table) for table in (PAYMENTS, PAYOUT_LINES, CUSTOMERS)}

    async def per_row(table: Table, question: Question) -> dict[str, Any]:
        taken = await timed(askers, question, max(5, rounds // 6))
        return {
            name: {"rows": rows[table][name], "ns_per_row": round(statistics.median(cpus) * 1e6 / rows[table][name])}
            for name, (_, cpus) in taken.items()
        }

    totals = {name: await per_row(table, question) for name, (table, question) in aggregates().items()}
    looked = {name: await per_row(table, listing(table, filters=texts)) for table, name, texts in SEARCHES}
    every = [(name, each["ratio"]) for name, each in listed.items()]
    return {
        "lists": {
            "questions": len(every),
            "reach": {"p95 ratio": _REACH},
            **{
                f"{figure} ratio, {who}": {
                    "median": round(statistics.median(each[who][figure] for _, each in every), 2),
                    "worst": dict(sorted(((n, e[who][figure]) for n, e in every), key=lambda pair: -pair[1])[:5]),
                    "beyond reach": sum(each[who][figure] > _REACH for _, each in every),
                }
                for who in ("largest", "even")
                for figure in ("p95_ms", "cpu_p95_ms", "cpu_p50_ms")
            },
        },
        "aggregates": totals,
        "searches no index leads to": looked,
        "every list": listed,
    }


async def _rows(askers: Sequence[Asker], table: Table) -> dict[str, int]:
    found = {}
    for each in askers:
        async with each.database.unit_of_work(each.tenant_id) as uow:
            found[each.name] = await repository.count(uow, table, conditions=())
    return found


async def run(rows: int, tenants: int, rounds: int, folder: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(place(folder / "small"))
        large = await stack.enter_async_context(place(folder / "large"))
        base_rows = dict.fromkeys(SHARES, BASE_ROWS)
        await populate(small.admin, base_rows, tenants=1, largest=small.tenant_id)
        began = time.perf_counter()
        shared = {name: rows * share // 100 for name, share in SHARES.items()}
        population = await populate(large.admin, shared, tenants=tenants, largest=large.tenant_id)
        loaded = time.perf_counter() - began
        askers = [
            await asker(small, "base", small.tenant_id),
            await asker(large, "largest", population.largest),
            await asker(large, "even", population.small),
        ]
        for each in askers:
            stack.push_async_callback(each.database.close)
        size = await large.admin.fetchval("SELECT pg_database_size(current_database()) / 2^30")
        return {
            "rows": sum(shared.values()),
            "tenants": tenants,
            "load_s": round(loaded),
            "gib": round(size, 1),
            **await measure(askers, rounds),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        found = asyncio.run(run(options.rows, options.tenants, options.rounds, Path(folder)))
        print(json.dumps(found, indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
