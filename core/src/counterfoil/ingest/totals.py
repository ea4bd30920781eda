"""What the streams of one job have done so far, as people see it live."""

from copy import deepcopy
from typing import Any, Self

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.control import JobControl
from counterfoil.ingest.landing import Counts
from counterfoil.ingest.models import StreamRun

_ROWS = ("rows_read", "rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted")
_COUNTED = ("pages", *_ROWS, "unmappable", "expected", "short")


class Totals:
    """Counts by stream. A batch reports what they will be, and they become that only once it is committed."""

    def __init__(self, by_stream: dict[str, dict[str, Any]] | None = None) -> None:
        self.by_stream: dict[str, dict[str, Any]] = by_stream or {}

    def begin(self, stream: str, run: StreamRun | None) -> None:
        """Start from nothing, or from what an earlier attempt of the same job has done."""
        total: dict[str, Any] = {"status": "running", **dict.fromkeys(_COUNTED, 0)}
        if run is not None:
            total |= {name: getattr(run, name) for name in ("status", "pages", *_ROWS)}
            total["unmappable"] = run.rows_read - (run.landed or 0)
            total["expected"] = run.expected or 0
        self.by_stream[stream] = total

    def grown(self, stream: str, counts: Counts, *, pages: int, expected: int | None = None, short: int = 0) -> Self:
        """A copy with one batch more."""
        more = {
            "pages": pages,
            "rows_read": counts.read,
            "rows_inserted": counts.inserted,
            "rows_updated": counts.updated,
            "rows_unchanged": counts.unchanged,
            "rows_deleted": counts.deleted,
            "unmappable": len(counts.unmappable),
            "expected": expected or 0,
            "short": short,
        }
        copy = type(self)(deepcopy(self.by_stream))
        for name, number in more.items():
            copy.by_stream[stream][name] += number
        return copy

    def take(self, other: Self) -> None:
        self.by_stream = other.by_stream

    async def report(self, job: JobControl, uow: UnitOfWork, message: str) -> None:
        """Show them live. A committed batch always brings a job nearer to its end, also one without records."""
        done = sum(total["rows_read"] for total in self.by_stream.values())
        await job.progress(uow, done=done, message=message, data={"streams": self.by_stream}, advanced=True)
