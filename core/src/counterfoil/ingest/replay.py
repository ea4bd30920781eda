"""Rebuilds canonical rows from the raw records that were kept, without asking the vendor for anything."""

from collections.abc import Sequence

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest import repository
from counterfoil.ingest.control import JobControl
from counterfoil.ingest.landing import Counts, Kept, Lander
from counterfoil.ingest.models import RawRecord, StreamRun
from counterfoil.ingest.records import Origin, raw_version
from counterfoil.ingest.totals import Totals
from counterfoil.plugins.connector import Raw, Stream
from counterfoil.plugins.records import Outcome, Reason

BATCH_RECORDS = 2_000


async def replay(job: JobControl, origin: Origin, streams: Sequence[Stream]) -> Outcome:
    """Map every kept record of the streams again, in batches of one transaction each.

    An interrupted replay goes on after its last batch; rows that are right already are not rewritten.
    """
    async with job.unit_of_work() as uow:
        runs = await repository.runs_of_job(uow, job.job_id)
    totals = Totals()
    for stream in streams:
        run = runs.get(stream.name)
        totals.begin(stream.name, run)
        if run is None or run.status == "running":
            await _replay_stream(job, origin, stream, run=run, totals=totals)
    reasons = tuple(
        Reason(
            stream=name, code="unmappable_records", detail=f"{total['unmappable']} kept records do not fit the tables"
        )
        for name, total in totals.by_stream.items()
        if total["unmappable"]
    )
    return Outcome(status="partial" if reasons else "succeeded", result={"streams": totals.by_stream}, reasons=reasons)


async def _replay_stream(
    job: JobControl, origin: Origin, stream: Stream, *, run: StreamRun | None, totals: Totals
) -> None:
    lander = Lander(origin, stream)
    run = run or await _open(job, origin, stream)
    change: int = (run.last_position or {}).get("after", 0)
    is_through = False
    while not is_through:
        async with job.unit_of_work() as uow:
            counts, change, is_through = await rebuild_batch(uow, lander, change)
            position = {"after": change}
            await repository.add_to_run(uow, run.id, counts, pages=1, expected=None, position=position)
            for detail in counts.unmappable:
                await job.log(uow, "error", f"{stream.title}: could not be mapped: {detail}")
            fresh = totals.grown(stream.name, counts, pages=1)
            if is_through:
                fresh.by_stream[stream.name]["status"] = (
                    "partial" if fresh.by_stream[stream.name]["unmappable"] else "succeeded"
                )
                await repository.finish_run(uow, run.id, status=fresh.by_stream[stream.name]["status"], reason=None)
            await fresh.report(job, uow, f"{stream.title}: rebuilt")
        totals.take(fresh)


async def rebuild_batch(uow: UnitOfWork, lander: Lander, change: int) -> tuple[Counts, int, bool]:
    """Rebuild the rows of the next kept records: what it did, up to which change, and whether that was all."""
    await lander.lock(uow)
    origin, stream = lander.origin, lander.stream
    batch = await repository.kept_after(uow, origin.connection_id, stream.name, change, BATCH_RECORDS)
    counts = await lander.rebuild(uow, [_kept(origin, stream, raw) for raw in batch]) if batch else Counts()
    return counts, batch[-1].change if batch else change, len(batch) < BATCH_RECORDS


async def _open(job: JobControl, origin: Origin, stream: Stream) -> StreamRun:
    async with job.unit_of_work() as uow:
        return repository.new_run(
            uow, job_id=job.job_id, connection_id=origin.connection_id, stream=stream.name, mode="replay", position=None
        )


def _kept(origin: Origin, stream: Stream, raw: RawRecord) -> Kept:
    gone = raw.deleted_at is not None
    version = raw_version(origin, stream, Raw(raw.source_id, raw.payload, deleted=gone), raw.observed_at)
    return Kept(raw=version, run_id=raw.run_id, changed_at=raw.changed_at)
