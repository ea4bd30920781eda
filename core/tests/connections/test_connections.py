"""Connections over HTTP, with the Stripe plugin against a small vendor on loopback."""

import asyncio
import json
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
from counterfoil.plugins.manager import PluginManager
from counterfoil.testing.plugin import SignedIn

from .vendor import KEY, PATH, FakeVendor, SignIn, body, check, created, serving, shown


async def test_a_disabled_plugin_is_offered_with_the_reason_and_refused_on_record(
    signed_in: SignedIn, vendor: FakeVendor, admin: "asyncpg.Connection[Any]"
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
    denied = await admin.fetch(
        "SELECT reason, actor_label FROM core.audit_events WHERE tenant_id = $1 AND outcome = 'denied'",
        signed_in.tenant_id,
    )
    assert [tuple(event) for event in denied] == [("plugin_disabled", signed_in.email)] * 3
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


async def test_a_stale_change_of_a_connection_is_refused_and_changes_nothing(
    signed_in: SignedIn, vendor: FakeVendor
) -> None:
    client, made = signed_in.client, await created(signed_in, vendor)
    path = f"{PATH}/{made['id']}"
    seen = (await client.get(path)).headers["etag"]
    assert (seen, made["version"]) == ('"1"', 1)
    answers = await asyncio.gather(
        *(client.patch(path, json={"label": label}, headers={"If-Match": seen}) for label in ("A", "B", "C"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    won = next(answer.json() for answer in answers if answer.is_success)
    assert (await client.delete(path, headers={"If-Match": seen})).json()["code"] == "precondition_failed"
    assert await shown(signed_in, made) == won
    key = await client.patch(path, json={"credentials": {"api_key": KEY + "2"}}, headers={"If-Match": '"2"'})
    assert (key.status_code, key.headers["etag"]) == (200, '"3"')
    # A check writes down how it went, and takes nobody's edit away.
    await check(signed_in, made)
    assert (await client.get(path)).headers["etag"] == '"3"'
    assert (await client.patch(path, json={"label": "D"})).headers["etag"] == '"4"'
    assert (await client.delete(path, headers={"If-Match": '"4"'})).status_code == 204


async def test_wrong_fields_are_named_by_their_path(signed_in: SignedIn, vendor: FakeVendor) -> None:
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"credentials": {}}, {"credentials.api_key"}),
        ({"settings": {"api_base": "ftp://x"}}, {"settings.api_base"}),
        ({"settings": {"colour": "red"}}, {"settings.colour"}),
        ({"credentials": {"api_key": KEY, "colour": KEY}}, {"credentials.colour"}),
        ({"settings": {"api_key": KEY}}, {"settings.api_key"}),
        ({"credentials": {"api_key": KEY, "api_base": vendor.base}}, {"credentials.api_base"}),
        ({"credentials": {"api_key": 5}, "settings": {"api_base": 5}}, {"credentials.api_key", "settings.api_base"}),
        ({"credentials": {"api_key": f"{KEY}\0"}}, {"credentials.api_key"}),
        ({"settings": {"api_base": "http://a\0"}}, {"settings.api_base"}),
        ({"label": "  "}, {"label"}),
        ({"label": "a\0"}, {"label"}),
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
