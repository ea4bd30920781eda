"""The table explorer over HTTP, as the owner of one tenant among several."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from counterfoil.commerce.models import PaymentRecord, PayoutLineRecord, PayoutRecord
from counterfoil.connections.models import Connection
from counterfoil.db import Database
from counterfoil.ingest.models import RawRecord, StreamRun
from counterfoil.jobs.models import Job
from counterfoil.kit.ids import new_id
from counterfoil.tables.definitions import CORE_TABLES
from counterfoil.tables.schemas import RowDetail, RowPage, TableList

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
HOSTILE = [
    "'; DROP TABLE core.payments; --",
    "x' OR '1'='1",
    "\\'; SELECT pg_sleep(10); --",
    "$1",
    "%(amount)s :amount {amount}",
    "100%",
    "a_b",
    '"; --',
    "' || current_setting('app.current_tenant_id') || '",
    "\ufeff\u202e\u0001\U0001f4b8",
]


async def get(client: httpx2.AsyncClient, path: str, **params: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/tables{path}", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    content: dict[str, Any] = answer.json()
    return content


async def problem(
    client: httpx2.AsyncClient, path: str, params: dict[str, Any] | None = None, *, status: int = 422
) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/tables{path}", params=params)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = answer.json()
    return content


async def amounts(client: httpx2.AsyncClient, *filters: str, sort: str = "amount") -> list[str]:
    page = await get(client, "/payments", filter=list(filters), sort=sort)
    return [item["amount"] for item in page["items"]]


async def test_the_tables_are_listed_with_columns_and_counts(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(signed_in.tenant_id, PaymentRecord, {}, {}, {"deleted_at": NOON})
    content = await get(signed_in.client, "")
    tables = {table["name"]: table for table in content["items"]}
    assert list(tables) == [table.name for table in CORE_TABLES]
    assert {name: table["row_count_estimate"] for name, table in tables.items() if table["row_count_estimate"]} == {
        "payments": 2
    }
    columns = {column["name"]: column for column in tables["payments"]["columns"]}
    assert columns["amount"] == {
        "name": "amount",
        "title": "Amount",
        "type": "money",
        "filterable": True,
        "sortable": True,
        "indexed": True,
        "ops": ["eq", "ne", "in", "gt", "gte", "lt", "lte", "is_null"],
        "groupable": False,
        "buckets": [],
        "unit": "currency",
        "hidden_by_default": False,
        "currency_column": "currency",
    }
    assert columns["source_created_at"]["buckets"] == ["hour", "day", "week", "month", "quarter", "year"]
    assert (columns["source_created_at"]["unit"], columns["synced_at"]["indexed"]) == ("UTC", False)
    assert columns["observed_at"]["description"] == "When the vendor was asked"
    assert columns["status"]["enum"] == ["pending", "authorized", "succeeded", "failed", "canceled"]
    assert tables["payments"]["default_sort"] == "-source_created_at"
    TableList.model_validate(content)


async def test_a_row_is_written_as_the_contract_says(signed_in: Any, insert_rows: Any) -> None:
    payout, payment = new_id(), new_id()
    (line,) = await insert_rows(
        signed_in.tenant_id,
        PayoutLineRecord,
        {
            "source_created_at": datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC),
            "gross": Decimal("10.5"),
            "fee": Decimal("0.125"),
            "net": Decimal("10.375"),
            "available_on": date(2026, 11, 3),
            "exchange_rate": Decimal("1.08300"),
            "payout_id": payout,
            "payment_id": payment,
        },
    )
    content = await get(signed_in.client, "/payout_lines")
    (row,) = content["items"]
    assert row["id"] == str(line)
    assert row["source_created_at"] == "2026-11-01T12:00:00.250000Z"
    assert row["synced_at"] == "2026-11-01T12:00:00Z"
    assert (row["gross"], row["fee"], row["net"]) == ("10.50", "0.125", "10.375")
    assert row["available_on"] == "2026-11-03"
    assert row["exchange_rate"] == "1.083"
    assert (row["payout_id"], row["payment_id"], row["refund_id"]) == (str(payout), str(payment), None)
    assert "total" not in content
    assert content["next_cursor"] is None
    RowPage.model_validate(content)


async def test_an_amount_has_the_places_of_its_currency(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PayoutRecord,
        {"amount": Decimal(1500), "currency": "JPY", "automatic": True},
        {"amount": Decimal(1), "fee": Decimal("0.05"), "currency": "KWD"},
        {"amount": Decimal("-0.3"), "currency": "USD"},
        {"amount": Decimal("2500000.000001"), "currency": "USDC"},
    )
    items = (await get(signed_in.client, "/payouts", sort="currency"))["items"]
    assert [(row["currency"], row["amount"], row["fee"]) for row in items] == [
        ("JPY", "1500", None),
        ("KWD", "1.000", "0.050"),
        ("USD", "-0.30", None),
        ("USDC", "2500000.000001", None),
    ]
    assert [row["automatic"] for row in items] == [True, None, None, None]


async def test_filters_are_joined_by_and(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PaymentRecord,
        {"amount": Decimal("99.999999"), "status": "succeeded"},
        {"amount": Decimal(100), "status": "succeeded", "method": "card"},
        {"amount": Decimal(250), "status": "failed"},
        {"amount": Decimal(300), "status": "pending", "method": "card"},
    )
    client = signed_in.client
    assert await amounts(client, "amount:gte:100", "status:in:succeeded,failed") == ["100.00", "250.00"]
    assert await amounts(client, "amount:gt:99.9999999") == ["100.00", "250.00", "300.00"]
    assert await amounts(client, "amount:lt:100000000000000000000") == ["99.999999", "100.00", "250.00", "300.00"]
    assert await amounts(client, "method:ne:card") == ["99.999999", "250.00"]
    assert await amounts(client, "method:contains:CAR", sort="-amount") == ["300.00", "100.00"]
    assert await amounts(client, "method:is_null:false", "status:eq:pending") == ["300.00"]
    assert await amounts(client, "source_created_at:lte:2026-11-01T13:00:00+01:00", "amount:eq:250") == ["250.00"]


async def test_deleted_rows_are_shown_only_when_asked_for(signed_in: Any, insert_rows: Any) -> None:
    kept, gone = await insert_rows(
        signed_in.tenant_id, PaymentRecord, {"amount": Decimal(1)}, {"amount": Decimal(2), "deleted_at": NOON}
    )
    assert await amounts(signed_in.client) == ["1.00"]
    assert await amounts(signed_in.client, "deleted_at:is_null:false") == ["2.00"]
    assert await amounts(signed_in.client, "deleted_at:ne:2026-12-01T00:00:00Z") == ["1.00", "2.00"]
    assert (await get(signed_in.client, "/payments", count=True))["total"] == 1
    assert kept != gone


async def test_pages_follow_each_other_and_the_total_counts_them_all(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(signed_in.tenant_id, PaymentRecord, *({"amount": Decimal(n % 3)} for n in range(7)))
    seen, cursor = [], None
    while True:
        asked = {"limit": 3, "sort": "-amount", "count": True, "filter": "amount:gte:1"} | (
            {"cursor": cursor} if cursor else {}
        )
        page = await get(signed_in.client, "/payments", **asked)
        assert page["total"] == 4
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [row["amount"] for row in seen] == ["2.00", "2.00", "1.00", "1.00"]
    assert len({row["id"] for row in seen}) == 4


@pytest.mark.parametrize("sort", ["description", "-customer_ref"])
async def test_long_texts_page_on_a_cursor_of_bounded_length(signed_in: Any, insert_rows: Any, sort: str) -> None:
    texts = ["\U0001f4b6\x01" * 5000 + str(n) for n in range(3)]
    ids = await insert_rows(
        signed_in.tenant_id, PaymentRecord, *({"description": text, "customer_ref": text} for text in texts)
    )
    first = await get(signed_in.client, "/payments", sort=sort, limit=2)
    second = await get(signed_in.client, "/payments", sort=sort, limit=2, cursor=first["next_cursor"])
    assert sorted(row["id"] for row in first["items"] + second["items"]) == sorted(str(each) for each in ids)


@pytest.mark.parametrize(
    ("path", "params", "code", "says"),
    [
        ("/payments", {"filter": "amount:gte:lots"}, "invalid_filter", "plain decimal"),
        ("/payments", {"filter": ["amount:gte:1", "nope:eq:1"]}, "invalid_filter", "cannot be filtered by that column"),
        ("/payments", {"filter": "amount:like:1"}, "invalid_filter", "Unknown operator"),
        ("/payments", {"sort": "nope"}, "invalid_sort", "cannot be sorted"),
        ("/payments", {"sort": "amount desc"}, "invalid_sort", "cannot be sorted"),
        ("/payments", {"cursor": "bm90IG91cnM"}, "invalid_cursor", "not one this list handed out"),
        ("/payments", {"limit": 501}, "invalid_input", "not right"),
        ("/payments", {"count": "maybe"}, "invalid_input", "not right"),
        ("/payments/rows/7", {}, "invalid_input", "not right"),
    ],
)
async def test_a_wrong_request_is_a_problem_with_its_own_code(
    signed_in: Any, path: str, params: dict[str, Any], code: str, says: str
) -> None:
    content = await problem(signed_in.client, path, params)
    assert content["code"] == code
    assert says in content["detail"]


async def test_a_cursor_serves_its_own_table_and_sort_only(signed_in: Any, insert_rows: Any) -> None:
    await insert_rows(signed_in.tenant_id, PaymentRecord, {}, {})
    cursor = (await get(signed_in.client, "/payments", limit=1))["next_cursor"]
    await get(signed_in.client, "/payments", limit=1, cursor=cursor, sort="-source_created_at")
    for path, params in (
        ("/payouts", {}),
        ("/payments", {"sort": "source_created_at"}),
        ("/payments", {"sort": "amount"}),
    ):
        content = await problem(signed_in.client, path, {"cursor": cursor, **params})
        assert (content["code"], content["detail"]) == (
            "invalid_cursor",
            "The cursor belongs to another table or another sort.",
        )


@pytest.mark.parametrize(
    "path", ["/tenants", "/core.payments", "/payments%20", "/nothing/rows/0192f0c1-2345-7abc-8def-0123456789ab"]
)
async def test_a_table_nobody_registered_is_not_found(signed_in: Any, path: str) -> None:
    assert (await problem(signed_in.client, path, status=404))["code"] == "not_found"


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_text_is_only_ever_a_value(signed_in: Any, insert_rows: Any, text: str) -> None:
    await insert_rows(
        signed_in.tenant_id, PaymentRecord, {"description": text, "amount": Decimal(1)}, {"description": "plain"}
    )
    quoted = '"' + text.replace('"', '""') + '"'
    for found in (f"description:eq:{text}", f"description:contains:{text}", f"description:in:{quoted}"):
        assert await amounts(signed_in.client, found) == ["1.00"], found
    assert len(await amounts(signed_in.client, f"description:ne:{text}")) == 1
    for column in ("amount", "status", "source_created_at", "order_id"):
        content = await problem(signed_in.client, "/payments", {"filter": f"{column}:eq:{text}"})
        assert content["code"] == "invalid_filter"
        assert text not in content["detail"]
    for params in ({"filter": f"{text}:eq:1"}, {"filter": f"amount:{text}:1"}, {"sort": text}, {"cursor": text}):
        assert (await problem(signed_in.client, "/payments", params))["status"] == 422


@pytest.mark.parametrize("wildcard", ["%", "_", "\\", "/", "5%", "0_"])
async def test_contains_takes_wildcards_for_themselves(signed_in: Any, insert_rows: Any, wildcard: str) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PaymentRecord,
        {"description": f"50{wildcard}!", "amount": Decimal(1)},
        {"description": "50 dollars and 5x"},
    )
    assert await amounts(signed_in.client, f"description:contains:{wildcard}") == ["1.00"]


async def test_another_tenants_rows_do_not_exist(signed_in: Any, other_tenant: UUID, insert_rows: Any) -> None:
    for table in CORE_TABLES:
        (theirs,) = await insert_rows(other_tenant, table.model, {})
        await insert_rows(signed_in.tenant_id, table.model, {})
        page = await get(signed_in.client, f"/{table.name}", count=True)
        assert page["total"] == len(page["items"]) == 1
        assert page["items"][0]["id"] != str(theirs)
        assert (await get(signed_in.client, f"/{table.name}", filter=f"id:eq:{theirs}"))["items"] == []
        refused = await problem(signed_in.client, f"/{table.name}/rows/{theirs}", status=404)
        never_was = await problem(signed_in.client, f"/{table.name}/rows/{new_id()}", status=404)
        assert refused | {"correlation_id": ""} == never_was | {"correlation_id": ""}
    assert [table["row_count_estimate"] for table in (await get(signed_in.client, ""))["items"]] == [1] * len(
        CORE_TABLES
    )


async def synced_payment(database: Database, insert_rows: Any, tenant_id: UUID) -> dict[str, UUID]:
    """A payment with everything that leads to it."""
    ids = {name: new_id() for name in ("connection", "job", "run", "raw")}
    async with database.unit_of_work(tenant_id) as uow:
        for model, values in (
            (
                Connection,
                {
                    "id": ids["connection"],
                    "kind": "stripe",
                    "plugin": "stripe",
                    "label": "Shop",
                    "auth_kind": "api_key",
                    "settings": {},
                },
            ),
            (
                Job,
                {
                    "id": ids["job"],
                    "kind": "core.sync",
                    "title": "Sync",
                    "queue": "sync",
                    "params": {},
                    "max_idle_attempts": 5,
                    "correlation_id": new_id(),
                    "requested_by_kind": "user",
                    "requested_by_label": "Olive",
                },
            ),
            (
                StreamRun,
                {
                    "id": ids["run"],
                    "job_id": ids["job"],
                    "connection_id": ids["connection"],
                    "stream": "charges",
                    "mode": "incremental",
                    "status": "running",
                    "started_at": NOON,
                },
            ),
            (
                RawRecord,
                {
                    "id": ids["raw"],
                    "connection_id": ids["connection"],
                    "stream": "charges",
                    "source_id": "ch_1",
                    "change": 1,
                    "content_hash": bytes.fromhex("00ff10"),
                    "payload": sa.text("""'{"id": "ch_1", "rate": 1.10, "n": 12345678901234567890}'::jsonb"""),
                    "run_id": ids["run"],
                    "observed_at": NOON,
                    "changed_at": NOON,
                },
            ),
        ):
            await uow.session.execute(sa.insert(model).values(tenant_id=tenant_id, **values))
    origin = {"connection_id": ids["connection"], "run_id": ids["run"], "raw_id": ids["raw"]}
    (ids["row"],) = await insert_rows(
        tenant_id, PaymentRecord, {**origin, "dedupe_key": "stripe|acct_1|payment|ch_1", "amount": Decimal(5)}
    )
    return ids


async def test_a_row_opens_with_its_raw_record_and_lineage(
    signed_in: Any, database: Database, insert_rows: Any
) -> None:
    ids = await synced_payment(database, insert_rows, signed_in.tenant_id)
    content = await get(signed_in.client, f"/payments/rows/{ids['row']}")
    assert content["row"] == (await get(signed_in.client, "/payments"))["items"][0]
    assert content["raw"] == {
        "id": str(ids["raw"]),
        "stream": "charges",
        "source_id": "ch_1",
        "payload": {"id": "ch_1", "rate": 1.1, "n": 12345678901234567890},
        "content_hash": "00ff10",
        "observed_at": "2026-11-01T12:00:00Z",
        "changed_at": "2026-11-01T12:00:00Z",
    }
    assert content["lineage"] == {
        "connection": {"id": str(ids["connection"]), "label": "Shop", "kind": "stripe"},
        "run": {
            "id": str(ids["run"]),
            "stream": "charges",
            "mode": "incremental",
            "status": "running",
            "started_at": "2026-11-01T12:00:00Z",
            "finished_at": None,
        },
        "job": {"id": str(ids["job"]), "kind": "core.sync", "status": "queued"},
        "dedupe_key": "stripe|acct_1|payment|ch_1",
    }
    RowDetail.model_validate(content)


async def test_the_vendors_numbers_are_passed_on_as_written(
    signed_in: Any, database: Database, insert_rows: Any
) -> None:
    ids = await synced_payment(database, insert_rows, signed_in.tenant_id)
    answer = await signed_in.client.get(f"/api/v1/tables/payments/rows/{ids['row']}")
    assert '"rate": 1.10' in answer.text
    assert '"n": 12345678901234567890' in answer.text


async def test_a_row_outlives_its_raw_record_and_run(signed_in: Any, database: Database, insert_rows: Any) -> None:
    ids = await synced_payment(database, insert_rows, signed_in.tenant_id)
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await uow.session.execute(sa.delete(RawRecord))
        await uow.session.execute(sa.delete(StreamRun))
        await uow.session.execute(sa.update(PaymentRecord).values(deleted_at=NOON))
    content = await get(signed_in.client, f"/payments/rows/{ids['row']}")
    assert content["row"]["deleted_at"] == "2026-11-01T12:00:00Z"
    assert (content["raw"], content["lineage"]["run"], content["lineage"]["job"]) == (None, None, None)
    assert content["lineage"]["connection"]["label"] == "Shop"
    RowDetail.model_validate(content)


async def test_the_openapi_document_describes_rows(signed_in: Any) -> None:
    document = (await signed_in.client.get("/api/v1/openapi.json")).json()
    operations = {
        path: entry["get"]["operationId"]
        for path, entry in document["paths"].items()
        if path.startswith("/api/v1/tables") and "/views" not in path
    }
    assert operations == {
        "/api/v1/tables": "listTables",
        "/api/v1/tables/{table}": "listRows",
        "/api/v1/tables/{table}/aggregate": "aggregateRows",
        "/api/v1/tables/{table}/export.csv": "exportRowsAsCsv",
        "/api/v1/tables/{table}/export.xlsx": "exportRowsAsXlsx",
        "/api/v1/tables/{table}/rows/{row_id}": "getRow",
    }
    schemas = document["components"]["schemas"]
    assert schemas["RowPage"]["properties"]["items"]["items"] == {"$ref": "#/components/schemas/RowOut"}
    assert schemas["RowOut"]["required"] == ["id"]
    assert schemas["RowOut"]["additionalProperties"] == {
        "anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "null"}]
    }


async def test_nobody_reads_a_table_without_signing_in(client: httpx2.AsyncClient) -> None:
    for path in ("", "/payments", f"/payments/rows/{new_id()}"):
        assert (await problem(client, path, status=401))["code"] == "unauthenticated"
