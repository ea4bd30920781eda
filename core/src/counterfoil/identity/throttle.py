"""How often somebody may try what needs a password or a one-time link."""

import asyncio
import hashlib
import time
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from counterfoil.kit import context
from counterfoil.kit.errors import TooManyRequests, Unavailable
from counterfoil.kit.ratelimit import Rate, RateLimiter, network_of

_BETWEEN_ATTEMPTS_MS = 1_000
_ON_ONE_ACCOUNT_FROM_ONE_NETWORK = Rate(burst=10, interval_ms=6_000)
_ON_ONE_ACCOUNT_FROM_ELSEWHERE = Rate(burst=30, interval_ms=10_000)
_FAMILIAR_S = 90 * 86_400
_TIMEOUT_S = 2.0
_MAILS_TO_ONE_ADDRESS = Rate(burst=5, interval_ms=600_000)
_INVITATIONS_OF_ONE_TENANT = Rate(burst=200, interval_ms=30_000)
# The hash is the same work for a known and an unknown e-mail, the audit event of a known one is not: wait out the difference.
_REFUSAL_TAKES_S = 0.3


class Throttle:
    """Counts attempts before any hashing. Where a rate is used up, TooManyRequests is raised; where nobody can count, Unavailable."""

    def __init__(self, redis: Redis, *, burst: int) -> None:
        self._redis, self._limiter = redis, RateLimiter(redis)
        self._by_network = Rate(burst=burst, interval_ms=_BETWEEN_ATTEMPTS_MS)

    async def attempt(self, what: str) -> None:
        """Count one by the caller's network, for each thing that can be attempted by itself."""
        await self._limiter.require(
            f"{what}_network", network_of(context.current_client_ip.get()), rate=self._by_network
        )

    async def log_in(self, email: str) -> float:
        """Count one with a password, before anybody looks at it; gives the time it began.

        All networks together have one limit for an account, or whoever has many would guess on. Those its owner signed in
        from are spared: nobody locks them out there.
        """
        started = time.monotonic()
        await self.attempt("login")
        network = network_of(context.current_client_ip.get())
        await self._limiter.require("login_network_account", network, email, rate=_ON_ONE_ACCOUNT_FROM_ONE_NETWORK)
        if not await self._is_familiar(network, email):
            await self._limiter.require("login_account", email, rate=_ON_ONE_ACCOUNT_FROM_ELSEWHERE)
        return started

    async def let_in(self, email: str) -> None:
        """Remember the network whoever this address belongs to proved to be in."""
        key = _familiar(network_of(context.current_client_ip.get()), email)
        with suppress(RedisError, OSError):
            async with asyncio.timeout(_TIMEOUT_S):
                await self._redis.set(key, 1, ex=_FAMILIAR_S)

    async def _is_familiar(self, network: str, email: str) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return bool(await self._redis.exists(_familiar(network, email)))
        except (RedisError, OSError):
            return False

    async def may_mail(self, email: str) -> bool:
        """Count a mail that anybody can have sent to this address; False, and no error, where it got enough of them."""
        try:
            await self._limiter.require("mail", email, rate=_MAILS_TO_ONE_ADDRESS)
        except (TooManyRequests, Unavailable):
            return False
        return True

    async def invite(self, tenant_id: str) -> None:
        """Count an invitation: it mails whomever a tenant names."""
        await self._limiter.require("invitations", tenant_id, rate=_INVITATIONS_OF_ONE_TENANT)


def _familiar(network: str, email: str) -> str:
    # Hashed: Redis is no place for addresses, of either kind.
    digest = hashlib.blake2b(f"{network}\x00{email}".encode(), digest_size=16).hexdigest()
    return f"familiar:{digest}"


async def wait_out(started: float) -> None:
    """Answer no sooner than for any other refusal."""
    await asyncio.sleep(max(0.0, started + _REFUSAL_TAKES_S - time.monotonic()))
