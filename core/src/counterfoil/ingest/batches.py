"""Batches: what lands together, and the one transaction it lands in."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest import repository
from counterfoil.ingest.control import JobControl
from counterfoil.ingest.drift import Drift
from counterfoil.ingest.landing import Counts, Landers
from counterfoil.ingest.metering import RowMeter
from counterfoil.ingest.models import StreamRun
from counterfoil.ingest.positions import Position
from counterfoil.ingest.reading import Step
from counterfoil.ingest.records import RawVersion
from counterfoil.ingest.totals import Totals
from counterfoil.plugins.connector import Stream

BATCH_RECORDS = 5_000
# Small, so that it soon shows whether a stream brings news: what comes after it is read accordingly.
FIRST_RECORDS = 2_000
BATCH_AGE_S = 1.0
# Of a stream's run, what is to land of it.
Part: TypeAlias = "tuple[Stream, StreamRun, Batch]"


@dataclass(kw_only=True)
class Batch:
    """What is to land together."""

    versions: list[RawVersion] = field(default_factory=list)
    position: Position | None = None
    pages: int = 0
    expected: int | None = None
    short: int = 0
    rechecked: int = 0
    is_first: bool = False
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
        enough = min(FIRST_RECORDS, BATCH_RECORDS) if self.is_first else BATCH_RECORDS
        return len(self.versions) >= enough or time.monotonic() - self.began >= BATCH_AGE_S


class Writer:
    """Lands batches for one job: rows, counts, cursor, notices and progress, all or nothing."""

    def __init__(self, job: JobControl, landers: Landers, totals: Totals) -> None:
        self.job = job
        self.landers = landers
        self.totals = totals
        self._drift = Drift(landers.origin)
        self._meter = RowMeter()

    async def write(self, stream: Stream, run: StreamRun, batch: Batch, *, complete: bool = False) -> None:
        """Land a batch of a stream's run.

        Args:
            stream: the one that was read; its records may be other streams'.
            run: counts them, and is the run their rows carry.
            batch: the records; with a position, the cursor moves there.
            complete: everything up to now is in.

        Raises:
            QuotaExceeded: what landed before has used up the month's rows; of this batch nothing has landed.
        """
        if batch.versions:
            await self.require_room()
        async with self.job.unit_of_work() as uow:
            fresh, rows = await self._land(uow, (stream, run, batch))
            if batch.position is not None:
                await self.save(uow, stream, batch.position, complete=complete)
            message = f"{stream.title}: {fresh.by_stream[stream.name]['rows_read']} read"
            await fresh.report(self.job, uow, message)
            await self._meter.count(uow, rows)
        self.totals.take(fresh)

    async def write_within(self, uow: UnitOfWork, parts: Sequence[Part]) -> None:
        """Land batches of several runs in a transaction of the caller's, after ``require_room``.

        The totals grow at once: a transaction that fails has to end the attempt.
        """
        landed = 0
        for part in parts:
            fresh, rows = await self._land(uow, part)
            self.totals.take(fresh)
            landed += rows
        await self._meter.count(uow, landed)

    async def require_room(self) -> None:
        """Pass unless what this job has landed used up the month's rows.

        Raises:
            QuotaExceeded: it did.
        """
        if self._meter.is_full:
            async with self.job.unit_of_work() as uow:
                await self._meter.require_room(uow)

    async def save(self, uow: UnitOfWork, stream: Stream, position: Position, *, complete: bool = False) -> None:
        await repository.save_position(
            uow,
            self.landers.origin.connection_id,
            stream.name,
            position,
            mapped_version=stream.version,
            job_id=self.job.job_id,
            complete=complete,
        )

    async def _land(self, uow: UnitOfWork, part: Part) -> tuple[Totals, int]:
        """What the totals are with the batch, and how many rows it brought."""
        stream, run, batch = part
        remember = run.mode == "full"
        landed = await self.landers.land(uow, batch.versions, run_id=run.id, remember=remember)
        counts = Counts()
        for one in landed.values():
            counts = counts.plus(one)
        told = {name: one for name, one in landed.items() if name != stream.name}
        fresh = self.totals.grown(
            stream.name,
            counts,
            pages=batch.pages,
            expected=batch.expected,
            short=batch.short,
            rechecked=batch.rechecked,
            told=told,
        )
        for name, one in landed.items():
            found = await self._drift.examine(uow, name, one.news, run_id=run.id)
            if found:
                await self._tell(uow, fresh, stream, name, found)
        await repository.add_to_run(
            uow,
            run.id,
            counts,
            pages=batch.pages,
            expected=batch.expected,
            position=batch.position,
            short=batch.short,
            rechecked=batch.rechecked,
            told=fresh.by_stream[stream.name]["told"],
            notices=fresh.by_stream[stream.name]["notices"],
        )
        for detail in counts.unmappable:
            await self.job.log(uow, "error", f"{stream.title}: kept raw, could not be mapped: {detail}")
        return fresh, counts.inserted + counts.updated

    async def _tell(self, uow: UnitOfWork, fresh: Totals, stream: Stream, name: str, found: list[str]) -> None:
        detail = f"The records of {name} have changed their shape"
        fresh.noticed(stream.name, {"code": "schema_changed", "detail": f"{detail}: see its notices."})
        await self.job.log(uow, "warning", f"{detail}: {', '.join(found)}", {"code": "schema_changed", "stream": name})
