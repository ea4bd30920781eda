"""A small vendor on loopback, and what is asked of connections to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from counterfoil.testing.plugin import SignedIn

PATH = "/api/v1/connections"
KEY = "rk_test_s3cretKey0123456789"
SignIn = Callable[[], Awaitable[SignedIn]]


@dataclass(kw_only=True)
class FakeVendor:
    """Answers every request the same way; ``on_request`` runs before it does."""

    base: str = ""
    status: str = "200 OK"
    account_id: str = "acct_1"
    body: str | None = None
    requests: list[str] = field(default_factory=list)
    on_request: Callable[[], Awaitable[None]] | None = None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self.on_request is not None:
            await self.on_request()
        body = self.body if self.body is not None else self._account()
        writer.write(
            f"HTTP/1.1 {self.status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()

    def _account(self) -> str:
        name = {"dashboard": {"display_name": f"Shop of {self.account_id}"}}
        return json.dumps({"id": self.account_id, "object": "account", "settings": name})


@asynccontextmanager
async def serving() -> AsyncIterator[FakeVendor]:
    vendor = FakeVendor()
    listener = await asyncio.start_server(vendor.handle, "127.0.0.1", 0)
    vendor.base = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield vendor
    finally:
        listener.close()


def body(vendor: FakeVendor, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "stripe",
        "label": "Stripe EU",
        "settings": {"api_base": vendor.base},
        "credentials": {"api_key": KEY},
        **changes,
    }


async def created(who: SignedIn, vendor: FakeVendor, **changes: Any) -> dict[str, Any]:
    answer = await who.client.post(PATH, json=body(vendor, **changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def check(who: SignedIn, connection: dict[str, Any]) -> httpx2.Response:
    return await who.client.post(f"{PATH}/{connection['id']}/test")


async def shown(who: SignedIn, connection: dict[str, Any]) -> dict[str, Any]:
    answer = await who.client.get(f"{PATH}/{connection['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
