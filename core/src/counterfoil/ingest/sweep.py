"""After a full read: what the vendor no longer shows is gone."""

from datetime import datetime
from uuid import UUID

from counterfoil.ingest import repository
from counterfoil.ingest.batches import Batch, Writer
from counterfoil.ingest.control import Source
from counterfoil.ingest.models import StreamRun
from counterfoil.ingest.records import raw_version
from counterfoil.plugins.connector import Raw, Stream

AT_A_TIME = 2_000


async def sweep(
    writer: Writer, source: Source, stream: Stream, run: StreamRun, *, since: datetime, up_to: datetime
) -> None:
    """Tombstone every record that was known before and that this run was not shown.

    Only for a stream whose every window was read and counted right: the caller knows. What was first seen after the
    windows' end is no window's to show, and stays.

    Args:
        writer: lands the tombstones.
        source: the connection.
        stream: the stream that was read in full.
        run: the run that read it.
        since: when it began, which is when the record was surely gone.
        up_to: the end of its last window.
    """
    after: UUID | None = None
    while True:
        async with writer.job.unit_of_work() as uow:
            found = await repository.not_shown(
                uow,
                source.connection_id,
                stream.name,
                run_id=run.id,
                before=min(since, up_to),
                after=after,
                limit=AT_A_TIME,
            )
        if not found:
            return
        gone = [raw_version(source.origin, stream, Raw(name, {}, deleted=True), since) for _, name in found]
        await writer.write(stream, run, Batch(versions=gone))
        after = found[-1][0]
