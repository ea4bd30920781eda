"""The limits of an account (docs.stripe.com/rate-limits), as far as they are switched on: none until a test or a demo asks."""

from __future__ import annotations

import time
from collections import defaultdict, deque

from pydantic import BaseModel, ConfigDict, Field

from counterfoil_stripe.simulator.errors import rate_limited

_SPAN_S = 1.0


class Limits(BaseModel):
    """Requests per second, of the account and of each endpoint, and requests at the same time. Null: no limit."""

    model_config = ConfigDict(extra="forbid")

    global_rps: int | None = Field(default=None, ge=1)
    endpoint_rps: int | None = Field(default=None, ge=1)
    global_concurrency: int | None = Field(default=None, ge=1)


class Limiter:
    """Counts requests, and refuses those over a limit with Stripe's 429. A refused request counts towards none."""

    def __init__(self) -> None:
        self.limits = Limits()
        self._under_way = 0
        self._recent: deque[float] = deque()
        self._recent_by_endpoint: defaultdict[str, deque[float]] = defaultdict(deque)

    def enter(self, endpoint: str) -> None:
        """A request begins; raises `StripeError` if it is one too many."""
        now, limits = time.monotonic(), self.limits
        own = self._recent_by_endpoint[endpoint]
        if limits.global_concurrency is not None and self._under_way >= limits.global_concurrency:
            raise rate_limited("global-concurrency")
        if limits.global_rps is not None and _in_span(self._recent, now) >= limits.global_rps:
            raise rate_limited("global-rate")
        if limits.endpoint_rps is not None and _in_span(own, now) >= limits.endpoint_rps:
            raise rate_limited("endpoint-rate")
        self._under_way += 1
        if limits.global_rps is not None:
            self._recent.append(now)
        if limits.endpoint_rps is not None:
            own.append(now)

    def leave(self) -> None:
        self._under_way -= 1


def _in_span(moments: deque[float], now: float) -> int:
    while moments and now - moments[0] >= _SPAN_S:
        moments.popleft()
    return len(moments)
