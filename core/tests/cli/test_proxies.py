"""Whose word is taken for where a request comes from."""

import ipaddress

import httpx2
import pytest
from fastapi import FastAPI, Request

from counterfoil.cli.serve import configured
from counterfoil.config import Settings

SPOOFED, REAL = "203.0.113.9", "198.51.100.7"


async def seen(settings: Settings, *, peer: str, headers: dict[str, str]) -> str:
    """The address a route sees, behind all that the server puts before the application."""
    app = FastAPI()

    @app.get("/")
    async def where(request: Request) -> str:
        return f"{request.url.scheme} {request.client.host if request.client else None}"

    config = configured(app, settings)
    config.load()
    transport = httpx2.ASGITransport(app=config.loaded_app, client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://inside") as client:
        return str((await client.get("/", headers=headers)).json())


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.0.0.7"])
async def test_nobodys_word_is_taken_unless_a_proxy_is_named(settings: Settings, peer: str) -> None:
    headers = {"X-Forwarded-For": SPOOFED, "X-Forwarded-Proto": "https", "Forwarded": f"for={SPOOFED}"}
    assert await seen(settings, peer=peer, headers=headers) == f"http {peer}"


@pytest.mark.parametrize("value", [REAL, f"{SPOOFED}, {REAL}", f"{SPOOFED},{REAL},10.0.0.8"])
async def test_a_named_proxy_says_who_came_to_it_and_not_what_they_said(settings: Settings, value: str) -> None:
    behind = settings.model_copy(update={"trusted_proxies": "127.0.0.1, 10.0.0.0/8"})
    headers = {"X-Forwarded-For": value, "X-Forwarded-Proto": "https"}
    for peer in ("127.0.0.1", "10.0.0.7"):
        assert await seen(behind, peer=peer, headers=headers) == f"https {REAL}"
    assert await seen(behind, peer=REAL, headers={"X-Forwarded-For": SPOOFED}) == f"http {REAL}"


@pytest.mark.parametrize("value", ["*", "proxy.example", "10.0.0.0/8,*", "10.0.0.1/8", "127.0.0.1;10.0.0.1"])
def test_only_addresses_can_be_named(value: str) -> None:
    with pytest.raises(ValueError, match="lists addresses and networks"):
        Settings(trusted_proxies=value)


@pytest.mark.parametrize("value", ["", "::1", "127.0.0.1, 10.0.0.0/8,2001:db8::/32"])
def test_addresses_and_networks_can_be_named(value: str) -> None:
    named = [part.strip() for part in Settings(trusted_proxies=value).trusted_proxies.split(",") if part]
    assert all(ipaddress.ip_network(part) for part in named)
