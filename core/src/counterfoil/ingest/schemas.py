from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from counterfoil.ingest import positions
from counterfoil.ingest.models import CursorState, StreamRun
from counterfoil.plugins.connector import Stream


class SyncIn(BaseModel):
    """What to sync; everything incrementally, unless told otherwise."""

    model_config = ConfigDict(extra="forbid")

    streams: list[str] | None = Field(None, min_length=1, description="Streams by name; all by default")
    mode: Literal["incremental", "backfill"] = Field(
        "incremental", description="`backfill` reads from the beginning again"
    )


class ReplayIn(BaseModel):
    """What to rebuild from the raw records that were kept."""

    model_config = ConfigDict(extra="forbid")

    streams: list[str] | None = Field(None, min_length=1, description="Streams by name; all by default")


class JobStarted(BaseModel):
    job_id: UUID
    correlation_id: UUID


class ReasonOut(BaseModel):
    code: str
    detail: str


class StreamRunOut(BaseModel):
    """One run of a stream: what arrived, what changed, and what the source had counted."""

    id: UUID
    job_id: UUID
    status: Literal["running", "succeeded", "partial", "failed"]
    mode: Literal["incremental", "backfill", "replay"]
    reason: ReasonOut | None
    pages: int
    rows_read: int
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int
    rows_deleted: int
    expected: int | None
    landed: int | None
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, run: StreamRun) -> Self:
        names = set(cls.model_fields) - {"reason"}
        reason = ReasonOut(code=run.reason["code"], detail=run.reason["detail"]) if run.reason else None
        return cls(reason=reason, **{name: getattr(run, name) for name in names})


class CursorOut(BaseModel):
    """Where a stream stands. ``pending`` says that a window was begun and not finished: the next run completes it."""

    value: str | None
    pending: bool
    last_synced_at: datetime | None

    @classmethod
    def of(cls, state: CursorState) -> Self:
        return cls(
            value=positions.high_mark(state.position),
            pending=positions.is_pending(state.position),
            last_synced_at=state.last_synced_at,
        )


class StreamOut(BaseModel):
    name: str
    title: str
    targets: list[str]
    last_run: StreamRunOut | None
    cursor: CursorOut | None

    @classmethod
    def of(cls, stream: Stream, targets: list[str], run: StreamRun | None, state: CursorState | None) -> Self:
        return cls(
            name=stream.name,
            title=stream.title,
            targets=targets,
            last_run=StreamRunOut.of(run) if run else None,
            cursor=CursorOut.of(state) if state else None,
        )
