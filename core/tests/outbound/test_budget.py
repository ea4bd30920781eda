"""One account's limits, kept to by many clients and processes, against a real Valkey."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.kit import cache
from counterfoil.kit.http import HeldBack
from counterfoil.kit.ids import new_id
from counterfoil.outbound.budget import SharedLimiter, burst_of, standing

from . import account

PROGRAM = Path(account.__file__)
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    redis = cache.connect(settings.redis_url.get_secret_value())
    yield redis
    await redis.aclose()


@pytest.fixture
def key() -> str:
    return new_id().hex


def worst_second(times: list[int]) -> int:
    """The most that was sent in any one second."""
    return max(sum(start <= at < start + 1_000_000 for at in times) for start in times)


async def test_clients_and_processes_together_never_exceed_the_limit_and_use_it(
    redis: Redis, settings: Settings, key: str
) -> None:
    rps, concurrency, seconds, sent = 40, 6, 3.0, f"sent-{key}"
    url = settings.redis_url.get_secret_value()
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), url, key, f"process-{number}", str(rps), str(concurrency), str(seconds), sent
        )
        for number in range(2)
    ]
    while not await redis.llen(sent):  # noqa: ASYNC110  (another process has no event to wait for)
        await asyncio.sleep(0.02)
    began = time.monotonic()
    limiters = [SharedLimiter(redis, key=key, member=f"m{n}", rps=rps, concurrency=concurrency) for n in range(4)]

    async def take_part(limiter: SharedLimiter) -> None:
        async with limiter:
            spending = (account.spend(limiter, redis, sent, until=began + seconds) for _ in range(3))
            await asyncio.gather(*spending)

    await asyncio.gather(*(take_part(limiter) for limiter in limiters), *(process.wait() for process in processes))
    times = sorted(int(at) for at in await redis.lrange(sent, 0, -1))
    assert worst_second(times) <= rps + burst_of(rps)
    duration_s = (times[-1] - times[0]) / 1_000_000
    assert len(times) >= 0.85 * rps * duration_s


async def test_no_more_run_at_a_time_than_the_account_allows(redis: Redis, key: str) -> None:
    running = most = 0

    async def run(limiter: SharedLimiter) -> None:
        nonlocal running, most
        async with limiter.slot():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.03)
            running -= 1

    limiters = [SharedLimiter(redis, key=key, member=f"m{n}", rps=1000, concurrency=3) for n in range(4)]
    await asyncio.gather(*(run(limiter) for limiter in limiters for _ in range(6)))
    assert most == 3
    for limiter in limiters:
        await limiter.__aexit__(None, None, None)
    assert (await standing(redis, key, rps=1000)).in_flight == 0


async def test_the_slot_of_a_killed_process_comes_back(redis: Redis, settings: Settings, key: str) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"""
import asyncio
from counterfoil.kit import cache
from counterfoil.outbound.budget import SharedLimiter

async def main():
    redis = cache.connect({settings.redis_url.get_secret_value()!r})
    async with SharedLimiter(redis, key={key!r}, member="killed", rps=100, concurrency=1, lease_s=1.0) as limiter:
        async with limiter.slot():
            await asyncio.sleep(60)

asyncio.run(main())
""",
    )
    while not (await standing(redis, key, rps=100)).in_flight:  # noqa: ASYNC110  (another process has no event to wait for)
        await asyncio.sleep(0.02)
    # It renews its lease for as long as it lives.
    await asyncio.sleep(1.5)
    assert (await standing(redis, key, rps=100)).in_flight == 1
    os.kill(holder.pid, signal.SIGKILL)
    await holder.wait()
    killed_at = time.monotonic()
    async with (
        asyncio.timeout(5),
        SharedLimiter(redis, key=key, member="heir", rps=100, concurrency=1) as limiter,
        limiter.slot(),
    ):
        assert time.monotonic() - killed_at < 1.5


async def test_a_connection_with_many_requests_does_not_push_another_aside(redis: Redis, key: str) -> None:
    rps, until = 40, time.monotonic() + 2.5
    greedy = SharedLimiter(redis, key=key, member="greedy", rps=rps, concurrency=8)
    modest = SharedLimiter(redis, key=key, member="modest", rps=rps, concurrency=8)
    async with greedy, modest:
        *many, few = await asyncio.gather(
            *(account.spend(greedy, redis, f"g{key}", until=until) for _ in range(12)),
            account.spend(modest, redis, f"m{key}", until=until),
        )
    assert few >= 0.35 * (few + sum(many))


async def test_a_refusal_holds_everybody_back_and_halves_the_rate_for_a_while(redis: Redis, key: str) -> None:
    one = SharedLimiter(redis, key=key, member="one", rps=100, concurrency=4, recovery_s=2.0)
    other = SharedLimiter(redis, key=key, member="other", rps=100, concurrency=4, recovery_s=2.0)
    await asyncio.gather(*(one.refused(0.3) for _ in range(4)))
    halved = await standing(redis, key, rps=100, recovery_s=2.0)
    assert halved.current_rps == pytest.approx(50, abs=5)
    assert halved.held_until is not None
    began = time.monotonic()
    async with other.slot():
        assert time.monotonic() - began >= 0.29
    await asyncio.sleep(0.4)
    recovering = await standing(redis, key, rps=100, recovery_s=2.0)
    assert 60 < recovering.current_rps < 100
    assert recovering.held_until is None
    await asyncio.sleep(1.0)
    assert (await standing(redis, key, rps=100, recovery_s=2.0)).current_rps == 100


async def test_nobody_waits_for_the_end_of_a_hold_that_is_longer_than_they_would(redis: Redis, key: str) -> None:
    one = SharedLimiter(redis, key=key, member="one", rps=100, concurrency=4)
    other = SharedLimiter(redis, key=key, member="other", rps=100, concurrency=4)
    await one.refused(3600)
    with pytest.raises(HeldBack) as caught:
        async with other.slot(longest_hold_s=5):
            pytest.fail("nothing may start")
    assert 3590 < caught.value.seconds <= 3600


async def test_without_redis_a_process_keeps_to_the_limits_by_itself_and_says_so(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    away = cache.connect(NOBODY)
    running = most = 0

    async def run(limiter: SharedLimiter) -> None:
        nonlocal running, most
        async with limiter.slot():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.02)
            running -= 1

    async with SharedLimiter(away, key=key, member="one", rps=50, concurrency=2) as limiter:
        began = time.monotonic()
        await asyncio.gather(*(run(limiter) for _ in range(11)))
        assert time.monotonic() - began >= 10 / 50 - 0.01
        assert most <= 2
        await limiter.refused(3600)
        with pytest.raises(HeldBack):
            async with limiter.slot(longest_hold_s=1):
                pytest.fail("nothing may start")
    assert caplog.text.count("budget.away") == 1
    await away.aclose()


async def test_two_accounts_have_nothing_to_do_with_each_other(redis: Redis, key: str) -> None:
    one = SharedLimiter(redis, key=key, member="one", rps=1, concurrency=1)
    other = SharedLimiter(redis, key=f"{key}-other", member="one", rps=1, concurrency=1)
    async with one, other, asyncio.timeout(0.5), one.slot(), other.slot():
        pass


async def test_a_turn_costs_little(redis: Redis, key: str) -> None:
    async with SharedLimiter(redis, key=key, member="one", rps=1_000_000, concurrency=4) as limiter:
        async with limiter.slot():
            pass
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(500):
            async with limiter.slot():
                pass
        wall_us, cpu_us = (time.perf_counter() - began) * 2000, (time.process_time() - cpu) * 2000
    print(f"a turn: {wall_us:.0f} us, {cpu_us:.0f} us of this process")  # noqa: T201  (a figure for whoever asks with -s)
    assert wall_us < 5000
