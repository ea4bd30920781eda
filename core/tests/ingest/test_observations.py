"""Lists, events and webhooks race: whatever the order in which the same observations arrive, the same rows are left."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from core.tests.ingest.scripted import T0
from core.tests.ingest.wide import Wide
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from counterfoil.connections.models import Connection
from counterfoil.db import Database
from counterfoil.ingest.landing import Landers
from counterfoil.ingest.records import Origin, raw_version
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import Raw

CHARGES = Wide.streams["charges"]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One observation: of which record, when, and what."""

    name: str
    at: int
    amount: str
    parts: tuple[str, ...] = ()
    deleted: bool = False

    def raw(self) -> Raw:
        payload = {"id": self.name, "amount": self.amount, "parts": list(self.parts)}
        return Raw(self.name, payload, observed_at=T0 + timedelta(seconds=self.at), deleted=self.deleted)


# Few of each, so that changes back and forth and ties in time come up often.
sightings = st.builds(
    Seen,
    name=st.sampled_from(["a", "b"]),
    at=st.integers(0, 5),
    amount=st.sampled_from(["1", "2"]),
    parts=st.sampled_from([(), ("x",), ("x", "y")]),
    deleted=st.integers(0, 4).map(lambda number: number == 0),
)


async def final_rows(database: Database, tenant: UUID, batches: Sequence[Sequence[Seen]]) -> list[tuple[str, str]]:
    """Land the batches through a connection of their own; id and amount of the payments that are left."""
    connection_id = new_id()
    origin = Origin(tenant_id=tenant, connection_id=connection_id, source="wide", account=str(connection_id))
    async with database.unit_of_work(tenant) as uow:
        values = {"kind": "wide", "plugin": "wide", "label": str(connection_id), "auth_kind": "api_key"}
        await uow.session.execute(insert(Connection).values(tenant_id=tenant, id=connection_id, **values))
    landers = Landers(origin, Wide.streams)
    for batch in batches:
        versions = [raw_version(origin, CHARGES, one.raw(), T0 + timedelta(days=1)) for one in batch]
        async with database.unit_of_work(tenant) as uow:
            await landers.land(uow, versions, run_id=new_id())
    async with database.unit_of_work(tenant) as uow:
        rows: Any = await (await uow.driver()).fetch(
            "SELECT source_id, amount FROM core.payments WHERE connection_id = $1 AND deleted_at IS NULL ORDER BY 1",
            connection_id,
        )
    return [(row["source_id"], str(row["amount"].normalize())) for row in rows]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), seen=st.lists(sightings, min_size=1, max_size=8))
async def test_any_order_of_the_same_observations_leaves_the_same_rows(
    database: Database, tenant: UUID, seed: int, seen: list[Seen]
) -> None:
    in_time = sorted(seen, key=lambda one: one.at)
    chance = random.Random(seed)  # noqa: S311  (chance, not secrecy)
    shuffled = chance.sample([*seen, *seen[:2]], k=len(seen) + len(seen[:2]))
    size = chance.randint(1, 4)
    batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    expected = await final_rows(database, tenant, [[one] for one in in_time])
    assert await final_rows(database, tenant, batches) == expected


async def test_a_change_back_is_not_undone_by_the_change_that_comes_late(database: Database, tenant: UUID) -> None:
    first, changed, back = (Seen(name="a", at=at, amount=amount) for at, amount in ((1, "1"), (3, "2"), (5, "1")))
    assert await final_rows(database, tenant, [[first], [back], [changed]]) == [("a", "1")]


def test_an_instant_far_in_the_future_does_not_keep_later_observations_out() -> None:
    mad = Seen(name="a", at=10**9, amount="1")
    # Landed by a request a day after T0, so no observation counts as much later than that.
    later = Seen(name="a", at=2 * 86_400, amount="2")
    origin = Origin(tenant_id=new_id(), connection_id=new_id(), source="wide", account="x")
    sane = raw_version(origin, CHARGES, mad.raw(), T0 + timedelta(days=1))
    assert sane.observed_at == T0 + timedelta(days=1, minutes=5)
    after = raw_version(origin, CHARGES, later.raw(), T0 + timedelta(days=3))
    assert after.order > sane.order


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_observations_of_one_instant_are_settled_by_their_content(
    database: Database, tenant: UUID, order: tuple[int, int]
) -> None:
    both = [Seen(name="a", at=1, amount="1"), Seen(name="a", at=1, amount="2")]
    rows = await final_rows(database, tenant, [[both[at]] for at in order])
    assert rows == await final_rows(database, tenant, [both])
