"""Rate limits of authenticated requests, and what an answer says about them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from counterfoil.kit import cache
from counterfoil.kit.ids import new_id
from counterfoil.kit.ratelimit import Rate, RateLimiter
from counterfoil.testing.plugin import SignedIn
from counterfoil.web.limits import ApiLimits

NAMES = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@asynccontextmanager
async def limited(app: FastAPI, redis: Redis, *, per_minute: int, burst: int) -> AsyncIterator[None]:
    provided = app.state.provided
    before = provided[ApiLimits]
    provided.add(ApiLimits(RateLimiter(redis), per_minute=per_minute, burst=burst))
    yield
    provided.add(before)


@pytest.fixture
def redis(app: FastAPI) -> Redis:
    found: Redis = app.state.provided[Redis]
    return found


async def test_answers_say_how_the_limit_stands(app: FastAPI, signed_in: SignedIn, redis: Redis) -> None:
    async with limited(app, redis, per_minute=60, burst=5):
        answers = [await signed_in.client.get("/api/v1/auth/me") for _ in range(3)]
    assert [[answer.headers[name] for name in NAMES] for answer in answers] == [
        ["5", "4", "1"],
        ["5", "3", "2"],
        ["5", "2", "3"],
    ]


async def test_who_sends_too_many_is_told_when_to_come_back(
    app: FastAPI, signed_in: SignedIn, sign_in: Any, redis: Redis
) -> None:
    other = await sign_in()
    async with limited(app, redis, per_minute=60, burst=3):
        answers = [await signed_in.client.get("/api/v1/auth/me") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        refused = answers[-1]
        assert refused.json()["code"] == "rate_limited"
        assert refused.headers["Retry-After"] == "1"
        assert [refused.headers[name] for name in NAMES] == ["3", "0", "3"]
        # Others are not concerned, and neither is who is not signed in.
        assert (await other.client.get("/api/v1/auth/me")).status_code == 200
        assert (await signed_in.client.get("/health/live")).status_code == 200


async def test_each_api_key_has_a_limit_of_its_own(app: FastAPI, signed_in: SignedIn, redis: Redis) -> None:
    made = await signed_in.client.post("/api/v1/api-keys", json={"name": "Script", "scopes": ["tables.read"]})
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    async with limited(app, redis, per_minute=6, burst=3):
        mine = [await signed_in.client.get("/api/v1/tables") for _ in range(4)]
        keys = [await signed_in.client.get("/api/v1/tables", headers=headers) for _ in range(4)]
    assert mine[-1].status_code == 429
    assert [answer.status_code for answer in keys] == [200, 200, 200, 429]


async def test_a_tenants_callers_together_have_a_limit_too(redis: Redis) -> None:
    limiter, tenant = RateLimiter(redis), str(new_id())
    caller, together = Rate(burst=3, interval_ms=60_000), Rate(burst=5, interval_ms=60_000)
    taken = [
        await limiter.take_all(("caller", f"{tenant}{number % 2}", caller), ("tenant", tenant, together))
        for number in range(8)
    ]
    assert [standing.wait_s > 0 for standing in taken] == [False] * 5 + [True] * 3
    assert [standing.remaining for standing in taken] == [2, 2, 1, 1, 0, 0, 0, 0]
    assert taken[5].limit == 5


async def test_what_one_limit_refuses_counts_for_none(redis: Redis) -> None:
    limiter, name = RateLimiter(redis), str(new_id())
    small, large = Rate(burst=1, interval_ms=60_000), Rate(burst=3, interval_ms=60_000)
    for _ in range(5):
        await limiter.take_all(("small", name, small), ("large", name, large))
    assert (await limiter.take_all(("large", name, large))).remaining == 1


async def test_without_redis_requests_go_through_uncounted(app: FastAPI, signed_in: SignedIn) -> None:
    away = cache.connect("redis://127.0.0.1:1/0")
    async with limited(app, away, per_minute=1, burst=1):
        answers = [await signed_in.client.get("/api/v1/auth/me") for _ in range(3)]
    await away.aclose()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all(name not in answer.headers for answer in answers for name in NAMES)


async def test_who_brings_nothing_is_not_counted(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/auth/me")
    assert answer.status_code == 401
    assert "RateLimit-Limit" not in answer.headers
