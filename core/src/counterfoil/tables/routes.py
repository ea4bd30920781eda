"""`/api/v1/tables`: what was synced, filtered, sorted and traced to where it came from."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from counterfoil.rbac import Scope, require
from counterfoil.tables import service
from counterfoil.tables.registry import TableRegistry
from counterfoil.tables.rendering import to_json
from counterfoil.tables.schemas import RowDetail, RowPage, TableList
from counterfoil.web import Listing, provided
from counterfoil.web.pagination import listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/tables", tags=["tables"])

Reader = Annotated[Scope, require("tables.read")]
Registry = Annotated[TableRegistry, Depends(provided(TableRegistry))]
TableName = Annotated[str, Path(description="A table's name", examples=["payments"])]
Filters = Annotated[
    list[str] | None,
    Query(
        alias="filter",
        description=(
            "column:op:value, repeatable; all have to hold. Operators: eq, ne (also finds rows without a value), "
            "in (values separated by commas, double quotes around one that holds a comma), gt, gte, lt, lte, "
            "contains (in any case) and is_null (true or false). Rows deleted at the source are left out unless there is "
            "a filter on deleted_at."
        ),
        examples=[["amount:gte:100", "status:in:paid,pending"]],
    ),
]
SortBy = Annotated[
    str | None,
    Query(
        max_length=100,
        description="column, or -column to sort downwards. Rows without a value come last; text sorts by its first 128 "
        "characters; ties are in the order of id.",
        examples=["-amount"],
    ),
]


@router.get("", operation_id="listTables", response_model_exclude_none=True, responses=problem_responses(401, 403))
async def list_tables(scope: Reader, registry: Registry) -> TableList:
    """The tables the caller may read, with their columns."""
    return TableList(items=await service.describe(scope.uow, registry.visible(scope.permissions)))


@router.get(
    "/{table}", operation_id="listRows", response_model=RowPage, responses=problem_responses(401, 403, 404, 422)
)
async def list_rows(
    *,
    table: TableName,
    scope: Reader,
    registry: Registry,
    page: Annotated[Listing, Depends(listing)],
    filters: Filters = None,
    sort: SortBy = None,
    count: Annotated[bool, Query(description="Add total, the number of rows the filters let through")] = False,
) -> Response:
    """One page of a table."""
    query = service.read_query(
        registry.find(table, scope.permissions),
        filters=filters or (),
        sort=sort,
        cursor=page.cursor,
        limit=page.limit,
    )
    content = await service.list_rows(scope.uow, query, with_total=count)
    return Response(to_json(content), media_type="application/json")


@router.get(
    "/{table}/rows/{row_id}",
    operation_id="getRow",
    response_model=RowDetail,
    responses=problem_responses(401, 403, 404, 422),
)
async def get_row(*, table: TableName, row_id: UUID, scope: Reader, registry: Registry) -> Response:
    """One row, deleted ones too, with the vendor's record and the connection, stream run and job it came by."""
    content = await service.open_row(scope.uow, registry.find(table, scope.permissions), row_id)
    return Response(to_json(content), media_type="application/json")
