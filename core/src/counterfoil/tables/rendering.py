"""Rows as JSON. No model per row: a page is plain dicts that go straight to the encoder."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from counterfoil.kit.money import format_amount
from counterfoil.tables.records import Table


def render_rows(table: Table, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows whose values are in the order of the table's columns; what follows those is left out."""
    names = tuple(table.by_name)
    rendered = []
    for row in rows:
        item = dict(zip(names, row, strict=False))
        for name, currency in table.money:
            if item[name] is not None:
                item[name] = format_amount(item[name], item[currency])
        rendered.append(item)
    return rendered


def to_json(content: Any) -> bytes:
    """JSON with exact decimals as strings and times as RFC 3339 in UTC with a Z."""
    return orjson.dumps(content, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)  # the driver's own subclass, which the encoder does not know
    if isinstance(value, Decimal):
        return format_amount(value, None)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"not a value of a row: {type(value).__name__}")
