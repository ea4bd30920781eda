"""How many requests a tenant, each of its callers and a network may send: counted in Redis, or let through where it is away."""

import time
from uuid import UUID

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.types import Scope

from counterfoil.kit import context
from counterfoil.kit.ratelimit import Rate, RateLimiter, Standing, network_of
from counterfoil.observability import get_logger

# All of a tenant's callers together, and all of a network's: it may be the tenant's office, behind one address.
_TENANT_FACTOR = 5
# Counting is no reason to be slow: a Redis that is away is not asked again for a while.
_TIMEOUT_S = 0.25
_PAUSE_S = 2.0
_STANDING = "rate_limit"

_log = get_logger(__name__)


class ApiLimits:
    """The limits of authenticated requests, and of those that come with a token of a session and no more."""

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
        await self._count(
            request, ("api_caller", f"{tenant_id}:{caller}", self._caller), ("api_tenant", str(tenant_id), self._tenant)
        )

    async def count_visitor(self, request: Request) -> None:
        """As ``count``, for a route before anybody is known: by the network it comes from."""
        network = network_of(context.current_client_ip.get())
        await self._count(request, ("api_network", network, self._tenant))

    async def _count(self, request: Request, *counted: tuple[str, str, Rate]) -> None:
        if time.monotonic() < self._blind_until:
            return
        try:
            standing = await self._limiter.take_all(*counted, timeout_s=_TIMEOUT_S)
        except (RedisError, OSError) as error:
            self._blind_until = time.monotonic() + _PAUSE_S
            _log.warning("requests.uncounted", error=type(error).__name__)
            return
        setattr(request.state, _STANDING, standing)
        standing.require()


def limit_headers(scope: Scope) -> dict[str, str]:
    """What the answer says about the limit, if the request was counted."""
    standing: Standing | None = scope.get("state", {}).get(_STANDING)
    return standing.headers if standing is not None else {}
