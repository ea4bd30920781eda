"""The SQL of aggregates, and what a group's figures stand for: the filters that list its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from counterfoil.db.database import UnitOfWork
from counterfoil.kit.errors import FieldError
from counterfoil.kit.money import format_amount
from counterfoil.tables.aggregates import AggregateQuery, Bucket, Group, Measure
from counterfoil.tables.errors import InvalidAggregate, InvalidFilter
from counterfoil.tables.filters import parse_filters
from counterfoil.tables.records import Table
from counterfoil.tables.repository import criteria
from counterfoil.tables.values import value_text
from counterfoil.tenancy import Tenant

_INTERVALS: Mapping[Bucket, str] = {
    "hour": "interval '1 hour'",
    "day": "interval '1 day'",
    "week": "interval '7 days'",
    "month": "interval '1 month'",
    "quarter": "interval '3 months'",
    "year": "interval '1 year'",
}
_HOUR: ColumnElement[Any] = sa.literal_column(_INTERVALS["hour"])
# The places money is stored with; an average has no end of its own.
_AVERAGE_PLACES = 6
_NO_SUCH_ZONE = "22023"

Row = Sequence[Any]


async def timezone_of(uow: UnitOfWork, asked: str | None) -> str:
    """The zone asked for, or the tenant's own.

    Raises:
        InvalidAggregate: the database knows no such zone.
    """
    zone = sa.func.coalesce(sa.literal(asked, sa.Text()), Tenant.timezone)
    statement = sa.select(zone, sa.func.timezone(zone, sa.func.now())).where(Tenant.id == uow.tenant)
    try:
        found, _ = (await (await uow.session.connection()).execute(statement)).one()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NO_SUCH_ZONE:
            raise
        message = "There is no such time zone."
        raise InvalidAggregate(message, errors=[FieldError(path="timezone", message=message)]) from error
    return str(found)


async def grouped(uow: UnitOfWork, query: AggregateQuery, *, timezone: str) -> Sequence[Row]:
    """Up to one row more than the limit: the groups' values, the ends of the bucketed ones, then the measures."""
    statement = aggregate_statement(query, timezone=timezone)
    return (await (await uow.session.connection()).execute(statement)).all()


def aggregate_statement(query: AggregateQuery, *, timezone: str) -> sa.Select[*tuple[Any, ...]]:
    own = query.table.source.columns
    starts = {group.name: _start(own[group.name], group, timezone) for group in query.groups}
    figures = {measure.name: _figure(query.table, measure) for measure in query.measures}
    # Grouped first, so that the end of a bucket is worked out once per group and not once per row.
    inner = (
        sa.select(
            *(start.label(f"group_{name}") for name, start in starts.items()),
            *(figure.label(f"figure_{name}") for name, figure in figures.items()),
        )
        .select_from(query.table.source)
        .where(*criteria(query.table, query.conditions))
        .group_by(*(sa.literal_column(str(position)) for position in range(1, len(starts) + 1)))
        .subquery()
    )
    ends = [_end(inner.c[f"group_{group.name}"], group, timezone) for group in query.groups if group.bucket]
    return (
        sa.select(
            *(inner.c[f"group_{name}"] for name in starts),
            *ends,
            *(inner.c[f"figure_{name}"] for name in figures),
        )
        .order_by(*_ordering(query, inner.c))
        .limit(query.limit + 1)
    )


def _ordering(query: AggregateQuery, columns: Any) -> list[ColumnElement[Any]]:
    # The groups in their own order break ties, so that the same question has the same answer.
    ordering: list[ColumnElement[Any]] = [columns[f"group_{group.name}"].asc().nulls_last() for group in query.groups]
    if query.order is not None:
        kind = "group" if isinstance(query.order.by, Group) else "figure"
        first = columns[f"{kind}_{query.order.by.name}"]
        ordering.insert(0, (first.desc() if query.order.descending else first.asc()).nulls_last())
    return ordering


def _start(own: ColumnElement[Any], group: Group, timezone: str) -> ColumnElement[Any]:
    if group.bucket is None:
        return own
    unit = sa.literal(group.bucket, sa.Text())
    if group.column.type == "date":
        return sa.cast(sa.func.date_trunc(unit, sa.cast(own, sa.TIMESTAMP())), sa.Date())
    if group.bucket == "hour":
        # Counted from midnight: where clocks change by half an hour, hours of the clock would overlap.
        return sa.func.date_bin(_HOUR, own, _midnight(own, timezone))
    return sa.func.date_trunc(unit, own, sa.literal(timezone, sa.Text()))


def _midnight(time: ColumnElement[Any], timezone: str) -> ColumnElement[Any]:
    return sa.func.date_trunc("day", time, sa.literal(timezone, sa.Text()))


def _end(start: ColumnElement[Any], group: Group, timezone: str) -> ColumnElement[Any]:
    """Where the next bucket begins. Truncated again: a day may begin at one o'clock, and the next one at midnight."""
    bucket = group.bucket or "day"
    if group.column.type == "date":
        return sa.cast(sa.cast(start, sa.TIMESTAMP()) + _length(bucket), sa.Date())
    zone = sa.literal(timezone, sa.Text())
    if bucket == "hour":
        return sa.func.least(start + _HOUR, _end(_midnight(start, timezone), replace(group, bucket="day"), timezone))
    return sa.func.date_trunc(sa.literal(bucket, sa.Text()), sa.func.date_add(start, _length(bucket), zone), zone)


def _length(bucket: Bucket) -> ColumnElement[Any]:
    return sa.literal_column(_INTERVALS[bucket])


def _figure(table: Table, measure: Measure) -> ColumnElement[Any]:
    if measure.column is None:
        return sa.func.count()
    own = table.source.columns[measure.column.name]
    match measure.function:
        case "sum":
            return sa.func.sum(own)
        case "min":
            return sa.func.min(own)
        case "max":
            return sa.func.max(own)
        case "avg":
            return sa.func.round(sa.func.avg(own), _AVERAGE_PLACES)
        case _:
            return sa.func.count(sa.distinct(own))


def render_groups(query: AggregateQuery, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Groups in the shape of ``GroupOut``, each with the filters that list its rows."""
    bucketed = [group.name for group in query.groups if group.bucket]
    rendered = []
    for row in rows:
        values = iter(row)
        starts = {group.name: next(values) for group in query.groups}
        ends = {name: next(values) for name in bucketed}
        figures = {measure.name: _shown(measure, next(values), starts) for measure in query.measures}
        filters = [*query.filters, *(each for group in query.groups for each in _drill_down(group, starts, ends))]
        rendered.append({"group": starts, "values": figures, "filters": _accepted(query.table, filters)})
    return rendered


def _shown(measure: Measure, value: Any, groups: Mapping[str, Any]) -> Any:
    currency_column = measure.column.currency_column if measure.column else None
    if value is None or currency_column is None or measure.type != "money":
        return value
    return format_amount(value, groups[currency_column])


def _drill_down(group: Group, starts: Mapping[str, Any], ends: Mapping[str, Any]) -> list[str]:
    start: datetime | date | None = starts[group.name]
    if start is None:
        return [f"{group.name}:is_null:true"]
    if group.bucket is None:
        return [f"{group.name}:eq:{value_text(start)}"]
    return [f"{group.name}:gte:{value_text(start)}", f"{group.name}:lt:{value_text(ends[group.name])}"]


def _accepted(table: Table, filters: list[str]) -> list[str] | None:
    """The filters, or None where the list would not take them: too many, or a value it does not know."""
    try:
        parse_filters(table, filters)
    except InvalidFilter:
        return None
    return filters
