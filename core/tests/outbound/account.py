"""Members of one account's budget; run as a program, a member in a process of its own.

``python account.py REDIS_URL KEY MEMBER RPS CONCURRENCY SECONDS SENT_KEY``: asks for turns for so many seconds, and notes
the time of each, by the clock of Redis, in a list.
"""

import asyncio
import sys
import time

from redis.asyncio import Redis

from counterfoil.outbound.budget import SharedLimiter


async def spend(limiter: SharedLimiter, redis: Redis, sent: str, *, until: float, takes_s: float = 0.0) -> int:
    """Take turns one after the other; how many there were."""
    count = 0
    while time.monotonic() < until:
        async with limiter.slot():
            seconds, microseconds = await redis.time()
            await redis.rpush(sent, seconds * 1_000_000 + microseconds)
            count += 1
            await asyncio.sleep(takes_s)
    return count


async def main(arguments: list[str]) -> None:
    url, key, member, rps, concurrency, seconds, sent = arguments
    redis = Redis.from_url(url)
    limiter = SharedLimiter(redis, key=key, member=member, rps=float(rps), concurrency=int(concurrency))
    async with limiter:
        until = time.monotonic() + float(seconds)
        await asyncio.gather(*(spend(limiter, redis, sent, until=until) for _ in range(4)))
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
