"""`/api/v1/tables/views`: views by name, one's own and the shared ones."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from counterfoil.rbac import Scope, require
from counterfoil.tables.errors import InvalidAggregate, InvalidColumns, InvalidFilter, InvalidSort
from counterfoil.tables.registry import TableRegistry
from counterfoil.tables.views import service
from counterfoil.tables.views.errors import NotYourView, TooManyViews, ViewNameTaken
from counterfoil.tables.views.schemas import ViewIn, ViewOut, ViewPatch
from counterfoil.web import Listing, Page, decode_cursor, encode_cursor, provided
from counterfoil.web.etag import IfMatch, tag
from counterfoil.web.links import finds
from counterfoil.web.pagination import InvalidCursor, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/tables/views", tags=["tables"])

Reader = Annotated[Scope, require("tables.read")]
Registry = Annotated[TableRegistry, Depends(provided(TableRegistry))]


@router.get(
    "", operation_id="listViews", responses={**finds(200, view_id="/items/0/id"), **problem_responses(403, 404)}
)
async def list_views(
    scope: Reader,
    registry: Registry,
    page: Annotated[Listing, Depends(listing)],
    table: Annotated[str | None, Query(max_length=100, description="Only views of this table")] = None,
) -> Page[ViewOut]:
    """The caller's own views and the shared ones, oldest first."""
    tables = registry.visible(scope.permissions)
    if table is not None:
        tables = (registry.find(table, scope.permissions),)
    user_id = scope.caller.user_id
    after = _after(page.cursor)
    found = await service.page(scope.uow, user_id=user_id, tables=tables, after=after, limit=page.limit + 1)
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[ViewOut.of(view, caller=user_id) for view in shown],
        next_cursor=encode_cursor(str(shown[-1].id)) if more else None,
    )


@router.post(
    "",
    operation_id="createView",
    status_code=201,
    responses={
        **finds(201, view_id="/id"),
        **problem_responses(
            403, 404, TooManyViews, ViewNameTaken, InvalidFilter, InvalidSort, InvalidColumns, InvalidAggregate
        ),
    },
)
async def create_view(body: ViewIn, scope: Reader, registry: Registry, response: Response) -> ViewOut:
    """Keep filters, sort, columns and a chart of a table under a name. They have to fit the table."""
    user_id = scope.caller.user_id
    view = await service.create(scope.uow, registry.find(body.table, scope.permissions), body, user_id=user_id)
    tag(response, view.version)
    return ViewOut.of(view, caller=user_id)


@router.get("/{view_id}", operation_id="getView", responses=problem_responses(403, 404))
async def get_view(view_id: UUID, scope: Reader, registry: Registry, response: Response) -> ViewOut:
    """One view, with its ETag."""
    view = await service.get(scope.uow, view_id, user_id=scope.caller.user_id)
    registry.find(view.table_name, scope.permissions)
    tag(response, view.version)
    return ViewOut.of(view, caller=scope.caller.user_id)


@router.patch(
    "/{view_id}",
    operation_id="updateView",
    responses=problem_responses(
        403, NotYourView, 404, ViewNameTaken, InvalidFilter, InvalidSort, InvalidColumns, InvalidAggregate
    ),
)
async def update_view(
    *,
    view_id: UUID,
    body: ViewPatch,
    scope: Reader,
    registry: Registry,
    response: Response,
    if_match: IfMatch = None,
) -> ViewOut:
    """Change what is given; only the owner may. Send `If-Match`, and a change by somebody else is not lost."""
    user_id = scope.caller.user_id
    view = await service.get(scope.uow, view_id, user_id=user_id)
    table = registry.find(view.table_name, scope.permissions)
    view = await service.update(scope.uow, table, view, body, user_id=user_id, if_match=if_match)
    tag(response, view.version)
    return ViewOut.of(view, caller=user_id)


@router.delete(
    "/{view_id}", operation_id="deleteView", status_code=204, responses=problem_responses(403, NotYourView, 404)
)
async def delete_view(view_id: UUID, scope: Reader, if_match: IfMatch = None) -> None:
    """Delete a view; only the owner may."""
    view = await service.get(scope.uow, view_id, user_id=scope.caller.user_id)
    await service.delete(scope.uow, view, user_id=scope.caller.user_id, if_match=if_match)


def _after(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (position,) = decode_cursor(cursor, length=1)
    try:
        return UUID(position)
    except (AttributeError, TypeError, ValueError):
        raise InvalidCursor from None
