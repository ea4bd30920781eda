"""From a connection's id to a source that a job may read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

from counterfoil.config import Settings
from counterfoil.connections import service as connections
from counterfoil.connections.service import OpenConnection
from counterfoil.db.database import UnitOfWork
from counterfoil.entitlements.service import require_work
from counterfoil.ingest.control import JobControl, LogLevel
from counterfoil.ingest.errors import ConnectionNotReady
from counterfoil.ingest.records import Origin
from counterfoil.kit.provided import Provided
from counterfoil.plugins.connector import Account, SourceError
from counterfoil.plugins.manager import PluginManager


class RunningJob(JobControl, Protocol):
    """A job with what its worker shares."""

    @property
    def tenant_id(self) -> UUID: ...

    @property
    def provided(self) -> Provided: ...


class WhileConnected:
    """A job that ends when its connection is deleted: what was synced stays, but nothing more is fetched."""

    def __init__(self, job: RunningJob, connection_id: UUID) -> None:
        self._job = job
        self._connection_id = connection_id

    @property
    def job_id(self) -> UUID:
        return self._job.job_id

    def tries_again(self, error: SourceError) -> bool:
        return self._job.tries_again(error)

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        async with self._job.unit_of_work() as uow:
            await connections.get(uow, self._connection_id)
            yield uow

    async def progress(self, uow: UnitOfWork, **report: Any) -> None:
        await self._job.progress(uow, **report)

    async def log(self, uow: UnitOfWork, level: LogLevel, message: str, data: Mapping[str, Any] | None = None) -> None:
        await self._job.log(uow, level, message, data)


async def opened(job: RunningJob, connection_id: UUID) -> OpenConnection:
    """The connection, if the tenant may still use its plugin: a plan may have ended while the job waited."""
    plugins = job.provided[PluginManager]
    async with job.unit_of_work() as uow:
        connection = await connections.open_connection(
            uow, connection_id, plugins=plugins, configuration=job.provided[Settings]
        )
        plugin, _ = connections.connector_of(connection.kind, plugins=plugins)
        await require_work(uow, plugin, plugins=plugins)
    return connection


async def checked_account(job: RunningJob, connection: OpenConnection) -> Account:
    """Whose account it is, found out now: every row's identity begins with it.

    Raises:
        SourceError: the source cannot say it right now, and may later.
        ConnectionNotReady: it refuses to.
    """
    checked = await connections.check(
        job.unit_of_work, connection.id, plugins=job.provided[PluginManager], configuration=job.provided[Settings]
    )
    if checked.error is not None and checked.error.retryable:
        raise checked.error
    if checked.account is None:
        raise ConnectionNotReady(checked.error.detail if checked.error else "")
    return checked.account


def origin_of(job: RunningJob, connection: OpenConnection, account: Account) -> Origin:
    return Origin(tenant_id=job.tenant_id, connection_id=connection.id, source=connection.kind, account=account.id)
