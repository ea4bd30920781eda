"""The simulator's lists are Stripe's: complete under every page size, cut by cursors and filters, strict about parameters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil_stripe.simulator.account import Account
from counterfoil_stripe.simulator.errors import StripeError
from counterfoil_stripe.simulator.listing import Collection, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterfoil.simulation.world import World

LISTS = (
    "charges",
    "payment_intents",
    "refunds",
    "disputes",
    "invoices",
    "customers",
    "payouts",
    "balance_transactions",
)


def page(collection: Collection, **params: str | int) -> dict[str, Any]:
    query = [(name.replace("__", "[") + "]" if "__" in name else name, str(value)) for name, value in params.items()]
    body: dict[str, Any] = orjson.loads(collection.page(query))
    return body


def walk(fetch: Callable[..., dict[str, Any]], **params: str | int) -> list[dict[str, Any]]:
    """Every object of a list, newest first, page by page."""
    body = fetch(**params)
    objects = list(body["data"])
    while body["has_more"]:
        body = fetch(starting_after=objects[-1]["id"], **params)
        objects += body["data"]
    return objects


def collection_of(created: list[int]) -> Collection:
    """Objects `o0`, `o1`... created at these seconds; every third is blue."""

    def row(number: int, at: int) -> Row:
        colour = "blue" if number % 3 == 0 else "red"
        return Row(
            id=f"o{number}",
            created=at,
            sequence=number,
            tags=(("colour", colour),),
            record=number,
            render=lambda: {"id": f"o{number}", "created": at, "colour": colour, "due": at + number},
            moments={"due": at + number},
        )

    collection = Collection(noun="thing", url="/v1/things", tags=("colour",), moments=("due",))
    collection.load([row(number, at) for number, at in enumerate(created)])
    return collection


moments = st.lists(st.integers(0, 30), max_size=60)


@given(moments, st.integers(1, 100))
def test_pages_of_any_size_give_every_object_once_and_newest_first(created: list[int], limit: int) -> None:
    objects = walk(partial(page, collection_of(created)), limit=limit)
    assert sorted(each["id"] for each in objects) == sorted(f"o{number}" for number in range(len(created)))
    assert [each["created"] for each in objects] == sorted(created, reverse=True)


@given(moments, st.integers(1, 20), st.integers(-1, 31), st.integers(-1, 31))
def test_bounds_of_creation_are_honoured_on_every_page(created: list[int], limit: int, low: int, high: int) -> None:
    collection = collection_of(created)
    closed_open = walk(partial(page, collection), limit=limit, created__gte=low, created__lt=high)
    assert sorted(each["created"] for each in closed_open) == sorted(at for at in created if low <= at < high)
    open_closed = walk(partial(page, collection), limit=limit, created__gt=low, created__lte=high)
    assert sorted(each["created"] for each in open_closed) == sorted(at for at in created if low < at <= high)


@given(moments, st.integers(1, 20), st.integers(0, 90))
def test_filters_combine(created: list[int], limit: int, due: int) -> None:
    collection = collection_of(created)
    objects = walk(partial(page, collection), limit=limit, colour="blue", due__gte=due)
    expected = [f"o{number}" for number, at in enumerate(created) if number % 3 == 0 and at + number >= due]
    assert sorted(each["id"] for each in objects) == sorted(expected)


@given(moments.filter(len), st.integers(1, 20), st.data())
def test_ending_before_gives_the_page_that_starting_after_left(
    created: list[int], limit: int, data: st.DataObject
) -> None:
    collection = collection_of(created)
    whole = [each["id"] for each in walk(partial(page, collection), limit=100)]
    at = data.draw(st.integers(0, len(whole) - 1))
    before = page(collection, limit=limit, ending_before=whole[at])
    assert [each["id"] for each in before["data"]] == whole[max(0, at - limit) : at]
    assert before["has_more"] is (at > limit)


def test_an_exact_second_can_be_asked_for() -> None:
    objects = page(collection_of([1, 2, 2, 3]), created=2)["data"]
    assert [each["id"] for each in objects] == ["o2", "o1"]


def test_a_body_is_drawn_again_only_when_its_record_changed() -> None:
    drawn: list[str] = []

    def row(name: str, record: object) -> Row:
        def render() -> dict[str, Any]:
            drawn.append(name)
            return {"id": name}

        return Row(id=name, created=1, sequence=1, tags=(), record=record, render=render)

    collection, kept = Collection(noun="thing", url="/v1/things", tags=()), object()
    collection.load([row("same", kept), row("changed", object())])
    collection.load([row("same", kept), row("changed", object())])
    assert drawn == ["same", "changed", "changed"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", [1, 7, 10, 99, 100])
def test_the_served_lists_are_complete_under_every_limit(world: World, name: str, limit: int) -> None:
    account = Account(world)
    objects = walk(partial(page, getattr(account, name)), limit=limit)
    found = [each["id"] for each in objects]
    assert len(found) == len(set(found))
    assert set(found) == set(account.expected()[name]["ids"])


def test_a_list_over_http_has_stripes_envelope(stripe: Any) -> None:
    body = stripe.get("/v1/charges")
    assert set(body) == {"object", "data", "has_more", "url"}
    assert (body["object"], body["url"], body["has_more"], len(body["data"])) == ("list", "/v1/charges", True, 10)


def test_filters_work_over_http(stripe: Any) -> None:
    charge = stripe.get("/v1/charges", limit=1)["data"][0]
    mine = stripe.get("/v1/charges", customer=charge["customer"], limit=100)["data"]
    assert charge["id"] in {each["id"] for each in mine}
    assert {each["customer"] for each in mine} == {charge["customer"]}
    fees = stripe.get("/v1/balance_transactions", type="stripe_fee", currency="usd")["data"]
    assert {(each["type"], each["currency"], each["source"]) for each in fees} == {("stripe_fee", "usd", None)}
    (own,) = stripe.get("/v1/balance_transactions", source=charge["id"])["data"] or [None]
    assert own is None or own["id"] == charge["balance_transaction"]
    assert {each["status"] for each in stripe.get("/v1/payouts", status="in_transit")["data"]} == {"in_transit"}
    arrival = stripe.get("/v1/payouts", limit=1)["data"][0]["arrival_date"]
    late = stripe.get("/v1/payouts", **{"arrival_date[gte]": arrival, "limit": 100})["data"]
    assert late
    assert all(each["arrival_date"] >= arrival for each in late)


def test_the_list_of_a_payout_holds_its_members_and_its_own_withdrawal(stripe: Any) -> None:
    for payout in stripe.get("/v1/payouts", limit=100)["data"]:
        lines = walk(partial(stripe.get, "/v1/balance_transactions"), payout=payout["id"], limit=100)
        own = [line for line in lines if line["id"] == payout["balance_transaction"]]
        assert [(line["type"], line["net"], line["source"]) for line in own] == [
            ("payout", -payout["amount"], payout["id"])
        ]
        members = sum(line["net"] for line in lines) + payout["amount"]
        assert (members == payout["amount"]) is (payout["reconciliation_status"] == "completed")


def test_an_object_can_be_fetched_by_its_id(stripe: Any) -> None:
    for name in LISTS:
        listed = stripe.get(f"/v1/{name}", limit=1)["data"][0]
        assert stripe.get(f"/v1/{name}/{listed['id']}") == listed


@pytest.mark.parametrize(
    ("query", "code", "param", "words"),
    [
        ({"starting_after": "ch_nope"}, "resource_missing", "starting_after", "No such charge: 'ch_nope'"),
        ({"ending_before": "ch_nope"}, "resource_missing", "ending_before", "No such charge: 'ch_nope'"),
        ({"starting_after": ""}, "resource_missing", "starting_after", "No such charge: ''"),
        ({"limit": "0"}, "parameter_invalid_integer", "limit", "greater than or equal to 1"),
        ({"limit": "101"}, "parameter_invalid_integer", "limit", "less than or equal to 100"),
        ({"limit": "ten"}, "parameter_invalid_integer", "limit", "Invalid integer: ten"),
        ({"created[gte]": "2026-01-01"}, "parameter_invalid_integer", "created[gte]", "Invalid integer"),
        ({"created[after]": "1"}, "parameter_unknown", "created[after]", "Received unknown parameter: created[after]"),
        ({"updated[gte]": "1"}, "parameter_unknown", "updated[gte]", "Received unknown parameter: updated[gte]"),
        ({"payout": "po_1"}, "parameter_unknown", "payout", "Received unknown parameter: payout"),
        ({"a": "1", "b": "2"}, "parameter_unknown", "a", "Received unknown parameters: a, b"),
    ],
)
def test_a_query_stripe_refuses_is_refused_in_its_words(
    stripe: Any, query: dict[str, str], code: str, param: str, words: str
) -> None:
    answer = stripe.api.get("/v1/charges", params=query)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert words in error["message"]
    assert error["doc_url"] == f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


def test_both_cursors_at_once_are_refused(world: World) -> None:
    charges = Account(world).charges
    first = page(charges, limit=1)["data"][0]["id"]
    with pytest.raises(StripeError, match="only use one"):
        page(charges, starting_after=first, ending_before=first)


def test_the_members_of_an_unknown_payout_are_refused(stripe: Any) -> None:
    answer = stripe.api.get("/v1/balance_transactions", params={"payout": "po_nope"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "No such payout: 'po_nope'")
