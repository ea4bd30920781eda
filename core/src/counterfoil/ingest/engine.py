"""Runs the streams of one connection: reading ahead, landing in batches, moving the cursor with the rows.

A batch is one transaction of the job's, so whatever kills the process leaves either all of it or nothing: rows, counts and
cursor always agree, and the next attempt continues after the last page that landed.
"""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Literal

from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.ingest import batches, horizon, positions, repository
from counterfoil.ingest.batches import Batch, Writer
from counterfoil.ingest.control import JobControl, Source
from counterfoil.ingest.landing import Landers
from counterfoil.ingest.models import CursorState, StreamRun
from counterfoil.ingest.positions import Parent, Position
from counterfoil.ingest.reading import PAGES_AHEAD, Reader, read_ahead
from counterfoil.ingest.recheck import recheck
from counterfoil.ingest.replay import rebuild_batch
from counterfoil.ingest.sweep import sweep
from counterfoil.ingest.totals import Totals
from counterfoil.plugins.connector import ParentCursor, SourceError, SourceUnauthorized, Stream, TimeCursor
from counterfoil.plugins.records import Outcome, Reason

PARENTS_AHEAD = 200

Status = Literal["succeeded", "partial", "failed"]
Mode = Literal["incremental", "backfill", "full"]


class Sync:
    """One run over a connection's streams inside one job."""

    def __init__(self, job: JobControl, source: Source, *, mode: Mode, now: datetime) -> None:
        self._job = job
        self._source = source
        self._mode = mode
        self._now = now
        self._landers = Landers(source.origin, source.connector.streams)
        self._reader = Reader(source, now=now, parents=self._parents, landers=self._landers)
        self._totals = Totals()
        self._writer = Writer(job, self._landers, self._totals)
        self._reasons: list[Reason] = []
        self._waiting: dict[str, tuple[StreamRun, SourceError]] = {}
        self._full: QuotaExceeded | None = None
        self.refused: SourceUnauthorized | None = None

    async def run(self, streams: Sequence[Stream]) -> Outcome:
        """Run the streams in order; one that fails does not stop the next, but the outcome is never green then.

        Raises:
            SourceError: what failed may go well later: the next attempt of this job reads on there, and only there.
        """
        runs = await self._known_runs(streams)
        wanted = {stream.name for stream in streams} | runs.keys()
        chosen = {stream.name: stream for stream in self._source.connector.streams.values() if stream.name in wanted}
        postponed: list[Stream] = []
        for stream in chosen.values():
            if self._waits_for_parent(stream, postponed):
                postponed.append(stream)
            else:
                await self._go_through(stream, runs.get(stream.name))
        if self._waiting and not self._is_over:
            raise max((error for _, error in self._waiting.values()), key=lambda error: error.retry_after_s or 0.0)
        for name, (run, error) in self._waiting.items():
            await self._close(chosen[name], run, error)
        for stream in postponed:
            await self._go_through(stream, runs.get(stream.name))
        return self._outcome()

    @property
    def _is_over(self) -> bool:
        """Whether no stream can be read any more: credentials were refused, or the month's rows are used up."""
        return self.refused is not None or self._full is not None

    def _waits_for_parent(self, stream: Stream, postponed: Sequence[Stream]) -> bool:
        """Whether there are parents yet to come. Through with those there are, it would be through for the whole job."""
        parent = stream.cursor.stream if isinstance(stream.cursor, ParentCursor) else None
        return parent in self._waiting or any(parent == one.name for one in postponed)

    async def _go_through(self, stream: Stream, run: StreamRun | None) -> None:
        self._totals.begin(stream.name, run)
        if run is None or run.finished_at is None:
            await self._run_stream(stream, run)
        elif run.reason is not None:
            # An earlier attempt of this same job was through with it.
            self._reasons.append(Reason(stream=stream.name, code=run.reason["code"], detail=run.reason["detail"]))

    def _outcome(self) -> Outcome:
        status: Status = "partial" if self._reasons else "succeeded"
        if all(total["status"] == "failed" for total in self._totals.by_stream.values()):
            status = "failed"
        return Outcome(status=status, result={"streams": self._totals.by_stream}, reasons=tuple(self._reasons))

    async def _known_runs(self, chosen: Sequence[Stream]) -> dict[str, StreamRun]:
        """The runs of an earlier attempt of this job, and those of streams that have to start over."""
        async with self._job.unit_of_work() as uow:
            runs = await repository.runs_of_job(uow, self._job.job_id)
            opened = await horizon.heed(
                uow,
                self._job,
                self._source.connection_id,
                chosen=chosen,
                streams=self._source.connector.streams,
                runs=runs,
                mode=self._mode,
                now=self._now,
            )
        return runs | opened

    async def _run_stream(self, stream: Stream, run: StreamRun | None) -> None:
        run, position = await self._open(stream, run)
        # Credentials that were refused once are not tried again on every other stream.
        error: SourceError | QuotaExceeded | None = self.refused or self._full
        if error is None:
            try:
                position = await self._read(stream, run, position)
                await recheck(self._writer, self._source, stream, run, since=run.read_at or self._now)
                await self._sweep(stream, run, position)
            except (SourceError, QuotaExceeded) as failure:
                error = failure
            if isinstance(error, SourceUnauthorized):
                self.refused = error
            elif isinstance(error, QuotaExceeded):
                self._full = error
        if isinstance(error, SourceError) and self._job.tries_again(error):
            await self._pause(stream, run, error)
        else:
            await self._close(stream, run, error)

    async def _open(self, stream: Stream, run: StreamRun | None) -> tuple[StreamRun, Position]:
        connection_id = self._source.connection_id
        async with self._job.unit_of_work() as uow:
            state = await repository.load_position(uow, connection_id, stream.name)
            if run is not None:
                await repository.resume_runs(uow, [run.id])
        if state is not None and state.mapped_version != stream.version:
            await self._map_anew(stream, state)
        position: Position = state.position if state else positions.start_of(stream.cursor)
        if run is not None:
            return run, position
        async with self._job.unit_of_work() as uow:
            if self._mode != "incremental":
                position = positions.start_of(stream.cursor)
                await self._writer.save(uow, stream, position)
            await repository.end_interrupted(uow, connection_id, stream.name, job_id=self._job.job_id)
            run = repository.new_run(
                uow,
                job_id=self._job.job_id,
                connection_id=connection_id,
                stream=stream.name,
                mode=self._mode,
                position=position,
                read_at=self._now,
            )
            await uow.session.flush()
            await self._totals.report(self._job, uow, f"{stream.title}: reading")
        return run, position

    async def _map_anew(self, stream: Stream, state: CursorState) -> None:
        """Map every kept record by the mapping's new version; goes on where an interrupted attempt stopped."""
        lander = self._landers.of(stream.name)
        change: int = state.position.pop(repository.MAPPED_ANEW, 0)
        is_through = False
        while not is_through:
            async with self._job.unit_of_work() as uow:
                counts, change, is_through = await rebuild_batch(uow, lander, change)
                for detail in counts.unmappable:
                    await self._job.log(uow, "error", f"{stream.title}: kept raw, could not be mapped: {detail}")
                await repository.save_position(
                    uow,
                    self._source.connection_id,
                    stream.name,
                    state.position if is_through else {**state.position, repository.MAPPED_ANEW: change},
                    mapped_version=stream.version if is_through else state.mapped_version,
                    job_id=self._job.job_id,
                    complete=False,
                )
                await self._totals.report(self._job, uow, f"{stream.title}: mapping kept records anew")

    async def _read(self, stream: Stream, run: StreamRun, position: Position) -> Position:
        """Read up to now; where the stream stands then."""
        batch = Batch(is_first=True)
        ahead = read_ahead(self._reader.steps(stream, position), pages=PAGES_AHEAD, records=batches.BATCH_RECORDS)
        try:
            async with aclosing(ahead) as steps:
                async for step in steps:
                    batch.add(step)
                    position = step.position
                    if batch.is_due:
                        done, batch = batch, Batch()
                        await self._writer.write(stream, run, done)
        except SourceError:
            # What arrived before the fault is good: it lands, and the next attempt or run continues after it.
            await self._writer.write(stream, run, batch)
            raise
        batch.position = position
        await self._writer.write(stream, run, batch, complete=True)
        return position

    async def _sweep(self, stream: Stream, run: StreamRun, position: Position) -> None:
        """After a full read that is surely whole: what was not shown is gone at the vendor."""
        if run.mode != "full" or not self._may_sweep(stream):
            return
        since = run.read_at or self._now
        await sweep(self._writer, self._source, stream, run, since=since, up_to=positions.reached(position) or since)

    def _may_sweep(self, stream: Stream) -> bool:
        if self._totals.by_stream[stream.name]["short"]:
            return False
        if isinstance(stream.cursor, TimeCursor):
            # What a source forgets is not gone.
            return stream.cursor.horizon is None
        parent = self._totals.by_stream.get(stream.cursor.stream, {})
        return parent.get("status") == "succeeded"

    def _parentless(self, stream: Stream) -> Reason | None:
        """Through with the parents that were known, a stream is not complete where new ones could not be asked for."""
        parent = stream.cursor.stream if isinstance(stream.cursor, ParentCursor) else ""
        if self._totals.by_stream.get(parent, {}).get("status") != "failed":
            return None
        detail = f"Nothing new was read of {parent}, which these records hang on"
        return Reason(stream=stream.name, code="parent_failed", detail=detail)

    async def _pause(self, stream: Stream, run: StreamRun, error: SourceError) -> None:
        """Leave the run open for the next attempt."""
        self._waiting[stream.name] = run, error
        reason = Reason(stream=stream.name, code=error.code, detail=error.detail)
        async with self._job.unit_of_work() as uow:
            status = self._totals.pause(stream.name)
            await repository.pause_run(uow, run.id, status=status, reason=reason.as_json())
            read = _in_words(self._totals.by_stream[stream.name])
            await self._job.log(uow, "warning", f"{stream.title}: {read}; {reason.detail}", reason.as_json())
            await self._totals.report(self._job, uow, f"{stream.title}: waiting", advanced=False)

    async def _close(self, stream: Stream, run: StreamRun, error: SourceError | QuotaExceeded | None) -> None:
        total = self._totals.by_stream[stream.name]
        reason = _reason(stream, error, total) or self._parentless(stream)
        self._reasons.extend([reason] if reason else [])
        status: Status = "succeeded" if reason is None else "partial" if total["pages"] else "failed"
        async with self._job.unit_of_work() as uow:
            total["status"] = status
            await repository.finish_run(uow, run.id, status=status, reason=reason.as_json() if reason else None)
            read = _in_words(total)
            if reason is None:
                await self._job.log(uow, "info", f"{stream.title}: {read}")
            else:
                await self._job.log(uow, "warning", f"{stream.title}: {read}; {reason.detail}", reason.as_json())
            await self._totals.report(self._job, uow, f"{stream.title}: {status}")

    async def _parents(self, cursor: ParentCursor, position: Position) -> list[Parent]:
        async with self._job.unit_of_work() as uow:
            kept = await repository.kept_after(
                uow,
                self._source.connection_id,
                cursor.stream,
                position["after"],
                PARENTS_AHEAD,
                with_deleted=False,
            )
            return [Parent(change=raw.change, payload=raw.payload) for raw in kept]


def _in_words(total: dict[str, Any]) -> str:
    return f"{total['rows_read']} read, {total['rows_inserted']} new, {total['rows_updated']} changed"


def _reason(stream: Stream, error: SourceError | QuotaExceeded | None, total: dict[str, Any]) -> Reason | None:
    if error is not None:
        return Reason(stream=stream.name, code=error.code, detail=error.detail or "")
    if total["unmappable"]:
        detail = f"{total['unmappable']} records do not fit the canonical tables; they are kept raw"
        return Reason(stream=stream.name, code="unmappable_records", detail=detail)
    if total["short"]:
        detail = f"the source counted {total['expected']} records, {total['short']} of them never came"
        return Reason(stream=stream.name, code="short_count", detail=detail)
    return None
