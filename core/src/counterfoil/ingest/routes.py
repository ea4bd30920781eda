"""Under `/api/v1/connections/{id}`: syncing, replaying, and how the streams stand."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from counterfoil.connections import service as connections
from counterfoil.connections.models import Connection
from counterfoil.db import UnitOfWork
from counterfoil.entitlements.service import require_plugin
from counterfoil.ingest import repository
from counterfoil.ingest.schemas import JobStarted, ReplayIn, StreamOut, SyncIn
from counterfoil.ingest.service import chosen_streams, target_tables
from counterfoil.ingest.tasks import REPLAY, SYNC, ReplayParams, SyncParams
from counterfoil.jobs import service as jobs
from counterfoil.plugins.connector import Connector
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Task
from counterfoil.rbac import Scope, require
from counterfoil.web import Page, provided
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/connections", tags=["connections"])

Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]
Syncing = Annotated[Scope, require("connections.sync")]


@router.post(
    "/{connection_id}/sync",
    operation_id="syncConnection",
    status_code=202,
    responses=problem_responses(401, 403, 404, 409, 422),
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
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def replay(connection_id: UUID, scope: Syncing, plugins: Plugins, body: ReplayIn | None = None) -> JobStarted:
    """Rebuild canonical rows from the raw records that were kept; the vendor is not asked."""
    wanted = body or ReplayIn.model_validate({})
    connection, connector = await _usable(scope.uow, connection_id, plugins)
    chosen_streams(connector, wanted.streams)
    params = ReplayParams(connection_id=connection_id, streams=wanted.streams)
    return await _start(scope.uow, REPLAY, params, connection, title=f"Rebuild {connection.label} from raw records")


@router.get("/{connection_id}/streams", operation_id="listStreams", responses=problem_responses(401, 403, 404))
async def streams(
    connection_id: UUID, scope: Annotated[Scope, require("connections.read")], plugins: Plugins
) -> Page[StreamOut]:
    """Every stream of the connection's connector, with its cursor and last run."""
    connection = await connections.get(scope.uow, connection_id)
    _, connector = connections.connector_of(connection.kind, plugins=plugins)
    runs = await repository.latest_runs(scope.uow, connection_id)
    cursors = await repository.cursors_of(scope.uow, connection_id)
    return Page(
        items=[
            StreamOut.of(stream, target_tables(stream), runs.get(stream.name), cursors.get(stream.name))
            for stream in connector.streams.values()
        ]
    )


async def _usable(uow: UnitOfWork, connection_id: UUID, plugins: PluginManager) -> tuple[Connection, Connector]:
    connection = await connections.get(uow, connection_id)
    plugin, connector = connections.connector_of(connection.kind, plugins=plugins)
    await require_plugin(uow, plugin, plugins=plugins)
    return connection, connector


async def _start(uow: UnitOfWork, task: Task, params: BaseModel, connection: Connection, *, title: str) -> JobStarted:
    job = await jobs.enqueue(uow, task, params, title=title, subject=(connections.RESOURCE, connection.id))
    await connections.record_job(uow, connection.id, job.id)
    return JobStarted(job_id=job.id, correlation_id=job.correlation_id)
