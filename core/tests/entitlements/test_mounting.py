"""A plugin's routes answer only tenants that may use the plugin, and cannot slip past that question."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from counterfoil.entitlements.mounting import mount_plugin_routes
from counterfoil.kit.ids import new_id
from counterfoil.plugins.errors import Rejected
from counterfoil.rbac import Scope, require
from counterfoil.testing.plugin import ORIGIN, SignedIn
from counterfoil.web.problems import install_problem_handlers

PATH = "/api/v1/shelves"


def shelves() -> APIRouter:
    router = APIRouter(prefix=PATH, tags=["shelves"])

    @router.get("")
    async def list_shelves() -> list[str]:
        return ["top"]

    @router.post("")
    async def add_shelf(_scope: Annotated[Scope, require("tables.read")]) -> str:
        return str(new_id())

    @router.delete("/{name}")
    async def remove_shelf(name: str) -> str:
        return name

    return router


@pytest.fixture
def other(app: FastAPI) -> FastAPI:
    """An application of the same process, for the plugin ``free`` to mount its routes on."""
    other = FastAPI()
    other.state.provided = app.state.provided
    install_problem_handlers(other)
    return other


@pytest.fixture
async def caller(other: FastAPI, signed_in: SignedIn) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": signed_in.client.headers["Authorization"]}
    transport = httpx2.ASGITransport(app=other)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        yield client


async def test_every_route_is_refused_until_the_tenant_enables_the_plugin(
    other: FastAPI, caller: httpx2.AsyncClient, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    mount_plugin_routes(other, "free", [shelves()])

    for answer in (await caller.get(PATH), await caller.delete(f"{PATH}/top")):
        assert (answer.status_code, answer.json()["code"]) == (403, "plugin_disabled")
    refused = await admin.fetch(
        "SELECT resource_id, reason FROM core.audit_events WHERE tenant_id = $1 AND outcome = 'denied' ORDER BY id",
        signed_in.tenant_id,
    )
    assert [tuple(event) for event in refused] == [
        (f"GET {PATH}", "plugin_disabled"),
        (f"DELETE {PATH}/top", "plugin_disabled"),
    ]

    await signed_in.client.post("/api/v1/plugins/free/enable")
    assert (await caller.get(PATH)).json() == ["top"]
    assert (await caller.delete(f"{PATH}/top")).json() == "top"

    await signed_in.client.post("/api/v1/plugins/free/disable")
    assert (await caller.get(PATH)).status_code == 403


async def test_a_plugin_outside_the_plan_says_that_instead(other: FastAPI, caller: httpx2.AsyncClient) -> None:
    mount_plugin_routes(other, "gold", [shelves()])

    answer = await caller.get(PATH)

    assert (answer.status_code, answer.json()["code"]) == (403, "entitlement_required")


async def test_the_routes_of_a_plugin_in_quarantine_are_closed(other: FastAPI, caller: httpx2.AsyncClient) -> None:
    mount_plugin_routes(other, "broken", [shelves()])

    assert (await caller.get(PATH)).json()["code"] == "plugin_disabled"


async def test_a_plugins_posts_do_their_work_once_for_a_key(
    other: FastAPI, caller: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    mount_plugin_routes(other, "free", [shelves()])
    await signed_in.client.post("/api/v1/plugins/free/enable")
    first, again = [await caller.post(PATH, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert first.json() == again.json()
    assert first.json() != (await caller.post(PATH)).json()


async def test_a_stranger_has_to_sign_in_first(other: FastAPI, caller: httpx2.AsyncClient) -> None:
    mount_plugin_routes(other, "free", [shelves()])

    del caller.headers["Authorization"]

    assert (await caller.get(PATH)).status_code == 401


async def test_a_session_that_ended_opens_no_plugin_route(
    other: FastAPI, caller: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    mount_plugin_routes(other, "free", [shelves()])
    await signed_in.client.post("/api/v1/plugins/free/enable")
    assert (await caller.get(PATH)).status_code == 200

    await signed_in.client.post("/api/v1/auth/logout")

    assert (await caller.get(PATH)).status_code == 401


async def test_a_route_added_after_mounting_is_not_served(
    other: FastAPI, caller: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    router = shelves()
    mount_plugin_routes(other, "free", [router])
    await signed_in.client.post("/api/v1/plugins/free/enable")

    async def late(_request: Request) -> Response:
        return PlainTextResponse("late")

    router.add_route(f"{PATH}/late", late)

    # 405, not 404: the path also fits the route that removes a shelf.
    assert (await caller.get(f"{PATH}/late")).status_code == 405


def test_what_cannot_be_guarded_is_not_mounted(other: FastAPI, tmp_path: Path) -> None:
    async def plain(_request: Request) -> Response:
        return PlainTextResponse("unguarded")

    async def socket(_socket: WebSocket) -> None: ...

    raw, sockets, nested = APIRouter(), APIRouter(), APIRouter()
    raw.add_route(f"{PATH}/raw", plain)
    sockets.add_api_websocket_route(f"{PATH}/socket", socket)
    nested.include_router(raw)
    mounted = APIRouter(routes=[Mount(f"{PATH}/files", StaticFiles(directory=tmp_path))])
    before = len(other.routes)

    for router in (raw, sockets, nested, mounted):
        with pytest.raises(Rejected, match="cannot be guarded; return routers of plain API routes"):
            mount_plugin_routes(other, "free", [shelves(), router])

    assert len(other.routes) == before


@pytest.mark.parametrize("path", ["/shelves", "/api/v1/{anything}", "/api/v2/shelves", "/api/v1/"])
def test_a_route_outside_the_api_or_for_any_path_is_not_mounted(path: str, other: FastAPI) -> None:
    router = APIRouter()
    router.add_api_route(path, lambda: None)

    with pytest.raises(Rejected, match="has to begin with /api/v1/ and a word"):
        mount_plugin_routes(other, "free", [router])


def test_a_route_that_is_taken_is_not_mounted(other: FastAPI) -> None:
    mount_plugin_routes(other, "free", [shelves()])

    with pytest.raises(Rejected, match="the route /api/v1/shelves is already taken"):
        mount_plugin_routes(other, "lean", [shelves()])
