"""When nothing is taken in: the plan has ended, the rows are used up, or too much comes at once."""

import asyncio
import secrets

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from counterfoil.kit import cache
from counterfoil.kit.ids import new_id
from counterfoil.kit.ratelimit import Rate, RateLimiter
from counterfoil.testing.plugin import ORIGIN
from counterfoil.web.limits import ApiLimits
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
    prefix = f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}"
    for number in range(3):
        assert (await delivered(app, f"{prefix}::{number}")).status_code == 404
    assert (await delivered(app, f"{prefix}::9")).status_code == 429
    assert (await delivered(app, "2001:db9::1")).status_code == 404


async def test_an_address_where_nothing_is_has_the_same_limit(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_CONNECTION", Rate(burst=2, interval_ms=20_000))
    path = f"/webhooks/acme/{new_id()}"
    statuses = [(await hooked.deliver({"id": "evt_1"}, path=path)).status_code for _ in range(3)]
    assert statuses == [404, 404, 429]


async def delivered(app: FastAPI, address: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as vendor:
        return await vendor.post(f"/webhooks/acme/{new_id()}", json={})


async def test_without_redis_deliveries_are_taken_in_uncounted_and_only_the_first_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "PER_CONNECTION", Rate(burst=1, interval_ms=20_000))
    asked = 0

    async def answer_never(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await silence.wait()
        writer.close()

    silence, request, connection_id = asyncio.Event(), Request({"type": "http", "state": {}}), new_id()
    async with await asyncio.start_server(answer_never, "127.0.0.1", 0) as server:
        redis = cache.connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        api_limits = ApiLimits(RateLimiter(redis), per_minute=1, burst=1)
        for _ in range(5):
            await limits.count(api_limits, request, connection_id)
        # The limits of requests are the same mechanism: they know already that nobody can count.
        await api_limits.count(request, tenant_id=new_id(), caller="somebody")
        silence.set()
        await redis.aclose()
    assert asked == 1
