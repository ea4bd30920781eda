"""Rows as files. The SQL writes the cells of a CSV; a workbook gets typed values, a batch at a time."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.elements import ColumnElement

from counterfoil import audit
from counterfoil.db import Database, UnitOfWork
from counterfoil.entitlements import usage
from counterfoil.entitlements.plans import EXPORT_BYTES_PER_MONTH
from counterfoil.entitlements.quotas import require_quota
from counterfoil.kit import context
from counterfoil.kit.context import Actor
from counterfoil.kit.errors import FieldError
from counterfoil.kit.money import CURRENCY_EXPONENTS, DEFAULT_EXPONENT
from counterfoil.tables.errors import InvalidColumns, TooManyExports, TooManyRows
from counterfoil.tables.filters import Condition, parse_filters
from counterfoil.tables.records import Column, Table
from counterfoil.tables.repository import criteria, in_order
from counterfoil.tables.sorting import Sort, parse_sort
from counterfoil.tables.workbook import Workbook
from counterfoil.web.csv_export import BOM, copy_csv, harmless_text

_RESOURCE = "table"
_BATCH_ROWS = 2000
# One process makes the cells while another sends them. A third would cost more in handing rows over than it saves.
_SETTINGS = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL max_parallel_workers_per_gather = 1"
_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # its constructor has no annotations


@dataclass(frozen=True, kw_only=True)
class ExportQuery:
    """What a file is asked for, checked against its table."""

    table: Table
    columns: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    filters: tuple[str, ...]
    sort: Sort


class ExportSlots:
    """How many exports a process makes at once: each keeps a connection for as long as its reader takes."""

    def __init__(self, most: int) -> None:
        self._free = most

    def require(self) -> None:
        """Raises ``TooManyExports`` while none is free."""
        if self._free <= 0:
            raise TooManyExports("Try again in a moment.", headers={"Retry-After": "10"})

    @contextmanager
    def taken(self) -> Iterator[None]:
        self.require()
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, kw_only=True)
class Export:
    """One export under way: whose it is, and how long the database may take. Its unit of work is its own."""

    database: Database
    slots: ExportSlots
    tenant_id: UUID
    actor: Actor
    timeout_s: int
    query: ExportQuery

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        with self.slots.taken(), context.bound(context.current_actor, self.actor):
            async with self.database.unit_of_work(self.tenant_id) as uow:
                await (await uow.driver()).execute(f"SET LOCAL statement_timeout = '{self.timeout_s}s'; {_SETTINGS}")
                yield uow


def read_export(table: Table, *, filters: Sequence[str], sort: str | None, columns: str | None) -> ExportQuery:
    """Check a request before anything is asked of the database.

    Raises:
        InvalidFilter, InvalidSort, InvalidColumns: with what would be right.
    """
    return ExportQuery(
        table=table,
        columns=_columns(table, columns),
        conditions=parse_filters(table, filters),
        filters=tuple(filters),
        sort=parse_sort(table, sort),
    )


async def announce(uow: UnitOfWork, query: ExportQuery, *, kind: str) -> None:
    """Put on record who takes which rows, before the first of them leaves.

    Raises:
        QuotaExceeded: nothing is left of this month's. The size of a file is known at its end, so the last one may overdraw.
    """
    await require_quota(uow, EXPORT_BYTES_PER_MONTH)
    await audit.record(
        uow,
        action="core.table.exported",
        resource_type=_RESOURCE,
        resource_id=query.table.name,
        payload={
            "format": kind,
            "filters": list(query.filters),
            "sort": str(query.sort),
            "columns": [column.name for column in query.columns],
        },
    )


async def metered(export: Export, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same chunks, counted as the tenant's use: what was sent of a download that breaks off, too."""
    sent = 0
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                sent += len(chunk)
                yield chunk
    finally:
        async with export.database.unit_of_work(export.tenant_id) as uow:
            await usage.add(uow, usage.EXPORT_BYTES, sent)


async def csv_chunks(export: Export, *, with_bom: bool) -> AsyncGenerator[bytes, None]:
    """The file, in chunks. Ends without an error only when it is whole, which is put on record too."""
    query, args = compiled(csv_statement(export.query))
    counted: list[int] = []
    async with export.unit_of_work() as uow:
        if with_bom:
            yield BOM
        async with aclosing(copy_csv(await uow.driver(), query, args, on_end=counted.append)) as chunks:
            async for chunk in chunks:
                yield chunk
        await _record_end(uow, export.query, kind="csv", rows=counted[0])


async def xlsx_chunks(export: Export, *, most_rows: int) -> AsyncGenerator[bytes, None]:
    """The workbook, written to a temporary folder first and then sent.

    Raises:
        TooManyRows: before the first chunk.
    """
    async with Workbook.open(export.query.table.title, export.query.columns) as workbook:
        async with export.unit_of_work() as uow:
            async with aclosing(_batches(uow, export.query, most_rows=most_rows)) as batches:
                async for rows in batches:
                    await workbook.add(rows)
            await _record_end(uow, export.query, kind="xlsx", rows=workbook.rows)
        async with aclosing(workbook.chunks()) as chunks:
            async for chunk in chunks:
                yield chunk


async def _batches(
    uow: UnitOfWork, query: ExportQuery, *, most_rows: int
) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
    statement, args = compiled(values_statement(query).limit(most_rows + 1))
    cursor = await (await uow.driver()).cursor(statement, *args)
    seen = 0
    while rows := await cursor.fetch(_BATCH_ROWS):
        seen += len(rows)
        if seen > most_rows:
            raise TooManyRows(f"A workbook has at most {most_rows} rows here. Narrow the filters, or export CSV.")
        yield rows


async def _record_end(uow: UnitOfWork, query: ExportQuery, *, kind: str, rows: int) -> None:
    await audit.record(
        uow,
        action="core.table.export_completed",
        resource_type=_RESOURCE,
        resource_id=query.table.name,
        payload={"format": kind, "rows": rows},
    )


def csv_statement(query: ExportQuery) -> sa.Select[*tuple[Any, ...]]:
    """The rows as the cells of a CSV, the same text as the API's JSON has."""
    return _select(query, [_cell(query.table, column).label(column.name) for column in query.columns])


def values_statement(query: ExportQuery) -> sa.Select[*tuple[Any, ...]]:
    """The rows' values in the order of the columns, then the currencies of the money columns among them."""
    own = query.table.source.columns
    currencies = [own[column.currency_column] for column in query.columns if column.currency_column]
    return _select(query, [*(own[column.name] for column in query.columns), *currencies])


def _select(query: ExportQuery, cells: Sequence[ColumnElement[Any]]) -> sa.Select[*tuple[Any, ...]]:
    rows = sa.select(*cells).select_from(query.table.source).where(*criteria(query.table, query.conditions))
    return in_order(rows, query.table, query.sort)


def _cell(table: Table, column: Column) -> ColumnElement[Any]:
    own = table.source.columns[column.name]
    match column.type:
        case "money":
            places = sa.func.greatest(
                sa.func.min_scale(own), _exponent(table.source.columns[str(column.currency_column)])
            )
            rounded = sa.func.round(own, places)
            # Else the places of a currency were looked up for nothing.
            return sa.case((own.is_not(None), rounded)) if table.is_nullable(column) else rounded
        case "number":
            return sa.func.trim_scale(own)
        # A currency needs none of that: a check of the database holds it to capital letters.
        case "text" | "enum" if all(column.name != currency for _, currency in table.money):
            return harmless_text(own)
        case "timestamp":
            # RFC 3339 out of the session's own form, "2026-11-01 12:00:00+00": of all ways the cheapest.
            text = sa.func.replace(sa.cast(own, sa.Text()), sa.literal_column("' '"), sa.literal_column("'T'"))
            # The last moment Python knows is stored as infinity, which has no offset.
            return sa.case((sa.func.isfinite(own), text.op("||")(sa.literal_column("':00'"))), else_=text)
        case "boolean":
            return sa.cast(own, sa.Text())
        case _:
            return own


def _exponent(currency: ColumnElement[Any]) -> ColumnElement[int]:
    by_places: dict[int, list[ColumnElement[Any]]] = {}
    for code, places in CURRENCY_EXPONENTS.items():
        by_places.setdefault(places, []).append(sa.literal_column(f"'{code}'"))
    unusual = [code for codes in by_places.values() for code in codes]
    return sa.case(
        # First, and in one look: nearly every row ends here.
        (currency.not_in(unusual), sa.literal_column(str(DEFAULT_EXPONENT))),
        *((currency.in_(codes), sa.literal_column(str(places))) for places, codes in by_places.items()),
        else_=sa.literal_column(str(DEFAULT_EXPONENT)),
    )


def compiled(statement: sa.Select[*tuple[Any, ...]]) -> tuple[str, list[Any]]:
    """The text and the parameters as the driver itself takes them."""
    made = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    values = made.construct_params()
    return str(made), [values[name] for name in made.positiontup or ()]


def _columns(table: Table, text: str | None) -> tuple[Column, ...]:
    if not text:
        return table.columns
    names = text.split(",")
    unknown = [name for name in names if name not in table.by_name]
    if unknown or len(set(names)) != len(names):
        message = f"Columns are separated by commas, each once, from: {', '.join(table.by_name)}."
        raise InvalidColumns(message, errors=[FieldError(path="columns", message=message)])
    return tuple(table.by_name[name] for name in names)
