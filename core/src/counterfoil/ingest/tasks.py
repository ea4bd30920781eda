"""The jobs of the stream engine."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from counterfoil.config import Settings
from counterfoil.connections import service as connections
from counterfoil.connections.service import OpenConnection
from counterfoil.entitlements.service import require_plugin
from counterfoil.ingest.engine import Source, Sync
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
        source = Source(
            connection_id=connection.id,
            connector=connection.connector,
            context=context,
            origin=_origin(job, connection, account),
        )
        sync = Sync(job, source, mode=params.mode, now=utc_now())
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
        await require_plugin(uow, plugin, plugins=plugins)
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
