"""The SQL of the log of outbound requests."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.sql.elements import ColumnElement

from counterfoil.db import UnitOfWork
from counterfoil.kit.ids import id_at
from counterfoil.outbound.models import ApiCall

# The classes of HTTP status, and the requests that brought no answer at all.
STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx", "none")


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRow:
    """A row of ``core.api_calls`` but for its tenant; the fields are the columns, in the order of ``_INSERT``."""

    id: UUID
    connection_id: UUID
    kind: str
    job_id: UUID | None
    correlation_id: UUID | None
    at: datetime
    method: str
    url: str
    status: int | None
    duration_ms: float
    request_bytes: int
    response_bytes: int | None
    attempt: int
    cost: Decimal | None
    error_code: str | None
    excerpt: str | None


_COLUMNS = tuple(each.name for each in fields(CallRow))
# Repeating it does no harm: a batch whose commit was not confirmed is written again.
_INSERT = f"""
    INSERT INTO core.api_calls (tenant_id, {", ".join(_COLUMNS)})
    SELECT $1, row.* FROM unnest(
        $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::text[], $9::text[], $10::int[],
        $11::float8[], $12::bigint[], $13::bigint[], $14::int[], $15::numeric[], $16::text[], $17::text[]
    ) AS row
    ON CONFLICT DO NOTHING
"""  # noqa: S608  (our own column names)


async def add(uow: UnitOfWork, rows: Sequence[CallRow]) -> None:
    table = [asdict(row) for row in rows]
    columns = [[row[name] for row in table] for name in _COLUMNS]
    await (await uow.driver()).execute(_INSERT, uow.tenant, *columns)


async def find(uow: UnitOfWork, connection_id: UUID, call_id: UUID) -> ApiCall | None:
    query = select(ApiCall).where(ApiCall.id == call_id, ApiCall.connection_id == connection_id)
    found: ApiCall | None = await uow.session.scalar(query)
    return found


async def page(
    uow: UnitOfWork,
    connection_id: UUID,
    *,
    status: str | None,
    job_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    before: UUID | None,
    limit: int,
) -> Sequence[ApiCall]:
    """Newest first. Times bound the time-ordered ids, so that only the months in question are looked at."""
    query = select(ApiCall).where(ApiCall.connection_id == connection_id).order_by(ApiCall.id.desc()).limit(limit)
    if status is not None:
        query = query.where(_in_class(status))
    if job_id is not None:
        query = query.where(ApiCall.job_id == job_id)
    if since is not None:
        query = query.where(ApiCall.id >= _first_id(since))
    if until is not None:
        query = query.where(ApiCall.id < _first_id(until))
    if before is not None:
        query = query.where(ApiCall.id < before)
    return (await uow.session.scalars(query)).all()


def _in_class(status: str) -> ColumnElement[bool]:
    if status == "none":
        return ApiCall.status.is_(None)
    first = int(status[0]) * 100
    return ApiCall.status.between(first, first + 99)


def _first_id(instant: datetime) -> UUID:
    return id_at(max(0, int(instant.timestamp() * 1000)))
