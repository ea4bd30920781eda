"""People who register, each with cookies and tokens of their own."""

import email
import email.policy
import secrets
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.config import Settings
from counterfoil.testing.documented import Documented

from .people import PASSWORD, AuditTrail, Mailbox, MakeForm, Register, Registered


@pytest.fixture
def form() -> MakeForm:
    """A registration nobody else makes."""

    def make(**changes: str) -> dict[str, str]:
        unique = secrets.token_hex(6)
        return {
            "tenant_name": "Acme",
            "tenant_slug": f"acme-{unique}",
            "email": f"olive-{unique}@example.com",
            "password": PASSWORD,
            "full_name": "Olive Owner",
            **changes,
        }

    return make


@pytest.fixture
async def register(app: FastAPI, settings: Settings, form: MakeForm) -> AsyncIterator[Register]:
    clients: list[httpx2.AsyncClient] = []

    async def make(**changes: str) -> Registered:
        headers = {"Origin": settings.origin}
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=Documented(app)), base_url=settings.origin, headers=headers, timeout=30
        )
        clients.append(client)
        body = form(**changes)
        answer = await client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return Registered(client=client, form=body, session=answer.json())

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def owner(register: Register) -> Registered:
    return await register()


@pytest.fixture
def audit_trail(admin: "asyncpg.Connection[Any]") -> AuditTrail:
    async def read(tenant_id: UUID) -> list[asyncpg.Record]:
        return list(
            await admin.fetch(
                "SELECT * FROM core.audit_events WHERE tenant_id = $1 ORDER BY occurred_at, id", tenant_id
            )
        )

    return read


@pytest.fixture
def mailbox(settings: Settings) -> Mailbox:
    """The mail somebody got, oldest first."""

    def read(address: str) -> list[email.message.EmailMessage]:
        paths = sorted((settings.home / "mail").glob("*.eml"))
        mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
        return [mail for mail in mails if mail["To"] == address]

    return read


@pytest.fixture
async def second_device(owner: Registered, app: FastAPI, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """The owner once more, with a session and cookies of its own."""
    headers = {"Origin": settings.origin, "User-Agent": "phone/2"}
    transport = httpx2.ASGITransport(app=Documented(app), client=("198.51.100.9", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=settings.origin, headers=headers, timeout=30) as client:
        assert (await client.post("/api/v1/auth/login", json=owner.credentials)).status_code == 200
        yield client
