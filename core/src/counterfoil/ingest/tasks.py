"""The jobs of the stream engine."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from counterfoil.connections import service as connections
from counterfoil.ingest.control import Source
from counterfoil.ingest.engine import Mode, Sync
from counterfoil.ingest.errors import ConnectionNotReady
from counterfoil.ingest.opening import WhileConnected, checked_account, opened, origin_of
from counterfoil.ingest.replay import replay
from counterfoil.ingest.service import REPLAY_KIND, SYNC_KIND, chosen_streams
from counterfoil.jobs.context import JobContext
from counterfoil.kit.clock import utc_now
from counterfoil.plugins.records import Outcome, Task


class SyncParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    connection_id: UUID
    streams: list[str] | None = None
    mode: Mode = "incremental"


class ReplayParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    connection_id: UUID
    streams: list[str] | None = None


async def run_sync(job: JobContext, params: SyncParams) -> Outcome:
    """Read the vendor and land what is new or changed.

    Raises:
        SourceError: a part of it failed, and may go well in another attempt.
    """
    connection = await opened(job, params.connection_id)
    account = connection.account or await checked_account(job, connection)
    async with connection.client() as context:
        origin = origin_of(job, connection, account)
        source = Source(connector=connection.connector, context=context, origin=origin)
        sync = Sync(WhileConnected(job, connection.id), source, mode=params.mode, now=utc_now())
        outcome = await sync.run(chosen_streams(connection.connector, params.streams))
    if sync.refused or outcome.status == "succeeded":
        async with job.unit_of_work() as uow:
            await connections.record_sync(uow, connection.id, sync.refused)
    return outcome


async def run_replay(job: JobContext, params: ReplayParams) -> Outcome:
    """Map the kept raw records again; the vendor is not asked."""
    connection = await opened(job, params.connection_id)
    if connection.known_account is None:
        raise ConnectionNotReady("Nothing was ever synced through this connection.")
    origin = origin_of(job, connection, connection.known_account)
    return await replay(job, origin, chosen_streams(connection.connector, params.streams))


SYNC = Task(name=SYNC_KIND, title="Sync", params=SyncParams, run=run_sync, permission="connections.sync")
REPLAY = Task(
    name=REPLAY_KIND,
    title="Rebuild from raw records",
    params=ReplayParams,
    run=run_replay,
    permission="connections.sync",
)
TASKS = (SYNC, REPLAY)
