"""Asks once more for records that may still change although no window will show them again."""

from datetime import datetime
from uuid import UUID

from counterfoil.ingest import repository
from counterfoil.ingest.asking import fetch
from counterfoil.ingest.batches import Batch, Writer
from counterfoil.ingest.control import Source
from counterfoil.ingest.models import StreamRun
from counterfoil.ingest.records import RawVersion
from counterfoil.plugins.connector import SourceError, Stream

AT_A_TIME = 100


async def recheck(writer: Writer, source: Source, stream: Stream, run: StreamRun, *, since: datetime) -> None:
    """Fetch every open record of the stream that nobody has seen since the run began.

    What was fetched counts as seen, so that an attempt after this one goes on with the rest.

    Raises:
        SourceError: some could not be fetched; the others have landed.
    """
    if stream.is_open is None or stream.fetch_one is None:
        return
    after: UUID | None = None
    while True:
        async with writer.job.unit_of_work() as uow:
            found = await repository.open_unseen(
                uow, source.connection_id, stream.name, before=since, after=after, limit=AT_A_TIME
            )
        if not found:
            return
        outcomes = (await fetch(source, stream, [source_id for _, source_id in found])).values()
        versions = [outcome for outcome in outcomes if isinstance(outcome, RawVersion)]
        await writer.write(stream, run, Batch(versions=versions, rechecked=len(versions)))
        for outcome in outcomes:
            if isinstance(outcome, SourceError):
                raise outcome
        after = found[-1][0]
