"""How many requests a tenant and each of its callers may send: counted in Redis, and let through uncounted where it is away."""

import math
import time
from collections.abc import Iterator
from uuid import UUID

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.types import Scope

from counterfoil.kit.errors import TooManyRequests
from counterfoil.kit.ratelimit import Rate, RateLimiter, Standing
from counterfoil.observability import get_logger

# All of a tenant's callers together.
_TENANT_FACTOR = 5
# Counting is no reason to be slow: a Redis that is away is not asked again for a while.
_TIMEOUT_S = 0.25
_PAUSE_S = 2.0
_STANDING = "rate_limit"

_log = get_logger(__name__)


class ApiLimits:
    """The limits of authenticated requests."""

    def __init__(self, limiter: RateLimiter, *, per_minute: int, burst: int) -> None:
        self._limiter = limiter
        self._caller = Rate(burst=burst, interval_ms=max(1, 60_000 // per_minute))
        self._tenant = Rate(burst=burst * _TENANT_FACTOR, interval_ms=max(1, 60_000 // (per_minute * _TENANT_FACTOR)))
        self._blind_until = 0.0

    async def count(self, request: Request, *, tenant_id: UUID, caller: str) -> None:
        """Count one request; its answer will say how the limit stands.

        Raises:
            TooManyRequests: with ``Retry-After``, where the caller's or the tenant's limit is used up.
        """
        if time.monotonic() < self._blind_until:
            return
        try:
            standing = await self._limiter.take_all(
                ("api_caller", f"{tenant_id}:{caller}", self._caller),
                ("api_tenant", str(tenant_id), self._tenant),
                timeout_s=_TIMEOUT_S,
            )
        except (RedisError, OSError) as error:
            self._blind_until = time.monotonic() + _PAUSE_S
            _log.warning("requests.uncounted", error=type(error).__name__)
            return
        setattr(request.state, _STANDING, standing)
        if standing.wait_s > 0:
            retry_after = math.ceil(standing.wait_s)
            raise TooManyRequests(f"Try again in {retry_after} s.", headers={"Retry-After": str(retry_after)})


def limit_headers(scope: Scope) -> Iterator[tuple[str, str]]:
    """What the answer says about the limit, if the request was counted."""
    standing: Standing | None = scope.get("state", {}).get(_STANDING)
    if standing is not None:
        yield "RateLimit-Limit", str(standing.limit)
        yield "RateLimit-Remaining", str(standing.remaining)
        yield "RateLimit-Reset", str(math.ceil(standing.reset_s))
