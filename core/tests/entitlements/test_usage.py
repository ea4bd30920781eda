"""Counted by day, together with the deed."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from counterfoil.db import Database
from counterfoil.entitlements import usage
from counterfoil.kit.clock import utc_now
from counterfoil.testing.plugin import SignedIn

PATH = "/api/v1/tenants/me/usage"


async def counted(database: Database, tenant: UUID) -> list[tuple[str, int]]:
    today = utc_now().date()
    async with database.unit_of_work(tenant) as uow:
        return [(one.metric, one.value) for one in await usage.by_day(uow, since=today, until=today)]


async def test_it_adds_up_and_other_tenants_have_their_own(
    database: Database, tenant: UUID, other_tenant: UUID
) -> None:
    for number in (5, 7, 0):
        async with database.unit_of_work(tenant) as uow:
            await usage.add(uow, usage.ROWS_LANDED, number)
    async with database.unit_of_work(tenant) as uow:
        await usage.add(uow, usage.EXPORT_BYTES, 3)
    assert await counted(database, tenant) == [("export_bytes", 3), ("rows_landed", 12)]
    assert await counted(database, other_tenant) == []


async def test_simultaneous_uses_are_all_counted(database: Database, tenant: UUID) -> None:
    async def add() -> None:
        async with database.unit_of_work(tenant) as uow:
            await usage.add(uow, usage.ROWS_LANDED, 1)

    await asyncio.gather(*(add() for _ in range(12)))
    assert await counted(database, tenant) == [("rows_landed", 12)]


async def test_what_is_rolled_back_was_never_used(database: Database, tenant: UUID) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.unit_of_work(tenant) as uow:
            await usage.add(uow, usage.ROWS_LANDED, 5)
            raise ZeroDivisionError
    assert await counted(database, tenant) == []


async def test_it_is_listed_by_day_and_metric(signed_in: SignedIn, admin: "asyncpg.Connection[Any]") -> None:
    await admin.executemany(
        "INSERT INTO core.usage_counters VALUES ($1, $2, $3::text::date, $4)",
        [
            (signed_in.tenant_id, "rows_landed", "2026-01-30", 1),
            (signed_in.tenant_id, "rows_landed", "2026-01-31", 2),
            (signed_in.tenant_id, "export_bytes", "2026-01-31", 2**40),
            (signed_in.tenant_id, "rows_landed", "2026-02-01", 3),
        ],
    )
    listed = (await signed_in.client.get(PATH, params={"from": "2026-01-31", "to": "2026-02-01"})).json()
    assert [tuple(item.values()) for item in listed["items"]] == [
        ("2026-01-31", "export_bytes", 2**40),
        ("2026-01-31", "rows_landed", 2),
        ("2026-02-01", "rows_landed", 3),
    ]
    assert len((await signed_in.client.get(PATH, params={"to": "2026-02-01"})).json()["items"]) == 4
    assert (await signed_in.client.get(PATH)).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "days",
    [
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "2025-01-31", "to": "2026-02-01"},
        {"from": "0001-01-01"},
        {"from": "soon"},
    ],
)
async def test_days_that_are_none_or_too_many_are_refused(signed_in: SignedIn, days: dict[str, str]) -> None:
    answer = await signed_in.client.get(PATH, params=days)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["errors"][0]["path"] == "from"


@pytest.mark.parametrize("last", ["0001-01-01", "9999-12-31"])
async def test_the_first_and_the_last_day_there_is_are_days(signed_in: SignedIn, last: str) -> None:
    assert (await signed_in.client.get(PATH, params={"to": last})).status_code in (200, 422)
