"""The explorer's SQL. Every value is a bound parameter, and row-level security is the only tenant filter."""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from counterfoil.connections.models import Connection
from counterfoil.db.base import TIMESTAMPTZ
from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.models import RawRecord, StreamRun
from counterfoil.jobs.models import Job
from counterfoil.tables.filters import Condition, Op
from counterfoil.tables.micros import amount_of, equal_to, rounded_down, rounded_up
from counterfoil.tables.records import Column, ColumnType, Table
from counterfoil.tables.sorting import TEXT_SORT_LENGTH, Position, Sort
from counterfoil.tables.values import Value

Statement = TypeVar("Statement", sa.Select[*tuple[Any, ...]], sa.CompoundSelect[*tuple[Any, ...]])
Compare = Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]

_raws = RawRecord.__table__
_runs = StreamRun.__table__
_jobs = Job.__table__
_connections = Connection.__table__

_DELETED_AT = "deleted_at"
_SORT_VALUE = "sort_value"

# Not the columns' own types: a parameter cast to numeric(18,6) would be rounded before it is compared.
SQL_TYPES: Mapping[ColumnType, TypeEngine[Any]] = {
    "text": sa.Text(),
    "enum": sa.Text(),
    "money": sa.Numeric(),
    "number": sa.Numeric(),
    "timestamp": TIMESTAMPTZ,
    "date": sa.Date(),
    "boolean": sa.Boolean(),
    "uuid": sa.Uuid(),
}

_MICROS = sa.BigInteger()

_COMPARISONS: Mapping[Op, Compare] = {
    "eq": operator.eq,
    "ne": ColumnElement.is_distinct_from,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}

# As text, so that the payload's numbers are passed on as the vendor wrote them.
_PAYLOAD = sa.cast(_raws.c.payload, sa.Text()).label("payload")
_RAW = (
    _raws.c.id,
    _raws.c.stream,
    _raws.c.source_id,
    _PAYLOAD,
    _raws.c.content_hash,
    _raws.c.observed_at,
    _raws.c.changed_at,
)
_CONNECTION = (_connections.c.id, _connections.c.label, _connections.c.kind)
_RUN = (_runs.c.id, _runs.c.stream, _runs.c.mode, _runs.c.status, _runs.c.started_at, _runs.c.finished_at)
_JOB = (_jobs.c.id, _jobs.c.kind, _jobs.c.status)

Row = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """A row with everything it came from; what is not there any more is None."""

    row: Row
    dedupe_key: str
    connection: Mapping[str, Any]
    raw: Mapping[str, Any] | None
    run: Mapping[str, Any] | None
    job: Mapping[str, Any] | None


async def page(
    uow: UnitOfWork, table: Table, *, conditions: Collection[Condition], sort: Sort, after: Position | None, limit: int
) -> Sequence[Row]:
    """Up to ``limit`` rows that follow a position: the table's columns in their order, then what ``sort_value`` reads."""
    statement = page_statement(table, conditions=conditions, sort=sort, after=after, limit=limit)
    return (await (await uow.session.connection()).execute(statement)).all()


async def is_larger(uow: UnitOfWork, table: Table, *, conditions: Collection[Condition], than: int) -> bool:
    """Whether the conditions let more rows through, looking at no more than it takes to know."""
    some = sa.select(sa.literal(1)).select_from(table.source).where(*criteria(table, conditions)).limit(than + 1)
    statement = sa.select(sa.func.count() > than).select_from(some.subquery())
    return bool((await (await uow.session.connection()).execute(statement)).scalar_one())


async def count(uow: UnitOfWork, table: Table, *, conditions: Collection[Condition]) -> int:
    statement = sa.select(sa.func.count()).select_from(table.source).where(*criteria(table, conditions))
    return int((await (await uow.session.connection()).execute(statement)).scalar_one())


async def count_up_to(uow: UnitOfWork, tables: Collection[Table], *, most: int) -> list[int]:
    """How many rows each table has, looking at no more than ``most`` of them, in one statement."""
    if not tables:
        return []
    counts = [
        sa.select(sa.func.count())
        .select_from(
            sa.select(sa.literal(1)).where(*criteria(table, ())).select_from(table.source).limit(most).subquery()
        )
        .scalar_subquery()
        for table in tables
    ]
    return list((await (await uow.session.connection()).execute(sa.select(*counts))).one())


async def lineage(uow: UnitOfWork, table: Table, row_id: UUID) -> Lineage | None:
    """One row, deleted or not, with its raw record, connection, stream run and job."""
    own = table.source.columns
    sections: Sequence[Sequence[ColumnElement[Any]]] = (
        [own[column.name] for column in table.columns],
        [own["dedupe_key"]],
        _CONNECTION,
        _RAW,
        _RUN,
        _JOB,
    )
    statement = (
        sa.select(*(column for section in sections for column in section))
        .select_from(_with_lineage(table.source))
        .where(own["id"] == sa.literal(row_id, sa.Uuid()))
    )
    found = (await (await uow.session.connection()).execute(statement)).one_or_none()
    if found is None:
        return None
    values = iter(found)
    row, (dedupe_key,), connection, raw, run, job = ([next(values) for _ in section] for section in sections)
    return Lineage(
        row=row,
        dedupe_key=dedupe_key,
        connection=_named(_CONNECTION, connection),
        raw=_named(_RAW, raw) if raw[0] else None,
        run=_named(_RUN, run) if run[0] else None,
        job=_named(_JOB, job) if job[0] else None,
    )


def page_statement(
    table: Table, *, conditions: Collection[Condition], sort: Sort, after: Position | None, limit: int
) -> sa.Select[*tuple[Any, ...]] | sa.CompoundSelect[*tuple[Any, ...]]:
    """The query of one page.

    Rows with a sort value and rows without one are two ranges of the same index, so a page that may hold both is asked
    for as two: an OR of them would read the index from its beginning each time. The index has the largest first and no
    value last; read backwards it has no value first, which is why each range says so.
    """
    own = table.source.columns
    key = _sort_key(table, sort.column)
    rows = sa.select(*(own[column.name] for column in table.columns), key.label(_SORT_VALUE)).where(
        *criteria(table, conditions)
    )
    valueless = rows.where(key.is_(None))
    if after is None:
        if sort.descending:
            return _ordered(rows, key, own["id"], sort).limit(limit)
    elif after.value is None:
        rest = valueless.where(_beyond(own["id"], sa.literal(after.id, sa.Uuid()), sort))
        return _in_index_order(rest, key, own["id"], sort).limit(limit)
    else:
        here = sa.tuple_(_place_of(after.value, sort.column), sa.literal(after.id, sa.Uuid()))
        rows = rows.where(_beyond(sa.tuple_(key, own["id"]), here, sort))
    if not table.is_nullable(sort.column):
        return _in_index_order(rows, key, own["id"], sort).limit(limit)
    valued = _in_index_order(rows.where(key.is_not(None)), key, own["id"], sort).limit(limit)
    both = sa.union_all(valued, _in_index_order(valueless, key, own["id"], sort).limit(limit))
    return _ordered(both, sa.column(_SORT_VALUE), sa.column("id"), sort).limit(limit)


def sort_value(row: Row, column: Column) -> Value | None:
    """A row's place in the order of a column, as a position has it."""
    return amount_of(row[-1]) if column.order_column else row[-1]


def in_order(statement: sa.Select[*tuple[Any, ...]], table: Table, sort: Sort) -> sa.Select[*tuple[Any, ...]]:
    """Rows of a table in the order of a sort, the same as its pages have."""
    return _ordered(statement, _sort_key(table, sort.column), table.source.columns["id"], sort)


def _ordered(statement: Statement, key: ColumnElement[Any], row_id: ColumnElement[Any], sort: Sort) -> Statement:
    if sort.descending:
        return statement.order_by(key.desc().nulls_last(), row_id.desc())
    return statement.order_by(key.asc().nulls_last(), row_id.asc())


def _in_index_order(
    rows: sa.Select[*tuple[Any, ...]], key: ColumnElement[Any], row_id: ColumnElement[Any], sort: Sort
) -> sa.Select[*tuple[Any, ...]]:
    """For rows that all have a value or all have none: then it does not matter where those without one come."""
    if sort.descending:
        return rows.order_by(key.desc().nulls_last(), row_id.desc())
    return rows.order_by(key.asc().nulls_first(), row_id.asc())


def _beyond(left: ColumnElement[Any], right: ColumnElement[Any], sort: Sort) -> ColumnElement[bool]:
    return left < right if sort.descending else left > right


def _sort_key(table: Table, column: Column) -> ColumnElement[Any]:
    own = table.source.columns[column.order_column or column.name]
    return sa.func.left(own, TEXT_SORT_LENGTH) if column.type in {"text", "enum"} else own


def criteria(table: Table, conditions: Collection[Condition]) -> list[ColumnElement[bool]]:
    """What has to hold of a row; deleted ones are left out unless a condition is about that."""
    own = table.source.columns
    found = [
        _criterion_of_micros(own[condition.column.order_column], condition)
        if condition.column.order_column and condition.op != "is_null"
        else _criterion(own[condition.column.name], condition)
        for condition in conditions
    ]
    if all(condition.column.name != _DELETED_AT for condition in conditions):
        found.append(table.source.columns[_DELETED_AT].is_(None))
    return found


def _criterion(own: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    match condition.op:
        case "is_null":
            return own.is_(None) if condition.values[0] else own.is_not(None)
        case "in":
            # One array parameter: the statement stays the same, and prepared, for any number of values.
            kind = SQL_TYPES[condition.column.type]
            return own == sa.any_(sa.literal(list(condition.values), sa.ARRAY(kind)))
        case "contains":
            return own.icontains(condition.values[0], autoescape=True)
        case op:
            return _COMPARISONS[op](own, _bound(condition.values[0], condition.column))


def _criterion_of_micros(micros: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    """The same of an amount in millionths: an index condition, which a comparison of numerics cannot be."""
    amounts = [value for value in condition.values if isinstance(value, Decimal)]
    match condition.op:
        case "in":
            exact = [number for amount in amounts if (number := equal_to(amount)) is not None]
            return micros == sa.any_(sa.literal(exact, sa.ARRAY(_MICROS)))
        case "eq" | "ne" if equal_to(amounts[0]) is None:
            return sa.literal(value=condition.op == "ne")
        case "gt" | "lte":
            bound = rounded_down(amounts[0])
        case _:
            bound = rounded_up(amounts[0])
    return _COMPARISONS[condition.op](micros, sa.literal(bound, _MICROS))


def _place_of(value: Value, column: Column) -> ColumnElement[Any]:
    if column.order_column and isinstance(value, Decimal):
        return sa.literal(rounded_down(value), _MICROS)
    return _bound(value, column)


def _bound(value: Value, column: Column) -> ColumnElement[Any]:
    return sa.literal(value, SQL_TYPES[column.type])


def _with_lineage(rows: sa.Table) -> sa.FromClause:
    def same(other: sa.FromClause, reference: ColumnElement[Any]) -> ColumnElement[bool]:
        return sa.and_(other.c.tenant_id == rows.c.tenant_id, other.c.id == reference)

    # The connection is always there: a deleted one keeps its row for those that refer to it.
    return (
        rows.join(_connections, same(_connections, rows.c.connection_id))
        .outerjoin(_raws, same(_raws, rows.c.raw_id))
        .outerjoin(_runs, same(_runs, rows.c.run_id))
        .outerjoin(_jobs, same(_jobs, _runs.c.job_id))
    )


def _named(section: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> dict[str, Any]:
    return {str(column.key): value for column, value in zip(section, values, strict=True)}
