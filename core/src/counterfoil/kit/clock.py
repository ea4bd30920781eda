"""Time: always aware, always UTC inside."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"^(\d+)([smhd])$")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A better clock than this machine's, as it stood at a moment of our stopwatch, which nobody can set."""

    at: datetime
    read_s: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self.read_s)


_followed: ContextVar[Reading | None] = ContextVar("followed_clock", default=None)


@contextmanager
def following(reading: Reading) -> Iterator[None]:
    """Go by another clock for a block: the database's in a job, so that workers whose clocks differ agree on what is newer."""
    token = _followed.set(reading)
    try:
        yield
    finally:
        _followed.reset(token)


def utc_now() -> datetime:
    """The time; inside ``following`` by that clock."""
    followed = _followed.get()
    return datetime.now(UTC) if followed is None else followed.now()


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
