"""What a table of the explorer is: a typed record over a canonical model."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

import sqlalchemy as sa

from counterfoil.commerce.models import Canonical

ColumnType = Literal["text", "money", "number", "timestamp", "date", "boolean", "uuid", "enum"]

_RESERVED = frozenset({"views"})


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column as people and programs see it.

    Args:
        name: the model's attribute.
        title: the heading.
        type: decides the filter operators, how values are written, and how they are shown.
        filterable: whether ``filter`` accepts it.
        sortable: whether ``sort`` accepts it.
        indexed: an index has the rows in its order, so that a sort by it is fast however many rows there are.
        description: what it holds, where the title does not say it.
        hidden_by_default: there, but not among the columns first shown.
        currency_column: where the currency of a ``money`` column is.
        enum: the values of an ``enum`` column.
        order_column: where an indexed ``money`` column is as a whole number of millionths too, which is what its index is on.
    """

    name: str
    title: str
    type: ColumnType
    filterable: bool = True
    sortable: bool = True
    indexed: bool = False
    description: str | None = None
    hidden_by_default: bool = False
    currency_column: str | None = None
    enum: tuple[str, ...] = ()
    order_column: str | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the explorer. Core's and a plugin's are the same record; nothing else knows a table by name.

    Args:
        name: the last part of its address.
        title: the heading.
        description: one sentence on what a row is.
        model: the canonical model the rows are in.
        columns: in the order shown; ``id`` is one of them.
        permission: what the caller needs; without it the table is neither listed nor found.
        default_sort: ``column`` or ``-column``.
    """

    name: str
    title: str
    description: str
    model: type[Canonical]
    columns: tuple[Column, ...]
    permission: str = "tables.read"
    default_sort: str = "-source_created_at"

    def __post_init__(self) -> None:
        for complaint in self._complaints():
            raise ValueError(f"table {self.name!r}: {complaint}")

    def _complaints(self) -> Iterator[str]:
        if self.name in _RESERVED:
            yield "the name is taken by an address of the explorer's own"
        if len(self.by_name) != len(self.columns):
            yield "a column is declared twice"
        if "id" not in self.by_name:
            yield "the column 'id' is missing"
        for column in self.columns:
            if column.name not in self.source.columns:
                yield f"the model has no column {column.name!r}"
            if (column.type == "money") != (column.currency_column in self.by_name):
                yield f"{column.name!r}: a money column, and no other, names its currency's column"
            if column.order_column and (column.type != "money" or column.order_column not in self.source.columns):
                yield f"{column.name!r}: a money column, and no other, names the model's column of its millionths"
            if (column.type == "enum") != bool(column.enum):
                yield f"{column.name!r}: an enum column, and no other, lists its values"
        sort = self.by_name.get(self.default_sort.removeprefix("-"))
        if sort is None or not sort.sortable:
            yield f"cannot sort by {self.default_sort!r}"

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def money(self) -> tuple[tuple[str, str], ...]:
        """The money columns, each with the column of its currency."""
        return tuple((column.name, column.currency_column) for column in self.columns if column.currency_column)

    @property
    def source(self) -> sa.Table:
        return cast("sa.Table", self.model.__table__)  # type: ignore[attr-defined]  # mapped classes have one

    def is_nullable(self, column: Column) -> bool:
        return bool(self.source.columns[column.name].nullable)
