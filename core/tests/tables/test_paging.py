"""Walking a table page by page gives what the same query over a Python list gives: nothing lost, nothing doubled."""

import csv
import io
import operator
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import asyncpg as postgresql

from counterfoil.commerce.models import PaymentRecord
from counterfoil.db import Database
from counterfoil.kit.ids import new_id
from counterfoil.tables import repository, service
from counterfoil.tables.definitions import CORE_TABLES, PAYMENTS
from counterfoil.tables.filters import OPS, Op
from counterfoil.tables.records import Column, Table
from counterfoil.tables.sorting import TEXT_SORT_LENGTH, Position, parse_sort
from counterfoil.tables.values import Value, value_text

ROWS_PER_TABLE = 40
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
LONG = "long " * 40
REFERENCES = [new_id() for _ in range(3)]

# Few values each, so that ties are common.
POOLS: Mapping[str, list[Value]] = {
    "text": [
        "",
        "a",
        "B",
        "b",
        "é",
        "É",
        "50%",
        "50_",
        "a/b\\c",
        "it's",
        'say "hi", Bob',
        LONG + "x",
        LONG + "a",
        LONG + "X",
    ],
    "money": [Decimal(text) for text in ("-5", "0", "0.000001", "0.1", "10", "10.010000", "999999999999.999999")],
    "number": [Decimal(text) for text in ("0.5", "1.0830000000000000001", "1.083", "12345678901234567890.5")],
    "timestamp": [JUNE, JUNE + timedelta(microseconds=1), JUNE + timedelta(days=40), JUNE - timedelta(days=9000)],
    "date": [date(2026, 2, 28), date(2026, 3, 1), date(1999, 12, 31)],
    "boolean": [True, False],
    "uuid": [*REFERENCES],
}
COMPARE: Mapping[Op, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}

Row = dict[str, Any]
Corpus = Mapping[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class Filter:
    column: Column
    op: Op
    values: list[Value]

    @property
    def text(self) -> str:
        return f"{self.column.name}:{self.op}:{self._value_text()}"

    def _value_text(self) -> str:
        if self.op != "in":
            return value_text(self.values[0])
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(
            [value_text(value) for value in self.values]
        )
        return line.getvalue()

    def lets_through(self, row: Row) -> bool:
        value = row[self.column.name]
        match self.op:
            case "is_null":
                return (value is None) is self.values[0]
            case "ne":
                return bool(value != self.values[0])
            case _ if value is None:
                return False
            case "in":
                return value in self.values
            case "contains":
                return str(self.values[0]).lower() in value.lower()
            case op:
                return COMPARE[op](value, self.values[0])


@dataclass(frozen=True, kw_only=True)
class Question:
    table: Table
    filters: list[Filter]
    sort: str
    limit: int


# What no stored amount is equal to, between two of them or beyond all.
BETWEEN = [
    Decimal(text) for text in ("-5.0000001", "0.0000005", "10.00000099", "999999999999.9999991", "-1" + "0" * 30)
]


def pool(column: Column) -> list[Value]:
    return list(column.enum) if column.enum else POOLS[column.type]


def bounds_of(column: Column) -> list[Value]:
    """What is asked about a column: values it has, and for amounts some it cannot have."""
    return pool(column) + (list[Value](BETWEEN) if column.type == "money" else [])


@st.composite
def questions(draw: st.DrawFn) -> Question:
    table = draw(st.sampled_from(CORE_TABLES))
    sort = draw(st.sampled_from([column.name for column in table.columns]))
    direction = draw(st.sampled_from(["", "-"]))
    filters = draw(st.lists(filters_of(table), max_size=2))
    return Question(
        table=table, filters=filters, sort=direction + sort, limit=draw(st.integers(1, ROWS_PER_TABLE + 10))
    )


@st.composite
def filters_of(draw: st.DrawFn, table: Table) -> Filter:
    column = draw(st.sampled_from(table.columns))
    op = draw(st.sampled_from(OPS[column.type]))
    if op == "is_null":
        return Filter(column=column, op=op, values=[draw(st.booleans())])
    if op == "in":
        return Filter(
            column=column,
            op=op,
            values=draw(st.lists(st.sampled_from(bounds_of(column)), min_size=1, unique=True)),
        )
    if op == "contains":
        pieces = ["a", "A", "%", "_", "0%", "\\", "/", "'", '"', ",", "É", "long"]
        return Filter(column=column, op=op, values=[draw(st.sampled_from(pieces))])
    return Filter(column=column, op=op, values=[draw(st.sampled_from(bounds_of(column)))])


def random_row(table: Table, chance: random.Random) -> Row:
    row: Row = {}
    for column in table.columns:
        if table.source.columns[column.name].nullable and chance.random() < 0.3:
            row[column.name] = None
        else:
            row[column.name] = chance.choice(pool(column))
    row["id"] = UUID(int=chance.getrandbits(128))
    row["currency"] = chance.choice(["USD", "JPY", "KWD"])
    if chance.random() < 0.8:
        row["deleted_at"] = None
    return row


@pytest.fixture(scope="module")
async def corpus(insert_rows: Any, make_tenant: Any) -> tuple[UUID, Corpus]:
    tenant_id = await make_tenant()
    chance = random.Random(20261123)  # noqa: S311  (the same rows on every run)
    rows = {table.name: [random_row(table, chance) for _ in range(ROWS_PER_TABLE)] for table in CORE_TABLES}
    for table in CORE_TABLES:
        await insert_rows(tenant_id, table.model, *rows[table.name])
    return tenant_id, rows


def expected(rows: list[Row], question: Question) -> list[UUID]:
    column = question.sort.removeprefix("-")
    downwards = question.sort.startswith("-")
    shows_deleted = any(each.column.name == "deleted_at" for each in question.filters)

    def key(row: Row) -> Any:
        value = row[column]
        return value[:TEXT_SORT_LENGTH] if isinstance(value, str) else value

    found = [
        row
        for row in rows
        if all(each.lets_through(row) for each in question.filters) and (shows_deleted or row["deleted_at"] is None)
    ]
    valued = sorted(
        (row for row in found if key(row) is not None), key=lambda row: (key(row), row["id"]), reverse=downwards
    )
    valueless = sorted((row for row in found if key(row) is None), key=lambda row: row["id"], reverse=downwards)
    return [row["id"] for row in valued + valueless]


# A failure is to be told whatever the size of what it is told with.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions())
async def test_all_pages_together_are_the_rows_in_order(
    database: Database, corpus: tuple[UUID, Corpus], question: Question
) -> None:
    tenant_id, rows = corpus
    walked: list[UUID] = []
    cursor: str | None = None
    total = -1
    async with database.unit_of_work(tenant_id) as uow:
        while True:
            query = service.read_query(
                question.table,
                filters=[each.text for each in question.filters],
                sort=question.sort,
                cursor=cursor,
                limit=question.limit,
            )
            page = await service.list_rows(uow, query, with_total=cursor is None)
            total = page.get("total", total)
            walked += [item["id"] for item in page["items"]]
            assert len(page["items"]) <= question.limit
            cursor = page["next_cursor"]
            if cursor is None:
                break
            assert len(page["items"]) == question.limit
            assert len(walked) <= ROWS_PER_TABLE, "the walk goes in circles"
    assert walked == expected(rows[question.table.name], question)
    assert total == len(walked)


async def test_a_row_that_vanishes_does_not_disturb_the_walk(
    database: Database, insert_rows: Any, tenant: UUID
) -> None:
    ids = await insert_rows(tenant, PaymentRecord, *({"amount": Decimal(n)} for n in range(4)))
    async with database.unit_of_work(tenant) as uow:
        first = await service.list_rows(
            uow, service.read_query(PAYMENTS, filters=(), sort="amount", cursor=None, limit=2)
        )
        await uow.session.execute(PAYMENTS.source.delete().where(PAYMENTS.source.c.id == ids[1]))
        second = await service.list_rows(
            uow, service.read_query(PAYMENTS, filters=(), sort="amount", cursor=first["next_cursor"], limit=2)
        )
    assert [item["id"] for item in second["items"]] == ids[2:]


@pytest.mark.parametrize(
    "after", [None, Position(value=JUNE, id=REFERENCES[0]), Position(value=None, id=REFERENCES[0])]
)
async def test_the_default_list_is_read_in_index_order(
    database: Database, insert_rows: Any, tenant: UUID, after: Position | None
) -> None:
    await insert_rows(tenant, PaymentRecord, {})
    statement = repository.page_statement(
        PAYMENTS, conditions=(), sort=parse_sort(PAYMENTS, None), after=after, limit=50
    )
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]  # SQLAlchemy leaves dialects untyped
    async with database.unit_of_work(tenant) as uow:
        driver = await uow.driver()
        # A test's few rows are always read whole; what matters is whether the index can serve the query.
        await driver.execute("SET LOCAL enable_seqscan = off")
        await driver.execute("SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(line[0] for line in await driver.fetch(f"EXPLAIN {compiled}"))
    assert "payments_created_idx" in plan
    assert "->  Sort" not in plan
    assert "Seq Scan" not in plan
