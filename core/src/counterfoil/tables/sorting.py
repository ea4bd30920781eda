"""Sorts, and where in one a page ended. Rows without a value come last in both directions; ``id`` breaks ties."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from counterfoil.kit.errors import FieldError
from counterfoil.tables.errors import InvalidSort
from counterfoil.tables.records import Column, Table
from counterfoil.tables.values import Value, parse_value, value_text
from counterfoil.web.pagination import InvalidCursor, decode_cursor, encode_cursor

# Text sorts by its beginning, so that a cursor stays short enough for an address whatever a vendor wrote.
TEXT_SORT_LENGTH = 128

_CURSOR_PARTS = 4


@dataclass(frozen=True, kw_only=True)
class Sort:
    column: Column
    descending: bool

    def __str__(self) -> str:
        return f"-{self.column.name}" if self.descending else self.column.name


@dataclass(frozen=True, kw_only=True)
class Position:
    """The last row of a page: its sort value and its id."""

    value: Value | None
    id: UUID


def parse_sort(table: Table, text: str | None) -> Sort:
    """``column`` sorts upwards, ``-column`` downwards; without either the table's own sort holds.

    Raises:
        InvalidSort: the table cannot be sorted so.
    """
    text = text or table.default_sort
    column = table.by_name.get(text.removeprefix("-"))
    if column is None or not column.sortable:
        known = ", ".join(column.name for column in table.columns if column.sortable)
        message = f"{table.title} cannot be sorted by that. Columns: {known}; put - in front to sort downwards."
        raise InvalidSort(message, errors=[FieldError(path="sort", message=message)])
    return Sort(column=column, descending=text.startswith("-"))


def encode_position(table: Table, sort: Sort, position: Position) -> str:
    """An opaque cursor for what follows a position in this table and sort."""
    value = None if position.value is None else value_text(position.value)
    return encode_cursor(table.name, str(sort), value, str(position.id))


def decode_position(table: Table, sort: Sort, cursor: str) -> Position:
    """The position of a cursor.

    Raises:
        InvalidCursor: not one of ours, or of another table or sort.
    """
    name, order, value, row_id = decode_cursor(cursor, length=_CURSOR_PARTS)
    if (name, order) != (table.name, str(sort)):
        raise InvalidCursor("The cursor belongs to another table or another sort.")
    try:
        return Position(value=_sort_value(table, sort.column, value), id=UUID(_string(row_id)))
    except ValueError as error:
        raise InvalidCursor from error


def _sort_value(table: Table, column: Column, value: Any) -> Value | None:
    if value is None and table.is_nullable(column):
        return None
    return parse_value(_string(value), column.type)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a string")  # noqa: TRY004  (both mean one thing here: not our cursor)
    return value
