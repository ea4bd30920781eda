"""Days and instants in requests: as RFC 3339 writes them, and never a bare number, which pydantic would take for seconds."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_BEGINS_WITH_A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _written_out(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and _BEGINS_WITH_A_DAY.match(value)):
        return value
    raise ValueError("Write it as in 2026-01-31 or 2026-01-31T23:59:59Z.")


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        # The first hours of the year 1 and the last of 9999 are in no year that there is, seen from UTC.
        raise ValueError("In UTC this is before the year 1 or after 9999.") from None


Day = Annotated[date, BeforeValidator(_written_out)]
"""A day in the calendar."""

Instant = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
"""An instant, in UTC; one that comes without a zone is UTC."""

Bound = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""As it was written, with its zone, for who compares it to something: it may lie before or after everything there is."""

ZonedInstant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
"""As ``Instant``, for what is kept: one without a zone is refused."""
