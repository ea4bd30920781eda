"""Keeping to a vendor's limits, and waiting between attempts."""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from counterfoil.kit.http.errors import HeldBack

Sleep = Callable[[float], Awaitable[None]]

_LONGEST_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often, and how long apart. Waits are drawn evenly from zero to a bound that doubles ("full jitter").

    Full jitter spreads clients that failed together better than a fixed wait plus noise (AWS Architecture Blog,
    "Exponential Backoff And Jitter").

    Args:
        max_attempts: requests in all, the first included.
        base_s: the first bound.
        cap_s: the largest bound.
        max_elapsed_s: no wait begins that would end later than this after the first attempt.
        sleep: how to wait.
    """

    max_attempts: int = 6
    base_s: float = 0.5
    cap_s: float = 20.0
    max_elapsed_s: float = 120.0
    sleep: Sleep = field(default=asyncio.sleep, repr=False)

    def wait_s(self, attempt: int, *, elapsed_s: float, at_least_s: float | None = None) -> float | None:
        """Seconds to wait after the given attempt (the first is 1), or None to give up.

        A wait the vendor asked for (``at_least_s``) is kept to in full, with jitter on top: shortening it would only
        bring the next refusal.
        """
        if attempt >= self.max_attempts:
            return None
        bound_s = min(self.cap_s, self.base_s * 2 ** (attempt - 1))
        wait_s = random.uniform(0, bound_s) + (at_least_s or 0.0)  # noqa: S311  (spreads load, hides nothing)
        return wait_s if elapsed_s + wait_s <= self.max_elapsed_s else None


class Limiter(Protocol):
    """Gives turns, and hears of refusals."""

    def slot(self, *, longest_hold_s: float = math.inf) -> AbstractAsyncContextManager[None]:
        """Wait for a turn, and have it for as long as the block lasts.

        Raises:
            HeldBack: the turn is behind a hold that ends later than in ``longest_hold_s``.
        """

    async def refused(self, retry_after_s: float | None) -> None:
        """The vendor has said that there are too many requests, and perhaps for how long it wants none."""


class RateLimiter:
    """At most so many requests at a time and so many starts per second, within this process."""

    def __init__(self, *, rps: float, concurrency: int) -> None:
        self._interval_s = 1.0 / rps
        self._slots = asyncio.Semaphore(concurrency)
        self._next_at = 0.0
        self._held_until = 0.0

    @asynccontextmanager
    async def slot(self, *, longest_hold_s: float = math.inf) -> AsyncIterator[None]:
        """Wait for a turn.

        Raises:
            HeldBack: the turn is behind a hold that ends later than in ``longest_hold_s``.
        """
        async with self._slots:
            now = time.monotonic()
            if self._held_until - now > longest_hold_s:
                raise HeldBack(self._held_until - now)
            start_at = max(now, self._next_at, self._held_until)
            self._next_at = start_at + self._interval_s
            if start_at > now:
                await asyncio.sleep(start_at - now)
            yield

    async def refused(self, retry_after_s: float | None) -> None:
        if retry_after_s:
            self.hold(retry_after_s)

    def hold(self, seconds: float) -> None:
        """Start nothing for a while: the vendor's refusal of one request is meant for all of them."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3): a number or a date; None when it says neither.

    Never more than a day: a number too large to be meant, up to infinity, would be waited out too.
    """
    if not value:
        return None
    text = value.strip()
    # Fractions are not in the RFC, but vendors send them.
    if text.replace(".", "", 1).isdecimal():
        return min(float(text), _LONGEST_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return min(max(0.0, (at - now).total_seconds()), _LONGEST_S)
