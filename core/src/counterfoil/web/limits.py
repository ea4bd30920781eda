"""How many requests a tenant, each of its callers and a network may send: counted in Redis, or let through where it is away.

This is the one way to count what may also go on uncounted. What may not, like a log-in, asks the ``RateLimiter`` itself.
"""

import time
from collections.abc import Hashable
from uuid import UUID

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.types import Scope

from counterfoil.kit import context
from counterfoil.kit.ratelimit import Rate, RateLimiter, Standing, network_of
from counterfoil.observability import get_logger

# All of a tenant's callers together, and all of a network's: it may be the tenant's office, behind one address.
_TENANT_FACTOR = 5
# Credentials that are nobody's. An office whose sessions end brings some of them, and a guess costs a look-up.
_STRANGERS = Rate(burst=100, interval_ms=1_000)
_KNOWN_S = 60.0
# Counting is no reason to be slow: a Redis that is away is not asked again for a while.
_TIMEOUT_S = 0.25
_PAUSE_S = 2.0
_STANDING = "rate_limit"

_log = get_logger(__name__)


class ApiLimits:
    """The limits of requests: by tenant and caller of those whose sender is known, and of all others by network."""

    def __init__(self, limiter: RateLimiter, *, per_minute: int, burst: int) -> None:
        self._limiter = limiter
        self._caller = Rate(burst=burst, interval_ms=max(1, 60_000 // per_minute))
        self._tenant = Rate(burst=burst * _TENANT_FACTOR, interval_ms=max(1, 60_000 // (per_minute * _TENANT_FACTOR)))
        self._blind_until = 0.0
        self._shut, self._known = _Marks(), _Marks()

    async def count(self, request: Request, *, tenant_id: UUID, caller: str) -> None:
        """Count one request; its answer will say how the limit stands.

        Raises:
            TooManyRequests: with ``Retry-After``, where the caller's or the tenant's limit is used up.
        """
        await self.count_by(
            request, ("api_caller", f"{tenant_id}:{caller}", self._caller), ("api_tenant", str(tenant_id), self._tenant)
        )

    async def count_visitor(self, request: Request) -> None:
        """As ``count``, for a route before anybody is known: by the network it comes from."""
        await self.count_by(request, ("api_network", _network(), self._tenant))

    async def count_by(self, request: Request, *counted: tuple[str, str, Rate]) -> None:
        """As ``count``, by whatever a route has to go by: for every ``(name, subject, rate)``, or for none of them."""
        standing = await self._take(request, *counted)
        if standing is not None:
            standing.require()

    async def count_stranger(self, request: Request) -> None:
        """Count a credential that was nobody's, by the network it came from.

        Raises:
            TooManyRequests: the network brought too many. Until it may bring another, none of its own is looked up.
        """
        standing = await self._take(request, ("api_stranger", _network(), _STRANGERS))
        if standing is not None and standing.wait_s > 0:
            self._shut.set(_network(), for_s=standing.wait_s)
            standing.require()

    def require_welcome(self, credential: bytes) -> None:
        """Ask before a credential, given by its hash, is looked up.

        Raises:
            TooManyRequests: its network brings too many that are nobody's, and this one was not somebody's of late.
        """
        wait_s = self._shut.left_s(_network())
        if not self._known.left_s(credential):
            reset_s = _STRANGERS.burst * _STRANGERS.interval_ms / 1000
            Standing(limit=_STRANGERS.burst, remaining=0, reset_s=reset_s, wait_s=wait_s).require()

    def welcome(self, credential: bytes) -> None:
        """Remember that a credential was somebody's: strangers in the same network shall not stand in its way."""
        self._known.set(credential, for_s=_KNOWN_S)

    async def _take(self, request: Request, *counted: tuple[str, str, Rate]) -> Standing | None:
        """None where nobody can count."""
        if time.monotonic() < self._blind_until:
            return None
        try:
            standing = await self._limiter.take_all(*counted, timeout_s=_TIMEOUT_S)
        except (RedisError, OSError) as error:
            self._blind_until = time.monotonic() + _PAUSE_S
            _log.warning("requests.uncounted", error=type(error).__name__)
            return None
        setattr(request.state, _STANDING, standing)
        return standing


class _Marks:
    """What holds for a while. There may be any number of them: rather than grow without end, all are forgotten."""

    _MOST = 10_000

    def __init__(self) -> None:
        self._until: dict[Hashable, float] = {}

    def set(self, key: Hashable, *, for_s: float) -> None:
        if len(self._until) >= self._MOST:
            self._until.clear()
        self._until[key] = time.monotonic() + for_s

    def left_s(self, key: Hashable) -> float:
        return max(0.0, self._until.get(key, 0.0) - time.monotonic())


def _network() -> str:
    return network_of(context.current_client_ip.get())


def limit_headers(scope: Scope) -> dict[str, str]:
    """What the answer says about the limit, if the request was counted."""
    standing: Standing | None = scope.get("state", {}).get(_STANDING)
    return standing.headers if standing is not None else {}
