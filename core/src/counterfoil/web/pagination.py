"""Keyset pages: an opaque cursor that says where the last page ended."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from fastapi import Query
from pydantic import BaseModel

from counterfoil.kit.errors import Problem
from counterfoil.web.text import holds_nul

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
_NO_BIGINT = 2**63


class InvalidCursor(Problem):
    status, code, title = 422, "invalid_cursor", "The cursor is not one this list handed out"


class Page(BaseModel, Generic[T]):
    """One page of a list; ``next_cursor`` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


class Listing(BaseModel):
    """The two query parameters of every list."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


async def listing(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows per page")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=2048, description="next_cursor of the page before")] = None,
) -> Listing:
    # An empty cursor is the first page: query libraries send one when they have none.
    return Listing(limit=limit, cursor=cursor or None)


def encode_cursor(*position: Any) -> str:
    """Position values must be JSON: strings, numbers, booleans or None."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str, *, length: int) -> list[Any]:
    """The position of a cursor.

    Raises:
        InvalidCursor: for anything this code did not make.
    """
    try:
        position = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor from error
    if not isinstance(position, list) or len(position) != length or holds_nul(position):
        raise InvalidCursor
    return position


def instant_of(text: Any) -> datetime:
    """An instant in a cursor, in UTC.

    Raises:
        InvalidCursor: it is none, has no zone, or lies in no year that there is.
    """
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise InvalidCursor
        return instant.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InvalidCursor from None


def number_of(cursor: str, *, least: int = 0) -> int:
    """The number in the cursor of a list that is numbered, from ``least`` on.

    Raises:
        InvalidCursor: for anything this code did not make.
    """
    (position,) = decode_cursor(cursor, length=1)
    # True is a number to Python, and none to the database.
    if type(position) is not int or not least <= position < _NO_BIGINT:
        raise InvalidCursor
    return position


def id_of(cursor: str | None) -> UUID | None:
    """The id in the cursor of a list that is sorted by nothing else; None for the first page.

    Raises:
        InvalidCursor: for anything this code did not make.
    """
    if cursor is None:
        return None
    (position,) = decode_cursor(cursor, length=1)
    try:
        return UUID(position)
    except (AttributeError, TypeError, ValueError):
        raise InvalidCursor from None
