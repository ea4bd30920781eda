"""Testing a connection: whose account its credentials open, and all that can go wrong."""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from counterfoil.testing.plugin import SignedIn

from .vendor import KEY, PATH, FakeVendor, check, created, shown


async def test_a_test_finds_the_account_and_makes_the_connection_active(
    signed_in: SignedIn, vendor: FakeVendor
) -> None:
    connection = await created(signed_in, vendor)
    answer = await check(signed_in, connection)
    assert answer.status_code == 200
    result = answer.json()
    assert result["ok"] is True
    assert result["account"] == {"id": "acct_1/test", "label": "Shop of acct_1"}
    assert result["error"] is None
    assert result["duration_ms"] >= 0
    assert f"Authorization: Bearer {KEY}" in vendor.requests[0]
    now = await shown(signed_in, connection)
    assert now["status"] == "active"
    assert now["external_account_id"] == "acct_1/test"
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
    assert now["external_account_id"] == "acct_1/test"


@pytest.mark.parametrize(
    ("first", "second"), [(KEY, KEY.replace("test", "live")), (KEY.replace("test", "live"), KEY)], ids=["live", "test"]
)
async def test_a_key_of_the_accounts_other_mode_is_one_of_another_account(
    signed_in: SignedIn, vendor: FakeVendor, first: str, second: str
) -> None:
    connection = await created(signed_in, vendor, credentials={"api_key": first})
    assert (await check(signed_in, connection)).json()["ok"] is True
    account_id = (await shown(signed_in, connection))["external_account_id"]
    assert account_id == ("acct_1" if "live" in first else "acct_1/test")
    await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": second}})
    answer = await check(signed_in, connection)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_changed")
    assert (await shown(signed_in, connection))["external_account_id"] == account_id


@pytest.mark.parametrize("base", ["http://a\x01b", "http://[", "http://a:99999", "http://" + "a" * 300])
async def test_an_address_that_is_none_fails_the_test_and_nothing_else(signed_in: SignedIn, base: str) -> None:
    connection = await created(signed_in, FakeVendor(base=base))
    answer = await check(signed_in, connection)
    assert answer.status_code == 200, answer.text
    assert answer.json()["error"]["code"] in ("source_invalid_request", "source_unavailable")


async def test_what_a_vendor_says_is_kept_without_its_control_characters(
    signed_in: SignedIn, vendor: FakeVendor
) -> None:
    vendor.status, vendor.body = "403 Forbidden", r'{"error": {"message": "No\u0000\u001b[31m\n  entry"}}'
    connection = await created(signed_in, vendor)
    answer = await check(signed_in, connection)
    assert answer.json()["error"] == {"code": "source_forbidden", "detail": "No [31m entry"}
    assert (await shown(signed_in, connection))["last_error"] == answer.json()["error"]


async def test_a_change_during_the_test_makes_its_outcome_void(signed_in: SignedIn, vendor: FakeVendor) -> None:
    connection = await created(signed_in, vendor)

    async def change() -> None:
        vendor.on_request = None
        await signed_in.client.patch(f"{PATH}/{connection['id']}", json={"credentials": {"api_key": KEY + "9"}})

    vendor.on_request = change
    answer = await check(signed_in, connection)
    assert (answer.status_code, answer.json()["code"]) == (409, "connection_changed")
    assert (await shown(signed_in, connection))["status"] == "pending"
