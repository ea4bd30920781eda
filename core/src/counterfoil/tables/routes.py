"""`/api/v1/tables`: what was synced, filtered, sorted and traced to where it came from."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.responses import StreamingResponse

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.rbac import Scope, require
from counterfoil.tables import exports, service, workbook
from counterfoil.tables.aggregates import read_aggregate
from counterfoil.tables.errors import (
    InvalidAggregate,
    InvalidColumns,
    InvalidFilter,
    InvalidSort,
    SortTooLarge,
    TooManyExports,
    TooManyRows,
)
from counterfoil.tables.exports import Export, ExportQuery, ExportSlots
from counterfoil.tables.records import Table
from counterfoil.tables.registry import TableRegistry
from counterfoil.tables.rendering import to_json
from counterfoil.tables.schemas import AggregateOut, RowDetail, RowPage, TableList
from counterfoil.web import Listing, csv_export, provided
from counterfoil.web.downloads import Download
from counterfoil.web.links import finds
from counterfoil.web.pagination import listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/tables", tags=["tables"])

Reader = Annotated[Scope, require("tables.read")]
TheSettings = Annotated[Settings, Depends(provided(Settings))]
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

Groups = Annotated[
    list[str] | None,
    Query(
        alias="group",
        description="A column to group by, repeatable up to three times; a time is grouped as column:bucket with hour, "
        "day, week, month, quarter or year.",
        examples=[["source_created_at:month", "status"]],
    ),
]
Measures = Annotated[
    list[str] | None,
    Query(
        alias="measure",
        description="count (the default), or sum, min, max, avg or count_distinct with a column, as sum:amount; "
        "repeatable. Averages have six places.",
        examples=[["count", "sum:amount"]],
    ),
]
MAX_GROUP_ROWS = 1000


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """What an export needs besides the question."""

    database: Database
    slots: ExportSlots
    timeout_s: int

    def of(self, scope: Scope, query: ExportQuery) -> Export:
        return Export(
            database=self.database,
            slots=self.slots,
            tenant_id=scope.uow.tenant,
            actor=context.current_actor.get(),
            timeout_s=self.timeout_s,
            query=query,
        )


async def asked(
    *,
    table: TableName,
    scope: Reader,
    registry: Registry,
    filters: Filters = None,
    sort: SortBy = None,
    columns: Annotated[
        str | None,
        Query(max_length=2000, description="Columns separated by commas, in this order; all without it"),
    ] = None,
) -> ExportQuery:
    found = registry.find(table, scope.permissions)
    return exports.read_export(found, filters=filters or (), sort=sort, columns=columns)


async def exporting(
    database: Annotated[Database, Depends(provided(Database))],
    slots: Annotated[ExportSlots, Depends(provided(ExportSlots))],
    settings: TheSettings,
) -> Exporter:
    return Exporter(database=database, slots=slots, timeout_s=settings.export_timeout_s)


Asked = Annotated[ExportQuery, Depends(asked)]
Exporting = Annotated[Exporter, Depends(exporting)]


@router.get(
    "",
    operation_id="listTables",
    response_model_exclude_none=True,
    responses={**finds(200, table="/items/0/name"), **problem_responses(403)},
)
async def list_tables(scope: Reader, registry: Registry) -> TableList:
    """The tables the caller may read, with their columns."""
    return TableList(items=await service.describe(scope.uow, registry.visible(scope.permissions)))


@router.get(
    "/{table}",
    operation_id="listRows",
    response_model=RowPage,
    responses={
        **finds(200, row_id="/items/0/id"),
        **problem_responses(403, 404, InvalidFilter, InvalidSort, SortTooLarge),
    },
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
    "/{table}/aggregate",
    operation_id="aggregateRows",
    response_model=AggregateOut,
    responses=problem_responses(403, 404, InvalidFilter, InvalidSort, InvalidAggregate),
)
async def aggregate_rows(
    *,
    table: TableName,
    scope: Reader,
    registry: Registry,
    filters: Filters = None,
    groups: Groups = None,
    measures: Measures = None,
    sort: Annotated[
        str | None,
        Query(
            max_length=100,
            description="A group or a measure, - in front to sort downwards. Without it buckets come in time, other "
            "groups with the largest first measure first.",
            examples=["-sum_amount"],
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        Query(max_length=64, description="IANA name; the tenant's own without it", examples=["Europe/Berlin"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_GROUP_ROWS, description="Most groups in the answer")] = 200,
) -> Response:
    """Counts, sums and other figures of the rows the filters let through, per group.

    Amounts are never added across currencies: a measure over an amount is grouped by its currency, asked for or not.
    """
    query = read_aggregate(
        registry.find(table, scope.permissions),
        filters=filters or (),
        groups=groups or (),
        measures=measures or (),
        sort=sort or None,
        timezone=timezone or None,
        limit=limit,
    )
    return Response(to_json(await service.aggregate(scope.uow, query)), media_type="application/json")


@router.get(
    "/{table}/export.csv",  # noqa: FAST003  (a dependency reads it)
    operation_id="exportRowsAsCsv",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **problem_responses(
            403, QuotaExceeded, 404, InvalidFilter, InvalidSort, InvalidColumns, SortTooLarge, TooManyExports
        ),
    },
)
async def export_csv(
    *,
    query: Asked,
    scope: Reader,
    export: Exporting,
    bom: Annotated[bool, Query(description="Begin with a byte order mark, for spreadsheets that need one")] = False,
) -> Download:
    """All rows the filters let through as CSV in UTF-8, streamed.

    Texts that a spreadsheet would take for a formula begin with a quote. A file that could not be finished ends as a
    broken download, never as a shorter file.
    """
    export.slots.require()
    await exports.announce(scope.uow, query, kind="csv")
    made = export.of(scope, query)
    chunks = exports.metered(made, exports.csv_chunks(made, with_bom=bom))
    return Download(chunks, filename=_filename(query.table, "csv"), media_type=csv_export.MEDIA_TYPE)


@router.get(
    "/{table}/export.xlsx",  # noqa: FAST003  (a dependency reads it)
    operation_id="exportRowsAsXlsx",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file", "content": {workbook.MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **problem_responses(
            403,
            QuotaExceeded,
            404,
            InvalidFilter,
            InvalidSort,
            InvalidColumns,
            SortTooLarge,
            TooManyRows,
            TooManyExports,
        ),
    },
)
async def export_xlsx(*, query: Asked, scope: Reader, export: Exporting, settings: TheSettings) -> Download:
    """All rows the filters let through as an Excel workbook: real numbers and dates, times in UTC.

    An amount with more than 15 digits is text, because a cell's number would round it. Above the installation's limit of
    rows the answer is 422 `too_many_rows`: export CSV then.
    """
    export.slots.require()
    await exports.announce(scope.uow, query, kind="xlsx")
    made = export.of(scope, query)
    chunks = exports.metered(made, exports.xlsx_chunks(made, most_rows=settings.xlsx_max_rows))
    return Download(chunks, filename=_filename(query.table, "xlsx"), media_type=workbook.MEDIA_TYPE)


@router.get(
    "/{table}/rows/{row_id}",
    operation_id="getRow",
    response_model=RowDetail,
    responses=problem_responses(403, 404),
)
async def get_row(*, table: TableName, row_id: UUID, scope: Reader, registry: Registry) -> Response:
    """One row, deleted ones too, with the vendor's record and the connection, stream run and job it came by."""
    content = await service.open_row(scope.uow, registry.find(table, scope.permissions), row_id)
    return Response(to_json(content), media_type="application/json")


def _filename(table: Table, suffix: str) -> str:
    return f"{table.name}-{utc_now():%Y-%m-%d}.{suffix}"
