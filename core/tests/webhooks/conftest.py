"""A process with a connector that signs its webhooks, and a connection to it."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.jobs import repository as jobs
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.runner import JobRunner
from counterfoil.plugins.manager import PluginManager
from counterfoil.testing.plugin import SignedIn
from counterfoil.testing.plugins import installed, write_distribution
from counterfoil.webhooks.tasks import REFRESH

SECRET = "whsec_s3cret"
HOOKS = """
import hashlib, hmac, json
from datetime import timedelta
from decimal import Decimal
from counterfoil.sdk import (
    Account, Bearer, Connector, Hint, Page, Payment, Raw, Secret, Settings, SignatureInvalid, SourceForbidden,
    SourceUnauthorized, SourceUnavailable, TimeCursor, WebhookEvent, from_unix, hookimpl, stream,
)

class AcmeSettings(Settings):
    key: Secret
    webhook_secret: Secret | None = None

class Acme(Connector):
    kind, title, base_url, settings, has_webhooks = "acme", "Acme", "https://acme.test", AcmeSettings, True
    charges_now = {}
    fetched = []
    error = None
    meanwhile = None

    async def authorize(self, http, settings):
        return Bearer("t")

    async def check(self, ctx):
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.error == "unreachable":
            raise SourceUnavailable("nobody there")
        return Account(id="acct_1")

    @stream("charges", cursor=TimeCursor(), targets=[Payment])
    async def charges(self, ctx, window):
        yield Page(records=[Raw(name, charge) for name, charge in self.charges_now.items()])

    @charges.rows
    def of_charge(raw):
        return [Payment(source_id=raw["id"], amount=Decimal(raw["amount"]), currency="USD", status="paid")]

    @charges.fetch
    async def one(self, ctx, source_id):
        self.fetched.append(source_id)
        error = self.error if self.error != "some" else {"ch_1": "down", "ch_2": "forbidden"}.get(source_id)
        if error == "down":
            raise SourceUnavailable("no answer")
        if error == "forbidden":
            raise SourceForbidden("not this one")
        if error == "unauthorized":
            raise SourceUnauthorized("not with this key")
        found = self.charges_now.get(source_id)
        return Raw(source_id, found) if found else None

    def verify(self, settings, headers, body, *, now):
        given = headers.get("acme-signature", "")
        if settings.webhook_secret is None:
            raise SignatureInvalid("no secret is set")
        wanted = hmac.new(settings.webhook_secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(given, wanted):
            raise SignatureInvalid("the signature is another")
        event = json.loads(body)
        hints = [Hint(stream=stream, source_id=source_id) for stream, source_id in event.get("about", [])]
        return WebhookEvent(id=event["id"], type=event["type"], created_at=from_unix(event["at"]), hints=hints)

class Deaf(Acme):
    kind, has_webhooks = "acme_deaf", False

@hookimpl
def register_connectors():
    return [Acme(), Deaf()]
"""


RunJob = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> PluginManager:
    site = tmp_path_factory.mktemp("site")
    write_distribution(site, "acme", {"hooks.py": HOOKS})
    with installed(site):
        return PluginManager.load()


@pytest.fixture(scope="module")
async def app(settings: Settings, plugins: PluginManager) -> AsyncIterator[FastAPI]:
    app = create_app(settings, plugins=plugins, with_ui=False)
    async with app.router.lifespan_context(app):
        yield app


@dataclass(kw_only=True)
class Hooked:
    """A connection, its vendor, and what one does with them."""

    who: SignedIn
    id: str
    vendor: Any
    client: httpx2.AsyncClient
    admin: "asyncpg.Connection[Any]" = field(repr=False)
    run: RunJob = field(repr=False)

    @property
    def path(self) -> str:
        return f"/webhooks/acme/{self.id}"

    async def deliver(self, event: dict[str, Any] | bytes, *, secret: str = SECRET, path: str = "") -> httpx2.Response:
        body = (
            event
            if isinstance(event, bytes)
            else json.dumps({"type": "charge.updated", "at": time.time(), **event}).encode()
        )
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Acme-Signature": signature}
        return await self.client.post(path or self.path, content=body, headers=headers)

    async def receipts(self) -> list[dict[str, Any]]:
        answer = await self.who.client.get(f"/api/v1/connections/{self.id}/webhooks")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def jobs(self) -> list[dict[str, Any]]:
        answer = await self.who.client.get("/api/v1/jobs", params={"kind": "core.refresh"})
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def amounts(self) -> dict[str, str]:
        rows = await self.admin.fetch(
            "SELECT source_id, amount FROM core.payments WHERE tenant_id = $1 AND deleted_at IS NULL",
            self.who.tenant_id,
        )
        return {row["source_id"]: str(row["amount"].normalize()) for row in rows}

    async def audited(self, action: str) -> int:
        found: int = await self.admin.fetchval(
            "SELECT count(*) FROM core.audit_events WHERE tenant_id = $1 AND action = $2", self.who.tenant_id, action
        )
        return found


@pytest.fixture
def run_job(signed_in: SignedIn, app: FastAPI, database: Database, admin: "asyncpg.Connection[Any]") -> RunJob:
    """Runs an attempt at a job as a worker would once it is due, and answers how the job is then."""

    async def run(job_id: str) -> dict[str, Any]:
        await admin.execute("UPDATE core.jobs SET run_after = now() WHERE id = $1", UUID(job_id))
        row = await jobs.claim_now(database, signed_in.tenant_id, UUID(job_id), owner="test", lease_s=30)
        assert row is not None
        tasks = {REFRESH.name: REFRESH}
        runner = JobRunner(database=database, provided=app.state.provided, lease_s=30, tasks=tasks)
        await runner.execute(Attempt(Claim(tenant_id=signed_in.tenant_id, job_id=UUID(job_id), row=row)))
        found: dict[str, Any] = (await signed_in.client.get(f"/api/v1/jobs/{job_id}")).json()
        return found

    return run


@pytest.fixture
async def hooked(
    signed_in: SignedIn,
    client: httpx2.AsyncClient,
    admin: "asyncpg.Connection[Any]",
    run_job: RunJob,
    plugins: PluginManager,
) -> Hooked:
    assert (await signed_in.client.post("/api/v1/plugins/acme/enable")).is_success
    vendor = plugins.connectors["acme"][1]
    vendor.__dict__.update(charges_now={}, fetched=[], error=None, meanwhile=None)
    made = {"kind": "acme", "label": "A", "settings": {}, "credentials": {"key": "k", "webhook_secret": SECRET}}
    answer = await signed_in.client.post("/api/v1/connections", json=made)
    assert answer.status_code == 201, answer.text

    return Hooked(who=signed_in, id=answer.json()["id"], vendor=vendor, client=client, admin=admin, run=run_job)
