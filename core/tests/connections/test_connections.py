"""Connections over HTTP, with the Stripe plugin against a small vendor on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.config import Settings
from counterfoil.connections import service
from counterfoil.connections.errors import CredentialsUnreadable
from counterfoil.db import Database
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import Account, SourceForbidden, SourceUnauthorized
from counterfoil.plugins.manager import PluginManager
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


@pytest.fixture
async def vendor() -> AsyncIterator[FakeVendor]:
    async with serving() as vendor:
        yield vendor


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


async def test_a_disabled_plugin_is_offered_with_the_reason_and_refused(
    signed_in: SignedIn, vendor: FakeVendor
) -> None:
    connection = await created(signed_in, vendor)
    assert (await signed_in.client.post("/api/v1/plugins/stripe/disable")).status_code == 200
    items = (await signed_in.client.get(f"{PATH}/providers")).json()["items"]
    stripe = next(item for item in items if item["kind"] == "stripe")
    assert stripe["available"] is False
    assert "not enabled" in stripe["unavailable_reason"]
    for refused in (
        await signed_in.client.post(PATH, json=body(vendor, label="Second")),
        await check(signed_in, connection),
        await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"label": "Other"}),
    ):
        assert refused.status_code == 403
        assert refused.json()["code"] == "plugin_disabled"
    assert vendor.requests == []
    assert await shown(signed_in, connection) == connection
    assert (await signed_in.client.delete(f"{PATH}/{connection['id']}")).status_code == 204


async def test_a_new_connection_is_pending_and_nobody_is_called(signed_in: SignedIn, vendor: FakeVendor) -> None:
    connection = await created(signed_in, vendor, label="  Stripe EU ")
    assert connection["status"] == "pending"
    assert connection["label"] == "Stripe EU"
    assert connection["settings"] == {"api_base": vendor.base}
    assert connection["auth_kind"] == "api_key"
    for name in ("external_account_id", "last_check_at", "last_error", "last_synced_at", "latest_job_id"):
        assert connection[name] is None
    assert vendor.requests == []
    assert await shown(signed_in, connection) == connection
    listed = (await signed_in.client.get(PATH)).json()
    assert listed == {"items": [connection], "next_cursor": None}


async def test_credentials_are_never_answered_nor_stored_in_the_clear(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    connection = await created(signed_in, vendor)
    await check(signed_in, connection)
    everything = [
        (await signed_in.client.get(PATH)).text,
        (await signed_in.client.get(f"{PATH}/{connection['id']}")).text,
        (await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": KEY + "2"}})).text,
    ]
    for table in ("connections", "tenant_keys", "audit_events"):
        rows = await admin.fetch(
            f"SELECT t.*, t::text AS row FROM core.{table} t WHERE tenant_id = $1",  # noqa: S608  (our own table names)
            signed_in.tenant_id,
        )
        assert rows
        everything += [row["row"] for row in rows]
        everything += [
            bytes(value).decode("latin-1") for row in rows for value in row.values() if isinstance(value, bytes)
        ]
    assert not [text for text in everything if "s3cret" in text]


async def test_wrong_fields_are_named_by_their_path(signed_in: SignedIn, vendor: FakeVendor) -> None:
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"credentials": {}}, {"credentials.api_key"}),
        ({"settings": {"api_base": "ftp://x"}}, {"settings.api_base"}),
        ({"settings": {"colour": "red"}}, {"settings.colour"}),
        ({"credentials": {"api_key": KEY, "colour": KEY}}, {"credentials.colour"}),
        ({"settings": {"api_key": KEY}}, {"settings.api_key"}),
        ({"credentials": {"api_key": KEY, "api_base": vendor.base}}, {"credentials.api_base"}),
        ({"credentials": {"api_key": 5}, "settings": {"api_base": 5}}, {"credentials.api_key", "settings.api_base"}),
        ({"label": "  "}, {"label"}),
        ({"colour": "red"}, {"colour"}),
    ]
    for changes, paths in cases:
        answer = await signed_in.client.post(PATH, json=body(vendor, **changes))
        assert answer.status_code == 422, changes
        assert {error["path"] for error in answer.json()["errors"]} == paths
        assert "s3cret" not in answer.text


async def test_an_unknown_kind_is_refused(signed_in: SignedIn, vendor: FakeVendor) -> None:
    answer = await signed_in.client.post(PATH, json=body(vendor, kind="abacus"))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_connector")


async def test_a_label_is_unique_within_a_tenant_only(sign_in: SignIn, vendor: FakeVendor) -> None:
    one, other = await sign_in(), await sign_in()
    await created(one, vendor)
    second = await created(one, vendor, label="Second")
    answer = await one.client.post(PATH, json=body(vendor))
    assert (answer.status_code, answer.json()["code"]) == (409, "label_taken")
    answer = await one.client.patch(f"{PATH}/{second['id']}", json={"label": "Stripe EU"})
    assert (answer.status_code, answer.json()["code"]) == (409, "label_taken")
    await created(other, vendor)


async def test_a_test_finds_the_account_and_makes_the_connection_active(
    signed_in: SignedIn, vendor: FakeVendor
) -> None:
    connection = await created(signed_in, vendor)
    answer = await check(signed_in, connection)
    assert answer.status_code == 200
    result = answer.json()
    assert result["ok"] is True
    assert result["account"] == {"id": "acct_1", "label": "Shop of acct_1"}
    assert result["error"] is None
    assert result["duration_ms"] >= 0
    assert f"Authorization: Bearer {KEY}" in vendor.requests[0]
    now = await shown(signed_in, connection)
    assert now["status"] == "active"
    assert now["external_account_id"] == "acct_1"
    assert now["external_account_label"] == "Shop of acct_1"
    assert now["last_check_at"] is not None


@dataclass(frozen=True, kw_only=True)
class Failing:
    """What the vendor answers, and what comes of it."""

    status: str = "200 OK"
    body: str
    code: str
    becomes: str


@pytest.mark.parametrize(
    "case",
    [
        Failing(
            status="401 Unauthorized",
            body=json.dumps({"error": {"message": f"Invalid API Key provided: {KEY}"}}),
            code="source_unauthorized",
            becomes="needs_reauth",
        ),
        Failing(
            status="403 Forbidden",
            body='{"error": {"message": "This key may not"}}',
            code="source_forbidden",
            becomes="error",
        ),
        Failing(status="503 Service Unavailable", body="<html>", code="source_unavailable", becomes="error"),
        Failing(body="<html>", code="source_malformed", becomes="error"),
        Failing(body='{"object": "account"}', code="source_malformed", becomes="error"),
    ],
)
async def test_a_failed_test_is_an_answer_and_stays_on_the_connection(
    signed_in: SignedIn, vendor: FakeVendor, case: Failing
) -> None:
    vendor.status, vendor.body = case.status, case.body
    connection = await created(signed_in, vendor)
    answer = await check(signed_in, connection)
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert answer.json()["error"]["code"] == case.code
    assert "s3cret" not in answer.text
    now = await shown(signed_in, connection)
    assert now["status"] == case.becomes
    assert now["last_error"] == answer.json()["error"]


async def test_no_transaction_is_open_while_the_vendor_is_asked(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    seen: list[int] = []

    async def look() -> None:
        query = """SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"""
        seen.append(await admin.fetchval(query))

    connection = await created(signed_in, vendor)
    vendor.on_request = look
    assert (await check(signed_in, connection)).json()["ok"] is True
    assert seen == [0]


async def test_credentials_of_another_account_are_refused(signed_in: SignedIn, vendor: FakeVendor) -> None:
    connection = await created(signed_in, vendor)
    await check(signed_in, connection)
    changed = await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": KEY + "9"}})
    assert changed.json()["status"] == "pending"
    vendor.account_id = "acct_2"
    answer = await check(signed_in, connection)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_changed")
    now = await shown(signed_in, connection)
    assert now["status"] == "error"
    assert now["last_error"]["code"] == "account_changed"
    assert now["external_account_id"] == "acct_1"


async def test_a_change_during_the_test_makes_its_outcome_void(signed_in: SignedIn, vendor: FakeVendor) -> None:
    connection = await created(signed_in, vendor)

    async def change() -> None:
        vendor.on_request = None
        await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": KEY + "9"}})

    vendor.on_request = change
    answer = await check(signed_in, connection)
    assert (answer.status_code, answer.json()["code"]) == (409, "connection_changed")
    assert (await shown(signed_in, connection))["status"] == "pending"


async def test_a_change_names_only_what_changes(signed_in: SignedIn, vendor: FakeVendor) -> None:
    connection = await created(signed_in, vendor)
    await check(signed_in, connection)
    renamed = await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"label": "Renamed"})
    assert renamed.json()["label"] == "Renamed"
    assert renamed.json()["status"] == "active"
    async with serving() as moved:
        changed = await signed_in.client.patch(
            f"{PATH}/{connection['id']}", json={"settings": {"api_base": moved.base}}
        )
        assert changed.json()["settings"] == {"api_base": moved.base}
        assert changed.json()["status"] == "pending"
        assert (await check(signed_in, connection)).json()["ok"] is True
        assert f"Authorization: Bearer {KEY}" in moved.requests[0]
    wrong = await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": None}})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["path"] == "credentials.api_key"


async def test_deleting_destroys_the_credentials_frees_the_label_and_keeps_the_row(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    connection = await created(signed_in, vendor)
    answer = await signed_in.client.delete(f"{PATH}/{connection['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    row = await admin.fetchrow(
        "SELECT status, credentials, key_version, label FROM core.connections WHERE id = $1", UUID(connection["id"])
    )
    assert dict(row or {}) == {"status": "revoked", "credentials": None, "key_version": None, "label": "Stripe EU"}
    assert (await signed_in.client.get(PATH)).json()["items"] == []
    for gone in (
        await signed_in.client.get(f"{PATH}/{connection['id']}"),
        await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"label": "x"}),
        await signed_in.client.delete(f"{PATH}/{connection['id']}"),
        await check(signed_in, connection),
    ):
        assert (gone.status_code, gone.json()["code"]) == (404, "connection_not_found")
    await created(signed_in, vendor)


async def test_another_tenants_connection_is_not_there(sign_in: SignIn, vendor: FakeVendor) -> None:
    one, other = await sign_in(), await sign_in()
    connection = await created(one, vendor)
    assert (await other.client.get(PATH)).json()["items"] == []
    for answer in (
        await other.client.get(f"{PATH}/{connection['id']}"),
        await other.client.patch(f"{PATH}/{connection['id']}", json={"label": "Mine"}),
        await other.client.delete(f"{PATH}/{connection['id']}"),
        await check(other, connection),
    ):
        assert answer.status_code == 404
    assert vendor.requests == []
    assert await shown(one, connection) == connection


async def test_nobody_in_particular_is_refused(client: httpx2.AsyncClient) -> None:
    some = f"{PATH}/{new_id()}"
    for method, path in (
        ("GET", PATH), ("GET", f"{PATH}/providers"), ("POST", PATH), ("GET", some),
        ("PATCH", some), ("DELETE", some), ("POST", f"{some}/test"),
    ):  # fmt: skip
        assert (await client.request(method, path, json={})).status_code == 401, (method, path)


async def test_who_may_only_look_may_not_manage(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    connection = await created(signed_in, vendor)
    await admin.execute("UPDATE core.membership_roles SET role = 'readonly' WHERE tenant_id = $1", signed_in.tenant_id)
    assert (await signed_in.client.get(PATH)).status_code == 200
    assert (await signed_in.client.get(f"{PATH}/providers")).status_code == 200
    for answer in (
        await signed_in.client.post(PATH, json=body(vendor, label="x")),
        await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"label": "x"}),
        await signed_in.client.delete(f"{PATH}/{connection['id']}"),
        await check(signed_in, connection),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert vendor.requests == []


async def test_every_deed_is_on_record_with_who_did_it(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    connection = await created(signed_in, vendor)
    await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"label": "New", "credentials": {"api_key": KEY}})
    vendor.status = "401 Unauthorized"
    await check(signed_in, connection)
    vendor.status = "200 OK"
    await check(signed_in, connection)
    recovered = await shown(signed_in, connection)
    assert (recovered["status"], recovered["last_error"]) == ("active", None)
    await signed_in.client.delete(f"{PATH}/{connection['id']}")
    events = await admin.fetch(
        "SELECT action, outcome, reason, actor_label, payload FROM core.audit_events WHERE resource_id = $1 ORDER BY id",
        connection["id"],
    )
    assert [(event["action"], event["outcome"], event["reason"]) for event in events] == [
        ("core.connection.created", "ok", None),
        ("core.connection.updated", "ok", None),
        ("core.connection.tested", "error", "source_unauthorized"),
        ("core.connection.tested", "ok", None),
        ("core.connection.deleted", "ok", None),
    ]
    assert {event["actor_label"] for event in events} == {signed_in.email}
    assert json.loads(events[1]["payload"]) == {"changed": ["credentials", "label"]}


async def test_the_list_is_paged(signed_in: SignedIn, vendor: FakeVendor) -> None:
    labels = [(await created(signed_in, vendor, label=f"Number {number}"))["label"] for number in range(3)]
    first = (await signed_in.client.get(PATH, params={"limit": 2})).json()
    second = (await signed_in.client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [item["label"] for item in first["items"] + second["items"]] == labels
    assert second["next_cursor"] is None
    assert (await signed_in.client.get(PATH, params={"cursor": "bm8"})).json()["code"] == "invalid_cursor"


async def test_a_sync_leaves_its_mark_on_the_connection(
    signed_in: SignedIn, vendor: FakeVendor, database: Database
) -> None:
    connection = await created(signed_in, vendor)
    await check(signed_in, connection)
    connection_id, job_id = UUID(connection["id"]), new_id()
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_job(uow, connection_id, job_id)
        await service.record_sync(uow, connection_id, SourceUnauthorized("The key was revoked.\0"))
    now = await shown(signed_in, connection)
    assert now["latest_job_id"] == str(job_id)
    assert now["status"] == "needs_reauth"
    assert now["last_error"] == {"code": "source_unauthorized", "detail": "The key was revoked."}
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, connection_id, SourceForbidden("The key may not read payouts."))
    assert (await shown(signed_in, connection))["status"] == "error"
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, connection_id)
    now = await shown(signed_in, connection)
    assert (now["status"], now["last_error"]) == ("active", None)
    assert now["last_synced_at"] is not None
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, new_id())


async def test_nothing_is_read_with_new_credentials_before_they_are_seen_to_open_the_same_account(
    signed_in: SignedIn, vendor: FakeVendor, database: Database, settings: Settings, app: FastAPI
) -> None:
    connection = await created(signed_in, vendor)
    connection_id = UUID(connection["id"])

    async def opened() -> service.OpenConnection:
        async with database.unit_of_work(signed_in.tenant_id) as uow:
            return await service.open_connection(
                uow, connection_id, plugins=app.state.provided[PluginManager], configuration=settings
            )

    assert (await opened()).known_account is None
    await check(signed_in, connection)
    assert (await opened()).account == Account(id="acct_1", label="Shop of acct_1")
    await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": KEY + "9"}})
    vendor.status = "503 Service Unavailable"
    await check(signed_in, connection)
    now = await opened()
    assert now.account is None
    assert now.known_account == Account(id="acct_1", label="Shop of acct_1")
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await service.record_sync(uow, connection_id)
    assert (await shown(signed_in, connection))["status"] == "error"
    vendor.status = "200 OK"
    await check(signed_in, connection)
    assert (await opened()).account == now.known_account


async def test_a_lost_master_key_is_said_and_breaks_nothing_else(
    signed_in: SignedIn, vendor: FakeVendor, database: Database, settings: Settings, app: FastAPI
) -> None:
    connection = await created(signed_in, vendor)
    plugins = app.state.provided[PluginManager]
    lost = settings.model_copy(update={"master_keys": type(settings.master_keys)("A" * 43 + "=")})
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        with pytest.raises(CredentialsUnreadable):
            await service.open_connection(uow, UUID(connection["id"]), plugins=plugins, configuration=lost)
        opened = await service.open_connection(uow, UUID(connection["id"]), plugins=plugins, configuration=settings)
    assert opened.settings.api_key.get_secret_value() == KEY  # type: ignore[attr-defined]  # Stripe's own model
    assert KEY not in repr(opened)
    assert (await shown(signed_in, connection))["status"] == "pending"


async def test_sealed_credentials_copied_to_another_connection_do_not_open(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
) -> None:
    rich = await created(signed_in, vendor)
    poor = await created(signed_in, vendor, label="Poor", credentials={"api_key": "rk_test_other"})
    await admin.execute(
        """UPDATE core.connections SET credentials = (SELECT credentials FROM core.connections WHERE id = $1) WHERE id = $2""",
        UUID(rich["id"]),
        UUID(poor["id"]),
    )
    answer = await check(signed_in, poor)
    assert (answer.status_code, answer.json()["code"]) == (503, "credentials_unreadable")
    assert vendor.requests == []
