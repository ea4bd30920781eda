"""Runs the streams of one connection: reading ahead, landing in batches, moving the cursor with the rows.

A batch is one transaction of the job's, so whatever kills the process leaves either all of it or nothing: rows, counts and
cursor always agree, and the next attempt continues after the last page that landed.
"""

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from counterfoil.db.database import UnitOfWork
from counterfoil.entitlements import usage
from counterfoil.ingest import positions, repository
from counterfoil.ingest.control import JobControl, Source
from counterfoil.ingest.landing import Lander
from counterfoil.ingest.models import CursorState, StreamRun
from counterfoil.ingest.positions import Parent, Position
from counterfoil.ingest.reading import Reader, Step, read_ahead
from counterfoil.ingest.records import RawVersion
from counterfoil.ingest.replay import rebuild_batch
from counterfoil.ingest.totals import Totals
from counterfoil.plugins.connector import ParentCursor, SourceError, SourceUnauthorized, Stream
from counterfoil.plugins.records import Outcome, Reason

BATCH_RECORDS = 5_000
BATCH_AGE_S = 1.0
PAGES_AHEAD = 4
PARENTS_AHEAD = 200

Status = Literal["succeeded", "partial", "failed"]


@dataclass(kw_only=True)
class Batch:
    """What is to land together."""

    versions: list[RawVersion] = field(default_factory=list)
    position: Position | None = None
    pages: int = 0
    expected: int | None = None
    short: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, step: Step) -> None:
        self.versions.extend(step.versions)
        self.position = step.position
        self.pages += step.pages
        self.short += step.short
        if step.expected is not None:
            self.expected = (self.expected or 0) + step.expected

    @property
    def is_due(self) -> bool:
        return len(self.versions) >= BATCH_RECORDS or time.monotonic() - self.began >= BATCH_AGE_S


class Sync:
    """One run over a connection's streams inside one job."""

    def __init__(self, job: JobControl, source: Source, *, mode: str, now: datetime) -> None:
        self._job = job
        self._source = source
        self._mode = mode
        self._reader = Reader(source, now=now, parents=self._parents)
        self._totals = Totals()
        self.refused: SourceUnauthorized | None = None

    async def run(self, streams: Sequence[Stream]) -> Outcome:
        """Run the streams in order; one that fails does not stop the next, but the outcome is never green then."""
        async with self._job.unit_of_work() as uow:
            runs = await repository.runs_of_job(uow, self._job.job_id)
        reasons: list[Reason] = []
        statuses: list[str] = []
        for stream in streams:
            run = runs.get(stream.name)
            self._totals.begin(stream.name, run)
            if run is None or run.status == "running":
                reason = await self._run_stream(stream, run)
            else:
                # An earlier attempt of this same job was through with it.
                reason = _kept_reason(run)
            reasons.extend([reason] if reason else [])
            statuses.append(self._totals.by_stream[stream.name]["status"])
        status: Status = "partial" if reasons else "succeeded"
        if all(each == "failed" for each in statuses):
            status = "failed"
        return Outcome(status=status, result={"streams": self._totals.by_stream}, reasons=tuple(reasons))

    async def _run_stream(self, stream: Stream, run: StreamRun | None) -> Reason | None:
        run, position = await self._open(stream, run)
        # Credentials that were refused once are not tried again on every other stream.
        error: SourceError | None = self.refused
        if error is None:
            try:
                await self._read(stream, run, position)
            except SourceError as failure:
                error = failure
            if isinstance(error, SourceUnauthorized):
                self.refused = error
        total = self._totals.by_stream[stream.name]
        reason = _reason(stream, error, total)
        status: Status = "succeeded" if reason is None else "partial" if total["pages"] else "failed"
        async with self._job.unit_of_work() as uow:
            total["status"] = status
            await repository.finish_run(uow, run.id, status=status, reason=reason.as_json() if reason else None)
            await usage.add(uow, usage.ROWS_LANDED, total["rows_inserted"] + total["rows_updated"])
            read = f"{total['rows_read']} read, {total['rows_inserted']} new, {total['rows_updated']} changed"
            if reason is None:
                await self._job.log(uow, "info", f"{stream.title}: {read}")
            else:
                await self._job.log(uow, "warning", f"{stream.title}: {read}; {reason.detail}", reason.as_json())
            await self._totals.report(self._job, uow, f"{stream.title}: {status}")
        return reason

    async def _open(self, stream: Stream, run: StreamRun | None) -> tuple[StreamRun, Position]:
        connection_id = self._source.connection_id
        async with self._job.unit_of_work() as uow:
            state = await repository.load_position(uow, connection_id, stream.name)
        if state is not None and state.mapped_version != stream.version:
            await self._map_anew(stream, state)
        position: Position = state.position if state else positions.start_of(stream.cursor)
        if run is not None:
            return run, position
        async with self._job.unit_of_work() as uow:
            if self._mode == "backfill":
                position = positions.start_of(stream.cursor)
                await self._save(uow, stream, position, complete=False)
            await repository.end_interrupted(uow, connection_id, stream.name, job_id=self._job.job_id)
            run = repository.new_run(
                uow,
                job_id=self._job.job_id,
                connection_id=connection_id,
                stream=stream.name,
                mode=self._mode,
                position=position,
            )
            await uow.session.flush()
            await self._totals.report(self._job, uow, f"{stream.title}: reading")
        return run, position

    async def _map_anew(self, stream: Stream, state: CursorState) -> None:
        """Map every kept record by the mapping's new version; goes on where an interrupted attempt stopped."""
        lander = Lander(self._source.origin, stream)
        change: int = state.position.pop("mapped_anew", 0)
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
                    state.position if is_through else {**state.position, "mapped_anew": change},
                    mapped_version=stream.version if is_through else state.mapped_version,
                    job_id=self._job.job_id,
                    complete=False,
                )
                await self._totals.report(self._job, uow, f"{stream.title}: mapping kept records anew")

    async def _read(self, stream: Stream, run: StreamRun, position: Position) -> None:
        lander = Lander(self._source.origin, stream)
        batch = Batch()
        try:
            async with aclosing(read_ahead(self._reader.steps(stream, position), PAGES_AHEAD)) as steps:
                async for step in steps:
                    batch.add(step)
                    if batch.is_due:
                        done, batch = batch, Batch()
                        await self._land(lander, run, done)
        except SourceError:
            # What arrived before the fault is good: it lands, and the next run continues after it.
            await self._land(lander, run, batch)
            raise
        if batch.position is None:
            batch.position = position
        await self._land(lander, run, batch, complete=True)

    async def _land(self, lander: Lander, run: StreamRun, batch: Batch, *, complete: bool = False) -> None:
        if batch.position is None:
            return
        stream = lander.stream
        async with self._job.unit_of_work() as uow:
            counts = await lander.land(uow, batch.versions, run_id=run.id)
            await repository.add_to_run(
                uow, run.id, counts, pages=batch.pages, expected=batch.expected, position=batch.position
            )
            await self._save(uow, stream, batch.position, complete=complete)
            for detail in counts.unmappable:
                await self._job.log(uow, "error", f"{stream.title}: kept raw, could not be mapped: {detail}")
            fresh = self._totals.grown(
                stream.name, counts, pages=batch.pages, expected=batch.expected, short=batch.short
            )
            await fresh.report(self._job, uow, f"{stream.title}: {fresh.by_stream[stream.name]['rows_read']} read")
        self._totals.take(fresh)

    async def _save(self, uow: UnitOfWork, stream: Stream, position: Position, *, complete: bool) -> None:
        await repository.save_position(
            uow,
            self._source.connection_id,
            stream.name,
            position,
            mapped_version=stream.version,
            job_id=self._job.job_id,
            complete=complete,
        )

    async def _parents(self, cursor: ParentCursor, position: Position) -> list[Parent]:
        async with self._job.unit_of_work() as uow:
            kept = await repository.kept_after(
                uow, self._source.connection_id, cursor.stream, position["after"], PARENTS_AHEAD
            )
            return [Parent(change=raw.change, payload=raw.payload) for raw in kept]


def _reason(stream: Stream, error: SourceError | None, total: dict[str, Any]) -> Reason | None:
    if error is not None:
        return Reason(stream=stream.name, code=error.code, detail=error.detail)
    if total["unmappable"]:
        detail = f"{total['unmappable']} records do not fit the canonical tables; they are kept raw"
        return Reason(stream=stream.name, code="unmappable_records", detail=detail)
    if total["short"]:
        detail = f"the source counted {total['expected']} records, {total['short']} of them never came"
        return Reason(stream=stream.name, code="short_count", detail=detail)
    return None


def _kept_reason(run: StreamRun) -> Reason | None:
    if run.reason is None:
        return None
    return Reason(stream=run.stream, code=run.reason["code"], detail=run.reason["detail"])
