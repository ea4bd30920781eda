from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import httpx2
import pytest
from core.tests.rbac.people import Connection, Join, SignIn, join
from fastapi import FastAPI

from counterfoil.identity import Authenticated
from counterfoil.rbac import Scope, require_member
from counterfoil.testing.plugin import SignedIn
from counterfoil.web.middleware import RequestContext
from counterfoil.web.problems import install_problem_handlers

from .bearers import Holding, bearer_client


@pytest.fixture
def joined(admin: Connection, sign_in: SignIn) -> Join:
    """Makes members of an owner's tenant, with roles."""

    async def make(tenant: SignedIn, *roles: str) -> SignedIn:
        return await join(admin, tenant, await sign_in(), roles)

    return make


@pytest.fixture
async def holding(app: FastAPI) -> AsyncIterator[Holding]:
    """Makes clients that present a key and nothing else."""
    async with _clients(app) as make:
        yield make


@pytest.fixture
async def gate_client(app: FastAPI) -> AsyncIterator[Holding]:
    """As ``holding``, of a small application with routes that are for every member."""
    small = FastAPI()
    small.state.provided = app.state.provided
    install_problem_handlers(small)
    small.add_middleware(RequestContext)
    small.post("/mine")(change_mine)
    small.post("/session")(change_session)
    async with _clients(small) as make:
        yield make


async def change_mine(scope: Annotated[Scope, require_member()]) -> str:
    return scope.caller.name


async def change_session(credential: Authenticated) -> str:
    return str(credential.session_id)


@asynccontextmanager
async def _clients(app: FastAPI) -> AsyncIterator[Holding]:
    async with AsyncExitStack() as stack:
        made: list[httpx2.AsyncClient] = []

        def make(key: str) -> httpx2.AsyncClient:
            made.append(bearer_client(app, key))
            stack.push_async_callback(made[-1].aclose)
            return made[-1]

        yield make
