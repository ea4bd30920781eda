"""Writing audit events."""

import re
from typing import Any, Literal

from sqlalchemy import insert

from counterfoil.audit.models import AuditEvent
from counterfoil.db.database import UnitOfWork
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.ids import new_id

_ACTION = re.compile(r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")


async def record(
    uow: UnitOfWork,
    *,
    action: str,
    resource_type: str | None = None,
    resource_id: object | None = None,
    outcome: Literal["ok", "denied", "error"] = "ok",
    reason: str | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    """Write one event in this unit of work; actor, address and correlation id come from the work in hand.

    Args:
        uow: the business transaction; the event lives and dies with it.
        action: ``<plugin>.<noun>.<verb>`` in the past tense; core's own begin with ``core``.
        resource_type: what was acted on, as a noun.
        resource_id: which one.
        outcome: ``denied`` for a refusal, ``error`` for a failure.
        reason: the missing permission, the failed rule, the error's code.
        payload: JSON; never a secret.
    """
    if not _ACTION.match(action):
        msg = f"an audit action reads <plugin>.<noun>.<verb>, not {action!r}"
        raise ValueError(msg)
    actor = context.current_actor.get()
    await uow.session.execute(
        insert(AuditEvent).values(
            tenant_id=uow.tenant,
            id=new_id(),
            occurred_at=utc_now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label,
            action=action,
            resource_type=resource_type,
            resource_id=str(resource_id) if resource_id is not None else None,
            outcome=outcome,
            reason=reason,
            correlation_id=context.current_correlation_id.get(),
            job_id=context.current_job_id.get(),
            client_ip=context.current_client_ip.get(),
            payload=payload or {},
        )
    )
