"""When nothing is taken in: the plan has ended, the rows are used up, or too much comes at once."""

import secrets
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from counterfoil.kit import context
from counterfoil.kit.errors import TooManyRequests
from counterfoil.kit.ids import new_id
from counterfoil.kit.ratelimit import Rate, RateLimiter
from counterfoil.webhooks import limits

from .conftest import Hooked

ENDS_PLAN = "UPDATE core.tenants SET plan_expires_at = now() - interval '1 day' WHERE id = $1"
USES_UP_ROWS = (
    "INSERT INTO core.tenant_overrides (tenant_id, id, kind, name, value)"
    " VALUES ($1, uuidv7(), 'quota', 'rows_per_month', 0)"
)


@pytest.mark.parametrize("ending", [ENDS_PLAN, USES_UP_ROWS], ids=["an ended plan", "used-up rows"])
async def test_where_no_job_could_fetch_anything_nothing_listens_and_nothing_is_written(
    hooked: Hooked, ending: str
) -> None:
    await hooked.admin.execute(ending, hooked.who.tenant_id)
    before = await written(hooked)
    nowhere = (await hooked.deliver({"id": "evt_1"}, path=f"/webhooks/acme/{new_id()}")).json()
    for answer in (
        await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]}),
        await hooked.deliver({"id": "evt_1"}, secret="guessed"),
    ):
        said = answer.json()
        assert (answer.status_code, said["code"], said["detail"]) == (404, nowhere["code"], nowhere["detail"])
    assert await written(hooked) == before


async def written(hooked: Hooked) -> list[int]:
    tables = ("webhook_receipts", "jobs", "audit_events")
    queries = [f"SELECT count(*) FROM core.{table} WHERE tenant_id = $1" for table in tables]  # noqa: S608  (names above)
    return [await hooked.admin.fetchval(query, hooked.who.tenant_id) for query in queries]


async def test_too_many_deliveries_for_a_connection_are_told_to_wait(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_CONNECTION", Rate(burst=3, interval_ms=20_000))
    answers = [await hooked.deliver({"id": f"evt_{number}"}) for number in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert (answers[-1].json()["code"], answers[-1].headers["Retry-After"]) == ("rate_limited", "20")
    assert len(await hooked.receipts()) == 3
    assert (await hooked.deliver({"id": "evt_9"}, path=f"/webhooks/acme/{new_id()}")).status_code == 404


async def test_too_many_deliveries_from_a_network_are_told_to_wait(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_NETWORK", Rate(burst=3, interval_ms=20_000))
    limiter, prefix = RateLimiter(app.state.provided[Redis]), f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}"
    for number in range(3):
        with context.bound(context.current_client_ip, f"{prefix}::{number}"):
            await limits.count(limiter, new_id())
    with context.bound(context.current_client_ip, f"{prefix}::9"), pytest.raises(TooManyRequests):
        await limits.count(limiter, new_id())
    with context.bound(context.current_client_ip, "2001:db9::1"):
        await limits.count(limiter, new_id())


async def test_an_address_where_nothing_is_has_the_same_limit(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_CONNECTION", Rate(burst=2, interval_ms=20_000))
    path = f"/webhooks/acme/{new_id()}"
    statuses = [(await hooked.deliver({"id": "evt_1"}, path=path)).status_code for _ in range(3)]
    assert statuses == [404, 404, 429]


async def test_without_redis_deliveries_are_taken_in_uncounted() -> None:
    redis: Any = Redis.from_url("unix:///nowhere/redis.sock")
    for _ in range(limits.PER_CONNECTION.burst + 5):
        await limits.count(RateLimiter(redis), UUID(int=0))
    await redis.aclose()
