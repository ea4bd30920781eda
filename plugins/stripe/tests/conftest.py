"""A simulated Stripe on a real port, and a connector's context that talks to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn

from counterfoil.connections.client import ConnectorContext, connector_context
from counterfoil.kit.http import RetryPolicy
from counterfoil.sdk import RateLimit
from counterfoil.simulation.world import World
from counterfoil_stripe.connector import Stripe, StripeSettings
from counterfoil_stripe.simulator import simulator

if TYPE_CHECKING:
    from starlette.types import ASGIApp

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "sk_test_demo"
ONCE = RetryPolicy(max_attempts=1)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The application behind a real server on a free port; its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, lifespan="off", ws="none", log_level="critical", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


@dataclass(kw_only=True)
class Simulated:
    """A running simulator and clients for its two sides."""

    base_url: str
    world: World
    api: httpx2.Client
    control: httpx2.Client
    minutes: int = 0

    def get(self, path: str, **params: str | int) -> dict[str, Any]:
        answer = self.api.get(path, params=params)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def expected(self) -> dict[str, Any]:
        body: dict[str, Any] = self.control.get("/_simulator/expected").json()
        return body

    def change(self, object_id: str, to: str, **more: Any) -> None:
        order = {"object": object_id, "to": to, "at": self.next_moment(), **more}
        self.control.post("/_simulator/world/change", json=order).raise_for_status()

    def next_moment(self) -> int:
        """A minute later each time: two changes must not share a second."""
        self.minutes += 1
        return int(self.world.as_of.timestamp()) + 60 * self.minutes

    def break_with(self, **fault: Any) -> None:
        self.control.put("/_simulator/faults", json=[{"match": "/v1/", **fault}]).raise_for_status()


@pytest.fixture(scope="session")
def world() -> World:
    # Of small worlds, one in which everything happens: disputes, and payouts and invoices in every state.
    return World.generate(seed=2, orders=400, as_of=NOON, days=60)


@contextmanager
def simulated(world: World) -> Iterator[Simulated]:
    with (
        served(simulator.app(world)) as base_url,
        httpx2.Client(base_url=base_url, headers={"Authorization": f"Bearer {KEY}"}) as api,
        httpx2.Client(base_url=base_url) as control,
    ):
        yield Simulated(base_url=base_url, world=world, api=api, control=control)


@pytest.fixture(scope="session")
def _quiet(world: World) -> Iterator[Simulated]:
    with simulated(world) as stripe:
        yield stripe


@pytest.fixture
def stripe(_quiet: Simulated) -> Iterator[Simulated]:
    """Shared by all tests that leave the world as it is; faults and counts are cleared after each."""
    yield _quiet
    _quiet.control.delete("/_simulator/faults")
    _quiet.control.delete("/_simulator/stats")


@pytest.fixture
def fresh_stripe(world: World) -> Iterator[Simulated]:
    """One of its own for a test that changes the world."""
    with simulated(world) as stripe:
        yield stripe


class Unlimited(Stripe):
    """The connector as it is, but for its pace: the simulator has no limit to respect."""

    limits = RateLimit(rps=10_000, concurrency=8)

    def limits_for(self, settings: StripeSettings) -> RateLimit:  # noqa: ARG002 - the signature of the connector
        return self.limits


@asynccontextmanager
async def opened(base_url: str, key: str = KEY, *, retry: RetryPolicy = ONCE) -> AsyncIterator[ConnectorContext]:
    """The product's own context for a connection to this address: guarded, signed in, one attempt for every request."""
    settings = StripeSettings.model_validate({"api_key": key, "api_base": base_url})
    async with connector_context(
        Unlimited(), settings, allow_private=True, hosts=["api.stripe.com"], retry=retry
    ) as ctx:
        yield ctx


@pytest.fixture(scope="session")
def serve() -> Callable[[ASGIApp], AbstractContextManager[str]]:
    return served


@pytest.fixture(scope="session")
def connect() -> Callable[..., AbstractAsyncContextManager[ConnectorContext]]:
    return opened


@pytest.fixture
async def ctx(stripe: Simulated) -> AsyncIterator[ConnectorContext]:
    async with opened(stripe.base_url) as ctx:
        yield ctx
