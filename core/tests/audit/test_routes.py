import base64
import csv
import hashlib
import io
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from counterfoil import audit
from counterfoil.kit import context, signing
from counterfoil.kit.clock import utc_now
from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn

from .conftest import Log
from .outsider import root_from_path

SignIn = Callable[[], Coroutine[Any, Any, SignedIn]]
URL = "/api/v1/audit-events"


@pytest.fixture
def mine(signed_in: SignedIn, log_of: Callable[[UUID], Log]) -> Log:
    return log_of(signed_in.tenant_id)


async def _get(session: SignedIn, path: str = "", **params: Any) -> Any:
    answer = await session.client.get(f"{URL}{path}", params=params)
    assert answer.is_success, answer.text
    return answer.json()


async def test_events_are_listed_newest_first_each_with_its_seal(signed_in: SignedIn, mine: Log) -> None:
    registered = len(await mine.events())
    await mine.write_sealed(2)
    await mine.write()

    items = (await _get(signed_in))["items"]

    seals = [item["seal"] and item["seal"]["sequence"] for item in items]
    # Two transactions, which one window or two may hold.
    assert seals[0] is None
    assert seals[1] == seals[2]
    assert set(seals[3:]) <= {1, seals[2]}
    assert len(seals) == 3 + registered
    assert items[-1]["action"] == "core.tenant.registered"
    assert items[0]["category"] == "thing"
    assert items[0]["actor"] == {"kind": "system", "id": None, "label": "system"}


async def test_pages_follow_each_other_without_a_gap(signed_in: SignedIn, mine: Log) -> None:
    await mine.write(10)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await _get(signed_in, limit=3, cursor=cursor)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [str(event["id"]) for event in reversed(await mine.events())]


async def test_every_filter_narrows(signed_in: SignedIn, mine: Log) -> None:
    correlation_id, job_id = new_id(), new_id()
    actor = context.Actor(kind="user", id="u-1", label="ann@example.com")
    with (
        context.bound(context.current_correlation_id, correlation_id),
        context.bound(context.current_job_id, job_id),
        context.bound(context.current_actor, actor),
    ):
        async with mine.database.unit_of_work(mine.tenant_id) as uow:
            await audit.record(
                uow, action="shop.order.refused", resource_type="order", resource_id=7, outcome="denied", reason="limit"
            )
    await mine.write(2)
    for wanted in (
        {"category": "shop"},
        {"action": "shop.order.refused"},
        {"action": "shop."},
        {"actor": "u-1"},
        {"actor": "ann@example.com"},
        {"resource_type": "order"},
        {"resource_id": "7"},
        {"outcome": "denied"},
        {"correlation_id": str(correlation_id)},
        {"job_id": str(job_id)},
        {"from": (utc_now() - timedelta(minutes=1)).isoformat(), "action": "shop"},
        {"to": (utc_now() + timedelta(minutes=1)).isoformat(), "outcome": "denied", "category": "shop"},
    ):
        assert [item["action"] for item in (await _get(signed_in, **wanted))["items"]] == ["shop.order.refused"], wanted
    for wanted in (
        {"to": "2020-01-01T00:00:00"},
        {"from": "2100-01-01T00:00:00Z"},
        {"action": "shop%"},
        {"job_id": str(new_id())},
    ):
        assert (await _get(signed_in, **wanted))["items"] == [], wanted
    [event] = (await _get(signed_in, category="shop"))["items"]
    boundary = {"from": event["occurred_at"], "to": event["occurred_at"]}
    assert (await _get(signed_in, **boundary))["items"] == []
    assert (await signed_in.client.get(URL, params={"outcome": "maybe"})).status_code == 422


async def test_anybody_can_check_an_event_with_its_proof_and_the_public_key(signed_in: SignedIn, mine: Log) -> None:
    await mine.write_sealed(12)
    event = (await mine.events())[5]

    found = await _get(signed_in, f"/{event['id']}")
    proof, seal = found["proof"], found["proof"]["seal"]

    assert orjson.loads(proof["line"])["id"] == str(event["id"])
    assert orjson.loads(proof["line"])["payload"] == orjson.loads(event["payload"])
    steps = [(step["side"], bytes.fromhex(step["digest"])) for step in proof["path"]]
    root = root_from_path(hashlib.sha256(proof["line"].encode()).digest(), steps)
    assert root.hex() == seal["root"] == orjson.loads(seal["statement"])["root"]
    assert hashlib.sha256(seal["statement"].encode()).hexdigest() == seal["hash"]
    keys = {key["id"]: key["public_key"] for key in (await _get(signed_in, "/verify"))["keys"]}
    public_key = keys[seal["key_id"]]
    assert signing.verify(public_key, bytes.fromhex(seal["signature"]), seal["statement"].encode())
    assert not signing.verify(public_key, bytes.fromhex(seal["signature"]), seal["statement"].encode() + b" ")
    assert len(base64.b64decode(public_key)) == 32


async def test_the_line_that_is_hashed_is_json_whatever_is_in_it(signed_in: SignedIn, mine: Log) -> None:
    hostile = 'quote " backslash \\ line\nend \u2028 \U0001f9fe </script>'
    async with mine.database.unit_of_work(mine.tenant_id) as uow:
        await audit.record(
            uow,
            action="core.thing.done",
            resource_type=hostile,
            resource_id=hostile,
            reason=hostile,
            payload={hostile: hostile},
        )
    await mine.seal()
    event = (await mine.events())[-1]
    line = (await _get(signed_in, f"/{event['id']}"))["proof"]["line"]
    read = orjson.loads(line)
    assert (read["resource_type"], read["resource_id"], read["reason"]) == (hostile,) * 3
    assert read["payload"] == {hostile: hostile}
    columns = set(event.keys()) - {"category"}
    assert set(read) == columns, "every column that is stored is hashed"


async def test_a_tampered_seal_gives_no_proof(signed_in: SignedIn, mine: Log) -> None:
    await mine.write_sealed(3)
    first, second, *_ = await mine.events()
    await mine.admin.execute("UPDATE core.audit_events SET reason = 'x' WHERE id = $1", first["id"])
    assert (await _get(signed_in, f"/{second['id']}"))["proof"]["path"] is None


async def test_an_event_without_a_seal_has_no_proof_yet(signed_in: SignedIn, mine: Log) -> None:
    event = (await mine.events())[-1]
    assert (await _get(signed_in, f"/{event['id']}"))["proof"] is None


async def test_the_state_of_the_chain_is_told_with_what_was_checked(signed_in: SignedIn, mine: Log) -> None:
    registered = len(await mine.events())
    await mine.write_sealed(2, 3)
    await mine.sealer.anchor()
    await mine.write()

    state = await _get(signed_in, "/verify")

    assert state["ok"]
    assert state["findings"] == []
    checked = state["checked"]
    assert (checked["seals"], checked["events"], checked["anchors"], checked["is_whole_chain"]) == (
        2,
        registered + 5,
        1,
        True,
    )
    assert (state["newest_seal"]["sequence"], state["unsealed"]["count"]) == (2, 1)
    assert state["unsealed"]["oldest_age_s"] >= 0
    assert not state["unsealed"]["is_late"]
    part = await _get(signed_in, "/verify", seals=1)
    assert (part["checked"]["is_whole_chain"], part["checked"]["first_sequence"]) == (False, 2)
    nothing = await _get(signed_in, "/verify", **{"from": "2100-01-01T00:00:00Z"})
    assert (nothing["ok"], nothing["checked"]["seals"]) == (True, 0)
    await mine.admin.execute("DELETE FROM core.audit_events WHERE id = $1", (await mine.events())[0]["id"])
    state = await _get(signed_in, "/verify")
    assert (state["ok"], state["findings"][0]["code"], state["findings"][0]["sequence"]) == (False, "event_deleted", 1)


async def test_an_export_holds_the_events_of_a_filter_and_no_formula(signed_in: SignedIn, mine: Log) -> None:
    formulas = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\tx", "\rx"]
    async with mine.database.unit_of_work(mine.tenant_id) as uow:
        for text in [*formulas, 'plain, "quoted"', "a=b"]:
            await audit.record(uow, action="core.order.named", resource_type="order", resource_id=text)

    answer = await signed_in.client.get(f"{URL}/export.csv", params={"category": "order"})

    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    # In one millisecond the order is chance.
    assert {row["resource_id"] for row in rows} == {
        *(f"'{text}" for text in formulas),
        'plain, "quoted"',
        "a=b",
    }
    assert {row["occurred_at"][-1] for row in rows} == {"Z"}
    [exported] = (await _get(signed_in, action="core.audit_events.exported"))["items"]
    assert exported["payload"] == {"filter": {"category": "order"}}


async def test_retention_says_how_far_back_events_go(signed_in: SignedIn, mine: Log) -> None:
    told = await _get(signed_in, "/retention")
    oldest = (await mine.events())[0]["occurred_at"]
    assert told["retention_days"] == 400
    assert told["oldest_event_at"] == oldest.isoformat().replace("+00:00", "Z")
    assert told["archives"] == []


async def test_nothing_of_another_tenant_is_shown(sign_in: SignIn, log_of: Callable[[UUID], Log]) -> None:
    me, other = await sign_in(), await sign_in()
    theirs = log_of(other.tenant_id)
    await theirs.write_sealed(3)
    await log_of(me.tenant_id).write_sealed(1)
    await theirs.admin.execute("DELETE FROM core.audit_events WHERE id = $1", (await theirs.events())[0]["id"])
    event = (await theirs.events())[-1]

    assert (await me.client.get(f"{URL}/{event['id']}")).status_code == 404
    assert str(event["id"]) not in (await me.client.get(f"{URL}/export.csv")).text
    mine = {str(event["id"]) for event in await log_of(me.tenant_id).events()}
    assert {item["id"] for item in (await _get(me))["items"]} == mine
    assert (await _get(me, "/verify"))["ok"]
    assert not (await _get(other, "/verify"))["ok"]


@pytest.mark.parametrize("path", ["", "/export.csv", "/verify", "/retention", f"/{UUID(int=7)}"])
async def test_the_log_is_closed_to_those_without_the_permission(signed_in: SignedIn, mine: Log, path: str) -> None:
    await mine.admin.execute(
        "UPDATE core.membership_roles SET role = 'readonly' WHERE tenant_id = $1", signed_in.tenant_id
    )
    answer = await signed_in.client.get(f"{URL}{path}")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
