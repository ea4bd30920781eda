from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from counterfoil.ingest import positions
from counterfoil.ingest.models import CursorState, StreamRun
from counterfoil.ingest.positions import Position
from counterfoil.plugins.connector import ParentCursor, Stream, TimeCursor
from counterfoil.web.instants import ZonedInstant


class SyncIn(BaseModel):
    """What to sync; everything incrementally, unless told otherwise."""

    model_config = ConfigDict(extra="forbid")

    streams: list[str] | None = Field(None, min_length=1, description="Streams by name; all by default")
    mode: Literal["incremental", "backfill", "full"] = Field(
        "incremental",
        description="`backfill` reads from the beginning again; `full` does too, and what the source no longer shows then "
        "is marked deleted, in every stream that was read completely",
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


class NoticeOut(BaseModel):
    """Something about a run that is no failure, and still has to be known."""

    code: str = Field(examples=["horizon_passed", "schema_changed"])
    detail: str


class ToldOut(BaseModel):
    """What landed in another stream, as part of a run's counts."""

    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int


class StreamRunOut(BaseModel):
    """One run of a stream: what arrived, what changed, and what the source had counted."""

    id: UUID
    job_id: UUID
    status: Literal["running", "succeeded", "partial", "failed"]
    mode: Literal["incremental", "backfill", "full", "replay", "refresh"]
    reason: ReasonOut | None = Field(
        description="Why it is not complete; while `finished_at` is null, what stood in the way of the job's latest attempt"
    )
    pages: int
    rows_read: int
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int
    rows_deleted: int
    rechecked: int = Field(description="Records that may still change, asked for once more")
    told: dict[str, ToldOut] = Field(
        description="By stream: the part of the counts that landed in others than this one"
    )
    notices: list[NoticeOut]
    expected: int | None
    landed: int | None
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, run: StreamRun) -> Self:
        names = set(cls.model_fields) - {"reason"}
        reason = {name: run.reason[name] for name in ReasonOut.model_fields} if run.reason else None
        return cls.model_validate({"reason": reason, **{name: getattr(run, name) for name in names}})


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


class WindowOut(BaseModel):
    """A stretch of time that was begun and not finished."""

    since: datetime | None
    until: datetime | None
    resume: Any = Field(description="The connector's own note of where to go on")
    read: int
    expected: int | None

    @classmethod
    def of(cls, position: Position) -> Self | None:
        window = position.get("window")
        return cls.model_validate(window) if window else None


class SliceOut(BaseModel):
    """One stretch of a back-fill that is read side by side with others."""

    reached: datetime
    until: datetime
    done: bool
    window: WindowOut | None

    @classmethod
    def of(cls, part: Position) -> Self:
        return cls.model_validate(
            {
                "reached": part["high"],
                "until": part["until"],
                "done": positions.is_finished(part),
                "window": WindowOut.of(part),
            }
        )


class CursorDetailOut(BaseModel):
    """Where a stream stands, for people and as it is stored."""

    stream: str
    title: str
    kind: Literal["time", "parent"]
    summary: str = Field(examples=["Everything up to 2026-11-01 12:00 UTC"])
    reached: datetime | None = Field(description="Everything up to this instant is in")
    window: WindowOut | None
    slices: list[SliceOut]
    lookback: str | None = Field(description="How far each run reads back over what is in already")
    lag: str | None = Field(description="How far behind the present a run ends")
    horizon: str | None = Field(description="How long the source keeps what the stream reads")
    parent: str | None = Field(description="The stream whose records this one is read for")
    position: dict[str, Any] | None = Field(description="As stored; null before the first run")
    job_id: UUID | None = Field(description="The job that moved it last")
    last_synced_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def of(cls, stream: Stream, state: CursorState | None) -> Self:
        position: Position = state.position if state else {}
        time = stream.cursor if isinstance(stream.cursor, TimeCursor) else None
        return cls(
            stream=stream.name,
            title=stream.title,
            kind="time" if time else "parent",
            summary=positions.in_words(position),
            reached=positions.reached(position),
            window=WindowOut.of(position),
            slices=[SliceOut.of(part) for part in positions.slices_of(position)],
            lookback=time.lookback if time else None,
            lag=time.lag if time else None,
            horizon=time.horizon if time else None,
            parent=stream.cursor.stream if isinstance(stream.cursor, ParentCursor) else None,
            position=state.position if state else None,
            job_id=state.job_id if state else None,
            last_synced_at=state.last_synced_at if state else None,
            updated_at=state.updated_at if state else None,
        )


Instant = Annotated[ZonedInstant, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]


class CursorResetIn(BaseModel):
    """Where the next sync is to read from."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"to": "2026-10-01T00:00:00Z"}})

    to: Literal["beginning"] | Instant = Field(description="`beginning`, or an instant with its zone")


class SchemaNoticeOut(BaseModel):
    """Something about the shape of a stream's records that was not so before. Paths and types, never a value."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    stream: str
    path: str = Field(examples=["payment_method_details.card.brand"])
    kind: Literal["appeared", "type_changed"]
    sample_type: str
    run_id: UUID
    first_seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None


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
