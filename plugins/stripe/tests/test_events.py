"""The connector learns from events what changed: the newest state, dated right, and fetched where a payload cannot be believed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from counterfoil.sdk import Raw, SourceRateLimited, TimeCursor, Window, from_unix, utc_now
from counterfoil_stripe.connector import Stripe
from counterfoil_stripe.reading import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

NOW = 1_795_000_000
OLD = NOW - 90 * 86_400
CURSOR = Stripe.streams["events"].cursor


async def told(ctx: Any, window: Window | None = None) -> list[Raw]:
    pages = Stripe.streams["events"].pages(Stripe(), ctx, window or Window())
    return [raw async for page in pages for raw in page.records]


def charge(charge_id: str = "ch_1", *, created: int = OLD, **fields: Any) -> dict[str, Any]:
    return {"id": charge_id, "object": "charge", "created": created, "amount_refunded": 0, **fields}


def event(subject: dict[str, Any], *, at: int = NOW, kind: str = "charge.updated", **fields: Any) -> dict[str, Any]:
    number = f"{at}{abs(hash((subject['id'], kind, str(subject))))}"
    common = {"object": "event", "api_version": API_VERSION, "created": at, "type": kind, "data": {"object": subject}}
    return {"id": f"evt_{number}", **common, **fields}


class Vendor:
    """A Stripe that answers with these events, page by page, and has these objects."""

    def __init__(self, events: Sequence[dict[str, Any]], *, page: int = 100, **objects: dict[str, Any]) -> None:
        self.events = list(events)
        self.page = page
        self.objects = objects
        self.fetched: list[str] = []
        self.status = 404

    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/v1/events", self.list), Route("/v1/{resource}/{id}", self.get)],
        )

    async def list(self, request: Request) -> JSONResponse:
        after = request.query_params.get("starting_after")
        start = next((at + 1 for at, each in enumerate(self.events) if each["id"] == after), 0)
        data = self.events[start : start + self.page]
        return JSONResponse({"object": "list", "data": data, "has_more": start + self.page < len(self.events)})

    async def get(self, request: Request) -> JSONResponse:
        wanted = request.path_params["id"]
        self.fetched.append(wanted)
        if wanted in self.objects:
            return JSONResponse(self.objects[wanted])
        error = {"code": "resource_missing", "message": f"No such object: '{wanted}'", "type": "invalid_request_error"}
        return JSONResponse({"error": error}, status_code=self.status)


@pytest.fixture
def read(serve: Any, connect: Any) -> Callable[..., Any]:
    async def read(vendor: Vendor) -> list[Raw]:
        with serve(vendor.app()) as base_url:
            async with connect(base_url) as ctx:
                return await told(ctx)

    return read


def test_events_are_read_late_again_and_in_time() -> None:
    assert isinstance(CURSOR, TimeCursor)
    assert (CURSOR.lag_delta, CURSOR.lookback_delta, CURSOR.horizon_delta) == (
        timedelta(seconds=60),
        timedelta(minutes=5),
        timedelta(days=30),
    )


async def test_an_event_is_a_record_of_its_objects_stream_dated_when_it_happened(read: Any) -> None:
    (raw,) = await read(Vendor([event(charge(amount_refunded=5))]))
    assert (raw.stream, raw.source_id, raw.payload["amount_refunded"], raw.deleted) == ("charges", "ch_1", 5, False)
    # Stripe rounds down to the second: the state is that of its end.
    assert raw.observed_at == from_unix(NOW + 1)


async def test_of_several_events_the_newest_counts(read: Any) -> None:
    vendor = Vendor([event(charge(amount_refunded=9), at=NOW), event(charge(amount_refunded=5), at=NOW - 1)])
    assert [raw.payload["amount_refunded"] for raw in await read(vendor)] == [9]
    assert vendor.fetched == []


async def test_a_duplicate_of_an_event_changes_nothing(read: Any) -> None:
    same = event(charge(amount_refunded=9))
    assert len(await read(Vendor([same, same]))) == 1


async def test_an_older_event_on_a_later_page_is_dated_older(read: Any) -> None:
    vendor = Vendor([event(charge(amount_refunded=9), at=NOW), event(charge(amount_refunded=5), at=NOW - 7)], page=1)
    newest, older = await read(vendor)
    assert (newest.observed_at, older.observed_at) == (from_unix(NOW + 1), from_unix(NOW - 6))


async def test_two_states_in_one_second_are_settled_by_the_object_itself(read: Any) -> None:
    vendor = Vendor(
        [event(charge(amount_refunded=5)), event(charge(amount_refunded=9), kind="charge.refunded")],
        ch_1=charge(amount_refunded=9),
    )
    before = utc_now()
    (raw,) = await read(vendor)
    assert (raw.payload["amount_refunded"], vendor.fetched) == (9, ["ch_1"])
    assert before <= raw.observed_at <= utc_now()


async def test_a_second_that_goes_on_over_the_page_is_told_once(read: Any) -> None:
    vendor = Vendor(
        [event(charge(amount_refunded=9)), event(charge(amount_refunded=5), kind="charge.refunded")], page=1
    )
    assert [raw.payload["amount_refunded"] for raw in await read(vendor)] == [9]


async def test_a_payload_of_another_version_is_not_believed(read: Any) -> None:
    old = event(charge(amount_refunded=1), api_version="2019-02-19")
    vendor = Vendor([old], ch_1=charge(amount_refunded=9))
    (raw,) = await read(vendor)
    assert (raw.stream, raw.payload["amount_refunded"], vendor.fetched) == ("charges", 9, ["ch_1"])
    assert raw.observed_at > from_unix(0)


async def test_an_object_is_fetched_once_however_many_pages_tell_of_it(read: Any) -> None:
    events = [event(charge(n=at), at=NOW - at, api_version=None) for at in range(6)]
    vendor = Vendor(events, page=2, ch_1=charge(amount_refunded=9))
    assert len(await read(vendor)) == 1
    assert vendor.fetched == ["ch_1"]


async def test_a_young_object_is_left_to_its_list(read: Any) -> None:
    lookback = Stripe.streams["charges"].cursor
    assert isinstance(lookback, TimeCursor)
    edge = NOW - int(lookback.lookback_delta.total_seconds())
    young = event(charge("ch_young", created=edge + 1), api_version="2019-02-19")
    old = event(charge("ch_old", created=edge), api_version="2019-02-19")
    vendor = Vendor([young, old], ch_old=charge("ch_old"), ch_young=charge("ch_young"))
    assert [raw.source_id for raw in await read(vendor)] == ["ch_old"]
    assert vendor.fetched == ["ch_old"]


async def test_an_object_dated_after_its_event_is_not_left_to_its_list(read: Any) -> None:
    vendor = Vendor([event(charge(created=NOW + 86_400), api_version="2019-02-19")], ch_1=charge())
    assert [raw.source_id for raw in await read(vendor)] == ["ch_1"]


@pytest.mark.parametrize("version", [API_VERSION, "2019-02-19"])
async def test_a_deletion_is_one_in_every_version_and_last_in_its_second(read: Any, version: str) -> None:
    customer = {"id": "cus_1", "object": "customer", "created": NOW - 5}
    vendor = Vendor(
        [
            event({**customer, "name": "x"}, kind="customer.updated", api_version=version),
            event(customer, kind="customer.deleted", api_version=version),
        ]
    )
    (raw,) = await read(vendor)
    assert (raw.stream, raw.source_id, raw.deleted, raw.observed_at) == ("customers", "cus_1", True, from_unix(NOW + 1))
    assert vendor.fetched == []


async def test_what_is_gone_when_it_is_fetched_is_deleted(read: Any) -> None:
    invoice = {"id": "in_1", "object": "invoice", "date": OLD}
    (raw,) = await read(Vendor([event(invoice, kind="invoice.updated", api_version="2019-02-19")]))
    assert (raw.stream, raw.source_id, raw.deleted) == ("invoices", "in_1", True)


async def test_a_customer_that_is_a_stub_when_it_is_fetched_is_deleted(read: Any) -> None:
    stub = {"id": "cus_1", "object": "customer", "deleted": True}
    customer = {"id": "cus_1", "object": "customer", "created": OLD}
    vendor = Vendor([event(customer, kind="customer.updated", api_version="2019-02-19")], cus_1=stub)
    assert [raw.deleted for raw in await read(vendor)] == [True]


@pytest.mark.parametrize(
    "ignored",
    [
        event({"id": "sub_1", "object": "subscription"}, kind="customer.subscription.deleted"),
        event({"id": "x", "object": "balance"}, kind="balance.available"),
        event({"id": "in_u", "object": "invoice"}, kind="invoice.upcoming"),
        event({"id": "zz_1", "object": "a_thing_of_tomorrow"}, kind="thing.created"),
        event(charge(), account="acct_of_another"),
        event({"id": "../account", "object": "charge"}),
    ],
)
async def test_what_is_not_kept_is_ignored(read: Any, ignored: dict[str, Any]) -> None:
    vendor = Vendor([ignored])
    assert await read(vendor) == []
    assert vendor.fetched == []


async def test_what_the_key_may_not_read_is_left_to_its_own_streams_refusal(read: Any) -> None:
    dispute = {"id": "du_1", "object": "dispute", "created": OLD}
    vendor = Vendor(
        [
            event(dispute, kind="charge.dispute.closed", api_version="2019-02-19"),
            event(charge(), at=NOW - 1),
        ]
    )
    vendor.status = 403
    assert [raw.source_id for raw in await read(vendor)] == ["ch_1"]


async def test_a_fetch_that_fails_fails_the_page(read: Any) -> None:
    vendor = Vendor([event(charge(f"ch_{n}"), api_version="2019-02-19") for n in range(9)])
    vendor.status = 429
    with pytest.raises(SourceRateLimited):
        await read(vendor)


async def test_a_resume_point_that_aged_out_is_the_end(fresh_stripe: Any, connect: Any) -> None:
    oldest = fresh_stripe.get("/v1/events", limit=1)["data"][0]["id"]
    fresh_stripe.control.post("/_simulator/clock", json={"advance_s": 31 * 86_400}).raise_for_status()
    async with connect(fresh_stripe.base_url) as ctx:
        assert await told(ctx, Window(resume=oldest)) == []


async def test_every_change_of_an_old_object_is_learnt(fresh_stripe: Any, connect: Any) -> None:
    """Against the simulator: a fifth of its events are of an older version."""
    since = datetime.fromtimestamp(int(fresh_stripe.world.as_of.timestamp()) + 1, UTC)
    charges = fresh_stripe.get("/v1/charges", limit=100, **{"created[lt]": int(since.timestamp()) - 20 * 86_400})
    changing = [each["id"] for each in charges["data"] if each["captured"] and not each["refunded"]][:12]
    for charge_id in changing:
        fresh_stripe.change(charge_id, "refunded")
    payout = fresh_stripe.get("/v1/payouts", status="in_transit", limit=1)["data"][0]["id"]
    fresh_stripe.change(payout, "failed")
    customer = fresh_stripe.get("/v1/customers", limit=1)["data"][0]["id"]
    fresh_stripe.change(customer, "deleted")
    async with connect(fresh_stripe.base_url) as ctx:
        found = await told(ctx, Window(since=since, until=utc_now() + timedelta(days=30)))
    latest = {raw.source_id: raw for raw in sorted(found, key=lambda raw: raw.observed_at or utc_now())}
    assert {charge_id for charge_id in changing if latest[charge_id].payload["refunded"]} == set(changing)
    assert latest[customer].deleted
    # A payout as young as this one is shown again by its own list, so an event of an older version may leave it out.
    assert payout not in latest or latest[payout].payload["status"] == "failed"
    for charge_id in changing:
        assert latest[charge_id].payload == fresh_stripe.get(f"/v1/charges/{charge_id}")


async def test_a_payload_from_an_event_is_the_one_its_list_shows(ctx: Any, stripe: Any) -> None:
    """Otherwise every sync would find the same objects changed."""
    listed = {each["id"]: each for each in stripe.get("/v1/refunds", limit=100)["data"]}
    found = [raw for raw in await told(ctx) if raw.stream == "refunds" and raw.source_id in listed]
    assert found
    assert all(raw.payload == listed[raw.source_id] for raw in found)


async def test_reading_events_keeps_to_the_clock_of_the_request(ctx: Any, stripe: Any) -> None:
    (charge_id,) = [each["id"] for each in stripe.get("/v1/charges", limit=1)["data"]]
    fetch = Stripe.streams["charges"].fetch_one
    assert fetch is not None
    stripe.break_with(kind="slow", delay_s=0.3, times=1)
    before, began = utc_now(), time.monotonic()
    raw = await fetch(Stripe(), ctx, charge_id)
    assert raw is not None
    assert raw.observed_at is not None
    assert time.monotonic() - began >= 0.3
    assert raw.observed_at - before < timedelta(seconds=0.2)
