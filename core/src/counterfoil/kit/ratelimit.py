"""Rate limits shared by every process: GCRA in Redis, one round trip, the server's own clock."""

import asyncio
import hashlib
import math
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from counterfoil.kit.errors import TooManyRequests, Unavailable

_TIMEOUT_S = 2.0

# The generic cell rate algorithm keeps one number per key: when the bucket would be empty again, in milliseconds.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = empty_at - interval * (burst - 1) - now
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%d', empty_at + interval), 'PX', interval * burst)
return 0
"""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """``burst`` at once, then one every ``interval_ms``."""

    burst: int
    interval_ms: int


class RateLimiter:
    """Counts what happens to a key."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_TAKE)

    async def take(self, name: str, *subject: str, rate: Rate) -> float:
        """Count one and return 0, or, where the rate is used up, the seconds until one is free (nothing is counted)."""
        # Hashed, because a subject may be an e-mail address and Redis is no place for those.
        digest = hashlib.blake2b("\0".join(subject).encode(), digest_size=16).hexdigest()
        async with asyncio.timeout(_TIMEOUT_S):
            wait_ms = await self._take(keys=[f"rate:{name}:{digest}"], args=[rate.interval_ms, rate.burst])
        return float(wait_ms) / 1000

    async def require(self, name: str, *subject: str, rate: Rate) -> None:
        """Count one.

        Raises:
            TooManyRequests: with ``Retry-After``, where the rate is used up.
            Unavailable: where nobody can count. What may go on uncounted catches it.
        """
        try:
            wait_s = await self.take(name, *subject, rate=rate)
        except (RedisError, OSError) as error:
            raise Unavailable("Requests cannot be counted right now.", headers={"Retry-After": "5"}) from error
        if wait_s > 0:
            retry_after = math.ceil(wait_s)
            raise TooManyRequests(f"Try again in {retry_after} s.", headers={"Retry-After": str(retry_after)})
