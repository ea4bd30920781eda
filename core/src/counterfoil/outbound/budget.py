"""One account's limits, kept to by all processes together: rate, requests at a time, holds, and taking turns.

The state is in Redis, the scripts run there, and the clock is Redis' own. A slot is a lease, so that what a killed process
held comes back. Without Redis each process keeps to the limits by itself: more than the vendor likes, but never unlimited.
"""

import asyncio
import math
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from counterfoil.kit.http import HeldBack, RateLimiter
from counterfoil.observability import get_logger

_LEASE_S = 10.0
_RECOVERY_S = 60.0
_TIMEOUT_S = 2.0
_AWAY_S = 5.0
_RETURN_WITHIN_S = 0.005
# How much of a second's requests may leave at once: it lets a late sleeper catch up, and is what the vendor sees above
# the rate in its worst second.
_BURST = 0.1
_MICROSECONDS = 1_000_000

_HELD, _FULL = 1, 2

# KEYS: the state, the slots in use (by the end of their lease), the members who wait (until when they are believed to).
# Times are microseconds: as doubles they stay exact for two more centuries.
_PRELUDE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function number(text, otherwise) return tonumber(text or otherwise) end
local function keep(key, name, value) redis.call('HSET', key, name, string.format('%.17g', value)) end
local function factor_of(factor, cut_at, recovery) return math.min(1, factor + (now - cut_at) / recovery) end
"""

# The generic cell rate algorithm, a count of leases, and turns: among the members that wait, the one that was served
# longest ago goes first, so that many requests of one connection do not push another's aside.
_TAKE = (
    _PRELUDE
    + """
local lease, member = ARGV[1], ARGV[2]
local interval, burst, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local lease_us, recovery = tonumber(ARGV[6]), tonumber(ARGV[7])
for i = 8, #ARGV do redis.call('ZREM', KEYS[2], ARGV[i]) end
local state = redis.call('HMGET', KEYS[1], 'full_at', 'held_until', 'factor', 'cut_at', 'turn', 'turn:' .. member)
local held_until = number(state[2], 0)
if held_until > now then return {held_until - now, 1} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local step = interval / factor_of(number(state[3], 1), number(state[4], 0), recovery)
local full_at = math.max(number(state[1], 0), now)
local wait, why = full_at - step * (burst - 1) - now, 0
if wait <= 0 and redis.call('ZCARD', KEYS[2]) >= most then wait, why = 20000, 2 end
if wait <= 0 then
    for _, other in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
        if other ~= member and number(redis.call('HGET', KEYS[1], 'turn:' .. other), 0) < number(state[6], 0) then
            wait = 2000
            break
        end
    end
end
if wait > 0 then
    redis.call('ZADD', KEYS[3], now + wait + 250000, member)
    redis.call('PEXPIRE', KEYS[3], 90000000)
    return {math.ceil(wait), why}
end
redis.call('ZREM', KEYS[3], member)
redis.call('ZADD', KEYS[2], now + lease_us, lease)
keep(KEYS[1], 'full_at', full_at + step)
keep(KEYS[1], 'turn', number(state[5], 0) + 1)
keep(KEYS[1], 'turn:' .. member, number(state[5], 0) + 1)
for i = 1, 2 do redis.call('PEXPIRE', KEYS[i], 90000000) end
return {0, 0}
"""
)
# Refusals that come together are one: the rate is halved once a second at most, and never below a sixteenth.
_REFUSE = (
    _PRELUDE
    + """
local retry_after, recovery = tonumber(ARGV[1]), tonumber(ARGV[2])
local state = redis.call('HMGET', KEYS[1], 'held_until', 'factor', 'cut_at')
keep(KEYS[1], 'held_until', math.max(number(state[1], 0), now + retry_after))
local cut_at = number(state[3], 0)
if now - cut_at > 1000000 then
    keep(KEYS[1], 'factor', math.max(0.0625, factor_of(number(state[2], 1), cut_at, recovery) / 2))
    keep(KEYS[1], 'cut_at', now)
end
redis.call('PEXPIRE', KEYS[1], 90000000)
return 0
"""
)
_RENEW = (
    _PRELUDE
    + """
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[1]), ARGV[i]) end
return 0
"""
)
_LOOK = (
    _PRELUDE
    + """
local state = redis.call('HMGET', KEYS[1], 'held_until', 'factor', 'cut_at')
local factor = factor_of(number(state[2], 1), number(state[3], 0), tonumber(ARGV[1]))
return {
    string.format('%.0f', number(state[1], 0)), string.format('%.6f', factor),
    redis.call('ZCOUNT', KEYS[2], now, '+inf'), redis.call('ZCOUNT', KEYS[3], now, '+inf'), string.format('%.0f', now),
}
"""
)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an account's budget stands: the rate in force, until when nothing may start, and who uses or waits for it."""

    current_rps: float
    held_until: datetime | None
    in_flight: int
    waiting: int


async def standing(redis: Redis, key: str, *, rps: float, recovery_s: float = _RECOVERY_S) -> Standing:
    """Look at a budget without taking from it.

    Raises:
        RedisError, OSError: nobody can tell.
    """
    look = redis.register_script(_LOOK)
    async with asyncio.timeout(_TIMEOUT_S):
        held_until, factor, in_flight, waiting, now = await look(keys=_keys(key), args=[_us(recovery_s)])
    return Standing(
        current_rps=rps * float(factor),
        held_until=datetime.fromtimestamp(int(held_until) / _MICROSECONDS, UTC) if int(held_until) > int(now) else None,
        in_flight=int(in_flight),
        waiting=int(waiting),
    )


def burst_of(rps: float) -> int:
    """How many requests may leave at once after a pause."""
    return max(1, round(rps * _BURST))


class SharedLimiter:
    """A ``Limiter`` of one member, such as a connection, of an account's budget. Use it as an async context manager."""

    def __init__(
        self,
        redis: Redis,
        *,
        key: str,
        member: str,
        rps: float,
        concurrency: int,
        lease_s: float = _LEASE_S,
        recovery_s: float = _RECOVERY_S,
    ) -> None:
        """Take part in a budget; nothing is asked of Redis yet.

        Args:
            redis: where all members meet.
            key: the account.
            member: who takes turns with the account's other members.
            rps: starts per second, of all members together.
            concurrency: requests at a time, of all members together.
            lease_s: after this long a slot of a process that died is free again.
            recovery_s: how long a rate takes from nothing back to its limit.
        """
        self._keys = _keys(key)
        self._member = member
        self._burst = burst_of(rps)
        self._interval_us = _us(1.0 / rps)
        self._concurrency = concurrency
        self._lease_s = lease_s
        self._recovery_us = _us(recovery_s)
        self._take, self._refuse, self._renew = (redis.register_script(each) for each in (_TAKE, _REFUSE, _RENEW))
        self._redis = redis
        self._alone = RateLimiter(rps=rps, concurrency=concurrency)
        self._turns = asyncio.Semaphore(concurrency)
        self._mine: set[str] = set()
        self._returned: list[str] = []
        self._freed = asyncio.Event()
        self._away_until = 0.0
        self._upkeep: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._keep_up(self._renew_leases())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._upkeep:
            task.cancel()
        await asyncio.gather(*self._upkeep, return_exceptions=True)
        self._returned += self._mine
        await self._return_slots()

    @asynccontextmanager
    async def slot(self, *, longest_hold_s: float = math.inf) -> AsyncIterator[None]:
        """As ``Limiter`` has it."""
        # Of one member no more ask at a time than could be served at a time.
        async with self._turns:
            lease = secrets.token_hex(8)
            if not await self._taken(lease, longest_hold_s):
                async with self._alone.slot(longest_hold_s=longest_hold_s):
                    yield
                return
            self._mine.add(lease)
            try:
                yield
            finally:
                self._give_back(lease)

    async def refused(self, retry_after_s: float | None) -> None:
        """As ``Limiter`` has it; with all members starting nothing, and then fewer, for a while."""
        await self._alone.refused(retry_after_s)
        with suppress(RedisError, OSError):
            async with asyncio.timeout(_TIMEOUT_S):
                await self._refuse(keys=self._keys, args=[_us(retry_after_s or 0.0), self._recovery_us])

    async def _taken(self, lease: str, longest_hold_s: float) -> bool:
        """Wait for a slot; False when nobody can give one because Redis is away."""
        while time.monotonic() >= self._away_until:
            self._freed.clear()
            try:
                wait_s, why = await self._ask(lease)
            except (RedisError, OSError) as error:
                if time.monotonic() >= self._away_until:
                    _log.warning("budget.away", member=self._member, error=str(error) or type(error).__name__)
                self._away_until = time.monotonic() + _AWAY_S
                return False
            if not wait_s:
                return True
            if why == _HELD and wait_s > longest_hold_s:
                raise HeldBack(wait_s)
            await self._pause(wait_s, why)
        return False

    async def _ask(self, lease: str) -> tuple[float, int]:
        returned, self._returned = self._returned, []
        numbers = (self._interval_us, self._burst, self._concurrency, _us(self._lease_s), self._recovery_us)
        async with asyncio.timeout(_TIMEOUT_S):
            wait_us, why = await self._take(keys=self._keys, args=[lease, self._member, *numbers, *returned])
        return int(wait_us) / _MICROSECONDS, int(why)

    async def _pause(self, seconds: float, why: int) -> None:
        if why != _FULL:
            await asyncio.sleep(seconds)
            return
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._freed.wait()

    def _give_back(self, lease: str) -> None:
        """With the next request, which saves a round trip, or in a moment if there is none."""
        self._mine.discard(lease)
        self._returned.append(lease)
        self._freed.set()
        if len(self._returned) == 1:
            self._keep_up(self._return_soon())

    async def _return_soon(self) -> None:
        await asyncio.sleep(_RETURN_WITHIN_S)
        await self._return_slots()

    async def _return_slots(self) -> None:
        returned, self._returned = self._returned, []
        if returned:
            # What cannot be returned comes back when its lease ends.
            with suppress(RedisError, OSError):
                async with asyncio.timeout(_TIMEOUT_S):
                    await self._redis.zrem(self._keys[1], *returned)

    async def _renew_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            if self._mine:
                with suppress(RedisError, OSError):
                    async with asyncio.timeout(_TIMEOUT_S):
                        await self._renew(keys=self._keys[1:2], args=[_us(self._lease_s), *self._mine])

    def _keep_up(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._upkeep.add(task)
        task.add_done_callback(self._upkeep.discard)


def _keys(key: str) -> Sequence[str]:
    # The braces keep them on one node of a cluster.
    return tuple(f"budget:{{{key}}}:{part}" for part in ("state", "slots", "waiting"))


def _us(seconds: float) -> int:
    return round(seconds * _MICROSECONDS)
