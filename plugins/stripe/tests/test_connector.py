"""The connector reads a simulated account completely, resumes where it stopped, and names what went wrong."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from counterfoil.kit.http import RetryPolicy
from counterfoil.sdk import (
    Account,
    Page,
    PayoutLine,
    RateLimit,
    SourceForbidden,
    SourceInvalid,
    SourceMalformed,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
    Window,
    utc_now,
)
from counterfoil_stripe import rows
from counterfoil_stripe.connector import Stripe, StripeSettings

if TYPE_CHECKING:
    from starlette.requests import Request

TIME_STREAMS = (
    "charges",
    "payment_intents",
    "refunds",
    "disputes",
    "invoices",
    "customers",
    "payouts",
    "balance_transactions",
)
KEYS = {"live": "sk_live_x", "restricted": "rk_live_x", "sandbox": "sk_test_x"}


async def read(ctx: Any, stream: Any, window: Window) -> list[Page]:
    return [page async for page in stream.pages(Stripe(), ctx, window)]


def ids(pages: list[Page]) -> list[str]:
    return [raw.source_id for page in pages for raw in page.records]


async def test_the_check_names_the_account(ctx: Any, stripe: Any) -> None:
    account = await Stripe().check(ctx)
    assert account == Account(id=stripe.expected()["account"], label="Tern & Thistle", livemode=False)


async def test_a_key_becomes_the_bearer_token_as_it_is(ctx: Any) -> None:
    bearer = await Stripe().authorize(ctx.http, ctx.settings)
    assert (bearer.token, bearer.ttl_s) == ("sk_test_demo", None)


@pytest.mark.parametrize("name", TIME_STREAMS)
async def test_a_stream_reads_every_object_once(ctx: Any, stripe: Any, name: str) -> None:
    pages = await read(ctx, Stripe.streams[name], Window(until=utc_now()))
    found = ids(pages)
    assert len(found) == len(set(found))
    assert set(found) == set(stripe.expected()[name]["ids"])
    assert pages[-1].resume is None
    assert all(page.resume == page.records[-1].source_id for page in pages[:-1])


@pytest.mark.parametrize("name", [name for name in TIME_STREAMS if Stripe.streams[name].targets])
async def test_every_record_of_a_stream_maps_to_a_row_of_its_target(ctx: Any, name: str) -> None:
    stream = Stripe.streams[name]
    assert stream.to_rows is not None
    for page in await read(ctx, stream, Window(until=utc_now())):
        for raw in page.records:
            row, *parts = stream.to_rows(raw.payload)
            assert type(row) is stream.targets[0]
            assert row.source_id == raw.source_id
            assert {type(part) for part in parts} <= set(stream.targets[1:])


async def test_a_stream_resumes_after_the_last_page_that_landed(ctx: Any) -> None:
    stream, until = Stripe.streams["charges"], utc_now()
    whole = await read(ctx, stream, Window(until=until))
    rest = await read(ctx, stream, Window(until=until, resume=whole[1].resume))
    assert len(whole) > 2
    assert ids(rest) == ids(whole[2:])


async def test_a_window_takes_both_of_its_bounds_and_nothing_outside(ctx: Any, stripe: Any) -> None:
    since, until = stripe.world.as_of - timedelta(days=9), stripe.world.as_of - timedelta(days=3)
    pages = await read(ctx, Stripe.streams["charges"], Window(since=since, until=until))
    inside = [payment for payment in stripe.world.payments if since <= payment.created_at <= until]
    assert len(ids(pages)) == len(inside) > 0


async def test_what_happens_while_a_window_is_read_stays_out_of_it(fresh_stripe: Any, connect: Any) -> None:
    before = fresh_stripe.expected()["charges"]["ids"]
    at = int(fresh_stripe.world.as_of.timestamp()) + 600
    found: list[Page] = []
    async with connect(fresh_stripe.base_url) as ctx:
        async for page in Stripe.streams["charges"].pages(Stripe(), ctx, Window(until=fresh_stripe.world.as_of)):
            if not found:
                fresh_stripe.control.post("/_simulator/world/append", json={"orders": 150, "at": at}).raise_for_status()
            found.append(page)
    assert sorted(ids(found)) == sorted(before)


async def test_a_reconciled_payout_lists_members_that_add_up_to_it(ctx: Any, stripe: Any) -> None:
    payouts = [raw.payload for page in await read(ctx, Stripe.streams["payouts"], Window()) for raw in page.records]
    expected = stripe.expected()["payout_transactions"]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for payout in payouts:
        pages = await read(ctx, Stripe.streams["payout_transactions"], Window(parent=payout))
        assert sorted(ids(pages)) == sorted(expected.get(payout["id"], []))
        for page in pages:
            for raw in page.records:
                line, *_ = rows.of_balance_transaction(raw.payload)
                assert isinstance(line, PayoutLine)
                if line.payout:
                    sums[line.payout.source_id] += line.net
    amounts = {each["id"]: rows.of_payout(each)[0].amount for each in payouts if each["id"] in expected}  # type: ignore[attr-defined]  # a Payout
    assert sums == amounts


@pytest.mark.parametrize(
    "payout",
    [
        {"id": "po_1", "automatic": False, "reconciliation_status": "not_applicable"},
        {"id": "po_1", "automatic": True, "reconciliation_status": "in_progress"},
    ],
)
async def test_a_payout_that_cannot_be_itemised_yet_is_not_asked_for(
    ctx: Any, stripe: Any, payout: dict[str, Any]
) -> None:
    assert await read(ctx, Stripe.streams["payout_transactions"], Window(parent=payout)) == []
    assert stripe.control.get("/_simulator/stats").json()["total"] == 0


def test_the_list_of_a_payout_outranks_the_plain_list() -> None:
    streams = Stripe.streams
    assert streams["payout_transactions"].authority > streams["balance_transactions"].authority
    assert streams["payout_transactions"].targets == streams["balance_transactions"].targets


@pytest.mark.parametrize("name", [name for name, stream in Stripe.streams.items() if stream.fetch_one])
async def test_one_record_can_be_fetched_as_its_list_shows_it(ctx: Any, stripe: Any, name: str) -> None:
    fetch = Stripe.streams[name].fetch_one
    assert fetch is not None
    (listed, *_) = stripe.get(f"/v1/{name}", limit=1)["data"]
    before = utc_now()
    raw = await fetch(Stripe(), ctx, listed["id"])
    assert raw is not None
    assert (raw.source_id, raw.payload, raw.stream, raw.deleted) == (listed["id"], listed, None, False)
    assert raw.observed_at is not None
    assert before <= raw.observed_at <= utc_now()
    assert await fetch(Stripe(), ctx, "zz_gone") is None


async def test_a_deleted_customer_is_fetched_as_deleted(fresh_stripe: Any, connect: Any) -> None:
    customer = fresh_stripe.get("/v1/customers", limit=1)["data"][0]["id"]
    fresh_stripe.change(customer, "deleted")
    fetch = Stripe.streams["customers"].fetch_one
    assert fetch is not None
    async with connect(fresh_stripe.base_url) as ctx:
        raw = await fetch(Stripe(), ctx, customer)
    assert raw is not None
    assert raw.deleted


async def test_an_answer_about_another_object_is_malformed(serve: Any, connect: Any) -> None:
    async def answer(_: Request) -> JSONResponse:
        return JSONResponse({"id": "ch_other", "object": "charge"})

    fetch = Stripe.streams["charges"].fetch_one
    assert fetch is not None
    with serve(Starlette(routes=[Route("/v1/charges/{id}", answer)])) as base_url:
        async with connect(base_url) as ctx:
            with pytest.raises(SourceMalformed):
                await fetch(Stripe(), ctx, "ch_1")


async def test_the_account_begins_when_it_was_created(ctx: Any, stripe: Any) -> None:
    began = await Stripe().earliest(ctx)
    assert began is not None
    assert int(began.timestamp()) == stripe.get("/v1/account")["created"]
    sliced = [name for name, each in Stripe.streams.items() if getattr(each.cursor, "slices", 1) > 1]
    for name in sliced:
        assert stripe.get(f"/v1/{name}", **{"created[lt]": int(began.timestamp())})["data"] == []


@pytest.mark.parametrize("path", ["/v1/charges", "/v1/payment_intents", "/v1/balance_transactions", "/v1/customers"])
async def test_an_account_with_something_older_than_itself_has_no_known_beginning(
    serve: Any, connect: Any, path: str
) -> None:
    async def listed(request: Request) -> JSONResponse:
        assert request.query_params["created[lt]"] == "1000"
        if request.url.path == "/v1/customers" != path:
            return JSONResponse({"error": {"message": "no", "type": "invalid_request_error"}}, status_code=403)
        data = [{"id": "older"}] if request.url.path == path else []
        return JSONResponse({"data": data, "has_more": False})

    async def account(_: Request) -> JSONResponse:
        return JSONResponse({"id": "acct_1", "created": 1000})

    with serve(Starlette(routes=[Route("/v1/account", account), Route("/v1/{name}", listed)])) as base_url:
        async with connect(base_url) as ctx:
            assert await Stripe().earliest(ctx) is None


async def test_an_account_that_does_not_say_when_it_began_has_no_known_beginning(serve: Any, connect: Any) -> None:
    async def account(_: Request) -> JSONResponse:
        return JSONResponse({"id": "acct_1"})

    with serve(Starlette(routes=[Route("/v1/account", account)])) as base_url:
        async with connect(base_url) as ctx:
            assert await Stripe().earliest(ctx) is None


@pytest.mark.parametrize(
    ("key", "address", "limits"),
    [
        ("live", "https://api.stripe.com", RateLimit(rps=80, concurrency=8)),
        ("restricted", "https://api.stripe.com", RateLimit(rps=80, concurrency=8)),
        ("sandbox", "https://api.stripe.com", RateLimit(rps=25, concurrency=4)),
        ("live", "http://127.0.0.1:9", RateLimit(rps=25, concurrency=4)),
    ],
)
def test_a_live_key_may_ask_more_often(key: str, address: str, limits: RateLimit) -> None:
    settings = StripeSettings.model_validate({"api_key": KEYS[key], "api_base": address})
    assert Stripe().limits_for(settings) == limits


async def test_a_restricted_key_is_told_which_permission_it_lacks(stripe: Any, connect: Any) -> None:
    async with connect(stripe.base_url, "rk_test_account_charges") as ctx:
        assert (await Stripe().check(ctx)).livemode is False
        assert await read(ctx, Stripe.streams["charges"], Window())
        with pytest.raises(SourceForbidden, match="rak_payout_read"):
            await read(ctx, Stripe.streams["payouts"], Window())


@pytest.mark.parametrize(
    ("key", "message"), [("sk_test_wrong", "Invalid API Key"), ("sk_test_old_expired", "Expired API Key")]
)
async def test_a_refused_key_is_unauthorized(stripe: Any, connect: Any, key: str, message: str) -> None:
    async with connect(stripe.base_url, key) as ctx:
        with pytest.raises(SourceUnauthorized, match=message) as caught:
            await Stripe().check(ctx)
    assert key not in caught.value.detail


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"kind": "status_403"}, SourceForbidden, "does not have the required permissions"),
        ({"kind": "status_429"}, SourceRateLimited, "rate_limit, global-rate"),
        ({"kind": "status_429", "reason": "endpoint-concurrency"}, SourceRateLimited, "endpoint-concurrency"),
        ({"kind": "status_429", "reason": "lock_timeout"}, SourceRateLimited, "lock_timeout"),
        ({"kind": "status_500"}, SourceUnavailable, "unknown error"),
        ({"kind": "cut_page"}, SourceMalformed, "broke off"),
        ({"kind": "wrong_length"}, SourceMalformed, "broke off"),
        ({"kind": "malformed"}, SourceMalformed, "no JSON"),
        ({"kind": "truncated"}, SourceMalformed, "no JSON"),
        ({"kind": "html"}, SourceMalformed, "no JSON"),
    ],
)
async def test_a_fault_of_the_source_has_its_own_error(
    ctx: Any, stripe: Any, fault: dict[str, Any], error: type[Exception], words: str
) -> None:
    stripe.break_with(**fault)
    with pytest.raises(error, match=words):
        await read(ctx, Stripe.streams["charges"], Window())


async def test_an_object_lock_is_waited_out(stripe: Any, connect: Any) -> None:
    charge = stripe.get("/v1/charges", limit=1)["data"][0]["id"]
    stripe.break_with(match="/v1/charges/", kind="status_429", reason="lock_timeout", times=2)
    fetch = Stripe.streams["charges"].fetch_one
    assert fetch is not None
    async with connect(stripe.base_url, retry=RetryPolicy(base_s=0.01)) as ctx:
        raw = await fetch(Stripe(), ctx, charge)
    assert raw is not None
    assert stripe.control.get("/_simulator/stats").json()["statuses"] == {"200": 2, "429": 2}


async def test_a_vanished_resume_point_is_an_invalid_request(ctx: Any) -> None:
    with pytest.raises(SourceInvalid, match=r"No such charge.*resource_missing, starting_after"):
        await read(ctx, Stripe.streams["charges"], Window(resume="ch_gone"))


@pytest.mark.parametrize("body", [{}, {"data": {}, "has_more": False}, {"data": []}, {"data": [], "has_more": True}])
async def test_an_answer_that_is_no_list_is_malformed(serve: Any, connect: Any, body: dict[str, Any]) -> None:
    async def answer(_: Request) -> JSONResponse:
        return JSONResponse(body)

    with serve(Starlette(routes=[Route("/v1/charges", answer)])) as base_url:
        async with connect(base_url) as ctx:
            with pytest.raises(SourceMalformed):
                await read(ctx, Stripe.streams["charges"], Window())


@pytest.mark.parametrize("body", [None, "<html>", {"error": "text"}, {"message": "no"}])
def test_an_error_in_no_shape_of_stripes_is_left_to_its_status(body: Any) -> None:
    assert Stripe().classify(502, body, {}) is None
    assert Stripe().classify(400, body, {}) is None


def test_key_and_webhook_secret_are_the_secrets_and_the_address_has_a_default() -> None:
    settings = StripeSettings.model_validate({"api_key": "sk_live_x"})
    assert StripeSettings.secret_fields() == {"api_key", "webhook_secret"}
    assert Stripe().base_url_for(settings) == "https://api.stripe.com"
    assert "sk_live_x" not in repr(settings)


@pytest.mark.parametrize(
    "address", ["api.stripe.com", "ftp://api.stripe.com", "https://api.stripe.com/v1", "https://a b"]
)
def test_an_address_that_is_no_origin_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="api_base"):
        StripeSettings.model_validate({"api_key": "sk_live_x", "api_base": address})
