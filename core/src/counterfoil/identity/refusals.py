"""Refusals leave an audit event, in a transaction of its own: the one they end is rolled back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from counterfoil import audit
from counterfoil.db import Database
from counterfoil.identity import repository
from counterfoil.identity.repository import Session
from counterfoil.identity.service import user_actor
from counterfoil.kit import context
from counterfoil.kit.context import Actor
from counterfoil.kit.errors import Problem


@asynccontextmanager
async def on_record(
    session: Session | None, *, request: Request, database: Database, actor: Actor | None = None
) -> AsyncIterator[None]:
    """Write down a refusal that leaves the block, and let it pass. Without a session there is no tenant whose trail it could go to.

    The session's user is the one who was refused, unless another ``actor`` is given.
    """
    try:
        yield
    except Problem as problem:
        if problem.is_refusal and session is not None:
            await _record(problem, session, request=request, database=database, actor=actor)
        raise


async def _record(
    refusal: Problem, session: Session, *, request: Request, database: Database, actor: Actor | None
) -> None:
    async with database.unit_of_work(session.tenant_id) as uow:
        member = await repository.member(uow, session.user_id, session_id=session.family_id)
        # Somebody who is no member any more has no e-mail that this tenant may read.
        label = member.email if member else str(session.user_id)
        with context.bound(context.current_actor, actor or user_actor(session.user_id, label)):
            await audit.record(
                uow,
                action="core.request.refused",
                resource_type="route",
                resource_id=f"{request.method} {request.url.path}",
                outcome="denied",
                reason=refusal.reason,
                payload={
                    "code": refusal.code,
                    "detail": refusal.detail,
                    "roles": sorted(member.roles) if member else [],
                },
            )
