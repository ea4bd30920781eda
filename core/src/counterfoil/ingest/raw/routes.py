"""`/api/v1/connections/{id}/streams/{stream}/records`: what a vendor sent, also of streams that no table shows."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from counterfoil.connections import service as connections
from counterfoil.connections.errors import ConnectionNotFound, UnknownConnector
from counterfoil.ingest.errors import NoSuchStream
from counterfoil.ingest.raw import repository
from counterfoil.ingest.raw.schemas import RawRecordDetail, RawRecordOut
from counterfoil.ingest.records import Origin
from counterfoil.kit.errors import NotFound
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.web import Listing, Page, encode_cursor, provided
from counterfoil.web.links import finds
from counterfoil.web.pagination import listing, number_of
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/connections/{connection_id}/streams/{stream}/records", tags=["connections"])

Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]
Reading = Annotated[Scope, require("tables.read")]


@router.get(
    "",
    operation_id="listRawRecords",
    responses={
        **finds(200, record_id="/items/0/id"),
        **problem_responses(403, ConnectionNotFound, NoSuchStream, UnknownConnector),
    },
)
async def list_raw_records(
    *,
    connection_id: UUID,
    stream: str,
    scope: Reading,
    plugins: Plugins,
    page: Annotated[Listing, Depends(listing)],
    source_id: Annotated[
        str | None, Query(max_length=500, description="Only the record that the vendor knows by this id")
    ] = None,
) -> Page[RawRecordOut]:
    """The newest version of each of a stream's records, the one that changed last first."""
    kind = await _kind_with(scope, plugins, connection_id, stream)
    if source_id is not None:
        # Whose account it is has no part in the id.
        origin = Origin(tenant_id=scope.uow.tenant, connection_id=connection_id, source=kind, account="")
        record_id = origin.raw_id(stream, source_id)
        found = await repository.by_id(scope.uow, connection_id, record_id)
        return Page(items=[RawRecordOut.model_validate(dict(found))] if found else [])
    before = number_of(page.cursor, least=1) if page.cursor else None
    rows = await repository.page(scope.uow, connection_id, stream, before=before, limit=page.limit + 1)
    items = rows[: page.limit]
    return Page(
        items=[RawRecordOut.model_validate(dict(row)) for row in items],
        next_cursor=encode_cursor(items[-1]["change"]) if len(rows) > page.limit else None,
    )


@router.get(
    "/{record_id}",
    operation_id="getRawRecord",
    response_model=RawRecordDetail,
    responses=problem_responses(403, 404, ConnectionNotFound, NoSuchStream, UnknownConnector),
)
async def get_raw_record(
    connection_id: UUID, stream: str, record_id: UUID, scope: Reading, plugins: Plugins
) -> Response:
    """One record with its payload."""
    await _kind_with(scope, plugins, connection_id, stream)
    found = await repository.by_id(scope.uow, connection_id, record_id)
    if found is None or found["stream"] != stream:
        raise NotFound("There is no such record.")
    content = {**found, "payload": orjson.Fragment(found["payload"])}
    return Response(orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z), media_type="application/json")


async def _kind_with(scope: Scope, plugins: PluginManager, connection_id: UUID, stream: str) -> str:
    """The kind of the connection, which has such a stream."""
    connection = await connections.get(scope.uow, connection_id)
    _, connector = connections.connector_of(connection.kind, plugins=plugins)
    if stream not in connector.streams:
        raise NoSuchStream(f"Choose from {', '.join(connector.streams)}.")
    return connection.kind
