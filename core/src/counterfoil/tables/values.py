"""Typed values written as text: what filters and cursors carry."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from counterfoil.tables.records import ColumnType

Value = Decimal | datetime | date | bool | UUID | str

_DECIMAL = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BOOLEANS = {"true": True, "false": False}


def parse_value(text: str, as_type: ColumnType) -> Value:
    """The value a text stands for.

    Raises:
        ValueError: it is not one of that type; the message says what one looks like and never repeats the input.
    """
    return _PARSERS[as_type](text)


def value_text(value: Value) -> str:
    """The text ``parse_value`` reads back to the same value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError("is a plain decimal number, as 1250.00")
    return Decimal(text)


def _timestamp(text: str) -> datetime:
    expected = "is an RFC 3339 time with its offset, as 2026-11-23T08:15:00Z"
    if not _RFC3339.fullmatch(text):
        raise ValueError(expected)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(expected) from None


def _date(text: str) -> date:
    expected = "is a date, as 2026-11-23"
    if not _DATE.fullmatch(text):
        raise ValueError(expected)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(expected) from None


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text]
    except KeyError:
        raise ValueError("is true or false") from None


def _uuid(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise ValueError("is a UUID, as 0192f0c1-2345-7abc-8def-0123456789ab")
    return UUID(text)


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("is text without NUL characters")
    return text


_PARSERS: Mapping[ColumnType, Callable[[str], Value]] = {
    "text": _text,
    "enum": _text,
    "money": _decimal,
    "number": _decimal,
    "timestamp": _timestamp,
    "date": _date,
    "boolean": _boolean,
    "uuid": _uuid,
}
