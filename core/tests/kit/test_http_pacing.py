"""Rate limits, retries and Retry-After."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.http import HeldBack, RateLimiter, RetryPolicy, retry_after_s

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@given(attempt=st.integers(1, 5), asked=st.none() | st.floats(0, 30))
def test_a_wait_is_never_shorter_than_the_vendor_asked_and_never_much_longer_than_the_bound(
    attempt: int, asked: float | None
) -> None:
    policy = RetryPolicy(max_attempts=6, base_s=0.5, cap_s=4, max_elapsed_s=1000)
    wait_s = policy.wait_s(attempt, elapsed_s=0, at_least_s=asked)
    assert wait_s is not None
    least = asked or 0
    assert least <= wait_s <= least + min(4, 0.5 * 2 ** (attempt - 1))


def test_the_last_attempt_is_followed_by_no_wait() -> None:
    assert RetryPolicy(max_attempts=3).wait_s(3, elapsed_s=0) is None


def test_a_wait_beyond_the_allowed_time_is_not_begun() -> None:
    assert RetryPolicy(max_elapsed_s=60).wait_s(1, elapsed_s=0, at_least_s=61) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("3600", 3600.0),
        ("9" * 400, 86_400.0),
        (format_datetime(NOW + timedelta(days=4000), usegmt=True), 86_400.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_a_number_or_a_date(value: str | None, expected: float | None) -> None:
    assert retry_after_s(value, now=NOW) == expected


@given(text=st.text(max_size=40))
def test_no_retry_after_header_breaks_the_client(text: str) -> None:
    found = retry_after_s(text, now=NOW)
    assert found is None or 0 <= found <= 86_400


async def test_starts_keep_to_the_rate() -> None:
    limiter = RateLimiter(rps=50, concurrency=10)
    began = time.monotonic()

    async def start() -> float:
        async with limiter.slot():
            return time.monotonic() - began

    starts = sorted(await asyncio.gather(*(start() for _ in range(6))))
    assert starts[0] < 0.015
    assert starts[-1] >= 5 * 0.02 - 0.002


async def test_no_more_run_at_a_time_than_the_vendor_allows() -> None:
    limiter = RateLimiter(rps=10_000, concurrency=2)
    running = most = 0

    async def run() -> None:
        nonlocal running, most
        async with limiter.slot():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(run() for _ in range(8)))
    assert most == 2


async def test_a_hold_delays_every_later_start() -> None:
    limiter = RateLimiter(rps=10_000, concurrency=2)
    limiter.hold(0.08)
    began = time.monotonic()
    async with limiter.slot():
        assert time.monotonic() - began >= 0.075


async def test_nobody_waits_for_the_end_of_a_hold_that_is_longer_than_they_would() -> None:
    limiter = RateLimiter(rps=10_000, concurrency=1)

    async def start() -> None:
        async with limiter.slot(longest_hold_s=5):
            pytest.fail("nothing may start")

    async with limiter.slot(longest_hold_s=5):
        queued = asyncio.create_task(start())
        await asyncio.sleep(0.01)
        limiter.hold(3600)
    for attempt in (queued, start()):
        with pytest.raises(HeldBack) as caught:
            await asyncio.wait_for(attempt, 1)
        assert 3590 < caught.value.seconds <= 3600
