"""Under `/api/v1/connections/{id}`: every request that was sent for it, and how its account's budget stands."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.connections import service as connections
from counterfoil.connections.errors import ConnectionNotFound, UnknownConnector
from counterfoil.outbound import service
from counterfoil.outbound.errors import ApiCallNotFound, BudgetUnknown
from counterfoil.outbound.schemas import ApiCallOut, BudgetOut, StatusClass
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.web import Listing, Page, decode_cursor, encode_cursor, provided
from counterfoil.web.instants import Bound
from counterfoil.web.links import finds
from counterfoil.web.pagination import InvalidCursor, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/connections", tags=["connections"])

Readable = Annotated[Scope, require("connections.read")]


@router.get(
    "/{connection_id}/api-calls",
    operation_id="listApiCalls",
    responses={**finds(200, call_id="/items/0/id"), **problem_responses(403, ConnectionNotFound)},
)
async def list_api_calls(
    connection_id: UUID,
    scope: Readable,
    *,
    listing: Annotated[Listing, Depends(listing)],
    status: Annotated[StatusClass | None, Query(description="Only answers of this class; `none`: no answer")] = None,
    since: Annotated[Bound | None, Query(alias="from", description="Only what was sent then or later")] = None,
    until: Annotated[Bound | None, Query(alias="to", description="Only what was sent before")] = None,
    job_id: Annotated[UUID | None, Query(description="Only what this job sent")] = None,
) -> Page[ApiCallOut]:
    """Every attempt at a request to the vendor, newest first; also those that failed, and those of deleted connections."""
    await connections.require_known(scope.uow, connection_id)
    calls = await service.page(
        scope.uow,
        connection_id,
        status=status,
        job_id=job_id,
        since=since,
        until=until,
        before=_before(listing.cursor),
        limit=listing.limit + 1,
    )
    items = calls[: listing.limit]
    return Page(
        items=[ApiCallOut.of(call) for call in items],
        next_cursor=encode_cursor(str(items[-1].id)) if len(calls) > listing.limit else None,
    )


@router.get(
    "/{connection_id}/api-calls/{call_id}",
    operation_id="getApiCall",
    responses=problem_responses(403, ConnectionNotFound, ApiCallNotFound),
)
async def get_api_call(connection_id: UUID, call_id: UUID, scope: Readable) -> ApiCallOut:
    """One attempt, with the beginning of the answer if that was an error."""
    return ApiCallOut.of(await service.get(scope.uow, connection_id, call_id))


@router.get(
    "/{connection_id}/budget",
    operation_id="getConnectionBudget",
    responses=problem_responses(403, ConnectionNotFound, UnknownConnector, BudgetUnknown),
)
async def get_budget(
    connection_id: UUID,
    scope: Readable,
    plugins: Annotated[PluginManager, Depends(provided(PluginManager))],
    configuration: Annotated[Settings, Depends(provided(Settings))],
    redis: Annotated[Redis, Depends(provided(Redis))],
) -> BudgetOut:
    """The limits of the vendor's account, shared by every connection to it, and how much of them is in use."""
    opened = await connections.open_connection(scope.uow, connection_id, plugins=plugins, configuration=configuration)
    limits = opened.connector.limits_for(opened.settings)
    return BudgetOut.of(limits, await service.budget(redis, opened.budget_key, rps=limits.rps))


def _before(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (position,) = decode_cursor(cursor, length=1)
    try:
        return UUID(position)
    except (AttributeError, TypeError, ValueError):
        raise InvalidCursor from None
