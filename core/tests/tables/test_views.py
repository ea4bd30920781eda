"""Saved views over HTTP: whose they are, who sees them, and that nobody overwrites what they have not seen."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from counterfoil.testing.plugin import PASSWORD, SignedIn

VIEWS = "/api/v1/tables/views"
VIEW = {
    "table": "payments",
    "name": "Large ones",
    "filters": ["amount:gte:100"],
    "sort": "-amount",
    "columns": ["amount", "currency"],
    "chart": {"kind": "bar", "groups": ["source_created_at:month"], "measures": ["sum:amount"], "sort": None},
}


async def make(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post(VIEWS, json=VIEW | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
async def colleague(
    signed_in: SignedIn, client: httpx2.AsyncClient, sign_in: Any, admin: "asyncpg.Connection[Any]"
) -> httpx2.AsyncClient:
    """Somebody else of the same tenant, who may only look."""
    other = await sign_in()
    membership = await admin.fetchval(
        "INSERT INTO core.memberships (tenant_id, id, user_id, last_used_at)"
        " VALUES ($1, gen_random_uuid(), $2, now() + interval '1 hour') RETURNING id",
        signed_in.tenant_id,
        other.user_id,
    )
    await admin.execute(
        "INSERT INTO core.membership_roles (tenant_id, membership_id, role) VALUES ($1, $2, 'readonly')",
        signed_in.tenant_id,
        membership,
    )
    session = await client.post("/api/v1/auth/login", json={"email": other.email, "password": PASSWORD})
    assert session.json()["tenant"]["id"] == str(signed_in.tenant_id)
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {session.json()['access_token']}"
    return client


async def test_a_view_is_kept_listed_changed_and_deleted(signed_in: SignedIn, admin: "asyncpg.Connection[Any]") -> None:
    client = signed_in.client
    made = await make(client)
    assert {name: made[name] for name in VIEW} == VIEW
    assert (made["mine"], made["shared"], made["version"]) == (True, False, 1)
    found = await client.get(f"{VIEWS}/{made['id']}")
    assert (found.json(), found.headers["etag"]) == (made, '"1"')
    changed = await client.patch(f"{VIEWS}/{made['id']}", json={"name": "All", "chart": None, "filters": []})
    assert changed.headers["etag"] == '"2"'
    assert (changed.json()["name"], changed.json()["chart"], changed.json()["sort"]) == ("All", None, "-amount")
    assert [view["name"] for view in (await client.get(VIEWS)).json()["items"]] == ["All"]
    assert (await client.delete(f"{VIEWS}/{made['id']}")).status_code == 204
    assert (await client.get(f"{VIEWS}/{made['id']}")).status_code == 404
    actions = await admin.fetch(
        "SELECT action FROM core.audit_events WHERE tenant_id = $1 AND resource_type = 'saved_view' ORDER BY id",
        signed_in.tenant_id,
    )
    assert [row["action"].rpartition(".")[2] for row in actions] == ["created", "updated", "deleted"]


async def test_a_change_that_changes_nothing_is_no_new_version(signed_in: SignedIn) -> None:
    made = await make(signed_in.client)
    answer = await signed_in.client.patch(f"{VIEWS}/{made['id']}", json={"name": VIEW["name"], "shared": False})
    assert (answer.status_code, answer.json()["version"]) == (200, 1)


async def test_a_stale_change_is_refused_and_changes_nothing(signed_in: SignedIn) -> None:
    client, made = signed_in.client, await make(signed_in.client)
    address = f"{VIEWS}/{made['id']}"
    assert (await client.patch(address, json={"name": "First"}, headers={"If-Match": '"1"'})).status_code == 200
    for stale in ('"1"', 'W/"2"', '"1", "7"', "2"):
        answer = await client.patch(address, json={"name": "Second"}, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed"), stale
        assert (await client.delete(address, headers={"If-Match": stale})).status_code == 412
    assert (await client.get(address)).json()["name"] == "First"
    for fresh in ('"2"', '"9", "3"', "*"):
        assert (await client.patch(address, json={"name": f"As {fresh}"}, headers={"If-Match": fresh})).is_success


async def test_a_shared_view_is_everybodys_to_see_and_its_owners_to_change(
    signed_in: SignedIn, colleague: httpx2.AsyncClient
) -> None:
    shared, own = await make(signed_in.client, shared=True), await make(signed_in.client, name="Mine")
    seen = (await colleague.get(VIEWS)).json()["items"]
    assert [(view["id"], view["mine"]) for view in seen] == [(shared["id"], False)]
    assert (await colleague.get(f"{VIEWS}/{own['id']}")).status_code == 404
    assert (await colleague.patch(f"{VIEWS}/{own['id']}", json={"name": "x"})).status_code == 404
    for answer in (
        await colleague.patch(f"{VIEWS}/{shared['id']}", json={"name": "x"}),
        await colleague.delete(f"{VIEWS}/{shared['id']}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_your_view")
    assert (await make(colleague))["mine"] is True


async def test_another_tenants_views_do_not_exist(signed_in: SignedIn, sign_in: Any) -> None:
    made, stranger = await make(signed_in.client, shared=True), (await sign_in()).client
    assert (await stranger.get(VIEWS)).json()["items"] == []
    for answer in (
        await stranger.get(f"{VIEWS}/{made['id']}"),
        await stranger.patch(f"{VIEWS}/{made['id']}", json={"name": "x"}),
        await stranger.delete(f"{VIEWS}/{made['id']}"),
    ):
        assert answer.status_code == 404


async def test_a_name_is_taken_once_per_table_and_member(signed_in: SignedIn) -> None:
    client = signed_in.client
    first = await make(client)
    other = await make(client, name="Other")
    for answer in (
        await client.post(VIEWS, json=VIEW),
        await client.patch(f"{VIEWS}/{other['id']}", json={"name": VIEW["name"]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "view_name_taken")
    await make(client, table="payouts", columns=None, chart=None)
    assert (await client.patch(f"{VIEWS}/{first['id']}", json={"name": VIEW["name"], "sort": None})).is_success


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"filters": ["amount:gte:x"]}, 422, "invalid_filter"),
        ({"sort": "nope"}, 422, "invalid_sort"),
        ({"columns": ["nope"]}, 422, "invalid_columns"),
        ({"chart": {"kind": "bar", "groups": ["amount"]}}, 422, "invalid_aggregate"),
        ({"chart": {"kind": "radar"}}, 422, "invalid_input"),
        ({"table": "nope"}, 404, "not_found"),
        ({"name": " "}, 422, "invalid_input"),
        ({"name": "x" * 101}, 422, "invalid_input"),
        ({"filters": ["amount:gte:1"] * 21}, 422, "invalid_input"),
        ({"extra": 1}, 422, "invalid_input"),
    ],
)
async def test_a_view_has_to_fit_its_table(
    signed_in: SignedIn, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await signed_in.client.post(VIEWS, json=VIEW | changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await signed_in.client.get(VIEWS)).json()["items"] == []


async def test_views_come_in_pages_and_by_table(signed_in: SignedIn) -> None:
    names = [(await make(signed_in.client, name=f"No. {n}"))["name"] for n in range(5)]
    await make(signed_in.client, table="payouts", columns=None, chart=None)
    seen, cursor = [], None
    while True:
        params: dict[str, Any] = {"limit": 2, "table": "payments"} | ({"cursor": cursor} if cursor else {})
        page = (await signed_in.client.get(VIEWS, params=params)).json()
        seen += [view["name"] for view in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names
    assert (await signed_in.client.get(VIEWS, params={"cursor": "bm90"})).json()["code"] == "invalid_cursor"
    assert (await signed_in.client.get(f"{VIEWS}/{UUID(int=0)}")).status_code == 404
