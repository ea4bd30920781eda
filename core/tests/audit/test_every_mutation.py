"""Every route that changes something leaves an event; the routes are found in the API's description, not in a list."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx2
from fastapi import FastAPI

from counterfoil.config import Settings
from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import PASSWORD, SignedIn

Connection: TypeAlias = "asyncpg.Connection[Any]"
SignIn = Callable[[], Coroutine[Any, Any, SignedIn]]
Call = Callable[..., Coroutine[Any, Any, httpx2.Response]]

UNSAFE = {"post", "put", "patch", "delete"}
# Changes nothing: a POST because a secret has no place in an address.
READING = {"previewInvitation"}
# Rotating a refresh token is no deed of anybody's: it happens every few minutes, and its misuse is what leaves an event.
# A vendor's delivery needs a signature of its; what it leaves is shown where webhooks are tested.
SILENT = {"refresh", "receiveWebhook"}


class Recorder:
    """Calls the API under a correlation id of its own each time, and reads what was written under it."""

    def __init__(self, admin: Connection, session: SignedIn) -> None:
        self.admin = admin
        self.session = session
        self.covered: dict[str, list[str]] = {}

    async def call(self, operation: str, method: str, path: str, **parts: Any) -> httpx2.Response:
        correlation_id = new_id()
        headers = {"X-Correlation-ID": str(correlation_id), **parts.pop("headers", {})}
        answer = await self.session.client.request(method, f"/api/v1{path}", headers=headers, **parts)
        assert answer.is_success, answer.text
        assert answer.headers["X-Correlation-ID"] == str(correlation_id)
        rows = await self.admin.fetch("SELECT action FROM core.audit_events WHERE correlation_id = $1", correlation_id)
        self.covered[operation] = [row["action"] for row in rows]
        return answer


async def _act_on_own_account(recorder: Recorder, settings: Settings, account: dict[str, str]) -> dict[str, Any]:
    """Invitations, sessions and passwords, in an order that leaves the session alive; gives the one that is live at the end."""
    call, client = recorder.call, recorder.session.client
    email = f"invited-{account['email']}"
    invited = {"email": email, "roles": ["readonly"]}
    invitation = (await call("inviteUser", "POST", "/users", json=invited)).json()
    await call("revokeInvitation", "DELETE", f"/users/invitations/{invitation['id']}")
    token = (await call("inviteUser", "POST", "/users", json=invited)).json()["link"].partition("#token=")[2]
    newcomer = {"email": email, "password": PASSWORD, "full_name": "Ivy", "token_delivery": "body"}
    accepted = (
        await call("acceptInvitation", "POST", "/auth/invitations/accept", json={"token": token, **newcomer})
    ).json()
    await call("updateMe", "PATCH", "/auth/me", json={"full_name": "Audrey A."})
    other = {"email": account["email"], "password": PASSWORD, "token_delivery": "body"}
    await client.post("/api/v1/auth/login", json=other)
    sessions = (await client.get("/api/v1/auth/sessions")).json()["items"]
    another = next(session["id"] for session in sessions if not session["current"])
    await call("endSession", "DELETE", f"/auth/sessions/{another}")
    await call("endOtherSessions", "POST", "/auth/sessions/revoke-others")
    change = {"current_password": PASSWORD, "new_password": f"{PASSWORD}, changed"}
    await call("changePassword", "POST", "/auth/password", json=change)
    await call("forgotPassword", "POST", "/auth/password/forgot", json={"email": email})
    reset = {"token": _token_mailed_to(email, settings), "new_password": PASSWORD}
    await call("resetPassword", "POST", "/auth/password/reset", json=reset)
    tenant = {"tenant_id": accepted["tenant"]["id"], "token_delivery": "body"}
    switched: dict[str, Any] = (await call("switchTenant", "POST", "/auth/switch-tenant", json=tenant)).json()
    client.headers["Authorization"] = f"Bearer {switched['access_token']}"
    return switched


def _token_mailed_to(address: str, settings: Settings) -> str:
    for path in sorted((settings.home / "mail").glob("*.eml"), reverse=True):
        mail = path.read_text()
        if f"To: {address}\n" in mail and "/reset-password/#token=" in mail:
            return mail.partition("/reset-password/#token=")[2].split()[0]
    raise AssertionError("no such mail")


async def test_every_mutation_leaves_an_event_with_its_correlation_id(
    app: FastAPI, admin: Connection, sign_in: SignIn, settings: Settings
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
    await call("resetCursor", "POST", f"/connections/{connection}/cursors/charges/reset", json={"to": "beginning"})
    notice = await _schema_notice(admin, connection)
    await call("acknowledgeSchemaNotice", "POST", f"/connections/{connection}/schema-notices/{notice}/acknowledge")
    job = (await call("syncConnection", "POST", f"/connections/{connection}/sync")).json()["job_id"]
    await call("cancelJob", "POST", f"/jobs/{job}/cancel")
    await admin.execute(
        "INSERT INTO core.stream_runs (tenant_id, id, job_id, connection_id, stream, mode, status)"
        " VALUES ($1, $2, $3, $4, 'charges', 'incremental', 'failed')",
        recorder.session.tenant_id, new_id(), UUID(job), UUID(connection),
    )  # fmt: skip
    await call("createEvidence", "POST", f"/jobs/{job}/evidence")
    await call("replayJob", "POST", f"/jobs/{job}/replay")
    await call("replayConnection", "POST", f"/connections/{connection}/replay")
    await call("deleteConnection", "DELETE", f"/connections/{connection}")
    view = {"table": "payments", "name": "Large", "shared": False, "filters": [], "sort": None, "columns": None}
    kept = await call("createView", "POST", "/tables/views", json=view)
    stale = {"If-Match": kept.headers["ETag"]}
    path = f"/tables/views/{kept.json()['id']}"
    await call("updateView", "PATCH", path, json={"name": "Larger"}, headers=stale)
    await call("deleteView", "DELETE", path)
    await change_access(call, admin, recorder.session.tenant_id, await sign_in())
    await call("disablePlugin", "POST", "/plugins/stripe/disable")
    await call("enablePlugin", "POST", "/plugins/stripe/enable")
    credentials = {"email": account["email"], "password": PASSWORD, "token_delivery": "body"}
    session = (await call("login", "POST", "/auth/login", json=credentials)).json()
    recorder.session.client.headers["Authorization"] = f"Bearer {session['access_token']}"
    session = await _act_on_own_account(recorder, settings, account)
    await call("logout", "POST", "/auth/logout", json={"refresh_token": session["refresh_token"]})

    operations = {
        operation["operationId"]
        for methods in app.openapi()["paths"].values()
        for method, operation in methods.items()
        if method in UNSAFE
    }
    assert operations - SILENT - READING == set(recorder.covered)
    assert {name for name, actions in recorder.covered.items() if not actions} == set()


async def change_access(call: Call, admin: Connection, tenant_id: UUID, other: SignedIn) -> None:
    """Roles, members, API keys, the tenant itself and its plugins' settings; ``other`` becomes a member first."""
    membership = new_id()
    await admin.execute(
        "INSERT INTO core.memberships (tenant_id, id, user_id) VALUES ($1, $2, $3)",
        tenant_id,
        membership,
        other.user_id,
    )
    await call("updateTenant", "PATCH", "/tenants/me", json={"timezone": "Europe/Berlin"})
    role = {"name": "treasury", "title": "Treasury", "permissions": ["tables.read"]}
    role_id = (await call("createRole", "POST", "/users/roles", json=role)).json()["id"]
    await call("updateRole", "PATCH", f"/users/roles/{role_id}", json={"permissions": ["jobs.read"]})
    await call("deleteRole", "DELETE", f"/users/roles/{role_id}")
    member = f"/users/{other.user_id}"
    await call("setMemberRoles", "PUT", f"{member}/roles", json={"roles": ["finance"]})
    await call("updateMember", "PATCH", member, json={"status": "disabled"})
    await call("removeMember", "DELETE", member)
    key = {"name": "Export", "scopes": ["tables.read"]}
    key_id = (await call("createApiKey", "POST", "/api-keys", json=key)).json()["id"]
    await call("renameApiKey", "PATCH", f"/api-keys/{key_id}", json={"name": "Import"})
    await call("rotateApiKey", "POST", f"/api-keys/{key_id}/rotate")
    await call("revokeApiKey", "DELETE", f"/api-keys/{key_id}")
    await call("savePluginSettings", "PUT", "/plugins/stripe/settings", json={"settings": {}})


async def _schema_notice(admin: Connection, connection: str) -> UUID:
    notice_id = new_id()
    await admin.execute(
        """
        INSERT INTO core.schema_notices (tenant_id, id, connection_id, stream, path, kind, sample_type, run_id)
        SELECT tenant_id, $1, id, 'charges', 'a.b', 'appeared', 'text', $1 FROM core.connections WHERE id = $2
        """,
        notice_id,
        UUID(connection),
    )
    return notice_id


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
