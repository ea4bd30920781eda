"""What was sent for a connection, and how its account's budget stands, over HTTP."""

import base64
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.connections.vendor import KEY, FakeVendor, check, created, serving

from counterfoil.config import Settings
from counterfoil.connections.client import budget_key
from counterfoil.kit import cache
from counterfoil.kit.ids import id_at, new_id
from counterfoil.outbound.budget import SharedLimiter
from counterfoil.testing.plugin import SignedIn

Connection = "asyncpg.Connection[Any]"
SignIn = Callable[[], Coroutine[Any, Any, SignedIn]]


async def listed(who: SignedIn, connection: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    answer = await who.client.get(f"/api/v1/connections/{connection['id']}/api-calls", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def add(
    admin: "asyncpg.Connection[Any]", who: SignedIn, connection: dict[str, Any], at: datetime, **values: Any
) -> str:
    call_id = id_at(int(at.timestamp() * 1000), new_id().int & (2**60 - 1))
    await admin.execute(
        """INSERT INTO core.api_calls (tenant_id, id, connection_id, kind, job_id, at, method, url, status, duration_ms,
                                       request_bytes, attempt)
           VALUES ($1, $2, $3, 'stripe', $4, $5, 'GET', 'https://x.test/', $6, 1, 0, 1)""",
        who.tenant_id, call_id, UUID(connection["id"]), values.get("job_id"), at, values.get("status", 200),
    )  # fmt: skip
    return str(call_id)


async def test_the_test_of_a_connection_is_on_record_without_its_key(signed_in: SignedIn) -> None:
    async with serving() as vendor:
        connection = await created(signed_in, vendor)
        await check(signed_in, connection)
        vendor.status, vendor.body = "401 Unauthorized", f'{{"error": {{"message": "Invalid API Key: {KEY}"}}}}'
        await check(signed_in, connection)
    refused, answered = await listed(signed_in, connection)
    assert (answered["status"], answered["method"], answered["error_code"], answered["excerpt"]) == (
        200,
        "GET",
        None,
        None,
    )
    assert answered["url"] == f"{vendor.base}/v1/account"
    assert (refused["status"], refused["error_code"]) == (401, "source_unauthorized")
    assert refused["excerpt"] == '{"error":{"message":"Invalid API Key: ***"}}'
    one = await signed_in.client.get(f"/api/v1/connections/{connection['id']}/api-calls/{refused['id']}")
    assert one.json() == refused


async def test_the_list_pages_newest_first(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    connection = await created(signed_in, vendor)
    now = datetime.now(UTC)
    made = [await add(admin, signed_in, connection, now + timedelta(seconds=second)) for second in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    for _ in range(3):
        query = {"limit": "2", "cursor": cursor or ""}
        answer = await signed_in.client.get(f"/api/v1/connections/{connection['id']}/api-calls", params=query)
        seen += [call["id"] for call in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
    assert cursor is None
    assert seen == made[::-1]


async def test_the_list_filters_by_status_time_and_job(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    connection = await created(signed_in, vendor)
    now = datetime.now(UTC)
    job_id = new_id()
    fine = await add(admin, signed_in, connection, now, job_id=job_id)
    limited = await add(admin, signed_in, connection, now + timedelta(seconds=10), status=429)
    lost = await add(admin, signed_in, connection, now + timedelta(seconds=20), status=None)

    async def ids(**params: Any) -> list[str]:
        return [call["id"] for call in await listed(signed_in, connection, **params)]

    assert await ids(status="2xx") == [fine]
    assert await ids(status="4xx") == [limited]
    assert await ids(status="none") == [lost]
    assert await ids(job_id=str(job_id)) == [fine]
    assert await ids(**{"from": (now + timedelta(seconds=5)).isoformat()}) == [lost, limited]
    assert await ids(to=(now + timedelta(seconds=5)).isoformat()) == [fine]
    window = {"from": "0001-01-01T00:00:00+23:00", "to": "9999-12-31T23:59:59-23:00"}
    assert await ids(**window) == [lost, limited, fine]


async def test_a_malformed_query_is_refused(signed_in: SignedIn, vendor: FakeVendor) -> None:
    connection = await created(signed_in, vendor)
    for query in ("cursor=nonsense", "cursor=WzFd", "status=9xx", "from=2026-11-23T09:00:00", "job_id=x"):
        answer = await signed_in.client.get(f"/api/v1/connections/{connection['id']}/api-calls?{query}")
        assert answer.status_code == 422, query


async def test_another_tenant_sees_nothing_of_it(
    sign_in: SignIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    owner, stranger = await sign_in(), await sign_in()
    connection = await created(owner, vendor)
    call_id = await add(admin, owner, connection, datetime.now(UTC))
    path = f"/api/v1/connections/{connection['id']}"
    for suffix in ("/api-calls", f"/api-calls/{call_id}", "/budget"):
        assert (await owner.client.get(path + suffix)).status_code == 200
        assert (await stranger.client.get(path + suffix)).status_code == 404


async def test_what_a_deleted_connection_sent_stays_on_record(signed_in: SignedIn, vendor: FakeVendor) -> None:
    connection = await created(signed_in, vendor)
    await check(signed_in, connection)
    await signed_in.client.delete(f"/api/v1/connections/{connection['id']}")
    assert len(await listed(signed_in, connection)) == 1


async def test_the_budget_is_that_of_the_account(signed_in: SignedIn, vendor: FakeVendor, settings: Settings) -> None:
    connection = await created(signed_in, vendor)
    account = (await check(signed_in, connection)).json()["account"]["id"]
    path = f"/api/v1/connections/{connection['id']}/budget"
    quiet = (await signed_in.client.get(path)).json()
    limit = quiet["limit"]
    assert quiet["current_requests_per_second"] == limit["requests_per_second"]
    assert (quiet["held_until"], quiet["in_flight"], quiet["waiting"]) == (None, 0, 0)

    key = budget_key(signed_in.tenant_id, "stripe", account=account, connection_id=new_id())
    redis = cache.connect(settings.redis_url.get_secret_value())
    rps, concurrency = limit["requests_per_second"], limit["concurrency"]
    async with (
        SharedLimiter(redis, key=key, member="another", rps=rps, concurrency=concurrency) as limiter,
        limiter.slot(),
    ):
        await limiter.refused(30)
        busy = (await signed_in.client.get(path)).json()
    await redis.aclose()
    assert busy["in_flight"] == 1
    assert busy["current_requests_per_second"] == pytest.approx(rps / 2, rel=0.05)
    held = datetime.fromisoformat(busy["held_until"]) - datetime.now(UTC)
    assert timedelta(seconds=25) < held <= timedelta(seconds=31)


async def test_months_of_the_log_are_dropped_whole_and_the_last_one_never(admin: "asyncpg.Connection[Any]") -> None:
    await admin.execute("CREATE TABLE core.api_calls_202601 PARTITION OF core.api_calls FOR VALUES FROM "
                        "(core.uuid_at('2026-01-01Z')) TO (core.uuid_at('2026-02-01Z'))")  # fmt: skip
    await admin.execute("ALTER TABLE core.api_calls_202601 OWNER TO counterfoil_owner")
    before = await admin.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'core.api_calls'::regclass")
    assert await admin.fetchval("SELECT core.drop_old_api_calls(100000)") == 0
    assert await admin.fetchval("SELECT core.drop_old_api_calls(0)") == 1
    after = await admin.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'core.api_calls'::regclass")
    assert before - after == 1
    assert await admin.fetchval("SELECT to_regclass('core.api_calls_202601')") is None


def test_a_key_of_a_budget_names_nobody() -> None:
    key = budget_key(new_id(), "stripe", account="acct_1", connection_id=new_id())
    assert len(key) == 32
    assert "acct" not in key
    assert base64.b16decode(key.upper())
