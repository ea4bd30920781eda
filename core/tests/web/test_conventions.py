"""What holds on every route: problems, correlation ids, bounds, cursors."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from counterfoil.db import Database
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn
from counterfoil.web import decode_cursor, encode_cursor
from counterfoil.web.middleware import BodyLimit, RequestContext
from counterfoil.web.pagination import InvalidCursor
from counterfoil.web.problems import install_problem_handlers

# What no column holds is in no position: the last row of a page never has it.
text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40)
json_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text


@given(position=st.lists(json_values, max_size=4))
def test_a_cursor_comes_back_as_the_position_it_was_made_from(position: list[Any]) -> None:
    assert decode_cursor(encode_cursor(*position), length=len(position)) == position


@given(text=st.text(max_size=60))
def test_anything_else_is_an_invalid_cursor_and_nothing_worse(text: str) -> None:
    with suppress(InvalidCursor):
        assert len(decode_cursor(text, length=2)) == 2


@given(position=st.lists(json_values, min_size=1, max_size=4))
def test_a_cursor_that_the_database_would_choke_on_is_invalid(position: list[Any]) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(*position, ["\0"]), length=len(position) + 1)


async def test_an_unknown_api_path_is_a_problem_and_not_a_page(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-ID"]


@pytest.mark.parametrize("given_id", ["not-a-uuid", "1", "0" * 400, "<script>"])
async def test_a_correlation_id_that_is_none_is_replaced(client: httpx2.AsyncClient, given_id: str) -> None:
    answer = await client.get("/health/live", headers={"X-Correlation-ID": given_id})
    assert UUID(answer.headers["X-Correlation-ID"]).version == 7


async def test_a_callers_correlation_id_is_kept(client: httpx2.AsyncClient) -> None:
    mine = str(new_id())
    answer = await client.get("/health/live", headers={"X-Correlation-ID": mine})
    assert answer.headers["X-Correlation-ID"] == mine


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 422), (b"[]", 422), (b"null", 422), (b'{"email": 1}', 422), (b"\xff\xfe", 422), (b"[" * 20_000, 422)],
)
async def test_a_bad_body_is_a_problem_without_the_input_in_it(
    client: httpx2.AsyncClient, body: bytes, status: int
) -> None:
    answer = await client.post("/api/v1/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["code"] == "invalid_input"


async def test_field_errors_name_the_field_and_never_repeat_the_value(client: httpx2.AsyncClient) -> None:
    secret = "hunter2"
    answer = await client.post("/api/v1/auth/register", json={"email": "nobody", "password": secret})
    assert answer.status_code == 422
    assert {"email", "tenant_slug", "password"} <= {error["path"] for error in answer.json()["errors"]}
    assert secret not in answer.text


async def test_ids_that_are_none_are_refused_before_the_database(signed_in: SignedIn) -> None:
    answer = await signed_in.client.get("/api/v1/jobs/not-a-uuid")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_body_over_the_limit_is_refused_announced_or_streamed(client: httpx2.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    announced = await client.post("/api/v1/auth/login", content=b"x" * 1_500_000)
    streamed = await client.post("/api/v1/auth/login", content=endless())
    assert [answer.status_code for answer in (announced, streamed)] == [413, 413]
    assert {answer.json()["code"] for answer in (announced, streamed)} == {"payload_too_large"}


async def test_an_unforeseen_error_says_nothing_but_its_correlation_id() -> None:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/boom")
    async def boom() -> None:
        msg = "the password is hunter2"
        raise RuntimeError(msg)

    @app.get("/gone")
    async def gone() -> None:
        raise NotFound("There is no such thing.")

    app.add_middleware(BodyLimit, max_bytes=1000)
    app.add_middleware(RequestContext)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        answer = await client.get("/boom")
        assert answer.status_code == 500
        assert "hunter2" not in answer.text
        assert answer.json()["correlation_id"] == answer.headers["X-Correlation-ID"]
        assert (await client.get("/gone")).json()["detail"] == "There is no such thing."


async def test_a_request_whose_database_goes_away_in_the_middle_may_be_sent_again(
    database: Database, tenant: UUID
) -> None:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/cut")
    async def cut() -> None:
        async with database.unit_of_work(tenant) as uow:
            await uow.session.execute(select(func.pg_terminate_backend(func.pg_backend_pid())))

    app.add_middleware(RequestContext)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        answer = await client.get("/cut")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "SELECT" not in answer.text


async def test_api_answers_may_not_be_framed_sniffed_or_cached(client: httpx2.AsyncClient) -> None:
    headers = (await client.get("/api/v1/nothing")).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize(("configured", "scheme"), [(True, "http"), (False, "https")])
async def test_https_is_pinned_where_people_use_it(configured: bool, scheme: str) -> None:
    app = FastAPI()
    app.add_middleware(RequestContext, is_https=configured)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=f"{scheme}://x") as client:
        assert "max-age=" in (await client.get("/nothing")).headers["Strict-Transport-Security"]


@pytest.mark.parametrize(("levels", "status"), [(64, 401), (65, 422), (900, 422)])
async def test_json_nested_beyond_reason_is_refused(client: httpx2.AsyncClient, levels: int, status: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        body = opening * levels + b"1" + closing * levels
        answer = await client.post("/api/v1/tables/views", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status
        assert ("nested" in answer.json()["detail"]) == (status == 422)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "x"])
async def test_a_compressed_body_is_refused(client: httpx2.AsyncClient, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = await client.post("/api/v1/auth/login", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_encoding")
