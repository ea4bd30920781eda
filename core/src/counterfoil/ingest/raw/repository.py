"""SQL that reads raw records for people."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.models import RawRecord

_raws = RawRecord.__table__
_FACTS = (
    _raws.c.id,
    _raws.c.stream,
    _raws.c.source_id,
    _raws.c.change,
    _raws.c.run_id,
    _raws.c.observed_at,
    _raws.c.changed_at,
    _raws.c.is_open,
    _raws.c.deleted_at,
)
# As text, so that the payload's numbers are passed on as the vendor wrote them.
_PAYLOAD = sa.cast(_raws.c.payload, sa.Text()).label("payload")


async def page(
    uow: UnitOfWork, connection_id: UUID, stream: str, *, before: int | None, limit: int
) -> Sequence[sa.RowMapping]:
    """Records of a stream, the one that changed last first."""
    query = sa.select(*_FACTS).where(_raws.c.connection_id == connection_id, _raws.c.stream == stream)
    if before is not None:
        query = query.where(_raws.c.change < before)
    return await _rows(uow, query.order_by(_raws.c.change.desc()).limit(limit))


async def by_id(uow: UnitOfWork, connection_id: UUID, record_id: UUID) -> sa.RowMapping | None:
    """One record of the connection with its payload as JSON text."""
    query = sa.select(*_FACTS, _PAYLOAD).where(_raws.c.connection_id == connection_id, _raws.c.id == record_id)
    found = await _rows(uow, query)
    return found[0] if found else None


async def _rows(uow: UnitOfWork, query: sa.Select[Any]) -> list[sa.RowMapping]:
    # Not through the session: a page of facts is not worth an object each.
    found = (await (await uow.session.connection()).execute(query)).mappings()
    return list(found)
