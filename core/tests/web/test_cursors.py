"""Cursors of every list there is: whatever somebody makes up, it is a page or a cursor that is refused."""

from typing import Any

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn
from counterfoil.web import decode_cursor, encode_cursor
from counterfoil.web.openapi import operations
from counterfoil.web.pagination import InvalidCursor

IDS = st.uuids().map(str)
INSTANTS = st.sampled_from(
    [
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00",
        "2026-03-29T02:30:00+01:00",
        "2026-01-01",
        "24:00",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | IDS
    | INSTANTS
    | st.sampled_from(["core.payments", "payments", "-source_created_at", "jobs:x", ""])
)
POSITIONS = st.lists(
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2), max_size=5
)
Lists = list[str]


@pytest.fixture
async def lists(app: FastAPI, signed_in: SignedIn) -> Lists:
    """The address of every list, with ids of things that are there."""
    body = {"kind": "stripe", "label": "Books", "credentials": {"api_key": "sk_test_x"}}
    connection = (await signed_in.client.post("/api/v1/connections", json=body)).json()["id"]
    job = (await signed_in.client.post(f"/api/v1/connections/{connection}/sync", json={})).json()["job_id"]
    known = {
        "connection_id": connection,
        "job_id": job,
        "table": "payments",
        "stream": "charges",
        "correlation_id": str(new_id()),
    }
    found = []
    for path, method, operation in operations(app.openapi()):
        if method == "get" and "cursor" in {each["name"] for each in operation.get("parameters", ())}:
            found.append(path.format(**known))
    assert len(found) >= 12
    return found


async def _refused(client: httpx2.AsyncClient, address: str, cursor: str) -> bool:
    extra = {"table": "payments"} if address.endswith("/views") else {}
    answer = await client.get(address, params={"cursor": cursor, **extra})
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor"), (address, cursor, answer.text)
    return True


@settings(suppress_health_check=list(HealthCheck), max_examples=40, deadline=None)
@given(position=POSITIONS)
@example(position=["0001-01-01T00:00:00+14:00", str(new_id())])
@example(position=["9999-12-31T23:59:59-14:00", "x"])
@example(position=[2**63])
@example(position=[-1])
@example(position=[[str(new_id())]])
async def test_a_made_up_position_is_a_page_or_is_refused(
    signed_in: SignedIn, lists: Lists, position: list[Any]
) -> None:
    cursor = encode_cursor(*position)
    for address in lists:
        await _refused(signed_in.client, address, cursor)


@settings(suppress_health_check=list(HealthCheck), max_examples=30, deadline=None)
@given(cursor=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60))
@example(cursor="=")
@example(cursor="bnVsbA")
@example(cursor="A" * 2048)
async def test_any_other_text_is_refused(signed_in: SignedIn, lists: Lists, cursor: str) -> None:
    for address in lists:
        assert await _refused(signed_in.client, address, cursor), (address, cursor)


async def test_a_cursor_of_another_list_is_refused_or_a_place_in_this_one(
    signed_in: SignedIn, sign_in: Any, lists: Lists
) -> None:
    """Tenants share nothing: a place in another's list is no more than a place in one's own."""
    other = await sign_in()
    for name in ("one", "two"):
        await other.client.post("/api/v1/api-keys", json={"name": name, "scopes": ["tables.read"]})
    page = (await other.client.get("/api/v1/api-keys", params={"limit": 1})).json()
    for address in lists:
        answer = await signed_in.client.get(address, params={"cursor": page["next_cursor"], "table": "payments"})
        assert answer.status_code in {200, 422}, address
        assert str(other.tenant_id) not in answer.text
        assert page["items"][0]["id"] not in answer.text


@given(position=st.lists(SCALARS, max_size=3), at=st.integers(0, 400), change=st.integers(1, 255))
def test_a_changed_byte_is_another_position_or_none(position: list[Any], at: int, change: int) -> None:
    cursor = bytearray(encode_cursor(*position).encode())
    cursor[at % len(cursor)] ^= change
    try:
        read = decode_cursor(cursor.decode("latin-1"), length=len(position))
    except InvalidCursor:
        return
    assert isinstance(read, list)
    assert orjson.dumps(read)
