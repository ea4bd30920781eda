"""A small application behind the gate, sharing what the whole product provides."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from counterfoil.config import Settings
from counterfoil.kit import context
from counterfoil.kit.errors import PermissionDenied
from counterfoil.rbac import Scope, require, require_member
from counterfoil.testing.plugin import SignedIn
from counterfoil.web.middleware import RequestContext
from counterfoil.web.problems import install_problem_handlers

from .people import Connection, Join, SignIn, join

RENAME = text("UPDATE core.tenants SET name = 'Renamed'")


@pytest.fixture(scope="session")
def gated(app: FastAPI) -> FastAPI:
    gated = FastAPI()
    gated.state.provided = app.state.provided
    install_problem_handlers(gated)
    gated.add_middleware(RequestContext)
    gated.post("/rename")(rename)
    gated.post("/rename-then-fail")(rename_then_fail)
    gated.post("/rename-then-refuse")(rename_then_refuse)
    gated.post("/fail-to-commit")(fail_to_commit)
    gated.get("/work-in-hand")(work_in_hand)
    gated.get("/roles")(roles)
    return gated


@pytest.fixture
async def gate(gated: FastAPI, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=gated, client=("203.0.113.7", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=settings.origin) as client:
        yield client


async def rename(scope: Annotated[Scope, require("plugins.manage")]) -> None:
    await scope.uow.session.execute(RENAME)


async def rename_then_fail(scope: Annotated[Scope, require("plugins.manage")]) -> None:
    await scope.uow.session.execute(RENAME)
    raise ZeroDivisionError


async def rename_then_refuse(scope: Annotated[Scope, require("plugins.manage")]) -> None:
    await scope.uow.session.execute(RENAME)
    raise PermissionDenied("not this one")


async def fail_to_commit(scope: Annotated[Scope, require_member()]) -> dict[str, str]:
    await scope.uow.session.execute(
        text("CREATE TEMP TABLE twice (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP")
    )
    await scope.uow.session.execute(text("INSERT INTO twice VALUES (1), (1)"))
    return {"status": "looks fine"}


async def work_in_hand(scope: Annotated[Scope, require("tenant.read")], pause_s: float = 0) -> dict[str, str | None]:
    await asyncio.sleep(pause_s)
    actor = context.current_actor.get()
    return {
        "tenant": str(context.current_tenant_id.get()),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label,
        "client_ip": context.current_client_ip.get(),
        "caller": str(scope.caller.user_id),
    }


async def roles(scope: Annotated[Scope, require_member()]) -> dict[str, list[str]]:
    return {"roles": sorted(scope.roles), "permissions": sorted(scope.permissions)}


@pytest.fixture
def joined(admin: Connection, sign_in: SignIn) -> Join:
    """Makes members of an owner's tenant, with roles."""

    async def make(tenant: SignedIn, *roles: str) -> SignedIn:
        return await join(admin, tenant, await sign_in(), roles)

    return make
