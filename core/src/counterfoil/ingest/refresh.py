"""Asks for single records, because somebody said that they have changed, and lands them like any other observation."""

from collections.abc import Sequence

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest import repository
from counterfoil.ingest.asking import fetch
from counterfoil.ingest.batches import Batch, Writer
from counterfoil.ingest.control import JobControl, Source
from counterfoil.ingest.landing import Landers
from counterfoil.ingest.models import StreamRun
from counterfoil.ingest.records import RawVersion
from counterfoil.ingest.totals import Totals
from counterfoil.plugins.connector import Hint, SourceError
from counterfoil.plugins.records import Reason


class Refresh:
    """The records one job asks for, with a run of mode ``refresh`` per stream. Cursors stay where they are."""

    def __init__(self, job: JobControl, source: Source) -> None:
        self._job = job
        self._source = source
        self._runs: dict[str, StreamRun] = {}
        self._errors: dict[str, SourceError] = {}
        self.totals = Totals()
        self._writer = Writer(job, Landers(source.origin, source.connector.streams), self.totals)

    async def begin(self) -> None:
        """Go on with the runs of an earlier attempt of this job."""
        async with self._job.unit_of_work() as uow:
            self._runs = await repository.runs_of_job(uow, self._job.job_id)
        for stream, run in self._runs.items():
            self.totals.begin(stream, run)

    async def ask(self, hints: Sequence[Hint]) -> dict[Hint, RawVersion | SourceError]:
        """What the vendor says of each record; no transaction is open meanwhile."""
        by_stream: dict[str, list[str]] = {}
        for hint in dict.fromkeys(hints):
            by_stream.setdefault(hint.stream, []).append(hint.source_id)
        answers: dict[Hint, RawVersion | SourceError] = {}
        for name, source_ids in by_stream.items():
            found = await fetch(self._source, self._source.connector.streams[name], source_ids)
            answers |= {Hint(stream=name, source_id=source_id): answer for source_id, answer in found.items()}
        return answers

    async def land(self, uow: UnitOfWork, answers: dict[Hint, RawVersion | SourceError]) -> None:
        """Land what came. The totals grow at once: a transaction that fails ends the attempt."""
        by_stream: dict[str, list[RawVersion]] = {}
        for hint, answer in answers.items():
            if isinstance(answer, SourceError):
                self._errors.setdefault(hint.stream, answer)
            by_stream.setdefault(hint.stream, []).extend([answer] if isinstance(answer, RawVersion) else [])
        for name, versions in by_stream.items():
            stream, run = self._source.connector.streams[name], await self._run(uow, name)
            self.totals.take(await self._writer.write_within(uow, stream, run, Batch(versions=versions)))
        await self.totals.report(self._job, uow, "Asking for what has changed")

    async def end(self) -> tuple[Reason, ...]:
        """Close the runs; why they are not complete, where they are not."""
        reasons = {name: Reason(stream=name, code=e.code, detail=e.detail) for name, e in self._errors.items()}
        for name, total in self.totals.by_stream.items():
            if total["unmappable"] and name not in reasons:
                detail = f"{total['unmappable']} records do not fit the canonical tables; they are kept raw"
                reasons[name] = Reason(stream=name, code="unmappable_records", detail=detail)
        async with self._job.unit_of_work() as uow:
            for name, run in self._runs.items():
                reason = reasons.get(name)
                status = "partial" if reason else "succeeded"
                self.totals.by_stream[name]["status"] = status
                await repository.finish_run(uow, run.id, status=status, reason=reason.as_json() if reason else None)
        return tuple(reasons.values())

    async def _run(self, uow: UnitOfWork, stream: str) -> StreamRun:
        if stream not in self._runs:
            self._runs[stream] = repository.new_run(
                uow,
                job_id=self._job.job_id,
                connection_id=self._source.connection_id,
                stream=stream,
                mode="refresh",
                position=None,
            )
            await uow.session.flush()
            self.totals.begin(stream, None)
        return self._runs[stream]
