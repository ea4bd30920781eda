"""Writing audit events, and showing them with their seals."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from counterfoil.audit import merkle, repository, seal_repository
from counterfoil.audit.repository import EventFilter, Row
from counterfoil.audit.seals import Seal
from counterfoil.db.database import UnitOfWork
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import NotFound
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
    await repository.add_event(
        uow,
        {
            "tenant_id": uow.tenant,
            "id": new_id(),
            "occurred_at": utc_now(),
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "actor_label": actor.label,
            "action": action,
            "resource_type": resource_type,
            "resource_id": str(resource_id) if resource_id is not None else None,
            "outcome": outcome,
            "reason": reason,
            "correlation_id": context.current_correlation_id.get(),
            "job_id": context.current_job_id.get(),
            "client_ip": context.current_client_ip.get(),
            "payload": payload or {},
        },
    )


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What shows that an event is in a seal, to somebody who holds nothing but the event's line and the public key.

    ``path`` is None where the events of the seal are not what was sealed, or are no longer all in the database.
    """

    line: str
    seal: Seal
    path: list[merkle.Step] | None


async def page(uow: UnitOfWork, wanted: EventFilter, *, before: UUID | None, limit: int) -> Sequence[Row]:
    """Events, newest first, each with the seal it is in."""
    return await repository.page(await uow.driver(), wanted, before=before, limit=limit)


async def get(uow: UnitOfWork, event_id: UUID) -> tuple[Row, Proof | None]:
    """An event, and once it is sealed its proof.

    Raises:
        NotFound: this tenant has no such event, or it has been archived.
    """
    driver = await uow.driver()
    event = await repository.find(driver, event_id)
    if event is None:
        raise NotFound("There is no such audit event.")
    if event["seal_sequence"] is None:
        return event, None
    line = await repository.line(driver, event_id)
    seal = await seal_repository.newest_seal(driver, before=event["seal_sequence"] + 1)
    if seal is None:
        return event, None
    return event, Proof(line=line, seal=seal, path=await _path(driver, seal, event_id))


async def _path(driver: repository.Driver, seal: Seal, event_id: UUID) -> list[merkle.Step] | None:
    digests: list[bytes] = []
    place = None
    window = seal_repository.Stretch(epoch=seal.epoch, low=seal.from_xid, high=seal.to_xid)
    for _, found, digest in await seal_repository.leaves(driver, window):
        if found == event_id.bytes:
            place = len(digests)
        digests.append(digest)
    if place is None or merkle.root(digests) != seal.root:
        return None
    return merkle.path(digests, place)
