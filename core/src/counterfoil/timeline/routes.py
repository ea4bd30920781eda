"""`/api/v1/timeline/{correlation_id}`: what one request set off."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from counterfoil.rbac import Scope, require_member
from counterfoil.timeline import service
from counterfoil.timeline.repository import Position
from counterfoil.timeline.schemas import TimelineEntry, TimelinePage
from counterfoil.web import Listing, decode_cursor, encode_cursor
from counterfoil.web.pagination import InvalidCursor, instant_of, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/timeline", tags=["timeline"])


@router.get("/{correlation_id}", operation_id="getTimeline", responses=problem_responses(403))
async def get_timeline(
    correlation_id: UUID,
    scope: Annotated[Scope, require_member()],
    page: Annotated[Listing, Depends(listing)],
) -> TimelinePage:
    """Everything on record with this correlation id, oldest first: jobs, stream runs, audit events.

    Jobs and their runs need `jobs.read`, audit events `audit.read`; what you may not see is left out and named in `hidden`. An id
    nothing is on record for gives an empty list.
    """
    after = _position(page.cursor) if page.cursor else None
    found = await service.read(
        scope.uow, correlation_id, permissions=scope.permissions, after=after, limit=page.limit + 1
    )
    shown, more = found.entries[: page.limit], len(found.entries) > page.limit
    return TimelinePage(
        items=[TimelineEntry.of(entry) for entry in shown],
        next_cursor=encode_cursor(shown[-1].at.isoformat(), shown[-1].key) if more else None,
        hidden=found.hidden,
    )


def _position(cursor: str) -> Position:
    at, key = decode_cursor(cursor, length=2)
    if not isinstance(key, str):
        raise InvalidCursor
    return Position(at=instant_of(at), key=key)
