"""Time: always aware, always UTC inside."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"^(\d+)([smhd])$")


def utc_now() -> datetime:
    return datetime.now(UTC)


def from_unix(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def duration(text: str) -> timedelta:
    """Parse ``"90s"``, ``"15m"``, ``"3h"`` or ``"31d"``.

    Raises:
        ValueError: for any other form.
    """
    match = _DURATION.match(text)
    if match is None:
        msg = f"not a duration: {text!r} (write 90s, 15m, 3h or 31d)"
        raise ValueError(msg)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
