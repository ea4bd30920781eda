"""What is said to be indexed is: the plans of the application's own role, on every table and in both directions."""

from typing import Any
from uuid import UUID

import pytest

from counterfoil.commerce.models import PaymentRecord
from counterfoil.db import Database
from counterfoil.tables import service
from counterfoil.tables.definitions import CORE_TABLES
from counterfoil.tables.exports import compiled
from counterfoil.tables.records import Column, Table
from counterfoil.tables.repository import page_statement
from counterfoil.tables.sorting import Position, Sort
from counterfoil.tables.values import parse_value
from counterfoil.testing.plugin import SignedIn

INDEXED = [(table, column) for table in CORE_TABLES for column in table.columns if column.indexed]
# Pages that begin, that go on behind a value, and behind those without one where there are any.
PAGES = [
    pytest.param(table, column, where, id=f"{table.name}.{column.name}-{where}")
    for table, column in INDEXED
    for where in ("first", "value", *(["no value"] if table.is_nullable(column) else []))
]
SOMEWHERE = {"timestamp": "2026-11-01T12:00:00Z", "date": "2026-11-01", "money": "10.5"}
ID = UUID("0192f0c1-2345-7abc-8def-0123456789ab")


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(each for child in plan.get("Plans", ()) for each in nodes(child))]


async def plan_of(database: Database, tenant_id: UUID, statement: Any) -> list[dict[str, Any]]:
    text, args = compiled(statement)
    async with database.unit_of_work(tenant_id) as uow:
        driver = await uow.driver()
        # The tables of a test are so small that reading and sorting all of one is cheapest.
        await driver.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        await driver.execute("SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off")
        found = await driver.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *args)
    return nodes(found[0]["Plan"])


@pytest.mark.parametrize(("table", "column", "where"), PAGES)
@pytest.mark.parametrize("descending", [True, False])
async def test_a_page_is_read_in_the_order_of_an_index(
    *, database: Database, tenant: UUID, insert_rows: Any, table: Table, column: Column, descending: bool, where: str
) -> None:
    await insert_rows(tenant, table.model, {})
    value = parse_value(SOMEWHERE[column.type], column.type) if where == "value" else None
    after = None if where == "first" else Position(value=value, id=ID)
    sort = Sort(column=column, descending=descending)
    found = await plan_of(database, tenant, page_statement(table, conditions=(), sort=sort, after=after, limit=51))
    kinds = [node["Node Type"] for node in found]
    scans = [node for node in found if node["Node Type"].startswith("Index")]
    assert scans, kinds
    assert {"Seq Scan", "Bitmap Heap Scan"}.isdisjoint(kinds), kinds
    # Only the merging of both ranges of a page may sort, and that is at most two pages.
    assert kinds.count("Sort") + kinds.count("Incremental Sort") <= (1 if "Append" in kinds else 0), kinds
    assert all("tenant_id" in scan["Index Cond"] for scan in scans)
    assert where == "first" or any((column.order_column or column.name) in scan["Index Cond"] for scan in scans)


async def test_a_sort_no_index_helps_is_refused_above_a_size(
    signed_in: SignedIn, insert_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_SORTED_ROWS", 3)
    await insert_rows(signed_in.tenant_id, PaymentRecord, *({"method": "card" if n else None} for n in range(4)))
    address = "/api/v1/tables/payments"
    answer = await signed_in.client.get(address, params={"sort": "status"})
    assert (answer.status_code, answer.json()["code"]) == (422, "sort_too_large")
    assert "source_created_at, amount" in answer.json()["detail"]
    for params in ({"sort": "amount"}, {"sort": "status", "filter": "method:eq:card"}, {}):
        assert (await signed_in.client.get(address, params=params)).status_code == 200
