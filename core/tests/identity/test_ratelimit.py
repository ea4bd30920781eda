import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.kit.errors import TooManyRequests, Unavailable
from counterfoil.kit.ratelimit import Rate, RateLimiter

RATE = Rate(burst=3, interval_ms=60_000)


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    redis = Redis.from_url(settings.redis_url.get_secret_value())
    yield redis
    await redis.aclose()


async def test_a_burst_passes_and_the_next_one_is_told_how_long_to_wait(redis: Redis) -> None:
    limiter, who = RateLimiter(redis), secrets.token_hex(8)
    for _ in range(3):
        await limiter.require("test", who, rate=RATE)
    with pytest.raises(TooManyRequests) as caught:
        await limiter.require("test", who, rate=RATE)
    assert 58 <= int(caught.value.headers["Retry-After"]) <= 60


async def test_a_refusal_counts_nothing_and_one_more_passes_after_the_wait(redis: Redis) -> None:
    limiter, who, rate = RateLimiter(redis), secrets.token_hex(8), Rate(burst=1, interval_ms=200)
    assert await limiter.take("test", who, rate=rate) == 0
    waits = [await limiter.take("test", who, rate=rate) for _ in range(5)]
    assert all(0 < wait <= 0.2 for wait in waits)
    await asyncio.sleep(0.25)
    assert await limiter.take("test", who, rate=rate) == 0


async def test_subjects_and_names_are_counted_apart(redis: Redis) -> None:
    limiter, who, rate = RateLimiter(redis), secrets.token_hex(8), Rate(burst=1, interval_ms=60_000)
    assert await limiter.take("test", who, "ab", "c", rate=rate) == 0
    assert await limiter.take("test", who, "a", "bc", rate=rate) == 0
    assert await limiter.take("other", who, "ab", "c", rate=rate) == 0
    assert await limiter.take("test", who, "ab", "c", rate=rate) > 0


async def test_keys_expire_and_hold_no_e_mail_address(redis: Redis) -> None:
    name = secrets.token_hex(8)
    await RateLimiter(redis).take(name, "olive@example.com", rate=RATE)
    (key,) = [key async for key in redis.scan_iter(f"rate:{name}:*")]
    assert b"olive" not in key
    assert 0 < await redis.pttl(key) <= 180_000


async def test_without_redis_the_request_is_refused_as_unavailable() -> None:
    redis = Redis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable):
        await RateLimiter(redis).require("test", "x", rate=RATE)
    await redis.aclose()
