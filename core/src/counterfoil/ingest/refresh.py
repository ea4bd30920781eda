"""Asks for single records, because somebody said that they have changed, and lands them like any other observation."""

from collections.abc import Sequence
from typing import Any

from counterfoil.db.database import UnitOfWork
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.ingest import repository
from counterfoil.ingest.asking import fetch
from counterfoil.ingest.batches import Batch, Writer
from counterfoil.ingest.control import JobControl, Source
from counterfoil.ingest.landing import Landers
from counterfoil.ingest.models import StreamRun
from counterfoil.ingest.records import RawVersion
from counterfoil.ingest.totals import Totals
from counterfoil.plugins.connector import Hint, SourceError, SourceUnauthorized
from counterfoil.plugins.records import Reason

Answers = dict[Hint, RawVersion | SourceError]

# Marks, in a run that waits, a reason that may pass: the next attempt forgets it.
_PASSES = {"passes": True}


class Refresh:
    """The records one job asks for, with a run of mode ``refresh`` per stream. Cursors stay where they are."""

    def __init__(self, job: JobControl, source: Source) -> None:
        self._job = job
        self._source = source
        self._runs: dict[str, StreamRun] = {}
        self._reasons: dict[str, Reason] = {}
        self._waiting: dict[str, SourceError] = {}
        self.refused: SourceUnauthorized | None = None
        self.full: QuotaExceeded | None = None
        self.totals = Totals()
        self._writer = Writer(job, Landers(source.origin, source.connector.streams), self.totals)

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked for any more: credentials were refused, or the month's rows are used up."""
        return self.refused is not None or self.full is not None

    async def begin(self) -> None:
        """Go on with the runs of an earlier attempt of this job."""
        async with self._job.unit_of_work() as uow:
            self._runs = await repository.runs_of_job(uow, self._job.job_id)
            await repository.resume_runs(uow, [run.id for run in self._runs.values()])
        for name, run in self._runs.items():
            self.totals.begin(name, run)
            if run.reason is not None and not run.reason.get("passes"):
                self._reasons[name] = Reason(stream=name, code=run.reason["code"], detail=run.reason["detail"])

    async def ask(self, hints: Sequence[Hint]) -> Answers:
        """What the vendor says of each record; no transaction is open meanwhile.

        Raises:
            QuotaExceeded: what landed before has used up the month's rows.
        """
        await self._writer.require_room()
        by_stream: dict[str, list[str]] = {}
        for hint in dict.fromkeys(hints):
            by_stream.setdefault(hint.stream, []).append(hint.source_id)
        answers: Answers = {}
        for name, source_ids in by_stream.items():
            found = await fetch(self._source, self._source.connector.streams[name], source_ids)
            answers |= {Hint(stream=name, source_id=source_id): answer for source_id, answer in found.items()}
        return answers

    async def land(self, uow: UnitOfWork, answers: Answers) -> None:
        """Land what came. The totals grow at once: a transaction that fails ends the attempt."""
        by_stream: dict[str, list[RawVersion]] = {}
        for hint, answer in answers.items():
            versions = by_stream.setdefault(hint.stream, [])
            if isinstance(answer, RawVersion):
                versions.append(answer)
            else:
                self._note(hint.stream, answer)
        streams = self._source.connector.streams
        await self._writer.write_within(
            uow,
            [
                (streams[name], await self._run(uow, name), Batch(versions=versions))
                for name, versions in by_stream.items()
            ],
        )
        await self.totals.report(self._job, uow, "Asking for what has changed")

    def stop(self, full: QuotaExceeded) -> None:
        """Ask for nothing more; every stream's run says why."""
        self.full = full
        for name in self._runs:
            self._reasons.setdefault(name, Reason(stream=name, code=full.code, detail=full.detail or ""))

    async def end(self) -> tuple[Reason, ...]:
        """Close the runs; why they are not complete, where they are not.

        Raises:
            SourceError: some records may be had later: the next attempt of this job goes on with the runs.
        """
        waiting = {} if self.is_over else self._waiting
        if self.is_over:
            for name, error in self._waiting.items():
                self._reasons.setdefault(name, _reason(name, error))
        async with self._job.unit_of_work() as uow:
            for name, run in self._runs.items():
                if name in waiting:
                    kept = self._reasons.get(name)
                    reason: dict[str, Any] = (
                        kept.as_json() if kept else _reason(name, waiting[name]).as_json() | _PASSES
                    )
                    await repository.pause_run(uow, run.id, status=self.totals.pause(name), reason=reason)
                else:
                    await self._close(uow, name, run)
            await self.totals.report(self._job, uow, "Asked for what has changed", advanced=False)
        if waiting:
            raise max(waiting.values(), key=lambda error: error.retry_after_s or 0.0)
        return tuple(self._reasons.values())

    async def _close(self, uow: UnitOfWork, name: str, run: StreamRun) -> None:
        total = self.totals.by_stream[name]
        if total["unmappable"] and name not in self._reasons:
            detail = f"{total['unmappable']} records do not fit the canonical tables; they are kept raw"
            self._reasons[name] = Reason(stream=name, code="unmappable_records", detail=detail)
        reason = self._reasons.get(name)
        total["status"] = "partial" if reason else "succeeded"
        await repository.finish_run(uow, run.id, status=total["status"], reason=reason.as_json() if reason else None)

    def _note(self, stream: str, error: SourceError) -> None:
        if self._job.tries_again(error):
            self._waiting.setdefault(stream, error)
            return
        self._reasons.setdefault(stream, _reason(stream, error))
        if isinstance(error, SourceUnauthorized):
            self.refused = error

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


def _reason(stream: str, error: SourceError) -> Reason:
    return Reason(stream=stream, code=error.code, detail=error.detail)
