from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest

from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn

Connection: TypeAlias = "asyncpg.Connection[Any]"
SignIn = Callable[[], Coroutine[Any, Any, SignedIn]]
CONNECTION = {
    "kind": "stripe",
    "label": "Books",
    "settings": {"api_base": "http://127.0.0.1:9"},
    "credentials": {"api_key": "sk_test_x"},
}


async def _sync(session: SignedIn, admin: Connection) -> tuple[UUID, UUID]:
    """A sync that has run one stream: its correlation id and its job."""
    connection = (await session.client.post("/api/v1/connections", json=CONNECTION)).json()["id"]
    correlation_id = new_id()
    answer = await session.client.post(
        f"/api/v1/connections/{connection}/sync", headers={"X-Correlation-ID": str(correlation_id)}
    )
    job_id = UUID(answer.json()["job_id"])
    await admin.execute("UPDATE core.jobs SET started_at = clock_timestamp() WHERE id = $1", job_id)
    await admin.execute(
        "INSERT INTO core.stream_runs (tenant_id, id, job_id, connection_id, stream, mode, status, started_at, finished_at)"
        " VALUES ($1, $2, $3, $4, 'charges', 'incremental', 'succeeded', clock_timestamp(), clock_timestamp())",
        session.tenant_id,
        new_id(),
        job_id,
        UUID(connection),
    )
    for number, status in enumerate((200, 200, 429)):
        await admin.execute(
            "INSERT INTO core.api_calls (tenant_id, id, connection_id, kind, job_id, correlation_id, at, method, url, status,"
            " duration_ms, request_bytes, response_bytes, attempt)"
            " VALUES ($1, $2, $3, 'stripe', $4, $5, clock_timestamp(), 'GET', 'https://v.test/a?page=' || $6, $7, 1, 0, 10, 1)",
            session.tenant_id, new_id(), UUID(connection), job_id, correlation_id, str(number), status,
        )  # fmt: skip
    await admin.execute(
        "UPDATE core.jobs SET status = 'succeeded', finished_at = clock_timestamp(), lease_until = NULL WHERE id = $1",
        job_id,
    )
    return correlation_id, job_id


async def _timeline(session: SignedIn, correlation_id: UUID, **params: Any) -> Any:
    answer = await session.client.get(f"/api/v1/timeline/{correlation_id}", params=params)
    assert answer.is_success, answer.text
    return answer.json()


async def test_everything_with_a_correlation_id_is_told_in_order(signed_in: SignedIn, admin: Connection) -> None:
    correlation_id, job_id = await _sync(signed_in, admin)

    told = await _timeline(signed_in, correlation_id)

    events = [item["event"] for item in told["items"]]
    assert set(events) == {
        "job.requested",
        "core.job.requested",
        "job.started",
        "stream_run.started",
        "stream_run.finished",
        "api_call.failed",
        "api_call.total",
        "job.finished",
    }
    assert events[2:] == [
        "job.started",
        "stream_run.started",
        "stream_run.finished",
        "api_call.failed",
        "api_call.total",
        "job.finished",
    ]
    refused, requests = told["items"][5:7]
    assert (refused["title"], refused["status"]) == ("GET https://v.test/a", "429")
    assert (
        requests["detail"].items() >= {"requests": 3, "failed": 1, "response_bytes": 30, "job_id": str(job_id)}.items()
    )
    last = told["items"][-1]
    assert (last["status"], last["subject_type"], last["subject_id"]) == ("succeeded", "job", str(job_id))
    assert (told["hidden"], told["next_cursor"]) == ([], None)


@pytest.mark.parametrize("limit", [1, 2, 4])
async def test_pages_follow_each_other_without_a_gap(signed_in: SignedIn, admin: Connection, limit: int) -> None:
    correlation_id, _ = await _sync(signed_in, admin)
    # Everything in one moment: only the keys tell the entries apart.
    await admin.execute(
        "UPDATE core.stream_runs SET finished_at = started_at WHERE tenant_id = $1", signed_in.tenant_id
    )
    whole = (await _timeline(signed_in, correlation_id))["items"]
    paged: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await _timeline(signed_in, correlation_id, limit=limit, cursor=cursor)
        paged += page["items"]
        cursor = page["next_cursor"]
    assert paged == whole


async def test_an_id_of_nothing_is_an_empty_timeline(signed_in: SignedIn) -> None:
    assert (await _timeline(signed_in, new_id()))["items"] == []


async def test_another_tenants_timeline_is_empty(sign_in: SignIn, admin: Connection) -> None:
    me, other = await sign_in(), await sign_in()
    correlation_id, _ = await _sync(other, admin)
    assert (await _timeline(me, correlation_id))["items"] == []


async def test_who_may_see_jobs_only_is_told_what_is_hidden(signed_in: SignedIn, admin: Connection) -> None:
    correlation_id, _ = await _sync(signed_in, admin)
    await admin.execute("UPDATE core.membership_roles SET role = 'readonly' WHERE tenant_id = $1", signed_in.tenant_id)
    told = await _timeline(signed_in, correlation_id)
    assert told["hidden"] == ["audit_event"]
    assert {item["source"] for item in told["items"]} == {"job", "stream_run", "api_call"}


async def test_who_may_see_nothing_of_it_is_refused(signed_in: SignedIn, admin: Connection) -> None:
    await admin.execute("UPDATE core.membership_roles SET role = 'nothing' WHERE tenant_id = $1", signed_in.tenant_id)
    answer = await signed_in.client.get(f"/api/v1/timeline/{new_id()}")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgIngiXQ"])
async def test_a_cursor_of_somebody_elses_making_is_refused(signed_in: SignedIn, cursor: str) -> None:
    answer = await signed_in.client.get(f"/api/v1/timeline/{new_id()}", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
