"""The filter grammar ``column:op:value``, read into typed conditions. Every condition has to hold.

``in`` takes values separated by commas; one that holds a comma is put in double quotes, and a quote in it is doubled.
``ne`` also finds rows without a value. ``contains`` looks for the text itself, in any case. Times carry their offset.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from counterfoil.kit.errors import FieldError
from counterfoil.tables.errors import InvalidFilter
from counterfoil.tables.records import Column, ColumnType, Table
from counterfoil.tables.values import Value, parse_value

Op = Literal["eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "is_null"]

MAX_FILTERS = 20
MAX_IN_VALUES = 100
MAX_VALUE_LENGTH = 4000

_EQUALITY: tuple[Op, ...] = ("eq", "ne", "in", "is_null")
_ORDERED: tuple[Op, ...] = ("eq", "ne", "in", "gt", "gte", "lt", "lte", "is_null")
OPS: Mapping[ColumnType, tuple[Op, ...]] = {
    "text": ("eq", "ne", "in", "contains", "is_null"),
    "enum": _EQUALITY,
    "uuid": _EQUALITY,
    "boolean": ("eq", "ne", "is_null"),
    "money": _ORDERED,
    "number": _ORDERED,
    "timestamp": _ORDERED,
    "date": _ORDERED,
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One filter: several values for ``in``, exactly one (for ``is_null`` a boolean) for every other operator."""

    column: Column
    op: Op
    values: tuple[Value, ...]


def parse_filters(table: Table, texts: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions of a request.

    Raises:
        InvalidFilter: for the first one that is not right, saying why.
    """
    if len(texts) > MAX_FILTERS:
        raise InvalidFilter(f"At most {MAX_FILTERS} filters are accepted.")
    return tuple(_parse_filter(table, text, path=f"filter.{index}") for index, text in enumerate(texts))


def _parse_filter(table: Table, text: str, *, path: str) -> Condition:
    try:
        name, op, value = _split(text)
        column = _column(table, name)
        op = _op(column, op)
        return Condition(column=column, op=op, values=_values(column, op, value))
    except ValueError as error:
        raise InvalidFilter(str(error), errors=[FieldError(path=path, message=str(error))]) from error


def _split(text: str) -> tuple[str, str, str]:
    name, first, rest = text.partition(":")
    op, second, value = rest.partition(":")
    if not first or not second:
        raise ValueError("A filter reads column:op:value, as status:eq:paid.")
    if len(value) > MAX_VALUE_LENGTH:
        raise ValueError(f"A filter's value has at most {MAX_VALUE_LENGTH} characters.")
    return name, op, value


def _column(table: Table, name: str) -> Column:
    column = table.by_name.get(name)
    if column is None or not column.filterable:
        known = ", ".join(column.name for column in table.columns if column.filterable)
        raise ValueError(f"{table.title} cannot be filtered by that column. Columns: {known}.")
    return column


def _op(column: Column, op: str) -> Op:
    allowed = OPS[column.type]
    if op not in allowed:
        known = "Unknown operator" if op not in get_args(Op) else f"The operator {op} does not fit"
        raise ValueError(f"{known}: {column.name} ({column.type}) takes {', '.join(allowed)}.")
    return op


def _values(column: Column, op: Op, text: str) -> tuple[Value, ...]:
    match op:
        case "is_null":
            return (_value(column, text, as_type="boolean"),)
        case "in":
            texts = _comma_separated(column, text)
            return tuple(dict.fromkeys(_value(column, each) for each in texts))
        case "contains" if not text:
            raise ValueError(f"contains needs some text to look for in {column.name}.")
        case _:
            return (_value(column, text),)


def _comma_separated(column: Column, text: str) -> list[str]:
    try:
        (texts,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        raise ValueError(f"The values for {column.name} are separated by commas, as paid,pending.") from None
    if not 1 <= len(texts) <= MAX_IN_VALUES:
        raise ValueError(f"in takes 1 to {MAX_IN_VALUES} values for {column.name}.")
    return texts


def _value(column: Column, text: str, *, as_type: ColumnType | None = None) -> Value:
    try:
        value = parse_value(text, as_type or column.type)
    except ValueError as error:
        raise ValueError(f"A value for {column.name} {error}.") from error
    if column.enum and as_type is None and value not in column.enum:
        raise ValueError(f"A value for {column.name} is one of {', '.join(column.enum)}.")
    return value
