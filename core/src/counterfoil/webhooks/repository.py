"""The SQL of webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from counterfoil.db import UnitOfWork
from counterfoil.jobs.errors import AttemptsExhausted, TimeLimitExceeded
from counterfoil.jobs.models import Job
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import Problem
from counterfoil.kit.ids import id_at
from counterfoil.webhooks.models import WebhookReceipt

# A vendor stops delivering an event again, and its signature stops being good, long before.
KEPT_FOR = timedelta(days=30)
# Of a connection. More are pending only where job after job could not even begin; the next sync brings what they hint at.
MOST_PENDING = 10_000
TOO_MANY = "too_many_pending"
CANCELLED = "cancelled"
# How a job ends whose own code has no last word.
_UNHANDLED = (AttemptsExhausted.code, TimeLimitExceeded.code, Problem.code)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Whose connection an address names."""

    tenant_id: UUID
    plugin: str


async def target(uow: UnitOfWork, *, kind: str, connection_id: UUID) -> Target | None:
    """Found without a tenant: only the address is known."""
    query = text("SELECT tenant_id, plugin FROM core.webhook_target(:kind, :connection_id)")
    row = (await uow.session.execute(query, {"kind": kind, "connection_id": connection_id})).one_or_none()
    return Target(tenant_id=row.tenant_id, plugin=row.plugin) if row else None


async def add(uow: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Whether the event was not known yet."""
    statement = insert(WebhookReceipt).values(tenant_id=uow.tenant, **values).on_conflict_do_nothing()
    return await uow.session.scalar(statement.returning(WebhookReceipt.id)) is not None


async def waiting_job(uow: UnitOfWork, connection_id: UUID) -> UUID | None:
    """A job that has not begun yet, and will not before this transaction ends: it will find what is added here."""
    query = (
        select(Job.id)
        .join(WebhookReceipt, WebhookReceipt.job_id == Job.id)
        .where(WebhookReceipt.connection_id == connection_id, WebhookReceipt.handled_at.is_(None))
        .where(Job.status == "queued")
        .limit(1)
        .with_for_update(read=True, of=Job)
    )
    found: UUID | None = await uow.session.scalar(query)
    return found


async def assign(uow: UnitOfWork, receipt_id: UUID, job_id: UUID) -> None:
    await uow.session.execute(update(WebhookReceipt).where(WebhookReceipt.id == receipt_id).values(job_id=job_id))


async def pending(uow: UnitOfWork, connection_id: UUID, *, after: UUID | None, limit: int) -> Sequence[WebhookReceipt]:
    """Receipts nobody has handled, oldest first."""
    query = select(WebhookReceipt).where(
        WebhookReceipt.connection_id == connection_id, WebhookReceipt.handled_at.is_(None)
    )
    if after is not None:
        query = query.where(WebhookReceipt.id > after)
    return (await uow.session.scalars(query.order_by(WebhookReceipt.id).limit(limit))).all()


async def handled(uow: UnitOfWork, errors: Mapping[UUID, str | None], *, job_id: UUID) -> None:
    """Close receipts, each with the error that ended it or none."""
    if not errors:
        return
    failed = {receipt_id: code for receipt_id, code in errors.items() if code is not None}
    error = case(failed, value=WebhookReceipt.id, else_=None) if failed else None
    statement = update(WebhookReceipt).where(WebhookReceipt.id.in_(errors))
    await uow.session.execute(
        statement.values(handled_at=func.now(), job_id=job_id, error=error).execution_options(synchronize_session=False)
    )


async def give_up(uow: UnitOfWork, connection_id: UUID, error: str, *, before: UUID, job_id: UUID) -> None:
    """Close everything that is pending and came before: what came since has a job of its own."""
    statement = update(WebhookReceipt).where(
        WebhookReceipt.connection_id == connection_id,
        WebhookReceipt.handled_at.is_(None),
        WebhookReceipt.id < before,
    )
    await uow.session.execute(
        statement.values(handled_at=func.now(), job_id=job_id, error=error).execution_options(synchronize_session=False)
    )


async def delete_old(uow: UnitOfWork, *, limit: int) -> int:
    """Delete what came long ago, handled or not, to whatever connection, also one that was deleted; how much it was."""
    # Ids are in the order of time.
    oldest_kept = id_at(int((utc_now() - KEPT_FOR).timestamp() * 1000))
    old = select(WebhookReceipt.id).where(WebhookReceipt.id < oldest_kept).order_by(WebhookReceipt.id).limit(limit)
    statement = delete(WebhookReceipt).where(WebhookReceipt.id.in_(old)).returning(WebhookReceipt.id)
    return len((await uow.session.scalars(statement.execution_options(synchronize_session=False))).all())


async def close_abandoned(uow: UnitOfWork) -> int:
    """Close what is pending although its job has ended without a word of it: cancelled, or given up; how much it was."""
    code = Job.error["code"].astext
    statement = (
        update(WebhookReceipt)
        .where(WebhookReceipt.handled_at.is_(None), WebhookReceipt.job_id == Job.id)
        .where(or_(Job.status == CANCELLED, and_(Job.status == "failed", code.in_(_UNHANDLED))))
        .values(handled_at=func.now(), error=func.coalesce(code, CANCELLED))
        .returning(WebhookReceipt.id)
    )
    return len((await uow.session.scalars(statement.execution_options(synchronize_session=False))).all())


async def close_surplus(uow: UnitOfWork, connection_id: UUID) -> None:
    """Close the oldest of too many that are pending."""
    mine = WebhookReceipt.connection_id == connection_id
    pending_ids = select(WebhookReceipt.id).where(mine, WebhookReceipt.handled_at.is_(None))
    last_kept = pending_ids.order_by(WebhookReceipt.id.desc()).offset(MOST_PENDING).limit(1).scalar_subquery()
    too_many = update(WebhookReceipt).where(mine, WebhookReceipt.handled_at.is_(None), WebhookReceipt.id <= last_kept)
    await uow.session.execute(
        too_many.values(handled_at=func.now(), error=TOO_MANY).execution_options(synchronize_session=False)
    )


async def page(uow: UnitOfWork, connection_id: UUID, *, before: UUID | None, limit: int) -> Sequence[WebhookReceipt]:
    """Receipts of a connection, newest first."""
    query = select(WebhookReceipt).where(WebhookReceipt.connection_id == connection_id)
    if before is not None:
        query = query.where(WebhookReceipt.id < before)
    return (await uow.session.scalars(query.order_by(WebhookReceipt.id.desc()).limit(limit))).all()
