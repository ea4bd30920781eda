"""Lists tables, walks their rows page by page, and opens one row with its lineage."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from counterfoil.db.database import UnitOfWork
from counterfoil.kit.errors import NotFound
from counterfoil.tables import aggregation, repository
from counterfoil.tables.aggregates import BUCKETS, GROUPABLE, AggregateQuery
from counterfoil.tables.errors import SortTooLarge
from counterfoil.tables.filters import OPS, Condition, parse_filters
from counterfoil.tables.records import Column, Table
from counterfoil.tables.rendering import render_rows
from counterfoil.tables.schemas import ColumnOut, TableOut
from counterfoil.tables.sorting import Position, Sort, decode_position, encode_position, parse_sort

# Counting one row further tells "this many" from "more than this".
COUNTED_ROWS = 10_000
# What is sorted within a fraction of a second where no index helps.
MOST_SORTED_ROWS = 100_000


@dataclass(frozen=True, kw_only=True)
class RowQuery:
    """What a page is asked for, checked against its table."""

    table: Table
    conditions: tuple[Condition, ...]
    sort: Sort
    after: Position | None
    limit: int


def read_query(table: Table, *, filters: Sequence[str], sort: str | None, cursor: str | None, limit: int) -> RowQuery:
    """Check a request before anything is asked of the database.

    Raises:
        InvalidFilter, InvalidSort, InvalidCursor: with what would be right.
    """
    order = parse_sort(table, sort)
    return RowQuery(
        table=table,
        conditions=parse_filters(table, filters),
        sort=order,
        after=decode_position(table, order, cursor) if cursor else None,
        limit=limit,
    )


async def describe(uow: UnitOfWork, tables: Collection[Table]) -> list[TableOut]:
    counts = await repository.count_up_to(uow, tables, most=COUNTED_ROWS + 1)
    return [
        TableOut(
            name=table.name,
            title=table.title,
            description=table.description,
            row_count_estimate=rows,
            default_sort=table.default_sort,
            columns=[_column_out(column) for column in table.columns],
        )
        for table, rows in zip(tables, counts, strict=True)
    ]


async def list_rows(uow: UnitOfWork, query: RowQuery, *, with_total: bool = False) -> dict[str, Any]:
    """One page in the shape of ``RowPage``, ready for ``to_json``.

    Raises:
        SortTooLarge: no index has the rows in this order, and there are too many to sort them for a page.
    """
    if not query.sort.column.indexed and await repository.is_larger(
        uow, query.table, conditions=query.conditions, than=MOST_SORTED_ROWS
    ):
        known = ", ".join(column.name for column in query.table.columns if column.indexed)
        raise SortTooLarge(f"Narrow the filters to {MOST_SORTED_ROWS} rows or fewer, or sort by one of {known}.")
    # One row more than asked for tells whether there is a next page.
    rows = await repository.page(
        uow,
        query.table,
        conditions=query.conditions,
        sort=query.sort,
        after=query.after,
        limit=query.limit + 1,
    )
    items = render_rows(query.table, rows[: query.limit])
    content: dict[str, Any] = {"items": items, "next_cursor": None}
    if len(rows) > query.limit:
        position = Position(value=repository.sort_value(rows[query.limit - 1], query.sort.column), id=items[-1]["id"])
        content["next_cursor"] = encode_position(query.table, query.sort, position)
    if with_total:
        content["total"] = await repository.count(uow, query.table, conditions=query.conditions)
    return content


async def aggregate(uow: UnitOfWork, query: AggregateQuery) -> dict[str, Any]:
    """Groups with their figures, in the shape of ``AggregateOut``, ready for ``to_json``.

    Raises:
        InvalidAggregate: there is no such time zone.
    """
    timezone = await aggregation.timezone_of(uow, query.timezone)
    rows = await aggregation.grouped(uow, query, timezone=timezone)
    return {
        "groups": [
            {"name": group.name, "type": group.column.type, "bucket": group.bucket, "added": group.added}
            for group in query.groups
        ],
        "measures": [
            {
                "name": measure.name,
                "function": measure.function,
                "column": measure.column.name if measure.column else None,
                "type": measure.type,
                "currency_column": measure.column.currency_column
                if measure.column and measure.type == "money"
                else None,
            }
            for measure in query.measures
        ],
        "timezone": timezone,
        "items": aggregation.render_groups(query, rows[: query.limit]),
        "truncated": len(rows) > query.limit,
    }


async def open_row(uow: UnitOfWork, table: Table, row_id: UUID) -> dict[str, Any]:
    """One row in the shape of ``RowDetail``, ready for ``to_json``.

    Raises:
        NotFound: no such row, or another tenant's.
    """
    found = await repository.lineage(uow, table, row_id)
    if found is None:
        raise NotFound("There is no such row.")
    raw = found.raw and {**found.raw, "payload": orjson.Fragment(found.raw["payload"])}
    return {
        "row": render_rows(table, [found.row])[0],
        "raw": raw,
        "lineage": {
            "connection": found.connection,
            "run": found.run,
            "job": found.job,
            "dedupe_key": found.dedupe_key,
        },
    }


def _unit(column: Column) -> str | None:
    match column.type:
        case "money":
            return "currency"
        case "timestamp":
            return "UTC"
        case _:
            return None


def _column_out(column: Column) -> ColumnOut:
    return ColumnOut(
        name=column.name,
        title=column.title,
        type=column.type,
        filterable=column.filterable,
        sortable=column.sortable,
        indexed=column.indexed,
        ops=list(OPS[column.type]) if column.filterable else [],
        groupable=column.filterable and column.type in GROUPABLE,
        buckets=list(BUCKETS.get(column.type, ())) if column.filterable else [],
        description=column.description,
        unit=_unit(column),
        hidden_by_default=column.hidden_by_default,
        currency_column=column.currency_column,
        enum=list(column.enum) or None,
    )
