"""Exports over HTTP: the same rows as the list, in files that do no harm and never end early as if they were whole."""

import asyncio
import csv
import io
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx2
import openpyxl  # type: ignore[import-untyped]  # ships no annotations
import pytest
import uvicorn
from fastapi import FastAPI
from openpyxl.utils.escape import unescape  # type: ignore[import-untyped]  # same

from counterfoil.commerce.models import PaymentRecord, PayoutLineRecord, PayoutRecord
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.kit.context import SYSTEM
from counterfoil.kit.money import format_amount
from counterfoil.tables.definitions import PAYMENTS
from counterfoil.tables.exports import Export, ExportSlots, csv_chunks, read_export, xlsx_chunks
from counterfoil.testing.plugin import SignedIn

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
Admin: TypeAlias = "asyncpg.Connection[Any]"


async def download(client: httpx2.AsyncClient, kind: str, table: str = "payments", **params: Any) -> bytes:
    answer = await client.get(f"/api/v1/tables/{table}/export.{kind}", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{table}-')
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


async def csv_rows(client: httpx2.AsyncClient, table: str = "payments", **params: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((await download(client, "csv", table, **params)).decode())))


async def sheet(client: httpx2.AsyncClient, table: str = "payments", **params: Any) -> Any:
    content = await download(client, "xlsx", table, **params)
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]


async def events(admin: Admin, tenant_id: UUID, action: str) -> list[dict[str, Any]]:
    rows = await admin.fetch(
        "SELECT * FROM core.audit_events WHERE tenant_id = $1 AND action = $2 ORDER BY id", tenant_id, action
    )
    return [dict(row) | {"payload": json.loads(row["payload"])} for row in rows]


async def exports_running(admin: Admin) -> int:
    found: int = await admin.fetchval(
        # A worker that makes cells for an export has its query too.
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND query LIKE 'COPY%'"
        " AND backend_type = 'client backend'"
    )
    return found


async def test_a_csv_has_the_rows_of_the_list_in_its_words(signed_in: SignedIn, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PayoutRecord,
        {"amount": Decimal(1500), "currency": "JPY", "automatic": True, "arrival_date": date(2026, 11, 3)},
        {"amount": Decimal("0.125"), "fee": Decimal(1), "currency": "KWD", "automatic": False},
        {"amount": Decimal("-0.3"), "source_created_at": None, "bank_reference": 'a "b", c\nd'},
        {"amount": Decimal("12.3456"), "deleted_at": NOON},
    )
    listed = (await signed_in.client.get("/api/v1/tables/payouts", params={"sort": "-amount"})).json()["items"]
    exported = await csv_rows(signed_in.client, "payouts", sort="-amount")
    assert [row["amount"] for row in exported] == ["1500", "0.125", "-0.30"]
    assert len(exported) == len(listed) == 3
    for row, item in zip(exported, listed, strict=True):
        assert list(row) == list(item)
        for name, value in item.items():
            if str(value).endswith("Z"):
                assert datetime.fromisoformat(row[name]) == datetime.fromisoformat(value)
                assert row[name].endswith("+00:00")
            else:
                assert row[name] == ("" if value is None else str(value).lower() if value in (True, False) else value)


async def test_times_of_a_csv_are_rfc_3339_in_utc(signed_in: SignedIn, insert_rows: Any) -> None:
    times = [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 1, 12, 0, 0, 250_001, tzinfo=UTC),
        datetime(1, 1, 2, tzinfo=UTC),
    ]
    await insert_rows(signed_in.tenant_id, PaymentRecord, *({"source_created_at": time} for time in times))
    found = [row["source_created_at"] for row in await csv_rows(signed_in.client)]
    assert found == [time.isoformat() for time in times]


async def test_a_time_that_is_no_time_has_no_offset(signed_in: SignedIn, insert_rows: Any) -> None:
    """The driver stores the last moment Python knows as infinity."""
    await insert_rows(signed_in.tenant_id, PaymentRecord, {"source_created_at": datetime.max.replace(tzinfo=UTC)})
    assert [row["source_created_at"] for row in await csv_rows(signed_in.client)] == ["infinity"]


async def test_every_cell_is_what_the_plain_way_makes_of_it(signed_in: SignedIn, insert_rows: Any) -> None:
    """Amounts that are there or not, in currencies of every number of places."""
    amounts = [Decimal(text) for text in ("0", "-0.5", "1.005", "1234.5", "0.000001", "999999999999.999999")]
    rows: list[dict[str, Any]] = [
        {"amount": amount, "amount_captured": other, "currency": currency}
        for amount, other in zip(amounts, [None, *amounts[1:]], strict=True)
        for currency in ("USD", "JPY", "KWD", "EUR")
    ]
    await insert_rows(signed_in.tenant_id, PaymentRecord, *rows)
    found = await csv_rows(signed_in.client, columns="amount,amount_captured,currency")
    expected = [
        {
            name: "" if row[name] is None else format_amount(row[name], row["currency"])
            for name in ("amount", "amount_captured")
        }
        | {"currency": row["currency"]}
        for row in rows
    ]
    assert sorted(map(str, found)) == sorted(map(str, expected))


async def test_filters_sort_and_columns_are_the_lists_own(signed_in: SignedIn, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PaymentRecord,
        *({"amount": Decimal(n), "method": "card" if n % 2 else None} for n in range(6)),
    )
    found = await csv_rows(
        signed_in.client, columns="amount,method", sort="-amount", filter=["amount:gt:0", "method:in:card,sepa"]
    )
    assert found == [{"amount": f"{n}.00", "method": "card"} for n in (5, 3, 1)]
    with_bom = await download(signed_in.client, "csv", columns="method", filter="amount:eq:1", bom=True)
    assert with_bom == b"\xef\xbb\xbfmethod\ncard\n"


@pytest.mark.parametrize(
    "filter_",
    [
        "id:ne:0192f0c1-2345-7abc-8def-0123456789ab",
        "id:in:0192f0c1-2345-7abc-8def-0123456789ab",
        "amount:in:1,2.5",
        "source_created_at:in:2026-11-01T12:00:00Z",
        "captured_at:is_null:true",
        "description:contains:100%_\\",
        'description:in:"\'; DROP TABLE x; --",$1',
        "description:eq:$1 $2 :x %s",
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_every_kind_of_filter_reaches_the_driver_as_a_value(
    signed_in: SignedIn, insert_rows: Any, filter_: str, kind: str
) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PaymentRecord,
        {"description": "'; DROP TABLE x; --"},
        {"description": "$1 $2 :x %s", "amount": Decimal("2.5")},
        {"description": "about 100%_\\!"},
    )
    listed = (await signed_in.client.get("/api/v1/tables/payments", params={"filter": filter_})).json()["items"]
    if kind == "csv":
        assert [row["id"] for row in await csv_rows(signed_in.client, filter=filter_)] == [row["id"] for row in listed]
    else:
        rows = await sheet(signed_in.client, filter=filter_, columns="id")
        assert [row[0].value for row in rows.iter_rows(min_row=2)] == [row["id"] for row in listed]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
async def test_no_text_begins_a_formula_and_negative_amounts_stay_numbers(
    signed_in: SignedIn, insert_rows: Any, start: str
) -> None:
    text = f'{start}HYPERLINK("http://x"&A1)'
    await insert_rows(
        signed_in.tenant_id, PaymentRecord, {"description": text, "status": text, "amount": Decimal(-5), "method": ""}
    )
    (row,) = await csv_rows(signed_in.client)
    assert row["description"] == row["status"] == f"'{text}"
    assert (row["amount"], row["method"]) == ("-5.00", "")
    (cells,) = (await sheet(signed_in.client, columns="description,status,amount")).iter_rows(min_row=2)
    assert [cell.data_type for cell in cells] == ["s", "s", "n"]
    assert unescape(cells[0].value) == text


async def test_a_workbook_has_real_numbers_and_dates(signed_in: SignedIn, insert_rows: Any) -> None:
    await insert_rows(
        signed_in.tenant_id,
        PayoutLineRecord,
        {
            "gross": Decimal("1234.5"),
            "fee": Decimal("0.125"),
            "net": Decimal("999999999999.123456"),
            "available_on": date(2026, 11, 3),
            "exchange_rate": Decimal("1.083"),
            "description": "plain \ufffe\u0001 text",
            "source_created_at": datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC),
            "deleted_at": None,
        },
        {"gross": Decimal(1500), "currency": "JPY", "source_created_at": datetime(1800, 1, 1, tzinfo=UTC)},
    )
    columns = "gross,fee,net,available_on,exchange_rate,description,source_created_at,payout_id"
    found = await sheet(signed_in.client, "payout_lines", columns=columns)
    assert found.title == "Payout lines"
    assert found.freeze_panes == "A2"
    heading, first, second = list(found.iter_rows())
    assert [cell.value for cell in heading][:3] == ["Gross", "Fee", "Net"]
    assert heading[6].value == "Created (UTC)"
    assert heading[0].font.bold
    assert [cell.value for cell in first] == [
        1234.5,
        0.125,
        "999999999999.123456",
        datetime(2026, 11, 3, 0, 0),  # noqa: DTZ001  (a spreadsheet's dates have no zone)
        1.083,
        "plain _x0001_ text",
        datetime(2026, 11, 1, 12, 0, 0, 250_000),  # noqa: DTZ001  (same)
        None,
    ]
    assert [cell.number_format for cell in first][:2] == ["#,##0.00", "#,##0.000"]
    assert (second[0].value, second[0].number_format) == (1500, "#,##0")
    assert second[6].value == "1800-01-01T00:00:00+00:00"
    assert found.column_dimensions["A"].width > 10


async def test_a_workbook_over_the_limit_is_refused_with_advice_and_leaves_nothing_behind(
    signed_in: SignedIn, insert_rows: Any, app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await insert_rows(signed_in.tenant_id, PaymentRecord, *({} for _ in range(4)))
    answer = await _with_limit(app, signed_in, most=3)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_rows")
    assert "export CSV" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await _with_limit(app, signed_in, most=4)).status_code == 200
    assert os.listdir(tmp_path) == []  # noqa: PTH208  (the path is a folder of the test's own)


async def _with_limit(app: FastAPI, signed_in: SignedIn, *, most: int) -> httpx2.Response:
    provided = app.state.provided
    before = provided[Settings]
    provided.add(before.model_copy(update={"xlsx_max_rows": most}))
    try:
        return await signed_in.client.get("/api/v1/tables/payments/export.xlsx")
    finally:
        provided.add(before)


async def test_who_took_what_is_on_record_and_the_end_with_the_rows(
    signed_in: SignedIn, insert_rows: Any, admin: Admin
) -> None:
    await insert_rows(signed_in.tenant_id, PaymentRecord, {}, {}, {"amount": Decimal(1)})
    await download(signed_in.client, "csv", filter="amount:eq:10", columns="id")
    await download(signed_in.client, "xlsx")
    begun = await events(admin, signed_in.tenant_id, "core.table.exported")
    ended = await events(admin, signed_in.tenant_id, "core.table.export_completed")
    assert begun[0]["payload"] == {
        "format": "csv",
        "filters": ["amount:eq:10"],
        "sort": "-source_created_at",
        "columns": ["id"],
    }
    assert [event["payload"] for event in ended] == [{"format": "csv", "rows": 2}, {"format": "xlsx", "rows": 3}]
    for event in (*begun, *ended):
        assert (event["resource_id"], event["actor_label"]) == ("payments", signed_in.email)
    assert [event["correlation_id"] for event in begun] == [event["correlation_id"] for event in ended]


async def test_what_was_sent_is_counted_and_a_used_up_month_lets_nothing_more_out(
    signed_in: SignedIn, insert_rows: Any, admin: Admin
) -> None:
    await insert_rows(signed_in.tenant_id, PaymentRecord, {}, {})
    sent = [(await signed_in.client.get(f"/api/v1/tables/payments/export.{kind}")).content for kind in ("csv", "xlsx")]
    counted = "SELECT value FROM core.usage_counters WHERE tenant_id = $1 AND metric = 'export_bytes'"
    assert await admin.fetchval(counted, signed_in.tenant_id) == sum(map(len, sent))
    await admin.execute(
        "INSERT INTO core.tenant_overrides (tenant_id, id, kind, name, value)"
        " VALUES ($1, uuidv7(), 'quota', 'export_bytes_per_month', $2)",
        signed_in.tenant_id,
        len(sent[0]),
    )
    answer = await signed_in.client.get("/api/v1/tables/payments/export.csv")
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_another_tenants_rows_are_in_no_file(
    signed_in: SignedIn, other_tenant: UUID, insert_rows: Any, kind: str
) -> None:
    await insert_rows(other_tenant, PaymentRecord, {"description": "theirs"})
    await insert_rows(signed_in.tenant_id, PaymentRecord, {"description": "ours"})
    content = await download(signed_in.client, kind)
    if kind == "csv":
        assert b"ours" in content
        assert b"theirs" not in content
    else:
        assert openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].max_row == 2


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"columns": "id,nope"}, "invalid_columns"),
        ({"columns": "id,id"}, "invalid_columns"),
        ({"filter": "amount:eq:x"}, "invalid_filter"),
        ({"sort": "nope"}, "invalid_sort"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_wrong_question_is_a_problem_before_anything_is_recorded(
    signed_in: SignedIn, admin: Admin, params: dict[str, str], code: str, kind: str
) -> None:
    answer = await signed_in.client.get(f"/api/v1/tables/payments/export.{kind}", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await events(admin, signed_in.tenant_id, "core.table.exported") == []


async def test_only_so_many_exports_run_at_once(signed_in: SignedIn, app: FastAPI) -> None:
    provided = app.state.provided
    before = provided[ExportSlots]
    provided.add(ExportSlots(0))
    try:
        answer = await signed_in.client.get("/api/v1/tables/payments/export.csv")
    finally:
        provided.add(before)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_exports")
    assert answer.headers["retry-after"] == "10"


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application behind a real server on a free port of loopback."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="critical"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (it has no event to wait for)
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.fixture
async def many_rows(signed_in: SignedIn, insert_rows: Any, admin: Admin) -> int:
    """Enough rows that neither sockets nor queues hold the file."""
    (first,) = await insert_rows(signed_in.tenant_id, PaymentRecord, {"description": "x" * 1000})
    names = [column.name for column in PaymentRecord.__table__.columns if column.computed is None]
    values = ", ".join("gen_random_uuid()" if name == "id" else name for name in names)
    await admin.execute(
        f"INSERT INTO core.payments ({', '.join(names)}) SELECT {values} FROM core.payments, generate_series(1, 60000) WHERE id = $1",  # noqa: S608  (names of our own columns)
        first,
    )
    return 60_001


async def test_an_error_after_the_first_byte_breaks_the_download(
    app: FastAPI, signed_in: SignedIn, many_rows: int, admin: Admin
) -> None:
    headers = {"Authorization": signed_in.client.headers["Authorization"]}
    async with served(app) as origin, httpx2.AsyncClient(base_url=origin, headers=headers, timeout=30) as client:
        seen = 0
        with pytest.raises(httpx2.RemoteProtocolError):
            async with client.stream("GET", "/api/v1/tables/payments/export.csv") as answer:
                assert answer.status_code == 200
                async for chunk in answer.aiter_bytes():
                    if not seen:
                        await admin.execute(
                            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND query LIKE 'COPY%' AND state <> 'idle'"
                        )
                    seen += len(chunk)
        assert 0 < seen < many_rows * 1000
    assert len(await events(admin, signed_in.tenant_id, "core.table.exported")) == 1
    assert await events(admin, signed_in.tenant_id, "core.table.export_completed") == []


async def test_a_client_that_leaves_ends_its_export_and_gives_the_connection_back(
    app: FastAPI, signed_in: SignedIn, many_rows: int, admin: Admin
) -> None:
    assert many_rows
    headers = {"Authorization": signed_in.client.headers["Authorization"]}
    slots = app.state.provided[ExportSlots]
    free = slots._free  # noqa: SLF001  (nothing else shows it)
    async with served(app) as origin, httpx2.AsyncClient(base_url=origin, headers=headers, timeout=30) as client:
        for _ in range(8):
            async with client.stream("GET", "/api/v1/tables/payments/export.csv") as answer:
                await anext(answer.aiter_bytes())
                assert await exports_running(admin) == 1
            for _ in range(200):
                if not await exports_running(admin) and slots._free == free:  # noqa: SLF001  (same)
                    break
                await asyncio.sleep(0.02)
            assert await exports_running(admin) == 0
            assert slots._free == free  # noqa: SLF001  (same)
        assert len(await csv_rows(client, columns="id")) == many_rows


async def test_an_export_that_is_left_gives_back_a_connection_that_still_works(
    settings: Settings, signed_in: SignedIn, many_rows: int
) -> None:
    database = Database.connect(settings.database_url.get_secret_value(), pool_size=1)

    async def backend() -> int:
        async with database.unit_of_work(signed_in.tenant_id) as uow:
            pid: int = await (await uow.driver()).fetchval("SELECT pg_backend_pid()")
            return pid

    before = await backend()
    query = read_export(PAYMENTS, filters=(), sort=None, columns=None)
    export = Export(
        database=database,
        slots=ExportSlots(1),
        tenant_id=signed_in.tenant_id,
        actor=SYSTEM,
        timeout_s=60,
        query=query,
    )
    for _ in range(20):
        chunks = csv_chunks(export, with_bom=False)
        assert await anext(chunks)
        await chunks.aclose()
        assert await backend() == before
    assert sum([chunk.count(b"\n") async for chunk in csv_chunks(export, with_bom=False)]) == many_rows + 1
    await database.close()


async def test_a_workbook_that_nobody_waits_for_leaves_nothing_behind(
    database: Database, signed_in: SignedIn, many_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    slots = ExportSlots(1)
    export = Export(
        database=database,
        slots=slots,
        tenant_id=signed_in.tenant_id,
        actor=SYSTEM,
        timeout_s=60,
        query=read_export(PAYMENTS, filters=(), sort=None, columns=None),
    )
    chunks = xlsx_chunks(export, most_rows=many_rows)
    begun = asyncio.create_task(anext(chunks))
    await asyncio.sleep(0.3)
    assert os.listdir(tmp_path)  # noqa: PTH208  (a folder of the test's own)
    begun.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begun
    assert os.listdir(tmp_path) == []  # noqa: PTH208  (same)
    slots.require()


async def test_any_text_survives_the_way_through_a_csv(signed_in: SignedIn, insert_rows: Any) -> None:
    texts = ['"', '""', "a,b", "a\r\nb", "\\.", "\\N", "NULL", "é\U0001f4b6", " lead", "'", "''=", "x=1"]
    ids = await insert_rows(signed_in.tenant_id, PaymentRecord, *({"description": text} for text in texts))
    found = {row["id"]: row["description"] for row in await csv_rows(signed_in.client)}
    assert [found[str(each)] for each in ids] == texts
