"""Canonical rows in one line: what a test does not say is filled in."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from counterfoil.commerce.models import Canonical, PayoutLineRecord
from counterfoil.db import Database
from counterfoil.kit.ids import new_id

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

InsertRows = Callable[..., Coroutine[Any, Any, list[UUID]]]


def canonical(model: type[Canonical], row_id: UUID, values: dict[str, Any]) -> dict[str, Any]:
    common: dict[str, Any] = {
        "id": row_id,
        "dedupe_key": f"stripe|acct_1|thing|{row_id}",
        "source": "stripe",
        "source_account": "acct_1",
        "source_id": f"th_{row_id.hex[-10:]}",
        "connection_id": new_id(),
        "run_id": new_id(),
        "raw_id": new_id(),
        "content_hash": b"\x01",
        "authority": 0,
        "source_created_at": NOON,
        "observed_at": NOON,
        "synced_at": NOON,
        "currency": "USD",
    }
    columns: sa.ColumnCollection[str, sa.Column[Any]] = model.__table__.columns  # type: ignore[attr-defined]  # mapped classes have one
    if issubclass(model, PayoutLineRecord):
        own = {"kind": "charge", "gross": Decimal(10), "fee": Decimal(1), "net": Decimal(9)}
    else:
        own = {column.name: _something(column) for column in columns if not column.nullable and column.computed is None}
    written = [column.name for column in columns if column.computed is None]
    return {**dict.fromkeys(written), **own, **common, **values}


def _something(column: "sa.Column[Any]") -> Any:
    return {Decimal: Decimal(10), UUID: new_id(), str: "pending"}.get(column.type.python_type)


@pytest.fixture(scope="session")
def insert_rows(database: Database) -> InsertRows:
    """Takes a tenant, a model and rows; the new ids come back in the same order."""

    async def insert(tenant_id: UUID, model: type[Canonical], *rows: dict[str, Any]) -> list[UUID]:
        ids = [row.get("id") or new_id() for row in rows]
        values = [
            canonical(model, row_id, row) | {"tenant_id": tenant_id} for row_id, row in zip(ids, rows, strict=True)
        ]
        async with database.unit_of_work(tenant_id) as uow:
            await uow.session.execute(sa.insert(model), values)
        return ids

    return insert
