"""The jobs of the stream engine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from counterfoil.config import Settings
from counterfoil.connections import service as connections
from counterfoil.connections.service import OpenConnection
from counterfoil.db.database import UnitOfWork
from counterfoil.entitlements.service import require_work
from counterfoil.ingest.control import LogLevel, Source
from counterfoil.ingest.engine import Sync
from counterfoil.ingest.errors import ConnectionNotReady
from counterfoil.ingest.records import Origin
from counterfoil.ingest.replay import replay
from counterfoil.ingest.service import chosen_streams
from counterfoil.jobs.context import JobContext
from counterfoil.kit.clock import utc_now
from counterfoil.plugins.connector import Account
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Outcome, Task


class SyncParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    connection_id: UUID
    streams: list[str] | None = None
    mode: Literal["incremental", "backfill"] = "incremental"


class ReplayParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    connection_id: UUID
    streams: list[str] | None = None


async def run_sync(job: JobContext, params: SyncParams) -> Outcome:
    """Read the vendor and land what is new or changed."""
    connection = await _opened(job, params.connection_id)
    account = connection.account or await _checked_account(job, connection)
    async with connection.client() as context:
        origin = _origin(job, connection, account)
        source = Source(connector=connection.connector, context=context, origin=origin)
        sync = Sync(_WhileConnected(job, connection.id), source, mode=params.mode, now=utc_now())
        outcome = await sync.run(chosen_streams(connection.connector, params.streams))
    if sync.refused or outcome.status == "succeeded":
        async with job.unit_of_work() as uow:
            await connections.record_sync(uow, connection.id, sync.refused)
    return outcome


async def run_replay(job: JobContext, params: ReplayParams) -> Outcome:
    """Map the kept raw records again; the vendor is not asked."""
    connection = await _opened(job, params.connection_id)
    if connection.known_account is None:
        raise ConnectionNotReady("Nothing was ever synced through this connection.")
    origin = _origin(job, connection, connection.known_account)
    return await replay(job, origin, chosen_streams(connection.connector, params.streams))


class _WhileConnected:
    """A job that ends when its connection is deleted: what was synced stays, but nothing more is fetched."""

    def __init__(self, job: JobContext, connection_id: UUID) -> None:
        self._job = job
        self._connection_id = connection_id

    @property
    def job_id(self) -> UUID:
        return self._job.job_id

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        async with self._job.unit_of_work() as uow:
            await connections.get(uow, self._connection_id)
            yield uow

    async def progress(self, uow: UnitOfWork, **report: Any) -> None:
        await self._job.progress(uow, **report)

    async def log(self, uow: UnitOfWork, level: LogLevel, message: str, data: Mapping[str, Any] | None = None) -> None:
        await self._job.log(uow, level, message, data)


SYNC = Task(name="core.sync", title="Sync", params=SyncParams, run=run_sync)
REPLAY = Task(name="core.replay", title="Rebuild from raw records", params=ReplayParams, run=run_replay)
TASKS = (SYNC, REPLAY)


async def _opened(job: JobContext, connection_id: UUID) -> OpenConnection:
    """The connection, if the tenant may still use its plugin: a plan may have ended while the job waited."""
    plugins = job.provided[PluginManager]
    async with job.unit_of_work() as uow:
        connection = await connections.open_connection(
            uow, connection_id, plugins=plugins, configuration=job.provided[Settings]
        )
        plugin, _ = connections.connector_of(connection.kind, plugins=plugins)
        await require_work(uow, plugin, plugins=plugins)
    return connection


async def _checked_account(job: JobContext, connection: OpenConnection) -> Account:
    """Whose account it is, found out now: every row's identity begins with it."""
    checked = await connections.check(
        job.unit_of_work, connection.id, plugins=job.provided[PluginManager], configuration=job.provided[Settings]
    )
    if checked.account is None:
        raise ConnectionNotReady(checked.error.detail if checked.error else "")
    return checked.account


def _origin(job: JobContext, connection: OpenConnection, account: Account) -> Origin:
    return Origin(tenant_id=job.tenant_id, connection_id=connection.id, source=connection.kind, account=account.id)
