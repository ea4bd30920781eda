"""The simulated events tell what happened, late, for thirty days, and in the version of their time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from counterfoil_stripe.simulator.versions import API_VERSION, OLDER_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY_S = 86_400
LISTED = {
    "charge": "charges",
    "customer": "customers",
    "dispute": "disputes",
    "invoice": "invoices",
    "payment_intent": "payment_intents",
    "payout": "payouts",
    "refund": "refunds",
}


def walk(stripe: Any, path: str = "/v1/events", **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    body = stripe.get(path, limit=100, **params)
    found += body["data"]
    while body["has_more"]:
        body = stripe.get(path, limit=100, starting_after=found[-1]["id"], **params)
        found += body["data"]
    return found


@pytest.fixture
def current(fresh_stripe: Any) -> Any:
    """A simulator whose events are all of the current version."""
    fresh_stripe.control.put("/_simulator/events", json={"older_every": 0}).raise_for_status()
    return fresh_stripe


def objects(stripe: Any) -> Iterator[dict[str, Any]]:
    for name in LISTED.values():
        yield from walk(stripe, f"/v1/{name}")


def test_events_come_newest_first_in_stripes_envelope(stripe: Any) -> None:
    events = walk(stripe)
    assert len(events) > 500
    assert len({event["id"] for event in events}) == len(events)
    assert [event["created"] for event in events] == sorted((event["created"] for event in events), reverse=True)
    assert {event["object"] for event in events} == {"event"}
    assert all(event["id"].startswith("evt_") for event in events)


def test_the_newest_event_of_an_object_shows_it_as_it_is(current: Any) -> None:
    newest: dict[str, list[dict[str, Any]]] = {}
    for event in walk(current):
        told = newest.setdefault(event["data"]["object"]["id"], [event])
        if event["created"] == told[0]["created"]:
            told.append(event)
    checked = 0
    for each in objects(current):
        if each["id"] in newest:
            assert each in [event["data"]["object"] for event in newest[each["id"]]], each["id"]
            checked += 1
    assert checked > 300


def test_everything_that_was_made_lately_has_an_event(stripe: Any) -> None:
    since = int(stripe.world.as_of.timestamp()) - 29 * DAY_S
    told = {event["data"]["object"]["id"] for event in walk(stripe)}
    missing = [each["id"] for each in objects(stripe) if each["created"] >= since and each["id"] not in told]
    assert missing == []


def test_an_event_shows_what_was_then_and_not_what_is_now(stripe: Any) -> None:
    refunded = next(event for event in walk(stripe, type="charge.refunded"))
    charge = refunded["data"]["object"]
    (made,) = [
        event for event in walk(stripe, type="charge.succeeded") if event["data"]["object"]["id"] == charge["id"]
    ]
    assert (made["data"]["object"]["amount_refunded"], charge["amount_refunded"] > 0) == (0, True)


@pytest.mark.parametrize(
    ("path", "params", "to", "types"),
    [
        ("charges", {}, "refunded", {"charge.refunded", "refund.created"}),
        ("charges", {}, "disputed", {"charge.updated", "charge.dispute.created"}),
        ("disputes", {}, "won", {"charge.dispute.closed"}),
        ("payouts", {"status": "pending"}, "in_transit", {"payout.updated"}),
        ("payouts", {"status": "in_transit"}, "paid", {"payout.paid"}),
        ("payouts", {"status": "paid"}, "failed", {"payout.failed"}),
        ("invoices", {"status": "draft"}, "open", {"invoice.finalized"}),
        ("invoices", {"status": "draft"}, "deleted", {"invoice.deleted"}),
        ("invoices", {"status": "open"}, "paid", {"invoice.paid"}),
        ("invoices", {"status": "open"}, "void", {"invoice.voided"}),
        ("customers", {}, "renamed", {"customer.updated"}),
        ("customers", {}, "deleted", {"customer.deleted"}),
    ],
)
def test_a_change_is_an_event(current: Any, path: str, params: dict[str, str], to: str, types: set[str]) -> None:
    known = {event["id"] for event in walk(current)}
    changing = next(
        each
        for each in current.get(f"/v1/{path}", limit=100, **params)["data"]
        if path != "disputes" or each["status"] not in {"won", "lost"}
        if path != "charges" or (each["captured"] and not each["disputed"] and not each["refunded"])
    )
    current.change(changing["id"], to)
    fresh = [event for event in walk(current) if event["id"] not in known]
    assert {event["type"] for event in fresh} == types
    if to != "deleted":
        assert current.get(f"/v1/{path}/{changing['id']}") in [event["data"]["object"] for event in fresh]


def test_an_update_says_what_was_before(current: Any) -> None:
    payout = current.get("/v1/payouts", status="in_transit", limit=1)["data"][0]
    current.change(payout["id"], "paid")
    (event,) = current.get("/v1/events", type="payout.paid", limit=1)["data"]
    before = {"status": "in_transit", "trace_id": payout["trace_id"]}
    assert event["data"]["previous_attributes"] == before


def test_events_appear_late_and_not_in_their_order(current: Any) -> None:
    current.control.put("/_simulator/events", json={"older_every": 0, "lag_s": 60}).raise_for_status()
    known = {event["id"] for event in walk(current)}
    at = int(current.world.as_of.timestamp()) + 600
    current.control.post("/_simulator/world/append", json={"orders": 60, "at": at}).raise_for_status()
    seen: list[set[str]] = []
    for _ in range(8):
        seen.append({event["id"] for event in walk(current)} - known)
        current.control.post("/_simulator/clock", json={"advance_s": 10}).raise_for_status()
    assert seen[0] < seen[-1]
    assert all(before <= after for before, after in itertools.pairwise(seen))
    order = [event["id"] for event in reversed(walk(current)) if event["id"] not in known]
    shown_first = [event for event in order if event in seen[0]]
    assert shown_first != order[: len(shown_first)]


def test_an_event_is_kept_for_thirty_days(fresh_stripe: Any) -> None:
    oldest = walk(fresh_stripe)[-1]
    assert fresh_stripe.world.as_of.timestamp() - oldest["created"] <= 30 * DAY_S
    fresh_stripe.control.post("/_simulator/clock", json={"advance_s": 29 * DAY_S}).raise_for_status()
    left = walk(fresh_stripe)
    assert 0 < len(left) < 200
    answer = fresh_stripe.api.get("/v1/events", params={"starting_after": oldest["id"]})
    assert answer.status_code == 400
    assert "is no longer available because it's aged out of our retention policy" in answer.json()["error"]["message"]
    assert fresh_stripe.api.get(f"/v1/events/{oldest['id']}").status_code == 404
    unknown = fresh_stripe.api.get("/v1/events", params={"starting_after": "evt_nope"}).json()["error"]
    assert unknown["message"] == "No such event: 'evt_nope'"


def test_some_events_are_of_an_older_version_whatever_version_is_asked_for(fresh_stripe: Any) -> None:
    fresh_stripe.control.put("/_simulator/events", json={"older_every": 3}).raise_for_status()
    events = walk(fresh_stripe)
    older = [event for event in events if event["api_version"] == OLDER_VERSION]
    assert {event["api_version"] for event in events} == {API_VERSION, OLDER_VERSION}
    assert abs(len(older) - len(events) / 3) <= 1
    invoices = [event["data"]["object"] for event in older if event["data"]["object"]["object"] == "invoice"]
    assert invoices
    assert all("created" not in invoice and "date" in invoice for invoice in invoices)
    asked = fresh_stripe.api.get("/v1/events", params={"limit": 100}, headers={"Stripe-Version": OLDER_VERSION}).json()
    assert asked["data"] == events[:100]


def test_events_can_be_filtered_by_types(stripe: Any) -> None:
    wanted = {"payout.paid", "refund.created"}
    found = walk(stripe, **{"types[0]": "payout.paid", "types[1]": "refund.created"})
    assert {event["type"] for event in found} == wanted
    assert len(found) == sum(len(walk(stripe, type=each)) for each in wanted)
    answer = stripe.api.get("/v1/events", params={f"types[{number}]": "x" for number in range(21)})
    assert answer.status_code == 400


def test_the_same_world_tells_the_same_events(stripe: Any, fresh_stripe: Any) -> None:
    assert walk(stripe) == walk(fresh_stripe)


@pytest.mark.parametrize(
    "order",
    [
        {"object": "ch_nope", "to": "refunded"},
        {"object": "xx_1", "to": "refunded"},
        {"object": "ch_1"},
        {"object": "ch_1", "to": "refunded", "amount": 0},
    ],
)
def test_a_change_that_makes_no_sense_is_refused(stripe: Any, order: dict[str, Any]) -> None:
    assert stripe.control.post("/_simulator/world/change", json=order).status_code == 422


def test_an_object_changes_only_as_stripe_lets_it(stripe: Any) -> None:
    paid = stripe.get("/v1/payouts", status="paid", limit=1)["data"][0]["id"]
    answer = stripe.control.post("/_simulator/world/change", json={"object": paid, "to": "in_transit"})
    assert (answer.status_code, answer.json()["errors"][0]["msg"]) == (422, "a paid payout does not become in_transit")


def test_a_deleted_customer_is_a_stub_and_in_no_list(fresh_stripe: Any) -> None:
    customer = fresh_stripe.get("/v1/customers", limit=1)["data"][0]["id"]
    fresh_stripe.change(customer, "deleted")
    assert fresh_stripe.get(f"/v1/customers/{customer}") == {"id": customer, "object": "customer", "deleted": True}
    assert customer not in {each["id"] for each in walk(fresh_stripe, "/v1/customers")}


def test_a_refund_that_fails_gives_the_money_back(fresh_stripe: Any) -> None:
    charge = next(
        each for each in fresh_stripe.get("/v1/charges", limit=100)["data"] if each["captured"] and not each["refunded"]
    )
    fresh_stripe.change(charge["id"], "refund_pending")
    (refund,) = fresh_stripe.get("/v1/refunds", charge=charge["id"], limit=1)["data"]
    assert (refund["status"], refund["pending_reason"]) == ("pending", "processing")
    fresh_stripe.change(refund["id"], "failed")
    failed = fresh_stripe.get(f"/v1/refunds/{refund['id']}")
    taken = fresh_stripe.get(f"/v1/balance_transactions/{failed['balance_transaction']}")
    returned = fresh_stripe.get(f"/v1/balance_transactions/{failed['failure_balance_transaction']}")
    assert (failed["status"], returned["type"], returned["net"]) == ("failed", "refund_failure", -taken["net"])
    assert returned["source"] == refund["id"]
    assert fresh_stripe.get(f"/v1/charges/{charge['id']}")["amount_refunded"] == charge["amount_refunded"]
