"""Idempotency keys, on the product's own routes and on small ones that show what cannot be seen from outside."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Response
from sqlalchemy import text
from starlette.responses import JSONResponse

from counterfoil import audit
from counterfoil.config import Settings
from counterfoil.connections import rotation
from counterfoil.db import Database
from counterfoil.kit.errors import Conflict
from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import MasterKeys, key_version
from counterfoil.rbac import Scope, require, require_member
from counterfoil.testing.plugin import SignedIn
from counterfoil.web.idempotency import honouring_keys
from counterfoil.web.middleware import RequestContext
from counterfoil.web.problems import install_problem_handlers

HELD: dict[str, asyncio.Event] = {}
SECRET = "cf_live_hunter2"

router = APIRouter()


async def _work(scope: Scope) -> str:
    made = str(new_id())
    await audit.record(scope.uow, action="test.thing.made", resource_type="thing", resource_id=made)
    return made


@router.post("/things", status_code=201)
async def make(response: Response, scope: Annotated[Scope, require_member()]) -> dict[str, str]:
    made = await _work(scope)
    response.headers["Location"] = f"/things/{made}"
    response.headers["ETag"] = '"1"'
    response.headers["Set-Cookie"] = "never=kept"
    return {"id": made}


@router.post("/secrets")
async def make_secret(scope: Annotated[Scope, require("plugins.manage", secret_answer=True)]) -> dict[str, str]:
    await _work(scope)
    return {"secret": SECRET}


@router.post("/fail-once")
async def fail_once(scope: Annotated[Scope, require_member()], name: str) -> dict[str, str]:
    made = await _work(scope)
    if HELD.pop(name, None):
        raise Conflict("Not yet.")
    return {"id": made}


@router.post("/refused")
async def refused(scope: Annotated[Scope, require_member()]) -> Response:
    await _work(scope)
    return JSONResponse({}, status_code=409)


@router.post("/slow")
async def slow(scope: Annotated[Scope, require_member()], name: str) -> dict[str, str]:
    made = await _work(scope)
    await HELD[name].wait()
    return {"id": made}


@router.post("/fail-to-commit")
async def fail_to_commit(scope: Annotated[Scope, require_member()], name: str) -> dict[str, str]:
    await _work(scope)
    if HELD.pop(name, None):
        await scope.uow.session.execute(
            text("CREATE TEMP TABLE twice (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP")
        )
        await scope.uow.session.execute(text("INSERT INTO twice VALUES (1), (1)"))
    return {}


@router.post("/nothing", status_code=204)
async def nothing(scope: Annotated[Scope, require_member()]) -> None:
    await _work(scope)


@router.post("/unprotected")
async def unprotected(scope: Annotated[Scope, require_member(replays=False)]) -> dict[str, str]:
    return {"id": await _work(scope)}


@pytest.fixture(scope="session")
def things(app: FastAPI) -> FastAPI:
    things = FastAPI()
    things.state.provided = app.state.provided
    install_problem_handlers(things)
    things.add_middleware(RequestContext)
    things.include_router(honouring_keys(router))
    return things


@pytest.fixture
async def client(things: FastAPI, signed_in: SignedIn) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": signed_in.client.headers["Authorization"]}
    transport = httpx2.ASGITransport(app=things)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x", headers=headers, timeout=30) as client:
        yield client


def master_keys(settings: Settings) -> MasterKeys:
    return MasterKeys.parse(settings.master_keys.get_secret_value())


async def works(admin: "asyncpg.Connection[Any]", tenant_id: UUID) -> int:
    found: int = await admin.fetchval(
        "SELECT count(*) FROM core.audit_events WHERE tenant_id = $1 AND action = 'test.thing.made'", tenant_id
    )
    return found


def key(value: object = "k") -> dict[str, str]:
    return {"Idempotency-Key": str(value)}


async def test_a_replay_gets_the_first_answer_and_does_nothing(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    first = await client.post("/things", json={"a": 1}, headers=key())
    again = await client.post("/things", json={"a": 1}, headers=key())
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    for name in ("content-type", "location", "etag"):
        assert first.headers[name] == again.headers[name]
    assert "set-cookie" not in again.headers
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert first.headers["X-Correlation-ID"] != again.headers["X-Correlation-ID"]
    assert await works(admin, signed_in.tenant_id) == 1


async def test_without_a_key_and_with_another_the_work_is_done_again(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    for headers in ({}, {}, key("a"), key("b")):
        assert "Idempotency-Replayed" not in (await client.post("/things", headers=headers)).headers
    assert await works(admin, signed_in.tenant_id) == 4


async def test_an_answer_without_a_body_is_replayed_too(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    answers = [await client.post("/nothing", headers=key()) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (204, b"")]
    assert await works(admin, signed_in.tenant_id) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"url": "/things", "json": {"a": 2}},
        {"url": "/things?x=1", "json": {"a": 1}},
        {"url": "/nothing", "json": {"a": 1}},
    ],
)
async def test_a_key_serves_one_request_only(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]", other: dict[str, Any]
) -> None:
    await client.post("/things", json={"a": 1}, headers=key())
    answer = await client.post(**other, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert await works(admin, signed_in.tenant_id) == 1


async def test_a_key_belongs_to_its_caller(
    client: httpx2.AsyncClient, signed_in: SignedIn, sign_in: Any, admin: "asyncpg.Connection[Any]"
) -> None:
    first = await client.post("/things", headers=key())
    stranger = await sign_in()
    theirs = await client.post("/things", headers=key() | {"Authorization": stranger.client.headers["Authorization"]})
    assert theirs.json() != first.json()
    assert await works(admin, stranger.tenant_id) == await works(admin, signed_in.tenant_id) == 1


@pytest.mark.parametrize("wrong", ["", "x" * 256, "a\tb"])
async def test_a_key_that_is_none_is_refused(client: httpx2.AsyncClient, wrong: str) -> None:
    answer = await client.post("/things", headers=key(wrong))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_what_failed_may_be_repeated_with_its_key(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    name = str(new_id())
    for path in ("/fail-once", "/fail-to-commit"):
        HELD[name] = asyncio.Event()
        answers = [await client.post(path, params={"name": name}, headers=key(path)) for _ in range(3)]
        assert [answer.is_success for answer in answers] == [False, True, True]
        assert answers[2].headers["Idempotency-Replayed"] == "true"
    assert await works(admin, signed_in.tenant_id) == 2
    assert [(await client.post("/refused", headers=key("r"))).status_code for _ in range(2)] == [409, 409]
    assert await works(admin, signed_in.tenant_id) == 4


async def test_many_at_once_do_the_work_once(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    answers = await asyncio.gather(*(client.post("/things", headers=key()) for _ in range(8)))
    assert len({answer.content for answer in answers}) == 1
    assert sorted("Idempotency-Replayed" in answer.headers for answer in answers) == [False] + [True] * 7
    assert await works(admin, signed_in.tenant_id) == 1


async def test_a_second_request_waits_and_is_told_when_that_takes_too_long(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    name = str(new_id())
    HELD[name] = asyncio.Event()
    first = asyncio.create_task(client.post("/slow", params={"name": name}, headers=key()))
    await asyncio.sleep(0.1)
    second = await client.post("/slow", params={"name": name}, headers=key())
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_progress")
    assert second.headers["Retry-After"] == "5"
    third = asyncio.create_task(client.post("/slow", params={"name": name}, headers=key()))
    await asyncio.sleep(0.1)
    HELD[name].set()
    assert (await third).json() == (await first).json()
    assert await works(admin, signed_in.tenant_id) == 1


async def test_an_answer_with_a_secret_is_sealed_and_still_replayed(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    first = await client.post("/secrets", headers=key())
    kept = await admin.fetchrow("SELECT * FROM core.idempotency_keys WHERE tenant_id = $1", signed_in.tenant_id)
    assert kept is not None
    assert kept["key_version"] == 1
    assert SECRET.encode() not in kept["body"]
    assert SECRET not in str(dict(kept))
    again = await client.post("/secrets", headers=key())
    assert first.json() == again.json() == {"secret": SECRET}
    assert await works(admin, signed_in.tenant_id) == 1


async def test_a_sealed_answer_outlives_the_rotation_of_data_keys(
    client: httpx2.AsyncClient,
    signed_in: SignedIn,
    database: Database,
    settings: Settings,
    admin: "asyncpg.Connection[Any]",
) -> None:
    plain, first = await client.post("/things", headers=key("plain")), await client.post("/secrets", headers=key())
    rotated = await rotation.rotate(database, signed_in.tenant_id, master_keys(settings))
    assert rotated == rotation.Rotated(version=2, resealed=1, dropped=1)
    kept = await admin.fetch(
        "SELECT key_version, body FROM core.idempotency_keys WHERE tenant_id = $1 ORDER BY key", signed_in.tenant_id
    )
    assert [row["key_version"] for row in kept] == [2, None]
    assert key_version(kept[0]["body"]) == 2
    assert (await client.post("/secrets", headers=key())).json() == first.json() == {"secret": SECRET}
    assert (await client.post("/things", headers=key("plain"))).json() == plain.json()
    assert await works(admin, signed_in.tenant_id) == 2


async def test_replays_never_fail_while_data_keys_are_rotated_again_and_again(
    client: httpx2.AsyncClient, signed_in: SignedIn, database: Database, settings: Settings
) -> None:
    await client.post("/secrets", headers=key())
    rotations = 0
    statuses: list[int] = []

    async def replaying(number: int) -> None:
        while rotations < 4 or len(statuses) < 20:
            # An old answer, and new ones that are sealed in the middle of a rotation.
            for name in ("k", f"{number}-{len(statuses)}"):
                answer = await client.post("/secrets", headers=key(name))
                statuses.append(answer.status_code)
                assert answer.json() == {"secret": SECRET}

    async def rotating() -> None:
        nonlocal rotations
        while rotations < 4 or len(statuses) < 20:
            assert await rotation.rotate(database, signed_in.tenant_id, master_keys(settings)) is not None
            rotations += 1

    await asyncio.gather(rotating(), replaying(1), replaying(2), replaying(3))
    assert set(statuses) == {200}


async def test_a_sealed_answer_whose_key_is_shredded_is_a_problem_with_a_code(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    await client.post("/secrets", headers=key())
    await admin.execute("DELETE FROM core.tenant_keys WHERE tenant_id = $1", signed_in.tenant_id)
    answer = await client.post("/secrets", headers=key())
    assert (answer.status_code, answer.json()["code"]) == (503, "answer_locked")
    assert await works(admin, signed_in.tenant_id) == 1


async def test_what_cannot_be_sealed_is_not_done(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    await client.post("/secrets", headers=key("before"))
    await admin.execute("UPDATE core.tenant_keys SET wrapped = 'x' WHERE tenant_id = $1", signed_in.tenant_id)
    answer = await client.post("/secrets", headers=key())
    assert (answer.status_code, answer.json()["code"]) == (503, "answer_locked")
    assert await works(admin, signed_in.tenant_id) == 1


async def test_a_replay_asks_for_the_permission_again(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    await client.post("/secrets", headers=key())
    await admin.execute("UPDATE core.membership_roles SET role = 'readonly' WHERE tenant_id = $1", signed_in.tenant_id)
    assert (await client.post("/secrets", headers=key())).status_code == 403


async def test_an_old_key_is_new_again_and_old_ones_are_swept(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    for name in ("a", "b", "c"):
        await client.post("/things", headers=key(name))
    await admin.execute(
        "UPDATE core.idempotency_keys SET expires_at = now() - interval '1 s' WHERE tenant_id = $1", signed_in.tenant_id
    )
    again = await client.post("/things", headers=key("a"))
    assert "Idempotency-Replayed" not in again.headers
    assert (await client.post("/things", headers=key("a"))).json() == again.json()
    left = await admin.fetch("SELECT key FROM core.idempotency_keys WHERE tenant_id = $1", signed_in.tenant_id)
    assert [row["key"] for row in left] == ["a"]


async def test_a_route_that_does_not_replay_ignores_keys(
    client: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    for _ in range(2):
        assert "Idempotency-Replayed" not in (await client.post("/unprotected", headers=key())).headers
    assert await works(admin, signed_in.tenant_id) == 2
