"""Under `/api/v1/connections/{id}`: syncing, replaying, and how the streams stand."""

from datetime import UTC
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from counterfoil.connections import service as connections
from counterfoil.connections.errors import ConnectionNotFound, CredentialsUnreadable, UnknownConnector
from counterfoil.connections.models import Connection
from counterfoil.db import UnitOfWork
from counterfoil.entitlements.service import require_sync
from counterfoil.ingest import repository, service
from counterfoil.ingest.errors import NoSuchStream, NoticeNotFound, SyncUnderWay, UnknownStream
from counterfoil.ingest.schemas import (
    CursorDetailOut,
    CursorResetIn,
    JobStarted,
    ReplayIn,
    SchemaNoticeOut,
    StreamOut,
    SyncIn,
)
from counterfoil.ingest.service import chosen_streams, target_tables
from counterfoil.ingest.tasks import REPLAY, SYNC, ReplayParams, SyncParams
from counterfoil.jobs import service as jobs
from counterfoil.jobs.errors import JobInProgress, JobParamsInvalid
from counterfoil.kit.errors import EntitlementRequired, PluginDisabled
from counterfoil.plugins.connector import Connector
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Task
from counterfoil.rbac import Scope, require
from counterfoil.web import Listing, Page, encode_cursor, provided
from counterfoil.web.links import finds
from counterfoil.web.pagination import id_of, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/connections", tags=["connections"])

Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]
Reading = Annotated[Scope, require("connections.read")]
Syncing = Annotated[Scope, require("connections.sync")]
Managing = Annotated[Scope, require("connections.manage")]


@router.post(
    "/{connection_id}/sync",
    operation_id="syncConnection",
    status_code=202,
    responses={
        **finds(202, job_id="/job_id"),
        **problem_responses(
            403,
            EntitlementRequired,
            PluginDisabled,
            ConnectionNotFound,
            SyncUnderWay,
            JobInProgress,
            UnknownConnector,
            UnknownStream,
            JobParamsInvalid,
            CredentialsUnreadable,
        ),
    },
)
async def sync(connection_id: UUID, scope: Syncing, plugins: Plugins, body: SyncIn | None = None) -> JobStarted:
    """Start a sync, or join the same one that is under way; 409 when that one has other options."""
    wanted = body or SyncIn.model_validate({})
    connection, connector = await _usable(scope.uow, connection_id, plugins)
    chosen_streams(connector, wanted.streams)
    params = SyncParams(connection_id=connection_id, streams=wanted.streams, mode=wanted.mode)
    return await _start(scope.uow, SYNC, params, connection, title=f"Sync {connection.label}")


@router.post(
    "/{connection_id}/replay",
    operation_id="replayConnection",
    status_code=202,
    responses={
        **finds(202, job_id="/job_id"),
        **problem_responses(
            403,
            EntitlementRequired,
            PluginDisabled,
            ConnectionNotFound,
            SyncUnderWay,
            JobInProgress,
            UnknownConnector,
            UnknownStream,
            JobParamsInvalid,
            CredentialsUnreadable,
        ),
    },
)
async def replay(connection_id: UUID, scope: Syncing, plugins: Plugins, body: ReplayIn | None = None) -> JobStarted:
    """Rebuild canonical rows from the raw records that were kept; the vendor is not asked."""
    wanted = body or ReplayIn.model_validate({})
    connection, connector = await _usable(scope.uow, connection_id, plugins)
    chosen_streams(connector, wanted.streams)
    params = ReplayParams(connection_id=connection_id, streams=wanted.streams)
    return await _start(scope.uow, REPLAY, params, connection, title=f"Rebuild {connection.label} from raw records")


@router.get(
    "/{connection_id}/streams",
    operation_id="listStreams",
    responses={**finds(200, stream="/items/0/name"), **problem_responses(403, ConnectionNotFound, UnknownConnector)},
)
async def streams(connection_id: UUID, scope: Reading, plugins: Plugins) -> Page[StreamOut]:
    """Every stream of the connection's connector, with its cursor and last run."""
    connection = await connections.get(scope.uow, connection_id)
    _, connector = connections.connector_of(connection.kind, plugins=plugins)
    runs = await repository.latest_runs(scope.uow, connection_id, connector.streams)
    cursors = await repository.cursors_of(scope.uow, connection_id)
    return Page(
        items=[
            StreamOut.of(stream, target_tables(stream), runs.get(stream.name), cursors.get(stream.name))
            for stream in connector.streams.values()
        ]
    )


@router.get(
    "/{connection_id}/cursors",
    operation_id="listCursors",
    responses=problem_responses(403, ConnectionNotFound, UnknownConnector),
)
async def cursors(connection_id: UUID, scope: Reading, plugins: Plugins) -> Page[CursorDetailOut]:
    """Where every stream stands: what is in, what was begun, and how far each run reads back."""
    connection = await connections.get(scope.uow, connection_id)
    _, connector = connections.connector_of(connection.kind, plugins=plugins)
    states = await repository.cursors_of(scope.uow, connection_id)
    return Page(items=[CursorDetailOut.of(one, states.get(one.name)) for one in connector.streams.values()])


@router.post(
    "/{connection_id}/cursors/{stream}/reset",
    operation_id="resetCursor",
    responses=problem_responses(403, ConnectionNotFound, NoSuchStream, SyncUnderWay, UnknownConnector),
)
async def reset_cursor(
    connection_id: UUID, stream: str, body: CursorResetIn, scope: Managing, plugins: Plugins
) -> CursorDetailOut:
    """Have the next sync read a stream from an instant on, or from the beginning. Rows stay as they are."""
    connection = await connections.get(scope.uow, connection_id)
    _, connector = connections.connector_of(connection.kind, plugins=plugins)
    declared = connector.streams.get(stream)
    if declared is None:
        raise NoSuchStream(f"Choose from {', '.join(connector.streams)}.")
    instant = None if body.to == "beginning" else body.to.astimezone(UTC)
    state = await service.reset_cursor(scope.uow, connection_id, declared, instant=instant)
    return CursorDetailOut.of(declared, state)


@router.get(
    "/{connection_id}/schema-notices",
    operation_id="listSchemaNotices",
    responses={**finds(200, notice_id="/items/0/id"), **problem_responses(403, ConnectionNotFound)},
)
async def schema_notices(
    connection_id: UUID,
    scope: Reading,
    page: Annotated[Listing, Depends(listing)],
    only_open: Annotated[bool, Query(alias="open", description="Only those nobody acknowledged")] = False,
) -> Page[SchemaNoticeOut]:
    """Fields that appeared in a stream's records, and types that changed, newest first. Each is noticed once."""
    await connections.get(scope.uow, connection_id)
    found = await repository.schema_notices(
        scope.uow, connection_id, only_open=only_open, before=id_of(page.cursor), limit=page.limit + 1
    )
    return Page(
        items=[SchemaNoticeOut.model_validate(notice) for notice in found[: page.limit]],
        next_cursor=encode_cursor(str(found[page.limit - 1].id)) if len(found) > page.limit else None,
    )


@router.post(
    "/{connection_id}/schema-notices/{notice_id}/acknowledge",
    operation_id="acknowledgeSchemaNotice",
    responses=problem_responses(403, ConnectionNotFound, NoticeNotFound),
)
async def acknowledge_schema_notice(connection_id: UUID, notice_id: UUID, scope: Managing) -> SchemaNoticeOut:
    """Say that somebody has looked at it."""
    await connections.get(scope.uow, connection_id)
    notice = await service.acknowledge(scope.uow, connection_id, notice_id, by=scope.caller.user_id)
    return SchemaNoticeOut.model_validate(notice)


async def _usable(uow: UnitOfWork, connection_id: UUID, plugins: PluginManager) -> tuple[Connection, Connector]:
    connection = await connections.get(uow, connection_id)
    plugin, connector = connections.connector_of(connection.kind, plugins=plugins)
    await require_sync(uow, plugin, plugins=plugins)
    return connection, connector


async def _start(uow: UnitOfWork, task: Task, params: BaseModel, connection: Connection, *, title: str) -> JobStarted:
    job = await jobs.enqueue(uow, task, params, title=title, subject=(connections.RESOURCE, connection.id))
    await connections.record_job(uow, connection.id, job.id)
    return JobStarted(job_id=job.id, correlation_id=job.correlation_id)
