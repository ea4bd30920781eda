"""What an aggregate is asked for: groups, time buckets and measures, checked against a table.

Money is only ever summed within one currency: a measure over a money column adds the column of its currency to the groups.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from counterfoil.kit.errors import FieldError
from counterfoil.tables.errors import InvalidAggregate
from counterfoil.tables.filters import Condition, parse_filters
from counterfoil.tables.records import Column, ColumnType, Table

Bucket = Literal["hour", "day", "week", "month", "quarter", "year"]
Function = Literal["count", "sum", "min", "max", "avg", "count_distinct"]

MAX_GROUPS = 3
MAX_MEASURES = 10

BUCKETS: Mapping[ColumnType, tuple[Bucket, ...]] = {
    "timestamp": get_args(Bucket),
    "date": ("day", "week", "month", "quarter", "year"),
}
GROUPABLE: frozenset[ColumnType] = frozenset({"text", "enum", "uuid", "boolean", "timestamp", "date"})
_NUMBERS: frozenset[ColumnType] = frozenset({"money", "number"})
_ORDERED: frozenset[ColumnType] = frozenset({"money", "number", "timestamp", "date"})
_EVERY_TYPE: frozenset[ColumnType] = frozenset(get_args(ColumnType))
_FITS: Mapping[Function, frozenset[ColumnType]] = {
    "sum": _NUMBERS,
    "avg": _NUMBERS,
    "min": _ORDERED,
    "max": _ORDERED,
    "count_distinct": _EVERY_TYPE,
}
# Names of the time-zone database; a zone written as an offset has its sign one way in ISO 8601 and the other in POSIX.
_ZONE = re.compile(r"UTC|[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){1,2}")
_LONGEST_ZONE = 64


@dataclass(frozen=True, kw_only=True)
class Group:
    """One column to group by. ``added`` ones were not asked for: they keep currencies apart."""

    column: Column
    bucket: Bucket | None = None
    added: bool = False

    @property
    def name(self) -> str:
        return self.column.name


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure per group; ``count`` counts rows and has no column."""

    function: Function
    column: Column | None

    @property
    def name(self) -> str:
        return f"{self.function}_{self.column.name}" if self.column else self.function

    @property
    def type(self) -> ColumnType:
        return "number" if self.column is None or self.function == "count_distinct" else self.column.type


@dataclass(frozen=True, kw_only=True)
class Order:
    """By which group or measure the groups come."""

    by: Group | Measure
    descending: bool


@dataclass(frozen=True, kw_only=True)
class AggregateQuery:
    """What an aggregate is asked for, checked against its table. ``timezone`` None is the tenant's."""

    table: Table
    conditions: tuple[Condition, ...]
    filters: tuple[str, ...]
    groups: tuple[Group, ...]
    measures: tuple[Measure, ...]
    order: Order | None
    timezone: str | None
    limit: int


def read_aggregate(
    table: Table,
    *,
    filters: Sequence[str] = (),
    groups: Sequence[str] = (),
    measures: Sequence[str] = (),
    sort: str | None = None,
    timezone: str | None = None,
    limit: int,
) -> AggregateQuery:
    """Check a request before anything is asked of the database. Without measures it counts.

    Raises:
        InvalidFilter, InvalidAggregate: with what would be right.
    """
    if len(groups) > MAX_GROUPS:
        raise InvalidAggregate(f"At most {MAX_GROUPS} columns are grouped by.")
    if len(measures) > MAX_MEASURES:
        raise InvalidAggregate(f"At most {MAX_MEASURES} measures are taken.")
    if timezone is not None and (len(timezone) > _LONGEST_ZONE or not _ZONE.fullmatch(timezone)):
        raise _wrong("timezone", "A time zone goes by its IANA name, as Europe/Berlin.")
    asked = tuple(_group(table, text, path=f"group.{index}") for index, text in enumerate(groups))
    taken = tuple(_measure(table, text, path=f"measure.{index}") for index, text in enumerate(measures or ["count"]))
    _each_once([group.name for group in asked], "group")
    _each_once([measure.name for measure in taken], "measure")
    every = (*asked, *_currencies(table, asked, taken))
    return AggregateQuery(
        table=table,
        conditions=parse_filters(table, filters),
        filters=tuple(filters),
        groups=every,
        measures=taken,
        order=_order(every, taken, sort),
        timezone=timezone,
        limit=limit,
    )


def _group(table: Table, text: str, *, path: str) -> Group:
    name, colon, bucket = text.partition(":")
    column = table.by_name.get(name)
    if column is None or not column.filterable or column.type not in GROUPABLE:
        known = ", ".join(each.name for each in table.columns if each.filterable and each.type in GROUPABLE)
        raise _wrong(path, f"{table.title} cannot be grouped by that column. Columns: {known}.")
    buckets = BUCKETS.get(column.type, ())
    if (colon or column.type == "timestamp") and bucket not in buckets:
        takes = f"takes one of {', '.join(buckets)}, as {name}:month" if buckets else "has no time buckets"
        raise _wrong(path, f"{name} {takes}.")
    return Group(column=column, bucket=next((each for each in buckets if each == bucket), None))


def _measure(table: Table, text: str, *, path: str) -> Measure:
    if text == "count":
        return Measure(function="count", column=None)
    name, _, column_name = text.partition(":")
    function = next((each for each in _FITS if each == name), None)
    if function is None:
        raise _wrong(path, f"A measure is count, or one of {', '.join(_FITS)} with a column, as sum:amount.")
    column = table.by_name.get(column_name)
    if column is None or not column.filterable or column.type not in _FITS[function]:
        known = ", ".join(each.name for each in table.columns if each.filterable and each.type in _FITS[function])
        raise _wrong(path, f"{function} does not fit that column of {table.title}. Columns: {known or 'none'}.")
    return Measure(function=function, column=column)


def _currencies(table: Table, groups: Iterable[Group], measures: Iterable[Measure]) -> list[Group]:
    """The currency columns that amounts need and nobody asked for."""
    here = {group.name for group in groups}
    needed = dict.fromkeys(
        measure.column.currency_column for measure in measures if measure.column and measure.column.currency_column
    )
    return [Group(column=table.by_name[name], added=True) for name in needed if name not in here]


def _order(groups: Sequence[Group], measures: Sequence[Measure], sort: str | None) -> Order | None:
    if sort is None:
        bucketed = next((group for group in groups if group.bucket), None)
        if bucketed is not None:
            return Order(by=bucketed, descending=False)
        return Order(by=measures[0], descending=True) if groups else None
    offered: dict[str, Group | Measure] = {group.name: group for group in groups}
    offered |= {measure.name: measure for measure in measures}
    by = offered.get(sort.removeprefix("-"))
    if by is None:
        known = ", ".join(offered)
        raise _wrong("sort", f"Groups are sorted by one of {known}; put - in front to sort downwards.")
    return Order(by=by, descending=sort.startswith("-"))


def _each_once(names: Sequence[str], path: str) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise _wrong(f"{path}.{index}", f"{name} is there twice.")


def _wrong(path: str, message: str) -> InvalidAggregate:
    return InvalidAggregate(message, errors=[FieldError(path=path, message=message)])
