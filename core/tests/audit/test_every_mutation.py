"""Every route that changes something leaves an event; the routes are found in the API's description, not in a list."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx2
from fastapi import FastAPI

from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import PASSWORD, SignedIn

Connection: TypeAlias = "asyncpg.Connection[Any]"
SignIn = Callable[[], Coroutine[Any, Any, SignedIn]]

UNSAFE = {"post", "put", "patch", "delete"}
# Rotating a refresh token is no deed of anybody's: it happens every few minutes, and its misuse is what leaves an event.
SILENT = {"refresh"}


class Recorder:
    """Calls the API under a correlation id of its own each time, and reads what was written under it."""

    def __init__(self, admin: Connection, session: SignedIn) -> None:
        self.admin = admin
        self.session = session
        self.covered: dict[str, list[str]] = {}

    async def call(self, operation: str, method: str, path: str, **parts: Any) -> httpx2.Response:
        correlation_id = new_id()
        headers = {"X-Correlation-ID": str(correlation_id)}
        answer = await self.session.client.request(method, f"/api/v1{path}", headers=headers, **parts)
        assert answer.is_success, answer.text
        assert answer.headers["X-Correlation-ID"] == str(correlation_id)
        rows = await self.admin.fetch("SELECT action FROM core.audit_events WHERE correlation_id = $1", correlation_id)
        self.covered[operation] = [row["action"] for row in rows]
        return answer


async def test_every_mutation_leaves_an_event_with_its_correlation_id(
    app: FastAPI, admin: Connection, sign_in: SignIn
) -> None:
    recorder = Recorder(admin, await sign_in())
    call = recorder.call
    unique = new_id().hex[-10:]
    account = {
        "tenant_name": "Audited",
        "tenant_slug": f"audited-{unique}",
        "email": f"audited-{unique}@example.com",
        "password": PASSWORD,
        "full_name": "Audrey",
    }
    await call("register", "POST", "/auth/register", json=account)
    made = {
        "kind": "stripe",
        "label": "Books",
        "settings": {"api_base": "http://127.0.0.1:9"},
        "credentials": {"api_key": "sk_test_x"},
    }
    connection = (await call("createConnection", "POST", "/connections", json=made)).json()["id"]
    await call("updateConnection", "PATCH", f"/connections/{connection}", json={"label": "Ledger"})
    await call("testConnection", "POST", f"/connections/{connection}/test")
    job = (await call("syncConnection", "POST", f"/connections/{connection}/sync")).json()["job_id"]
    await call("cancelJob", "POST", f"/jobs/{job}/cancel")
    await call("replayConnection", "POST", f"/connections/{connection}/replay")
    await call("deleteConnection", "DELETE", f"/connections/{connection}")
    await call("disablePlugin", "POST", "/plugins/stripe/disable")
    await call("enablePlugin", "POST", "/plugins/stripe/enable")
    view = (await call("createView", "POST", "/tables/views", json={"table": "payments", "name": "Mine"})).json()["id"]
    await call("updateView", "PATCH", f"/tables/views/{view}", json={"name": "Ours", "shared": True})
    await call("deleteView", "DELETE", f"/tables/views/{view}")
    credentials = {"email": account["email"], "password": PASSWORD, "token_delivery": "body"}
    session = (await call("login", "POST", "/auth/login", json=credentials)).json()
    recorder.session.client.headers["Authorization"] = f"Bearer {session['access_token']}"
    await call("logout", "POST", "/auth/logout", json={"refresh_token": session["refresh_token"]})

    operations = {
        operation["operationId"]
        for methods in app.openapi()["paths"].values()
        for method, operation in methods.items()
        if method in UNSAFE
    }
    assert operations - SILENT == set(recorder.covered)
    assert {name for name, actions in recorder.covered.items() if not actions} == set()


async def test_a_refusal_leaves_an_event_that_names_the_missing_permission(
    admin: Connection, signed_in: SignedIn
) -> None:
    await admin.execute("UPDATE core.membership_roles SET role = 'readonly' WHERE tenant_id = $1", signed_in.tenant_id)
    answer = await signed_in.client.post("/api/v1/plugins/stripe/disable")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    row = await admin.fetchrow(
        "SELECT outcome, reason, actor_label FROM core.audit_events WHERE correlation_id = $1",
        UUID(answer.json()["correlation_id"]),
    )
    assert row is not None
    assert (row["outcome"], row["reason"], row["actor_label"]) == ("denied", "plugins.manage", signed_in.email)
