"""Rate limits shared by every process: GCRA in Redis, one round trip, the server's own clock."""

import asyncio
import hashlib
import math
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from redis.asyncio import Redis
from redis.exceptions import RedisError

from counterfoil.kit.errors import TooManyRequests, Unavailable

_TIMEOUT_S = 2.0
# What one customer of a provider gets: a limit on single IPv6 addresses would limit nobody.
_IPV6_NETWORK_BITS = 64
_SEPARATOR = "\0"

# The generic cell rate algorithm keeps one number per key: when the bucket would be empty again, in milliseconds. Of several
# keys all count one, or none does.
_TAKE_ALL = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait, filled = 0, {}
for i, key in ipairs(KEYS) do
    local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local empty_at = math.max(tonumber(redis.call('GET', key) or now), now)
    wait = math.max(wait, empty_at - interval * (burst - 1) - now)
    filled[i] = empty_at - now
end
if wait > 0 then return {wait, unpack(filled)} end
for i, key in ipairs(KEYS) do
    local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    filled[i] = filled[i] + interval
    redis.call('SET', key, string.format('%d', now + filled[i]), 'PX', interval * burst)
end
return {0, unpack(filled)}
"""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """``burst`` at once, then one every ``interval_ms``."""

    burst: int
    interval_ms: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a limit stands: of ``limit`` at once ``remaining`` are left, all again after ``reset_s``.

    ``wait_s`` is 0 for what was counted, or else the time until one is free.
    """

    limit: int
    remaining: int
    reset_s: float
    wait_s: float

    @property
    def headers(self) -> dict[str, str]:
        """What an answer says about the limit."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset_s)),
        }

    def require(self) -> None:
        """Pass if it was counted.

        Raises:
            TooManyRequests: with ``Retry-After``, and how the limit stands.
        """
        if self.wait_s > 0:
            retry_after = math.ceil(self.wait_s)
            headers = {"Retry-After": str(retry_after), **self.headers}
            raise TooManyRequests(f"Try again in {retry_after} s.", headers=headers)


class RateLimiter:
    """Counts what happens to a key."""

    def __init__(self, redis: Redis) -> None:
        self._take_all = redis.register_script(_TAKE_ALL)

    async def take(self, name: str, *subject: str, rate: Rate) -> float:
        """Count one and return 0, or, where the rate is used up, the seconds until one is free (nothing is counted)."""
        return (await self.take_all((name, _SEPARATOR.join(subject), rate))).wait_s

    async def take_all(self, *counted: tuple[str, str, Rate], timeout_s: float = _TIMEOUT_S) -> Standing:
        """Count one for every ``(name, subject, rate)`` or, where one of them is used up, for none; one round trip.

        Gives the standing of the one with the least left.
        """
        keys = [_key(name, subject) for name, subject, _ in counted]
        args = [number for _, _, rate in counted for number in (rate.interval_ms, rate.burst)]
        async with asyncio.timeout(timeout_s):
            wait_ms, *filled_ms = await self._take_all(keys=keys, args=args)
        standings = [
            Standing(
                limit=rate.burst,
                remaining=max(0, rate.burst - math.ceil(filled / rate.interval_ms)),
                reset_s=filled / 1000,
                wait_s=wait_ms / 1000,
            )
            for (_, _, rate), filled in zip(counted, filled_ms, strict=True)
        ]
        return min(standings, key=lambda standing: standing.remaining)

    async def require(self, name: str, *subject: str, rate: Rate) -> None:
        """Count one.

        Raises:
            TooManyRequests: with ``Retry-After`` and how the limit stands, where the rate is used up.
            Unavailable: where nobody can count. What may go on uncounted catches it.
        """
        try:
            standing = await self.take_all((name, _SEPARATOR.join(subject), rate))
        except (RedisError, OSError) as error:
            raise Unavailable("Requests cannot be counted right now.", headers={"Retry-After": "5"}) from error
        standing.require()


def network_of(address: str | None) -> str:
    """Whom a limit by address means: an IPv4 address, or the network of an IPv6 one."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or ""
    return str(ip_network((parsed, _IPV6_NETWORK_BITS), strict=False)) if parsed.version == 6 else str(parsed)  # noqa: PLR2004  (IPv6)


def _key(name: str, subject: str) -> str:
    # Hashed, because a subject may be an e-mail address and Redis is no place for those.
    digest = hashlib.blake2b(subject.encode(), digest_size=16).hexdigest()
    return f"rate:{name}:{digest}"
