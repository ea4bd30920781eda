"""Rebuilds canonical rows from the raw records that were kept, without asking the vendor for anything."""

from collections.abc import Sequence
from typing import Any

from counterfoil.ingest import repository
from counterfoil.ingest.engine import JobControl, zero_counts
from counterfoil.ingest.landing import Counts, Kept, Lander
from counterfoil.ingest.models import RawRecord, StreamRun
from counterfoil.ingest.records import Origin, raw_version
from counterfoil.plugins.connector import Raw, Stream
from counterfoil.plugins.records import Outcome, Reason

BATCH_RECORDS = 2_000


async def replay(job: JobControl, origin: Origin, streams: Sequence[Stream]) -> Outcome:
    """Map every kept record of the streams again, in batches of one transaction each.

    An interrupted replay begins the stream it was in again; rows that are right already are not rewritten.
    """
    totals: dict[str, Any] = {}
    reasons: list[Reason] = []
    for stream in streams:
        totals[stream.name] = await _replay_stream(job, origin, stream, totals)
        if bad := totals[stream.name]["unmappable"]:
            reasons.append(
                Reason(
                    stream=stream.name,
                    code="unmappable_records",
                    detail=f"{bad} kept records do not fit the canonical tables",
                )
            )
    return Outcome(status="partial" if reasons else "succeeded", result={"streams": totals}, reasons=tuple(reasons))


async def _replay_stream(job: JobControl, origin: Origin, stream: Stream, others: dict[str, Any]) -> dict[str, Any]:
    lander = Lander(origin, stream)
    total = zero_counts()
    run = await _open(job, origin, stream)
    after = None
    while True:
        async with job.unit_of_work() as uow:
            batch = await repository.kept_after(uow, origin.connection_id, stream.name, after, BATCH_RECORDS)
            counts = await lander.rebuild(uow, [_kept(origin, stream, raw) for raw in batch]) if batch else Counts()
            await repository.add_to_run(uow, run.id, counts, pages=1 if batch else 0, expected=None, position=None)
            grown = {
                "pages": 1 if batch else 0,
                "rows_read": counts.read,
                "rows_inserted": counts.inserted,
                "rows_updated": counts.updated,
                "rows_unchanged": counts.unchanged,
                "rows_deleted": counts.deleted,
                "unmappable": len(counts.unmappable),
            }
            total = {**total, **{name: total[name] + value for name, value in grown.items()}}
            for detail in counts.unmappable:
                await job.log(uow, "error", f"{stream.title}: could not be mapped: {detail}")
            if not batch:
                total["status"] = "partial" if total["unmappable"] else "succeeded"
                await repository.finish_run(uow, run.id, status=total["status"], reason=None)
            streams = {**others, stream.name: total}
            done = sum(each["rows_read"] for each in streams.values())
            await job.progress(
                uow, done=done, message=f"{stream.title}: {total['rows_read']} rebuilt", data={"streams": streams}
            )
        if not batch:
            return total
        after = (batch[-1].changed_at, str(batch[-1].id))


async def _open(job: JobControl, origin: Origin, stream: Stream) -> StreamRun:
    async with job.unit_of_work() as uow:
        existing = (await repository.runs_of_job(uow, job.job_id)).get(stream.name)
        if existing is not None:
            await repository.restart_run(uow, existing.id)
            return existing
        return repository.new_run(
            uow, job_id=job.job_id, connection_id=origin.connection_id, stream=stream.name, mode="replay", position=None
        )


def _kept(origin: Origin, stream: Stream, raw: RawRecord) -> Kept:
    version = raw_version(origin, stream, Raw(raw.source_id, raw.payload), raw.observed_at)
    return Kept(raw=version, run_id=raw.run_id, changed_at=raw.changed_at)
