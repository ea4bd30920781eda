"""What the streams of one job have done so far, as people see it live."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Self

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.control import JobControl
from counterfoil.ingest.landing import Counts
from counterfoil.ingest.models import StreamRun

_ROWS = ("rows_read", "rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted")
_COUNTED = ("pages", *_ROWS, "rechecked", "unmappable", "expected", "short")
_TOLD = ("read", "inserted", "updated", "unchanged", "deleted")


class Totals:
    """Counts by stream. A batch reports what they will be, and they become that only once it is committed."""

    def __init__(self, by_stream: dict[str, dict[str, Any]] | None = None) -> None:
        self.by_stream: dict[str, dict[str, Any]] = by_stream or {}

    def begin(self, stream: str, run: StreamRun | None) -> None:
        """Start from nothing, or from what an earlier attempt of the same job has done."""
        total: dict[str, Any] = {"status": "running", **dict.fromkeys(_COUNTED, 0), "told": {}, "notices": []}
        if run is not None:
            kept = ("pages", *_ROWS, "rechecked", "short", "told", "notices")
            total |= {name: deepcopy(getattr(run, name)) for name in kept}
            total["status"] = "running" if run.finished_at is None else run.status
            total["unmappable"] = run.rows_read - (run.landed or 0)
            total["expected"] = run.expected or 0
        self.by_stream[stream] = total

    def grown(
        self,
        stream: str,
        counts: Counts,
        *,
        pages: int,
        expected: int | None = None,
        short: int = 0,
        rechecked: int = 0,
        told: Mapping[str, Counts] | None = None,
    ) -> Self:
        """A copy with one batch more; ``told`` is the part of it that landed in other streams."""
        more = {
            "pages": pages,
            "rows_read": counts.read,
            "rows_inserted": counts.inserted,
            "rows_updated": counts.updated,
            "rows_unchanged": counts.unchanged,
            "rows_deleted": counts.deleted,
            "rechecked": rechecked,
            "unmappable": len(counts.unmappable),
            "expected": expected or 0,
            "short": short,
        }
        copy = type(self)(deepcopy(self.by_stream))
        total = copy.by_stream[stream]
        for name, number in more.items():
            total[name] += number
        for other, theirs in (told or {}).items():
            before = total["told"].get(other, dict.fromkeys(_TOLD, 0))
            total["told"][other] = {name: before[name] + getattr(theirs, name) for name in _TOLD}
        return copy

    def noticed(self, stream: str, notice: dict[str, str]) -> None:
        """Add what people and programs should know of a stream's run; once."""
        if notice not in self.by_stream[stream]["notices"]:
            self.by_stream[stream]["notices"].append(notice)

    def take(self, other: Self) -> None:
        self.by_stream = other.by_stream

    def pause(self, stream: str) -> str:
        """Show that a stream waits for another attempt; how its run stands for as long as it does."""
        total = self.by_stream[stream]
        total["status"] = "waiting"
        return "partial" if total["pages"] else "failed"

    async def report(self, job: JobControl, uow: UnitOfWork, message: str, *, advanced: bool = True) -> None:
        """Show them live. A committed batch always brings a job nearer to its end, also one without records."""
        done = sum(total["rows_read"] for total in self.by_stream.values())
        await job.progress(uow, done=done, message=message, data={"streams": self.by_stream}, advanced=advanced)
