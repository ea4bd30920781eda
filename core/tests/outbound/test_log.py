"""Every attempt at a request is on record, whatever becomes of the work it was for."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.connections.test_api_client import OK, Script, Vendor, VendorSettings, says, vendor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from counterfoil.connections.api_client import ApiClient
from counterfoil.connections.client import connector_context
from counterfoil.db import Database
from counterfoil.kit import context
from counterfoil.kit.http import Bounds, RetryPolicy
from counterfoil.kit.ids import new_id
from counterfoil.outbound.log import CallLog, Sent
from counterfoil.plugins.connector import SourceError

CONNECTION = new_id()
KEY = "sk_live_s3cret/+"


class Priced(Vendor):
    def cost(self, body: Any, headers: Any) -> Decimal | None:  # noqa: ARG002  (as declared)
        return Decimal(str(body["cost"]))


@pytest.fixture
def calls(database: Database, tenant: UUID) -> CallLog:
    return CallLog(database, tenant_id=tenant, connection_id=CONNECTION, kind="vendor")


@asynccontextmanager
async def client(
    script: Script, calls: CallLog, *, key: str = KEY, attempts: int = 3, **bounds: Any
) -> AsyncIterator[ApiClient]:
    async with (
        calls,
        connector_context(
            Priced(),
            VendorSettings.model_validate({"api_key": key, "base": script.base}),
            allow_private=True,
            hosts=("api.vendor.test",),
            retry=RetryPolicy(max_attempts=attempts, max_elapsed_s=300, sleep=script.wait),
            bounds=Bounds(**bounds),
            calls=calls,
        ) as context,
    ):
        yield context.http


async def rows(admin: "asyncpg.Connection[Any]", tenant: UUID) -> list[asyncpg.Record]:
    return await admin.fetch("SELECT * FROM core.api_calls WHERE tenant_id = $1 ORDER BY id", tenant)


async def test_each_attempt_is_on_record_with_what_came_back(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    busy = says({"message": "Sorry", "api_key": "other"}, status="503 Service Unavailable")
    job_id, correlation_id = new_id(), new_id()
    with context.bound(context.current_job_id, job_id), context.bound(context.current_correlation_id, correlation_id):
        async with vendor(busy, says({"cost": 1.5})) as script, client(script, calls) as http:
            await http.post(f"/v1/things?q={KEY}&token=x", json={"a": 1}, idempotent=True)
            answered = http.last_call_id
    first, second = await rows(admin, tenant)
    assert (first["status"], first["attempt"], first["error_code"]) == (503, 1, "source_unavailable")
    assert first["excerpt"] == '{"message":"Sorry","api_key":"***"}'
    assert (second["status"], second["attempt"], second["error_code"], second["excerpt"]) == (200, 2, None, None)
    assert second["id"] == answered
    assert (second["request_bytes"], second["response_bytes"], second["cost"]) == (7, 13, Decimal("1.5"))
    assert (second["method"], second["kind"], second["connection_id"]) == ("POST", "vendor", CONNECTION)
    assert (second["job_id"], second["correlation_id"]) == (job_id, correlation_id)
    assert second["url"] == f"{script.base}/v1/things?q=***&token=***"
    assert second["duration_ms"] > 0
    assert abs(datetime.now(UTC) - second["at"]) < timedelta(seconds=20)


@pytest.mark.parametrize(
    "case",
    [
        # what the vendor says, after which delay; the status and the code on record
        (b"", 0, None, "source_unavailable"),
        (says(OK)[:-4], 0, None, "source_malformed"),
        (says(OK), 0.5, None, "source_unavailable"),
        (says(b"<html>"), 0, 200, "source_malformed"),
        (says(b"x" * 3000), 0, None, "source_malformed"),
        (says(b"{}", status="401 Unauthorized"), 0, 401, "source_unauthorized"),
        (says(b"{}", status="302 Found", Location="/"), 0, 302, "source_invalid_request"),
    ],
)
async def test_an_attempt_that_failed_says_how(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]", case: tuple[bytes, float, int | None, str]
) -> None:
    answer, delay_s, status, code = case
    async with (
        vendor(answer, delay_s=delay_s) as script,
        client(script, calls, attempts=1, read_s=0.2, max_bytes=2000) as http,
    ):
        with pytest.raises(SourceError):
            await http.get("/v1/things")
    (row,) = await rows(admin, tenant)
    assert (row["status"], row["error_code"]) == (status, code)


async def test_a_blocked_destination_is_on_record_too(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    class Metadata(Script):
        base = "http://169.254.169.254"

    async with client(Metadata(answers=[]), calls) as http:
        with pytest.raises(SourceError):
            await http.get("/latest/meta-data")
    (row,) = await rows(admin, tenant)
    assert (row["status"], row["error_code"]) == (None, "source_invalid_request")
    assert row["url"] == "http://169.254.169.254/latest/meta-data"


async def test_a_cancelled_request_is_on_record_too(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    async with vendor(says(OK), delay_s=5) as script:

        async def ask() -> None:
            async with client(script, calls) as http:
                await http.get("/v1/things")

        asking = asyncio.create_task(ask())
        while not script.requests:  # noqa: ASYNC110  (a list has no event to wait for)
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    (row,) = await rows(admin, tenant)
    assert (row["status"], row["error_code"]) == (None, "interrupted")


async def test_a_rolled_back_unit_of_work_does_not_take_the_record_along(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]", database: Database
) -> None:
    async with vendor(says(OK)) as script:
        with pytest.raises(LookupError):
            async with client(script, calls) as http, database.unit_of_work(tenant) as uow:
                await uow.session.execute(text("UPDATE core.tenants SET name = 'gone'"))
                await http.get("/v1/things")
                raise LookupError
    assert len(await rows(admin, tenant)) == 1
    assert await admin.fetchval("SELECT name FROM core.tenants WHERE id = $1", tenant) == "Test"


async def test_what_waits_is_written_within_a_second_or_two_while_the_work_goes_on(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    async with vendor(says(OK)) as script, client(script, calls) as http:
        await http.get("/v1/things")
        began = time.monotonic()
        while not await rows(admin, tenant):
            assert time.monotonic() - began < 3
            await asyncio.sleep(0.05)


async def test_each_task_is_told_of_its_own_request(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    async with vendor(says(OK), delay_s=0.05) as script, client(script, calls) as http:

        async def ask(number: int) -> tuple[int, UUID | None]:
            await asyncio.sleep(number / 100)
            await http.get(f"/v1/things/{number}")
            await asyncio.sleep((4 - number) / 50)
            return number, http.last_call_id

        told = await asyncio.gather(*(ask(number) for number in range(4)))
    urls = {row["id"]: row["url"] for row in await rows(admin, tenant)}
    for number, call_id in told:
        assert call_id is not None
        assert urls[call_id].endswith(f"/{number}")


def sent(**changes: Any) -> Sent:
    values: dict[str, Any] = {
        "id": new_id(), "at": datetime.now(UTC), "method": "GET", "url": "https://x.test/", "status": 200, "duration_ms": 1.0,
        "request_bytes": 0, "response_bytes": 2, "attempt": 1, "cost": None, "error_code": None, "excerpt": None,
    }  # fmt: skip
    return Sent(**{**values, **changes})


async def test_memory_is_bounded_and_what_does_not_fit_is_counted(
    database: Database, tenant: UUID, admin: "asyncpg.Connection[Any]", caplog: pytest.LogCaptureFixture
) -> None:
    async with CallLog(database, tenant_id=tenant, connection_id=new_id(), kind="vendor", most_waiting=50) as calls:
        for _ in range(80):
            calls.note(sent())
    assert len(await rows(admin, tenant)) == 50
    assert "api_calls.dropped" in caplog.text
    assert "'count': 30" in caplog.text


async def test_a_row_that_cannot_be_written_is_given_up_and_the_next_ones_are_not(
    calls: CallLog, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    async with calls:
        for url in ("a", "b\0", "c"):
            calls.note(sent(url=url))
        await asyncio.sleep(1.5)
        calls.note(sent(url="d"))
    assert {row["url"] for row in await rows(admin, tenant)} == {"a", "c", "d"}


class Away:
    """A database that is away at first."""

    def __init__(self, database: Database, *, times: int) -> None:
        self._database = database
        self.times = times

    @asynccontextmanager
    async def unit_of_work(self, tenant_id: UUID) -> AsyncIterator[Any]:
        if self.times:
            self.times -= 1
            raise ConnectionRefusedError
        async with self._database.unit_of_work(tenant_id) as uow:
            yield uow


async def test_a_database_that_is_away_only_delays_it(
    database: Database, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    away = Away(database, times=2)
    async with CallLog(away, tenant_id=tenant, connection_id=new_id(), kind="vendor") as calls:  # type: ignore[arg-type]  # as much of one as it needs
        for _ in range(450):
            calls.note(sent())
        await asyncio.sleep(0)
    assert len(await rows(admin, tenant)) == 450


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=st.text(alphabet="abcXYZ019_-/+=&?#% \"'\\<>", min_size=8, max_size=30).filter(
        lambda text: text.strip() == text and len(set(text)) > 4
    ),
    place=st.sampled_from(["path", "query", "answer", "answer text", "answer key"]),
)
async def test_a_secret_put_anywhere_is_in_no_stored_row(
    database: Database, tenant: UUID, admin: "asyncpg.Connection[Any]", secret: str, place: str
) -> None:
    calls = CallLog(database, tenant_id=tenant, connection_id=new_id(), kind="vendor")
    body: Any = {
        "answer": {"error": {"deep": [f"no such key {secret}."]}},
        "answer text": f"<b>{secret}</b>".encode(),
        "answer key": {secret: 1},
    }.get(place, {"ok": False})
    async with vendor(says(body, status="400 Bad Request")) as script, client(script, calls, key=secret) as http:
        params = {"q": f"x{secret}y"} if place == "query" else None
        path = "/v1/" + (secret.replace("%", "%25").replace("?", "%3F").replace("#", "%23") if place == "path" else "x")
        with pytest.raises(SourceError):
            await http.get(path, params)
    stored = await rows(admin, tenant)
    assert stored
    assert all(secret not in str(value) for row in stored for value in row.values())
    await admin.execute("DELETE FROM core.api_calls WHERE tenant_id = $1", tenant)
