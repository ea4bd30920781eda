"""What changed long after it was made arrives all the same: by events, by looking again, and as deletions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from plugins.stripe.tests.conftest import simulated
from plugins.stripe.tests.test_sync import FILLED, Mirror

from counterfoil.sdk import utc_now
from counterfoil.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from counterfoil.db import Database


@pytest.fixture
def today() -> Iterator[Any]:
    """A world that has lasted until now: what is observed and what happens share one clock."""
    with simulated(World.generate(seed=2, orders=400, as_of=utc_now() - timedelta(minutes=10), days=60)) as stripe:
        yield stripe


@pytest.fixture
async def mirror(database: Database, tenant: UUID, connect: Any, today: Any) -> Mirror:
    mirror = Mirror(database, tenant, connect, today.base_url, today.expected()["account"])
    await mirror.open()
    return mirror


async def test_whatever_changes_later_arrives(mirror: Mirror, today: Any) -> None:
    await mirror.sync()
    began = utc_now()
    moments = iter(range(int(began.timestamp()) + 5, int(began.timestamp()) + 100, 3))

    def change(object_id: str, to: str) -> str:
        order = {"object": object_id, "to": to, "at": next(moments)}
        today.control.post("/_simulator/world/change", json=order).raise_for_status()
        return object_id

    old = {"created[lt]": int(began.timestamp()) - 20 * 86_400, "limit": 100}
    charges = [
        each["id"]
        for each in today.get("/v1/charges", **old)["data"]
        if each["captured"] and not each["refunded"] and not each["disputed"]
    ]
    for charge in charges[:6]:
        change(charge, "refunded")
    change(charges[6], "refund_pending")
    failing = today.get("/v1/refunds", limit=1)["data"][0]["id"]
    change(failing, "failed")
    change(charges[7], "disputed")
    customers = [each["id"] for each in today.get("/v1/customers", **old)["data"]]
    change(customers[0], "deleted")
    change(customers[1], "renamed")
    change(today.get("/v1/invoices", status="draft", limit=1)["data"][0]["id"], "deleted")
    change(today.get("/v1/invoices", status="open", limit=1)["data"][0]["id"], "paid")
    change(today.get("/v1/payouts", status="in_transit", limit=1)["data"][0]["id"], "failed")
    outcome = await mirror.sync(now=began + timedelta(minutes=4))
    assert (outcome.status, outcome.reasons) == ("succeeded", ())
    expected = today.expected()
    for name, stream in FILLED.items():
        assert sorted(row.source_id for row in await mirror.rows(name)) == sorted(expected[stream]["ids"]), name
    for name, stream in FILLED.items():
        for row in await mirror.rows(name):
            now = today.get(f"/v1/{stream}/{row.source_id}")
            if "status" in now and name != "payment":
                assert row.status == now["status"], row.source_id
    payments = {row.source_id: row for row in await mirror.rows("payment")}
    for charge in charges[:6]:
        assert payments[charge].amount_refunded == payments[charge].amount_captured
    assert payments[charges[6]].amount_refunded == 0
    emails = {row.source_id: row.email for row in await mirror.rows("customer")}
    assert emails[customers[1]].startswith("new.")
