"""What is asked of keys, and by whom."""

from collections.abc import Callable
from typing import Any

import httpx2
from fastapi import FastAPI

from counterfoil.testing.documented import Documented
from counterfoil.testing.plugin import ORIGIN, SignedIn

KEYS = "/api/v1/api-keys"
ME = "/api/v1/auth/me"
Holding = Callable[[str], httpx2.AsyncClient]


def bearer_client(app: FastAPI, key: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=Documented(app)),
        base_url=ORIGIN,
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )


async def make_key(client: httpx2.AsyncClient, *scopes: str, **rest: Any) -> dict[str, Any]:
    answer = await ask_for_key(client, *scopes, **rest)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def ask_for_key(client: httpx2.AsyncClient, *scopes: str, **rest: Any) -> httpx2.Response:
    return await client.post(KEYS, json={"name": "Month end", "scopes": list(scopes), **rest})


async def service_key(who: SignedIn, role: str, *scopes: str) -> dict[str, Any]:
    return await make_key(who.client, *scopes, kind="service", roles=[role])
