"""Looking at records as the vendor sent them."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.ingest.scripted import T0

from counterfoil.ingest.records import Origin
from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn

PATH = "/api/v1/connections"
INSERT = """
    INSERT INTO core.raw_records (tenant_id, id, connection_id, stream, change, source_id, content_hash, payload, run_id,
                                  observed_at, changed_at, is_open)
    VALUES ($1, $2, $3, $4, $5, $6, '\\x00', $7, $8, $9, $9, false)
"""
PAYLOAD = '{"id": "NAME", "rate": 1.10, "large": 12345678901234567890.12}'


async def connect(who: SignedIn) -> str:
    made = {"kind": "stripe", "label": "S", "settings": {}, "credentials": {"api_key": "sk_test_x"}}
    answer = await who.client.post(PATH, json=made)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
async def records(signed_in: SignedIn, admin: "asyncpg.Connection[Any]") -> str:
    """Where seven payment intents and one charge are."""
    connection = await connect(signed_in)
    origin = Origin(tenant_id=signed_in.tenant_id, connection_id=UUID(connection), source="stripe", account="acct_1")
    named = [("payment_intents", f"pi_{n}") for n in range(7)] + [("charges", "ch_1")]
    for change, (stream, name) in enumerate(named, 1):
        await admin.execute(
            INSERT, signed_in.tenant_id, origin.raw_id(stream, name), UUID(connection), stream, change, name,
            PAYLOAD.replace("NAME", name), new_id(), T0,
        )  # fmt: skip
    return f"{PATH}/{connection}/streams/payment_intents/records"


async def test_the_records_of_a_stream_come_in_pages_the_latest_change_first(signed_in: SignedIn, records: str) -> None:
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await signed_in.client.get(records, params={"limit": 3, "cursor": cursor})).json()
        names += [item["source_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert names == [f"pi_{n}" for n in reversed(range(7))]


async def test_a_record_is_found_by_the_vendors_id_and_opens_with_its_numbers_as_written(
    signed_in: SignedIn, records: str
) -> None:
    [found] = (await signed_in.client.get(records, params={"source_id": "pi_4"})).json()["items"]
    answer = await signed_in.client.get(f"{records}/{found['id']}")
    assert answer.status_code == 200, answer.text
    assert '"rate":1.10' in answer.text.replace(" ", "")
    assert "12345678901234567890.12" in answer.text
    assert answer.json().items() >= found.items()
    assert (await signed_in.client.get(records, params={"source_id": "ch_1"})).json()["items"] == []


async def test_what_is_not_there_is_not_found(signed_in: SignedIn, sign_in: Any, records: str) -> None:
    [found] = (await signed_in.client.get(records, params={"source_id": "pi_4"})).json()["items"]
    charges = records.replace("payment_intents", "charges")
    for path in (f"{records}/{new_id()}", f"{charges}/{found['id']}", records.replace("payment_intents", "nothing")):
        assert (await signed_in.client.get(path)).status_code == 404, path
    other: SignedIn = await sign_in()
    for path in (records, f"{records}/{found['id']}"):
        assert (await other.client.get(path)).status_code == 404, path


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "Wy0xXQ", "WzBd"])
async def test_a_cursor_of_somebody_elses_making_is_refused(signed_in: SignedIn, records: str, cursor: str) -> None:
    answer = await signed_in.client.get(records, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
