"""`/api/v1/audit-events`: the log, each event's proof, the state of its chain, an export, and what was archived."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import StreamingResponse

from counterfoil import audit
from counterfoil.audit import repository, seal_repository, service
from counterfoil.audit.repository import EventFilter
from counterfoil.audit.schemas import (
    ArchiveOut,
    AuditEventDetail,
    AuditEventOut,
    Outcome,
    RetentionOut,
    VerificationOut,
)
from counterfoil.audit.seals import SealKeys
from counterfoil.audit.verification import Extent, verify
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.kit.clock import utc_now
from counterfoil.objects import ObjectStore
from counterfoil.rbac import Scope, require
from counterfoil.web import Listing, Page, csv_export, decode_cursor, encode_cursor, provided
from counterfoil.web.downloads import Download
from counterfoil.web.instants import Instant
from counterfoil.web.links import finds
from counterfoil.web.pagination import InvalidCursor, listing
from counterfoil.web.problems import problem_responses

_MAX_EVENTS = 100_000
# A request's statements have to end sooner, but a slow reader holds back a COPY for as long as it reads.
_LONGEST_EXPORT = "15min"

router = APIRouter(prefix="/api/v1/audit-events", tags=["audit"])

Readable = Annotated[Scope, require("audit.read")]


async def event_filter(
    *,
    since: Annotated[Instant | None, Query(alias="from", description="Not before this time")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Before this time")] = None,
    category: Annotated[str | None, Query(max_length=100, description="What it is about, such as `session`")] = None,
    action: Annotated[str | None, Query(max_length=200, description="An action, or how it begins")] = None,
    actor: Annotated[str | None, Query(max_length=320, description="Id or label of who did it")] = None,
    resource_type: Annotated[str | None, Query(max_length=100, description="Kind of thing it was done to")] = None,
    resource_id: Annotated[str | None, Query(max_length=500, description="Id of that thing")] = None,
    outcome: Annotated[Outcome | None, Query(description="How it ended")] = None,
    correlation_id: Annotated[UUID | None, Query(description="The request it belongs to")] = None,
    job_id: Annotated[UUID | None, Query(description="The job it belongs to")] = None,
) -> EventFilter:
    return EventFilter(
        since=since,
        until=until,
        category=category,
        action=action,
        actor=actor,
        resource_type=resource_type,
        resource_id=resource_id,
        outcome=outcome,
        correlation_id=correlation_id,
        job_id=job_id,
    )


Wanted = Annotated[EventFilter, Depends(event_filter)]


@router.get(
    "",
    operation_id="listAuditEvents",
    responses={
        **finds(200, event_id="/items/0/id", correlation_id="/items/0/correlation_id"),
        **problem_responses(403),
    },
)
async def list_audit_events(
    scope: Readable, wanted: Wanted, page: Annotated[Listing, Depends(listing)]
) -> Page[AuditEventOut]:
    """Who did what, newest first. Each event says which seal it is in."""
    found = await service.page(scope.uow, wanted, before=_position(page.cursor), limit=page.limit + 1)
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[AuditEventOut.of(event) for event in shown],
        next_cursor=encode_cursor(str(shown[-1]["id"])) if more else None,
    )


@router.get(
    "/export.csv",
    operation_id="exportAuditEvents",
    response_class=StreamingResponse,
    responses={
        200: {"description": "Events, newest first", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **problem_responses(403),
    },
)
async def export_audit_events(
    scope: Readable, wanted: Wanted, database: Annotated[Database, Depends(provided(Database))]
) -> StreamingResponse:
    """All events of a filter as CSV. Texts that a spreadsheet could take for a formula begin with an apostrophe."""
    query, values = repository.export_query(wanted)
    asked = {name: str(value) for name, value in vars(wanted).items() if value is not None}
    await audit.record(scope.uow, action="core.audit_events.exported", payload={"filter": asked})
    chunks = _csv_chunks(database, scope.caller.tenant_id, query, values)
    filename = f"audit-events-{utc_now():%Y%m%d-%H%M%S}.csv"
    return Download(chunks, filename=filename, media_type=csv_export.MEDIA_TYPE)


@router.get("/verify", operation_id="verifyAuditEvents", responses=problem_responses(403))
async def verify_audit_events(
    *,
    scope: Readable,
    keys: Annotated[SealKeys, Depends(provided(SealKeys))],
    store: Annotated[ObjectStore, Depends(provided(ObjectStore))],
    since: Annotated[Instant | None, Query(alias="from", description="Only seals made not before this time")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Only seals made before this time")] = None,
    seals: Annotated[int, Query(ge=1, le=5_000, description="At most so many seals, the newest")] = 500,
) -> VerificationOut:
    """Check the newest seals, or the newest of a time, with their events and anchors, and say what was checked.

    The whole chain, archives included, is for `counterfoil audit verify`: on a long one it takes longer than a request may.
    """
    extent = Extent(since=since, until=until, max_seals=seals, max_events=_MAX_EVENTS)
    return VerificationOut.of(await verify(scope.uow, keys=keys, store=store, extent=extent), keys)


@router.get("/retention", operation_id="getAuditRetention", responses=problem_responses(403))
async def get_audit_retention(
    scope: Readable, settings: Annotated[Settings, Depends(provided(Settings))]
) -> RetentionOut:
    """For how long events stay in the database, how far back they go now, and what has been archived."""
    return RetentionOut(
        retention_days=settings.audit_retention_days or None,
        oldest_event_at=await repository.oldest(await scope.uow.driver()),
        archives=[ArchiveOut.of(archive) for archive in await seal_repository.archives(scope.uow)],
    )


@router.get("/{event_id}", operation_id="getAuditEvent", responses=problem_responses(403, 404))
async def get_audit_event(event_id: UUID, scope: Readable) -> AuditEventDetail:
    """One event, with the proof that it is in its seal."""
    event, proof = await service.get(scope.uow, event_id)
    return AuditEventDetail.of_event(event, proof)


def _position(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (position,) = decode_cursor(cursor, length=1)
    try:
        return UUID(position)
    except (AttributeError, TypeError, ValueError):
        raise InvalidCursor from None


async def _csv_chunks(
    database: Database, tenant_id: UUID, query: str, values: Sequence[Any]
) -> AsyncGenerator[bytes, None]:
    async with database.unit_of_work(tenant_id) as uow:
        driver = await uow.driver()
        await driver.execute(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{_LONGEST_EXPORT}'")
        async with aclosing(csv_export.copy_csv(driver, query, values)) as chunks:
            async for chunk in chunks:
                yield chunk
