"""Keys, versions, headers, errors and faults of the simulated Stripe, as a client on the wire sees them."""

from __future__ import annotations

import base64
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from counterfoil_stripe.connector import Stripe
from counterfoil_stripe.reading import API_VERSION
from counterfoil_stripe.simulator import versions
from counterfoil_stripe.simulator.keys import _WORDS


def basic(user: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:'.encode()).decode()}"}


def test_the_simulator_speaks_the_version_the_connector_asks_for(stripe: Any) -> None:
    answer = stripe.api.get("/v1/charges", headers=dict(Stripe.headers))
    assert (answer.status_code, answer.headers["stripe-version"]) == (200, API_VERSION)
    assert versions.API_VERSION == API_VERSION
    assert stripe.api.get("/v1/charges").headers["stripe-version"] == API_VERSION
    refused = stripe.api.get("/v1/charges", headers={"Stripe-Version": "2022-11-15"})
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "Invalid Stripe API version: 2022-11-15")


def test_every_answer_has_a_request_id_of_its_own(stripe: Any) -> None:
    answers = [stripe.api.get("/v1/charges", params={"limit": limit}) for limit in (1, 1, 0)]
    assert len({answer.headers["request-id"] for answer in answers}) == 3
    assert all(answer.headers["request-id"].startswith("req_") for answer in answers)
    assert answers[2].json()["error"]["request_log_url"].endswith(answers[2].headers["request-id"])


def test_the_account_is_described(stripe: Any) -> None:
    account = stripe.get("/v1/account")
    assert (account["object"], account["id"]) == ("account", stripe.expected()["account"])
    assert account["settings"]["payouts"]["schedule"] == {"delay_days": 2, "interval": "daily"}


def test_a_key_works_as_bearer_and_as_basic_user(stripe: Any) -> None:
    own = f"sk_test_{stripe.expected()['account'].removeprefix('acct_')}"
    for headers in (basic("sk_test_demo"), basic(own), {"Authorization": f"Bearer {own}"}):
        assert stripe.control.get("/v1/account", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code", "words"),
    [
        ({}, None, "You did not provide an API key."),
        ({"Authorization": "Token x"}, None, "You did not provide an API key."),
        ({"Authorization": "Basic ///"}, None, "You did not provide an API key."),
        ({"Authorization": "Bearer sk_test_nosuchkey1234"}, None, "Invalid API Key provided: sk_test_*********1234"),
        ({"Authorization": "Bearer rk_test_"}, None, "Invalid API Key provided"),
        ({"Authorization": "Bearer rk_test_charges_everything"}, None, "Invalid API Key provided"),
        ({"Authorization": "Bearer sk_test_abcd_expired"}, "api_key_expired", "Expired API Key provided: sk_test_"),
    ],
)
def test_a_request_without_a_good_key_is_unauthorized(
    stripe: Any, headers: dict[str, str], code: str | None, words: str
) -> None:
    answer = stripe.control.get("/v1/charges", headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error.get("code")) == (401, "invalid_request_error", code)
    assert answer.headers["www-authenticate"] == 'Bearer realm="Stripe"'
    assert error["message"].startswith(words)


@pytest.mark.parametrize(
    ("path", "word", "permission"),
    [
        ("/v1/account", "account", "rak_accounts_kyc_basic_read"),
        ("/v1/charges", "charges", "rak_charge_read"),
        ("/v1/payouts", "payouts", "rak_payout_read"),
        ("/v1/balance_transactions", "balance", "rak_balance_transaction_source_read"),
        ("/v1/refunds", "charges", "rak_charge_read"),
        ("/v1/payment_intents", "intents", "rak_payment_intent_read"),
        ("/v1/disputes", "disputes", "rak_dispute_read"),
        ("/v1/invoices", "invoices", "rak_invoice_read"),
        ("/v1/customers", "customers", "rak_customer_read"),
        ("/v1/events", "events", "rak_event_read"),
    ],
)
def test_a_restricted_key_reads_what_it_names_and_nothing_else(
    stripe: Any, path: str, word: str, permission: str
) -> None:
    others = "_".join(set(_WORDS) - {word})
    allowed = stripe.control.get(path, headers={"Authorization": f"Bearer rk_test_{word}"})
    refused = stripe.control.get(path, headers={"Authorization": f"Bearer rk_test_{others}"})
    assert (allowed.status_code, refused.status_code) == (200, 403)
    error = refused.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].endswith(f"Having the '{permission}' permission would allow this request to continue.")
    assert f"rk_test_{others}" not in error["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/charges/"), ("GET", "/v1/unicorns"), ("POST", "/v1/charges"), ("GET", "/v1/charges/ch_1/refunds")],
)
def test_an_address_the_simulator_does_not_know_is_unrecognized(stripe: Any, method: str, path: str) -> None:
    answer = stripe.api.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith(f"Unrecognized request URL ({method}: {path}).")


def test_an_object_that_does_not_exist_is_not_found(stripe: Any) -> None:
    answer = stripe.api.get("/v1/balance_transactions/txn_nope")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "resource_missing", "id")
    assert error["message"] == "No such balance transaction: 'txn_nope'"


def test_a_limiter_names_itself_in_a_header(stripe: Any) -> None:
    stripe.break_with(kind="status_429", reason="endpoint-rate")
    answer = stripe.api.get("/v1/charges")
    assert (answer.status_code, answer.headers["stripe-rate-limited-reason"]) == (429, "endpoint-rate")
    assert answer.json()["error"]["code"] == "rate_limit"


def test_a_lock_is_a_429_with_a_code_and_without_that_header(stripe: Any) -> None:
    stripe.break_with(kind="status_429", reason="lock_timeout")
    answer = stripe.api.get("/v1/charges")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "lock_timeout")
    assert "stripe-rate-limited-reason" not in answer.headers


@pytest.mark.parametrize(("kind", "status"), [("status_401", 401), ("status_403", 403), ("status_500", 500)])
def test_a_status_can_be_ordered(stripe: Any, kind: str, status: int) -> None:
    stripe.break_with(kind=kind)
    answer = stripe.api.get("/v1/payouts")
    assert answer.status_code == status
    assert "message" in answer.json()["error"]


def test_a_cut_page_announces_all_and_sends_half(stripe: Any) -> None:
    whole = stripe.api.get("/v1/charges").content
    stripe.break_with(kind="cut_page", times=2)
    with pytest.raises(httpx2.RemoteProtocolError):
        stripe.api.get("/v1/charges")
    address = urlsplit(stripe.base_url)
    with socket.create_connection((address.hostname, address.port or 80), timeout=10) as wire:
        wire.sendall(b"GET /v1/charges HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_demo\r\n\r\n")
        received = b""
        while part := wire.recv(65_536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert body == whole[: len(whole) // 2]
    assert stripe.api.get("/v1/charges").content == whole


def test_a_malformed_answer_is_complete_and_no_json(stripe: Any) -> None:
    stripe.break_with(kind="malformed")
    answer = stripe.api.get("/v1/charges")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"(?i)expecting|delimiter|unexpected"):
        answer.json()


def test_a_wrong_length_announces_more_than_all(stripe: Any) -> None:
    stripe.break_with(kind="wrong_length")
    with pytest.raises(httpx2.RemoteProtocolError):
        stripe.api.get("/v1/charges")


@pytest.mark.parametrize("kind", ["truncated", "html"])
def test_an_answer_may_be_whole_and_still_no_json(stripe: Any, kind: str) -> None:
    stripe.break_with(kind=kind)
    answer = stripe.api.get("/v1/charges")
    assert answer.status_code == 200
    assert answer.content.startswith(b"{" if kind == "truncated" else b"<!doctype html>")
    with pytest.raises(ValueError, match=r"(?i)expecting|delimiter|unexpected|unterminated"):
        answer.json()


def test_a_lock_may_be_on_one_object_only(stripe: Any) -> None:
    first, second = (charge["id"] for charge in stripe.get("/v1/charges", limit=2)["data"])
    stripe.break_with(match=f"/v1/charges/{first}", kind="status_429", reason="lock_timeout")
    assert stripe.api.get(f"/v1/charges/{first}").json()["error"]["code"] == "lock_timeout"
    assert stripe.api.get(f"/v1/charges/{second}").status_code == 200


@pytest.mark.parametrize(
    ("limits", "reason"), [({"endpoint_rps": 5}, "endpoint-rate"), ({"global_rps": 5}, "global-rate")]
)
def test_limits_are_those_that_are_switched_on(fresh_stripe: Any, limits: dict[str, int], reason: str) -> None:
    fresh_stripe.control.put("/_simulator/limits", json=limits).raise_for_status()
    answers = [fresh_stripe.api.get("/v1/charges", params={"limit": 1}) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    assert {answer.headers["stripe-rate-limited-reason"] for answer in refused} == {reason}
    other = fresh_stripe.api.get("/v1/payouts").status_code
    assert other == (200 if reason == "endpoint-rate" else 429)
    time.sleep(1.05)
    assert fresh_stripe.api.get("/v1/charges").status_code == 200


def test_only_so_many_requests_at_a_time(fresh_stripe: Any) -> None:
    fresh_stripe.control.put("/_simulator/limits", json={"global_concurrency": 1}).raise_for_status()
    fresh_stripe.break_with(match="/v1/charges", kind="slow", delay_s=0.5)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(fresh_stripe.api.get, "/v1/charges")
        time.sleep(0.2)
        refused = fresh_stripe.api.get("/v1/payouts")
        assert refused.headers["stripe-rate-limited-reason"] == "global-concurrency"
        assert slow.result().status_code == 200
    assert fresh_stripe.api.get("/v1/payouts").status_code == 200


def test_an_older_version_writes_objects_its_own_way(stripe: Any) -> None:
    old = {"Stripe-Version": versions.OLDER_VERSION}
    new_invoice = stripe.get("/v1/invoices", limit=1)["data"][0]
    invoice = stripe.api.get("/v1/invoices", params={"limit": 1}, headers=old).json()["data"][0]
    assert (invoice["id"], invoice["date"]) == (new_invoice["id"], new_invoice["created"])
    assert invoice.keys().isdisjoint({"created", "status_transitions"})
    intent = stripe.get("/v1/payment_intents", limit=1)["data"][0]
    old_intent = stripe.api.get(f"/v1/payment_intents/{intent['id']}", headers=old).json()
    assert "latest_charge" not in old_intent
    assert [charge["id"] for charge in old_intent["charges"]["data"]] == [intent["latest_charge"]]
    customer = stripe.get("/v1/customers", limit=1)["data"][0]["id"]
    assert "account_balance" in stripe.api.get(f"/v1/customers/{customer}", headers=old).json()
    assert stripe.api.get("/v1/charges", headers=old).json()["data"][0]["refunds"]["object"] == "list"


def test_a_slow_answer_comes_late_and_whole(stripe: Any) -> None:
    stripe.break_with(kind="slow", delay_s=0.3)
    began = time.perf_counter()
    assert len(stripe.get("/v1/charges")["data"]) == 10
    assert time.perf_counter() - began >= 0.3


def test_a_fault_starts_after_some_requests_and_ends_after_some(stripe: Any) -> None:
    stripe.break_with(match="/v1/charges", kind="status_500", after=2, times=1)
    assert stripe.api.get("/v1/payouts").status_code == 200
    assert [stripe.api.get("/v1/charges").status_code for _ in range(5)] == [200, 200, 500, 200, 200]


def test_the_first_fault_that_applies_is_the_one_met(stripe: Any) -> None:
    faults = [
        {"match": "/v1/charges", "kind": "status_429", "times": 1},
        {"match": "/v1/", "kind": "status_500"},
    ]
    stripe.control.put("/_simulator/faults", json=faults).raise_for_status()
    assert [stripe.api.get(path).status_code for path in ("/v1/payouts", "/v1/charges", "/v1/charges")] == [
        500,
        429,
        500,
    ]
    stripe.control.delete("/_simulator/faults").raise_for_status()
    assert stripe.api.get("/v1/charges").status_code == 200


@pytest.mark.parametrize(
    "fault", [{"kind": "status_500"}, {"match": "/v1/", "kind": "meteor"}, {"match": "/v1/", "kind": "slow", "typo": 1}]
)
def test_a_fault_that_makes_no_sense_is_refused(stripe: Any, fault: dict[str, Any]) -> None:
    answer = stripe.control.put("/_simulator/faults", json=[fault])
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert stripe.control.get("/_simulator/faults").json() == []


def test_traffic_is_counted_by_path_and_status(stripe: Any) -> None:
    charge = stripe.get("/v1/charges", limit=1)["data"][0]["id"]
    stripe.get(f"/v1/charges/{charge}")
    stripe.api.get("/v1/charges/ch_nope")
    assert stripe.control.get("/_simulator/stats").json() == {
        "total": 3,
        "requests": {"/v1/charges": 1, "/v1/charges/{id}": 2},
        "statuses": {"200": 2, "404": 1},
        "busiest_second": pytest.approx(2, abs=1),
    }


def test_appending_makes_newer_objects_and_keeps_the_older_ones(fresh_stripe: Any) -> None:
    newest = fresh_stripe.get("/v1/charges", limit=1)["data"][0]
    before = set(fresh_stripe.expected()["charges"]["ids"])
    at = int(fresh_stripe.world.as_of.timestamp()) + 60
    totals = fresh_stripe.control.post("/_simulator/world/append", json={"orders": 5, "at": at}).json()
    after = fresh_stripe.expected()["charges"]["ids"]
    assert totals["charges"] == len(after) > len(before)
    assert before < set(after)
    fresh = fresh_stripe.get("/v1/charges", ending_before=newest["id"])["data"]
    assert {each["id"] for each in fresh} == set(after) - before
    assert all(newest["created"] <= each["created"] <= at for each in fresh)


def test_appending_without_a_moment_means_now(fresh_stripe: Any) -> None:
    totals = fresh_stripe.control.post("/_simulator/world/append", json={"orders": 1}).json()
    assert abs(totals["as_of"] - time.time()) < 60 or totals["as_of"] == int(fresh_stripe.world.as_of.timestamp())


def test_a_refund_shows_on_the_older_charge(fresh_stripe: Any) -> None:
    def refunded() -> dict[str, int]:
        charges = fresh_stripe.get("/v1/charges", limit=100)["data"]
        return {each["id"]: each["amount_refunded"] for each in charges}

    before = refunded()
    at = int(fresh_stripe.world.as_of.timestamp()) + 60
    fresh_stripe.control.post("/_simulator/world/append", json={"orders": 10, "at": at}).raise_for_status()
    after = refunded()
    changed = [charge for charge in before.keys() & after.keys() if before[charge] != after[charge]]
    assert len(changed) == 1


def test_settling_pays_what_was_in_transit_and_completes_reconciliation(fresh_stripe: Any) -> None:
    moving = [each["id"] for each in fresh_stripe.get("/v1/payouts", status="in_transit")["data"]]
    assert moving
    fresh_stripe.control.post("/_simulator/world/settle").raise_for_status()
    for payout in moving:
        settled = fresh_stripe.get(f"/v1/payouts/{payout}")
        assert (settled["status"], settled["reconciliation_status"]) == ("paid", "completed")
        assert settled["trace_id"]["status"] == "supported"


@pytest.mark.parametrize("order", [{}, {"orders": 0}, {"orders": 1, "when": "now"}])
def test_an_order_for_activity_that_makes_no_sense_is_refused(stripe: Any, order: dict[str, Any]) -> None:
    assert stripe.control.post("/_simulator/world/append", json=order).status_code == 422
