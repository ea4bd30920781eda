import asyncio
from contextlib import aclosing
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.db import Database
from counterfoil.web import csv_export

_COPYING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY%'
"""
MANY = "SELECT n, repeat('x', 1000) AS filler FROM generate_series(1, $1) n"


async def _rows(database: Database, tenant: UUID, query: str, *args: Any) -> bytes:
    return b"".join([chunk async for chunk in csv_export.export_csv(database, tenant, query, args)])


async def test_an_export_is_what_copy_writes_in_large_chunks(database: Database, tenant: UUID) -> None:
    chunks = [chunk async for chunk in csv_export.export_csv(database, tenant, MANY, [2000])]
    lines = b"".join(chunks).decode().splitlines()
    assert lines[0] == "n,filler"
    assert len(lines) == 2001
    assert len(chunks) < 12
    assert all(len(chunk) >= 256 * 1024 for chunk in chunks[:-1])


async def test_an_export_of_nothing_is_its_header(database: Database, tenant: UUID) -> None:
    assert await _rows(database, tenant, "SELECT id, name FROM core.tenants WHERE false") == b"id,name\n"


async def test_an_export_sees_its_tenant_only(database: Database, tenant: UUID, other_tenant: UUID) -> None:
    found = (await _rows(database, tenant, "SELECT id FROM core.tenants")).decode()
    assert str(tenant) in found
    assert str(other_tenant) not in found


async def test_an_export_changes_nothing(database: Database, tenant: UUID) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await _rows(database, tenant, "UPDATE core.tenants SET name = 'x' RETURNING id")


async def test_an_error_of_the_query_reaches_the_reader(database: Database, tenant: UUID) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await _rows(database, tenant, "SELECT 1 / (n - 3) FROM generate_series(1, 5) n")


async def test_a_reader_that_leaves_stops_the_query_and_gives_the_connection_back(
    database: Database, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    for _ in range(30):
        async with aclosing(csv_export.export_csv(database, tenant, MANY, [10_000_000])) as chunks:
            assert await anext(chunks)
    async with asyncio.timeout(10):
        while await admin.fetchval(_COPYING):  # noqa: ASYNC110  (the server has no event to wait for)
            await asyncio.sleep(0.05)
    assert await _rows(database, tenant, "SELECT 1 AS one") == b"one\n1\n"


async def test_a_cancelled_reader_stops_the_query_too(database: Database, tenant: UUID) -> None:
    async def read() -> None:
        async for _ in csv_export.export_csv(database, tenant, MANY, [10_000_000]):
            pass

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.3)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await _rows(database, tenant, "SELECT 1 AS one") == b"one\n1\n"


async def test_a_query_can_be_copied_in_a_transaction_that_is_open(database: Database, tenant: UUID) -> None:
    async with database.unit_of_work(tenant) as uow:
        driver = await uow.driver()
        chunks = [chunk async for chunk in csv_export.copy_csv(driver, "SELECT $1::text AS said", ["a,b"])]
        assert b"".join(chunks) == b'said\n"a,b"\n'
        assert await driver.fetchval("SELECT 1") == 1


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(texts=st.lists(st.builds(str.__add__, st.sampled_from(["", *"=+-@\t\r'a"]), TEXT), max_size=20))
async def test_no_cell_begins_like_a_formula_and_every_other_is_untouched(database: Database, texts: list[str]) -> None:
    cell = csv_export.safe_cell("t")
    query = f"SELECT array_agg({cell} ORDER BY n) FROM unnest($1::text[]) WITH ORDINALITY given (t, n)"  # noqa: S608  (ours)
    async with database.unit_of_work(None) as uow:
        safe = await (await uow.driver()).fetchval(query, texts)
    assert (safe or []) == [f"'{text}" if text.startswith(tuple("=+-@\t\r")) else text for text in texts]
