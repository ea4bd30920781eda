"""The whole account through the engine into the tables: complete, exact, and quiet when nothing happened."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy as sa
from core.tests.ingest.scripted import Job

from counterfoil.commerce.models import RECORDS
from counterfoil.connections.models import Connection
from counterfoil.ingest.control import Source
from counterfoil.ingest.engine import Sync
from counterfoil.ingest.records import Origin
from counterfoil.kit.ids import new_id
from counterfoil_stripe.connector import Stripe
from counterfoil_stripe.money import amount

if TYPE_CHECKING:
    from uuid import UUID

    from counterfoil.db import Database
    from counterfoil.plugins.records import Outcome

TABLES = {record.row.object: record for record in RECORDS}
FILLED = {
    "customer": "customers",
    "dispute": "disputes",
    "invoice": "invoices",
    "payment": "charges",
    "payout": "payouts",
    "payout_line": "balance_transactions",
    "refund": "refunds",
}


class Mirror:
    """A connection to the simulator, synced without a worker."""

    def __init__(self, database: Database, tenant_id: UUID, connect: Any, base_url: str, account: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._connect = connect
        self._base_url = base_url
        self._origin = Origin(tenant_id=tenant_id, connection_id=new_id(), source="stripe", account=account)

    async def open(self) -> None:
        async with self._database.unit_of_work(self._tenant_id) as uow:
            values = {"kind": "stripe", "plugin": "stripe", "label": "s", "auth_kind": "api_key"}
            await uow.session.execute(
                sa.insert(Connection).values(tenant_id=self._tenant_id, id=self._origin.connection_id, **values)
            )

    async def sync(self, *, now: datetime | None = None) -> Outcome:
        job = Job(database=self._database, tenant_id=self._tenant_id)
        async with self._connect(self._base_url) as context:
            source = Source(connector=Stripe(), context=context, origin=self._origin)
            sync = Sync(cast("Any", job), source, mode="incremental", now=now or datetime.now(UTC))
            return await sync.run(list(Stripe.streams.values()))

    async def rows(self, name: str) -> list[Any]:
        table = TABLES[name].__table__  # type: ignore[attr-defined]  # mapped classes have one
        async with self._database.unit_of_work(self._tenant_id) as uow:
            return list((await uow.session.execute(sa.select(table).where(table.c.deleted_at.is_(None)))).all())


@pytest.fixture
async def mirror(database: Database, tenant: UUID, connect: Any, fresh_stripe: Any) -> Mirror:
    mirror = Mirror(database, tenant, connect, fresh_stripe.base_url, fresh_stripe.expected()["account"])
    await mirror.open()
    return mirror


def assert_sums(found: list[Any], expected: dict[str, int], column: str) -> None:
    sums: dict[str, Decimal] = {}
    for row in found:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + getattr(row, column)
    assert sums == {
        currency.upper(): amount(minor, currency) for currency, minor in expected.items() if currency.upper() in sums
    }
    assert all(minor == 0 for currency, minor in expected.items() if currency.upper() not in sums)


async def test_everything_arrives_exactly_and_a_second_sync_changes_nothing(mirror: Mirror, fresh_stripe: Any) -> None:
    first = await mirror.sync()
    assert (first.status, first.reasons) == ("succeeded", ())
    expected = fresh_stripe.expected()
    for name, stream in FILLED.items():
        found = [row.source_id for row in await mirror.rows(name)]
        assert sorted(found) == sorted(expected[stream]["ids"]), name
    fees = await mirror.rows("fee")
    assert len(fees) == expected["fees"]["count"]
    assert_sums(fees, expected["fees"]["amount"], "amount")
    assert_sums(await mirror.rows("payout_line"), expected["balance_transactions"]["net"], "net")
    second = await mirror.sync()
    changes = [
        (stream, counted, total[counted])
        for stream, total in second.result["streams"].items()
        for counted in ("rows_inserted", "rows_updated", "rows_deleted")
        if total[counted]
    ]
    assert (second.status, changes) == ("succeeded", [])


async def test_rows_find_each_other_by_their_references(mirror: Mirror) -> None:
    await mirror.sync()
    ids = {name: {row.id for row in await mirror.rows(name)} for name in TABLES}
    for name, column, target in [
        ("refund", "payment_id", "payment"),
        ("dispute", "payment_id", "payment"),
        ("invoice", "customer_id", "customer"),
        ("fee", "payout_line_id", "payout_line"),
    ]:
        found = {getattr(row, column) for row in await mirror.rows(name)}
        assert found
        assert found <= ids[target]
    for column, target in (("payment_id", "payment"), ("refund_id", "refund"), ("dispute_id", "dispute")):
        found = {getattr(row, column) for row in await mirror.rows("payout_line")} - {None}
        assert found
        assert found <= ids[target]
