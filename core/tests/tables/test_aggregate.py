"""Aggregates over HTTP: exact figures, currencies apart, buckets in the right zone, and filters that lead to the rows."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.commerce.models import PaymentRecord, PayoutLineRecord, PayoutRecord
from counterfoil.tables.aggregates import read_aggregate
from counterfoil.tables.definitions import PAYMENTS
from counterfoil.tables.errors import InvalidAggregate
from counterfoil.tables.schemas import AggregateOut

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


async def ask(client: httpx2.AsyncClient, table: str = "payments", **params: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/tables/{table}/aggregate", params=params)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    AggregateOut.model_validate(content)
    return content


async def test_without_anything_asked_the_rows_are_counted(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(signed_in.tenant_id, PaymentRecord, {}, {}, {"deleted_at": NOON})
    content = await ask(signed_in.client)
    assert content["items"] == [{"group": {}, "values": {"count": 2}, "filters": []}]
    assert content["truncated"] is False


async def test_amounts_are_exact_and_never_added_across_currencies(signed_in: Any, insert_rows: Any) -> None:
    tenths = [{"amount": Decimal("0.1"), "status": "succeeded"} for _ in range(30)]
    await insert_rows(
        signed_in.tenant_id,
        PaymentRecord,
        *tenths,
        {"amount": Decimal("999999999999.999999"), "status": "succeeded"},
        {"amount": Decimal(1500), "currency": "JPY", "status": "succeeded"},
        {"amount": Decimal(7), "currency": "JPY", "status": "failed"},
    )
    content = await ask(signed_in.client, group="status", measure=["sum:amount", "count"], sort="currency")
    assert [group["name"] for group in content["groups"]] == ["status", "currency"]
    assert [group["added"] for group in content["groups"]] == [False, True]
    assert [(item["group"]["status"], item["group"]["currency"], item["values"]) for item in content["items"]] == [
        ("failed", "JPY", {"sum_amount": "7", "count": 1}),
        ("succeeded", "JPY", {"sum_amount": "1500", "count": 1}),
        ("succeeded", "USD", {"sum_amount": "1000000000002.999999", "count": 31}),
    ]
    grouped = await ask(signed_in.client, group="currency", measure="sum:amount")
    assert [group["added"] for group in grouped["groups"]] == [False]


async def test_every_measure_and_its_type(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PayoutLineRecord,
        {"gross": Decimal(1), "exchange_rate": Decimal("1.25"), "available_on": date(2026, 11, 3)},
        {"gross": Decimal(1), "exchange_rate": None, "available_on": date(2026, 11, 5)},
        {"gross": Decimal(2), "exchange_rate": Decimal("1.5")},
    )
    measures = ["avg:gross", "min:available_on", "max:available_on", "sum:exchange_rate", "count_distinct:gross"]
    (item,) = (await ask(signed_in.client, "payout_lines", measure=measures))["items"]
    assert item["group"] == {"currency": "USD"}
    assert item["values"] == {
        "avg_gross": "1.333333",
        "min_available_on": "2026-11-03",
        "max_available_on": "2026-11-05",
        "sum_exchange_rate": "2.75",
        "count_distinct_gross": 2,
    }


@pytest.mark.parametrize(
    ("bucket", "zone", "starts"),
    [
        ("day", "UTC", ["2026-03-28T00:00:00Z", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"]),
        ("day", "Europe/Berlin", ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]),
        ("hour", "Asia/Kolkata", ["2026-03-28T23:30:00Z", "2026-03-29T21:30:00Z", "2026-03-29T22:30:00Z"]),
        ("week", "America/New_York", ["2026-03-23T04:00:00Z"]),
        ("quarter", "UTC", ["2026-01-01T00:00:00Z"]),
    ],
)
async def test_buckets_begin_at_midnight_of_the_zone(
    signed_in: Any, insert_rows: Any, bucket: str, zone: str, starts: list[str]
) -> None:
    times = ["2026-03-28T23:45:00Z", "2026-03-29T21:59:00Z", "2026-03-29T22:30:00Z", "2026-03-30T00:30:00Z"]
    if (bucket, zone) != ("day", "UTC"):
        times = times[:3]
    await insert_rows(
        signed_in.tenant_id, PaymentRecord, *({"source_created_at": datetime.fromisoformat(each)} for each in times)
    )
    content = await ask(signed_in.client, group=f"source_created_at:{bucket}", timezone=zone)
    assert [item["group"]["source_created_at"] for item in content["items"]] == starts
    assert content["timezone"] == zone
    assert sum(item["values"]["count"] for item in content["items"]) == len(times)


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("Europe/Berlin", datetime(2026, 10, 24, 20, tzinfo=UTC)),
        ("America/Sao_Paulo", datetime(2018, 11, 3, 20, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 29, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 0, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("bucket", ["hour", "day", "month"])
async def test_a_groups_filters_list_its_rows_also_where_clocks_change(
    signed_in: Any, insert_rows: Any, zone: str, around: datetime, bucket: str
) -> None:
    times = [around + timedelta(minutes=20 * step) for step in range(150)]
    await insert_rows(signed_in.tenant_id, PaymentRecord, *({"source_created_at": each} for each in times))
    content = await ask(signed_in.client, group=f"source_created_at:{bucket}", timezone=zone)
    assert sum(item["values"]["count"] for item in content["items"]) == len(times)
    if bucket == "day":
        local = {each.astimezone(ZoneInfo(zone)).date() for each in times}
        assert len(content["items"]) == len(local)
    for item in content["items"]:
        page = await signed_in.client.get(
            "/api/v1/tables/payments", params={"filter": item["filters"], "count": True, "limit": 1}
        )
        assert page.json()["total"] == item["values"]["count"], item


async def test_filters_lead_to_rows_for_every_kind_of_group(signed_in: Any, insert_rows: Any) -> None:
    order = UUID("0192f0c1-2345-7abc-8def-0123456789ab")
    await insert_rows(
        signed_in.tenant_id,
        PaymentRecord,
        {"method": 'card, "gold":\'', "order_id": order, "status": "succeeded"},
        {"method": None, "order_id": None, "status": "succeeded"},
        {"method": "", "status": "pending"},
        {"method": "card", "status": "unheard_of"},
        {"method": "x" * 5000, "status": "pending"},
    )
    content = await ask(signed_in.client, group=["method", "order_id", "status"], filter="amount:gte:1")
    by_status = defaultdict(list)
    for item in content["items"]:
        by_status[item["group"]["status"]].append(item)
        if item["filters"] is not None:
            page = await signed_in.client.get("/api/v1/tables/payments", params={"filter": item["filters"]})
            assert len(page.json()["items"]) == item["values"]["count"] == 1
            assert item["filters"][0] == "amount:gte:1"
    # A status the vendor invented and a text longer than a filter are counted, but no filter lists them.
    assert by_status["unheard_of"][0]["filters"] is None
    assert [item["filters"] is None for item in by_status["pending"]].count(True) == 1


async def test_dates_are_grouped_without_a_zone(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PayoutRecord,
        {"arrival_date": date(2026, 1, 31)},
        {"arrival_date": date(2026, 2, 1)},
        {"arrival_date": None},
    )
    content = await ask(signed_in.client, "payouts", group="arrival_date:month", timezone="Pacific/Kiritimati")
    assert [(item["group"]["arrival_date"], item["filters"]) for item in content["items"]] == [
        ("2026-01-01", ["arrival_date:gte:2026-01-01", "arrival_date:lt:2026-02-01"]),
        ("2026-02-01", ["arrival_date:gte:2026-02-01", "arrival_date:lt:2026-03-01"]),
        (None, ["arrival_date:is_null:true"]),
    ]


async def test_the_tenants_own_zone_holds_unless_another_is_named(
    signed_in: Any, insert_rows: Any, admin: "asyncpg.Connection[Any]"
) -> None:
    await admin.execute("UPDATE core.tenants SET timezone = 'Asia/Tokyo' WHERE id = $1", signed_in.tenant_id)
    await insert_rows(signed_in.tenant_id, PaymentRecord, {})
    content = await ask(signed_in.client, group="source_created_at:day")
    assert content["timezone"] == "Asia/Tokyo"
    assert content["items"][0]["group"]["source_created_at"] == "2026-10-31T15:00:00Z"


async def test_more_groups_than_the_limit_are_cut_and_said_so(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PaymentRecord,
        *({"customer_ref": f"c{n % 4}", "amount": Decimal(n % 4)} for n in range(12)),
    )
    content = await ask(signed_in.client, group="customer_ref", measure="sum:amount", limit=3)
    assert [item["values"]["sum_amount"] for item in content["items"]] == ["9.00", "6.00", "3.00"]
    assert content["truncated"] is True
    assert (await ask(signed_in.client, group="customer_ref", limit=4))["truncated"] is False


async def test_another_tenants_rows_are_in_no_figure(signed_in: Any, other_tenant: UUID, insert_rows: Any) -> None:
    await insert_rows(other_tenant, PaymentRecord, {"amount": Decimal(5)})
    await insert_rows(signed_in.tenant_id, PaymentRecord, {"amount": Decimal(1)})
    content = await ask(signed_in.client, measure=["sum:amount", "count"])
    assert [item["values"] for item in content["items"]] == [{"sum_amount": "1.00", "count": 1}]


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"group": "amount"}, "cannot be grouped"),
        ({"group": "nope"}, "cannot be grouped"),
        ({"group": "source_created_at"}, "hour, day"),
        ({"group": "source_created_at:decade"}, "hour, day"),
        ({"group": "status:month"}, "has no time buckets"),
        ({"group": ["status", "status"]}, "twice"),
        ({"group": ["status", "method", "gateway", "currency"]}, "At most 3"),
        ({"measure": "sum:status"}, "does not fit"),
        ({"measure": "median:amount"}, "A measure is"),
        ({"measure": ["count", "count"]}, "twice"),
        ({"group": "status", "sort": "amount"}, "sorted by one of"),
        ({"timezone": "+02:00"}, "IANA"),
        ({"timezone": "Europe/Atlantis"}, "no such time zone"),
        ({"timezone": "x'; SELECT 1"}, "IANA"),
    ],
)
async def test_a_wrong_aggregate_is_a_problem_that_says_what_would_be_right(
    signed_in: Any, params: dict[str, Any], says: str
) -> None:
    params = {"group": "source_created_at:day", **params} if "Atlantis" in str(params) else params
    answer = await signed_in.client.get("/api/v1/tables/payments/aggregate", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_aggregate")
    assert says in answer.json()["detail"]


async def test_a_table_nobody_may_see_has_no_figures(signed_in: Any) -> None:
    assert (await signed_in.client.get("/api/v1/tables/tenants/aggregate")).status_code == 404


@given(group=st.text(max_size=40), measure=st.text(max_size=40), sort=st.text(max_size=20), zone=st.text(max_size=80))
def test_whatever_is_asked_is_an_aggregate_or_an_invalid_one(group: str, measure: str, sort: str, zone: str) -> None:
    for asked in ({"groups": [group]}, {"measures": [measure]}, {"sort": sort}, {"timezone": zone}):
        try:
            query = read_aggregate(PAYMENTS, limit=10, **asked)
        except InvalidAggregate:
            continue
        currency = {measure.column.currency_column for measure in query.measures if measure.column}
        assert currency - {None} <= {group.name for group in query.groups}
