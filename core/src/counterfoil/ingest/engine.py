"""Runs the streams of one connection: reading ahead, landing in batches, moving the cursor with the rows.

A batch is one transaction of the job's, so whatever kills the process leaves either all of it or nothing: rows, counts and
cursor always agree, and the next attempt continues after the last page that landed.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest import positions, repository
from counterfoil.ingest.landing import Lander
from counterfoil.ingest.models import StreamRun
from counterfoil.ingest.positions import Position
from counterfoil.ingest.records import Origin, RawVersion, raw_version
from counterfoil.plugins.connector import (
    Connector,
    ConnectorContext,
    Page,
    ParentCursor,
    SourceError,
    SourceUnauthorized,
    Stream,
    TimeCursor,
    Window,
)
from counterfoil.plugins.records import Outcome, Reason

BATCH_RECORDS = 5_000
BATCH_AGE_S = 1.0
PAGES_AHEAD = 4
PARENTS_AHEAD = 200


class JobControl(Protocol):
    """What the engine needs of the job it runs in. Every unit of work begins by proving that the job is still ours."""

    @property
    def job_id(self) -> UUID: ...

    @property
    def tenant_id(self) -> UUID: ...

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    async def progress(
        self,
        uow: UnitOfWork,
        *,
        done: int,
        total: int | None = None,
        message: str = "",
        data: dict[str, Any] | None = None,
    ) -> None: ...

    async def log(self, uow: UnitOfWork, level: str, message: str, data: dict[str, Any] | None = None) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Source:
    """A connection, opened: what to read and whose it is."""

    connection_id: UUID
    connector: Connector
    context: ConnectorContext
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Step:
    """Records that arrived together, and where the stream stands once they have landed."""

    versions: Sequence[RawVersion]
    position: Position
    pages: int = 1
    expected: int | None = None


@dataclass(kw_only=True)
class Batch:
    versions: list[RawVersion] = field(default_factory=list)
    position: Position | None = None
    pages: int = 0
    expected: int | None = None
    began: float = field(default_factory=time.monotonic)

    def add(self, step: Step) -> None:
        self.versions.extend(step.versions)
        self.position = step.position
        self.pages += step.pages
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
        self._now = now
        self._totals: dict[str, dict[str, Any]] = {}
        self.refused: SourceUnauthorized | None = None

    async def run(self, streams: Sequence[Stream]) -> Outcome:
        """Run the streams in order; one that fails does not stop the next, but the outcome is never green then."""
        async with self._job.unit_of_work() as uow:
            runs = await repository.runs_of_job(uow, self._job.job_id)
        reasons: list[Reason] = []
        statuses: list[str] = []
        for stream in streams:
            run = runs.get(stream.name)
            if run is not None:
                self._count(run)
            if run is not None and run.status != "running":
                # An earlier attempt of this same job finished it.
                statuses.append(run.status)
                reasons.extend([_reason(run)] if run.reason else [])
                continue
            reason = await self._run_stream(stream, run)
            reasons.extend([reason] if reason else [])
            statuses.append(self._totals[stream.name]["status"])
        return self._outcome(statuses, reasons)

    def _outcome(self, statuses: list[str], reasons: list[Reason]) -> Outcome:
        status = "succeeded" if not reasons else "failed" if all(each == "failed" for each in statuses) else "partial"
        return Outcome(status=status, result={"streams": self._totals}, reasons=tuple(reasons))  # type: ignore[arg-type]  # one of the three

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
        total = self._totals[stream.name]
        reason = _reason_of(stream, error, total)
        status = "succeeded" if reason is None else "partial" if total["pages"] else "failed"
        async with self._job.unit_of_work() as uow:
            total["status"] = status
            await repository.finish_run(uow, run.id, status=status, reason=reason.as_json() if reason else None)
            if reason is not None:
                await self._job.log(uow, "warning", f"{stream.title}: {reason.detail}", reason.as_json())
            await self._report(uow, f"{stream.title}: {status}")
        return reason

    async def _open(self, stream: Stream, run: StreamRun | None) -> tuple[StreamRun, Position]:
        async with self._job.unit_of_work() as uow:
            state = await repository.load_position(uow, self._source.connection_id, stream.name)
            position: Position = state.position if state else positions.start_of(stream.cursor)
            if run is None:
                if self._mode == "backfill":
                    position = positions.start_of(stream.cursor)
                    await self._save(uow, stream, position, complete=False)
                run = repository.new_run(
                    uow,
                    job_id=self._job.job_id,
                    connection_id=self._source.connection_id,
                    stream=stream.name,
                    mode=self._mode,
                    position=position,
                )
                self._totals[stream.name] = zero_counts()
                await uow.session.flush()
                await self._report(uow, f"{stream.title}: reading")
        return run, position

    async def _read(self, stream: Stream, run: StreamRun, position: Position) -> None:
        lander = Lander(self._source.origin, stream)
        batch = Batch()
        try:
            async with aclosing(read_ahead(self._steps(stream, position), PAGES_AHEAD)) as steps:
                async for step in steps:
                    batch.add(step)
                    if batch.is_due:
                        done, batch = batch, Batch()
                        await self._land(lander, run, done)
        except SourceError:
            # What arrived before the fault is good: it lands, and the next run continues after it.
            await self._land(lander, run, batch)
            raise
        await self._land(lander, run, batch, complete=True)

    async def _land(self, lander: Lander, run: StreamRun, batch: Batch, *, complete: bool = False) -> None:
        if batch.position is None and not complete:
            return
        async with self._job.unit_of_work() as uow:
            counts = await lander.land(uow, batch.versions, run_id=run.id)
            await repository.add_to_run(
                uow, run.id, counts, pages=batch.pages, expected=batch.expected, position=batch.position
            )
            if batch.position is not None:
                await self._save(uow, lander.stream, batch.position, complete=complete)
            for detail in counts.unmappable:
                await self._job.log(uow, "error", f"{lander.stream.title}: kept raw, could not be mapped: {detail}")
            total = self._totals[lander.stream.name]
            grown = {
                "pages": batch.pages,
                "rows_read": counts.read,
                "rows_inserted": counts.inserted,
                "rows_updated": counts.updated,
                "rows_unchanged": counts.unchanged,
                "rows_deleted": counts.deleted,
                "unmappable": len(counts.unmappable),
                "expected": batch.expected or 0,
            }
            fresh = {**total, **{name: total[name] + value for name, value in grown.items()}}
            await self._report(uow, f"{lander.stream.title}: {fresh['rows_read']} read", {lander.stream.name: fresh})
        self._totals[lander.stream.name] = fresh

    async def _save(self, uow: UnitOfWork, stream: Stream, position: Position, *, complete: bool) -> None:
        await repository.save_position(
            uow, self._source.connection_id, stream.name, position, job_id=self._job.job_id, complete=complete
        )

    async def _report(self, uow: UnitOfWork, message: str, fresh: dict[str, Any] | None = None) -> None:
        streams = {**self._totals, **(fresh or {})}
        done = sum(total["rows_read"] for total in streams.values())
        await self._job.progress(uow, done=done, message=message, data={"streams": streams})

    def _count(self, run: StreamRun) -> None:
        names = ("pages", "rows_read", "rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted")
        unmappable = run.rows_read - (run.landed or 0)
        self._totals[run.stream] = {
            **{name: getattr(run, name) for name in names},
            "unmappable": unmappable,
            "expected": run.expected or 0,
            "status": run.status,
        }

    def _steps(self, stream: Stream, position: Position) -> AsyncIterator[Step]:
        if isinstance(stream.cursor, TimeCursor):
            return self._time_steps(stream, stream.cursor, position)
        return self._parent_steps(stream, stream.cursor, position)

    async def _time_steps(self, stream: Stream, cursor: TimeCursor, position: Position) -> AsyncIterator[Step]:
        while (window := positions.next_window(position, cursor, self._now)) is not None:
            async for page, versions in self._pages(stream, window):
                yield Step(
                    versions=versions, position=positions.within(position, window, page.resume), expected=page.expected
                )
            position = positions.after_window(position, window)
            yield Step(versions=(), position=position, pages=0)

    async def _parent_steps(self, stream: Stream, cursor: ParentCursor, position: Position) -> AsyncIterator[Step]:
        while parents := await self._parents(cursor, position):
            for parent in parents:
                window = Window(parent=parent.payload, resume=positions.resume_of_parent(position, parent))
                async for page, versions in self._pages(stream, window):
                    yield Step(
                        versions=versions,
                        position=positions.within_parent(position, parent, page.resume),
                        expected=page.expected,
                    )
                position = positions.after_parent(parent)
                yield Step(versions=(), position=position, pages=0)

    async def _parents(self, cursor: ParentCursor, position: Position) -> list[positions.Parent]:
        async with self._job.unit_of_work() as uow:
            kept = await repository.kept_after(
                uow, self._source.connection_id, cursor.stream, positions.parents_after(position), PARENTS_AHEAD
            )
            return [positions.Parent(id=str(raw.id), changed_at=raw.changed_at, payload=raw.payload) for raw in kept]

    async def _pages(self, stream: Stream, window: Window) -> AsyncIterator[tuple[Page, list[RawVersion]]]:
        context = self._source.context
        async for page in stream.pages(self._source.connector, context, window):
            observed_at = context.http.sent_at
            yield page, [raw_version(self._source.origin, stream, raw, observed_at) for raw in page.records]


def _reason_of(stream: Stream, error: SourceError | None, total: dict[str, Any]) -> Reason | None:
    if error is not None:
        return Reason(stream=stream.name, code=error.code, detail=error.detail)
    if total["unmappable"]:
        return Reason(
            stream=stream.name,
            code="unmappable_records",
            detail=f"{total['unmappable']} records do not fit the canonical tables; they are kept raw",
        )
    if total["expected"] > total["rows_read"]:
        return Reason(
            stream=stream.name,
            code="short_count",
            detail=f"the source counted {total['expected']} records, {total['rows_read']} arrived",
        )
    return None


def _reason(run: StreamRun) -> Reason:
    found = run.reason or {}
    return Reason(stream=run.stream, code=found.get("code", ""), detail=found.get("detail", ""))


def zero_counts() -> dict[str, Any]:
    return {
        "status": "running",
        "pages": 0,
        "rows_read": 0,
        "rows_inserted": 0,
        "rows_updated": 0,
        "rows_unchanged": 0,
        "rows_deleted": 0,
        "unmappable": 0,
        "expected": 0,
    }


async def read_ahead(steps: AsyncIterator[Step], ahead: int) -> AsyncGenerator[Step, None]:
    """Go on fetching while a batch lands; an error surfaces only after everything before it was handed out."""
    queue: asyncio.Queue[Step | None] = asyncio.Queue()
    slots = asyncio.Semaphore(ahead)

    async def pump() -> None:
        async for step in steps:
            await slots.acquire()
            queue.put_nowait(step)

    task = asyncio.create_task(pump())
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (step := await queue.get()) is not None:
            slots.release()
            yield step
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
