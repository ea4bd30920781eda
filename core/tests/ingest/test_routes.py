"""What people can see of cursors and notices, and do about them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.ingest.scripted import T0

from counterfoil.db import Database
from counterfoil.ingest import repository
from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn

PATH = "/api/v1/connections"


@pytest.fixture
async def connection(signed_in: SignedIn) -> str:
    made = {"kind": "stripe", "label": "S", "settings": {}, "credentials": {"api_key": "sk_test_x"}}
    answer = await signed_in.client.post(PATH, json=made)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


@pytest.fixture
async def position(signed_in: SignedIn, connection: str, database: Database) -> dict[str, Any]:
    window = {"since": T0.isoformat(), "until": (T0 + timedelta(days=1)).isoformat(), "resume": "ch_9"}
    value = {"high": T0.isoformat(), "window": {**window, "read": 100, "expected": None}}
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await repository.save_position(
            uow, UUID(connection), "charges", value, mapped_version=1, job_id=new_id(), complete=False
        )
    return value


async def cursor(who: SignedIn, connection: str, stream: str) -> dict[str, Any]:
    answer = await who.client.get(f"{PATH}/{connection}/cursors")
    assert answer.status_code == 200, answer.text
    return next(item for item in answer.json()["items"] if item["stream"] == stream)


async def test_a_cursor_says_in_words_and_as_stored_where_it_stands(
    signed_in: SignedIn, connection: str, position: dict[str, Any]
) -> None:
    charges = await cursor(signed_in, connection, "charges")
    assert charges["summary"] == "Everything up to 2026-03-01 00:00 UTC; a window is under way"
    assert charges["position"] == position
    assert (charges["window"]["resume"], charges["window"]["read"]) == ("ch_9", 100)
    payouts = await cursor(signed_in, connection, "payouts")
    assert (payouts["summary"], payouts["position"]) == ("Nothing yet", None)


async def test_a_slice_that_is_under_way_is_shown(signed_in: SignedIn, connection: str, database: Database) -> None:
    parts = [
        {"high": (T0 + timedelta(days=at)).isoformat(), "until": (T0 + timedelta(days=1)).isoformat(), "window": None}
        for at in (1, 0)
    ]
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        value = {"high": None, "window": None, "slices": parts}
        await repository.save_position(
            uow, UUID(connection), "charges", value, mapped_version=1, job_id=None, complete=False
        )
    charges = await cursor(signed_in, connection, "charges")
    assert charges["summary"] == "A back-fill is under way: 1 of 2 stretches of time are in"
    assert [part["done"] for part in charges["slices"]] == [True, False]


@pytest.mark.usefixtures("position")
async def test_a_reset_moves_the_cursor_and_records_before_and_after(
    signed_in: SignedIn, connection: str, admin: "asyncpg.Connection[Any]"
) -> None:
    answer = await signed_in.client.post(
        f"{PATH}/{connection}/cursors/charges/reset", json={"to": "2026-01-05T02:00:00+02:00"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["reached"] == "2026-01-05T00:00:00Z"
    answer = await signed_in.client.post(f"{PATH}/{connection}/cursors/charges/reset", json={"to": "beginning"})
    assert answer.json()["summary"] == "Nothing yet"
    payload = await admin.fetchval(
        "SELECT payload::text FROM core.audit_events WHERE tenant_id = $1 AND action = 'core.cursor.reset'"
        " ORDER BY id LIMIT 1",
        signed_in.tenant_id,
    )
    assert "ch_9" in payload
    assert "2026-01-05T00:00:00" in payload


@pytest.mark.parametrize("to", ["never", "2026-01-05T00:00:00", "0001-01-01T00:00:00+02:00", -5, None])
async def test_a_reset_to_nowhere_is_refused(signed_in: SignedIn, connection: str, to: Any) -> None:
    answer = await signed_in.client.post(f"{PATH}/{connection}/cursors/charges/reset", json={"to": to})
    assert answer.status_code == 422


async def test_a_cursor_is_not_moved_under_a_sync(signed_in: SignedIn, connection: str) -> None:
    job = (await signed_in.client.post(f"{PATH}/{connection}/sync")).json()["job_id"]
    reset = f"{PATH}/{connection}/cursors/charges/reset"
    answer = await signed_in.client.post(reset, json={"to": "beginning"})
    assert (answer.status_code, answer.json()["code"]) == (409, "sync_under_way")
    await signed_in.client.post(f"/api/v1/jobs/{job}/cancel")
    assert (await signed_in.client.post(reset, json={"to": "beginning"})).status_code == 200


async def test_no_cursor_of_a_stream_there_is_not_or_of_another_tenant(
    signed_in: SignedIn, connection: str, sign_in: Any
) -> None:
    answer = await signed_in.client.post(f"{PATH}/{connection}/cursors/ghosts/reset", json={"to": "beginning"})
    assert (answer.status_code, answer.json()["code"]) == (404, "stream_not_found")
    stranger = await sign_in()
    for method, path in (
        ("GET", "cursors"),
        ("GET", "schema-notices"),
        ("GET", "webhooks"),
        ("POST", "cursors/charges/reset"),
        ("POST", f"schema-notices/{new_id()}/acknowledge"),
    ):
        answer = await stranger.client.request(method, f"{PATH}/{connection}/{path}", json={"to": "beginning"})
        assert answer.status_code == 404, path


async def test_a_reset_takes_the_permission_to_manage(
    signed_in: SignedIn, connection: str, admin: "asyncpg.Connection[Any]"
) -> None:
    await admin.execute("UPDATE core.membership_roles SET role = 'finance' WHERE tenant_id = $1", signed_in.tenant_id)
    answer = await signed_in.client.post(f"{PATH}/{connection}/cursors/charges/reset", json={"to": "beginning"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert (await signed_in.client.get(f"{PATH}/{connection}/cursors")).status_code == 200


async def test_notices_are_listed_and_acknowledged_once(
    signed_in: SignedIn, connection: str, database: Database
) -> None:
    found = [("a", "appeared", "text"), ("b", "appeared", "number"), ("c", "type_changed", "text")]
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await repository.add_schema_notices(uow, UUID(connection), "charges", found, run_id=new_id())
        assert await repository.add_schema_notices(uow, UUID(connection), "charges", found, run_id=new_id()) == []
    first = (await signed_in.client.get(f"{PATH}/{connection}/schema-notices", params={"limit": 2})).json()
    rest = (
        await signed_in.client.get(f"{PATH}/{connection}/schema-notices", params={"cursor": first["next_cursor"]})
    ).json()
    notices = [*first["items"], *rest["items"]]
    assert sorted((one["path"], one["kind"], one["sample_type"]) for one in notices) == found
    path = f"{PATH}/{connection}/schema-notices/{notices[0]['id']}/acknowledge"
    done = (await signed_in.client.post(path)).json()
    assert done["acknowledged_by"] == str(signed_in.user_id)
    assert (await signed_in.client.post(path)).json() == done
    left = (await signed_in.client.get(f"{PATH}/{connection}/schema-notices", params={"open": True})).json()
    assert len(left["items"]) == 2


@pytest.mark.parametrize("mode", ["incremental", "backfill", "full"])
async def test_every_mode_can_be_asked_for(signed_in: SignedIn, connection: str, mode: str) -> None:
    answer = await signed_in.client.post(f"{PATH}/{connection}/sync", json={"mode": mode})
    assert answer.status_code == 202
    assert (await signed_in.client.post(f"{PATH}/{connection}/sync", json={"mode": "other"})).status_code == 422
