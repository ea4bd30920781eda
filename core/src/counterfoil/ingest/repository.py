"""SQL around landing: cursors, runs, parents, kept raw records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.landing import Counts
from counterfoil.ingest.models import CursorState, RawRecord, StreamRun
from counterfoil.ingest.positions import Position
from counterfoil.kit.ids import derived_id, new_id


async def load_position(uow: UnitOfWork, connection_id: UUID, stream: str) -> CursorState | None:
    found: CursorState | None = await uow.session.scalar(
        select(CursorState).where(CursorState.connection_id == connection_id, CursorState.stream == stream)
    )
    return found


async def save_position(
    uow: UnitOfWork, connection_id: UUID, stream: str, position: Position, *, job_id: UUID, complete: bool
) -> None:
    """Upsert the cursor; ``complete`` says that everything up to now is in."""
    synced: dict[str, Any] = {"last_synced_at": func.now()} if complete else {}
    values = {"position": position, "job_id": job_id, "updated_at": func.now(), **synced}
    statement = insert(CursorState).values(
        tenant_id=uow.tenant,
        id=derived_id(str(uow.tenant), str(connection_id), stream),
        connection_id=connection_id,
        stream=stream,
        **values,
    )
    await uow.session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values))


async def runs_of_job(uow: UnitOfWork, job_id: UUID) -> dict[str, StreamRun]:
    runs = await uow.session.scalars(select(StreamRun).where(StreamRun.job_id == job_id))
    return {run.stream: run for run in runs}


def new_run(
    uow: UnitOfWork, *, job_id: UUID, connection_id: UUID, stream: str, mode: str, position: Position | None
) -> StreamRun:
    run = StreamRun(
        tenant_id=uow.tenant,
        id=new_id(),
        job_id=job_id,
        connection_id=connection_id,
        stream=stream,
        mode=mode,
        status="running",
        first_position=position,
    )
    uow.session.add(run)
    return run


async def add_to_run(
    uow: UnitOfWork, run_id: UUID, counts: Counts, *, pages: int, expected: int | None, position: Position | None
) -> None:
    grown: dict[str, Any] = {"last_position": position} if position is not None else {}
    if expected is not None:
        grown["expected"] = func.coalesce(StreamRun.expected, 0) + expected
    await uow.session.execute(
        update(StreamRun)
        .where(StreamRun.id == run_id)
        .values(
            pages=StreamRun.pages + pages,
            rows_read=StreamRun.rows_read + counts.read,
            rows_inserted=StreamRun.rows_inserted + counts.inserted,
            rows_updated=StreamRun.rows_updated + counts.updated,
            rows_unchanged=StreamRun.rows_unchanged + counts.unchanged,
            rows_deleted=StreamRun.rows_deleted + counts.deleted,
            landed=func.coalesce(StreamRun.landed, 0) + counts.read - len(counts.unmappable),
            **grown,
        )
        .execution_options(synchronize_session=False)
    )


async def finish_run(uow: UnitOfWork, run_id: UUID, *, status: str, reason: dict[str, str] | None) -> None:
    await uow.session.execute(
        update(StreamRun)
        .where(StreamRun.id == run_id)
        .values(status=status, reason=reason, finished_at=func.now())
        .execution_options(synchronize_session=False)
    )


async def kept_after(
    uow: UnitOfWork, connection_id: UUID, stream: str, after: tuple[datetime, str] | None, limit: int
) -> Sequence[RawRecord]:
    """Kept raw records of a stream in the order they last changed."""
    query = select(RawRecord).where(RawRecord.connection_id == connection_id, RawRecord.stream == stream)
    if after is not None:
        query = query.where(tuple_(RawRecord.changed_at, RawRecord.id) > tuple_(after[0], UUID(after[1])))
    return (await uow.session.scalars(query.order_by(RawRecord.changed_at, RawRecord.id).limit(limit))).all()


async def cursors_of(uow: UnitOfWork, connection_id: UUID) -> dict[str, CursorState]:
    rows = await uow.session.scalars(select(CursorState).where(CursorState.connection_id == connection_id))
    return {row.stream: row for row in rows}


async def latest_runs(uow: UnitOfWork, connection_id: UUID) -> dict[str, StreamRun]:
    """The newest run of each stream that asked the vendor; a running one is the newest. A replay says nothing of health."""
    running_first = case((StreamRun.status == "running", 0), else_=1)
    rows = await uow.session.scalars(
        select(StreamRun)
        .where(StreamRun.connection_id == connection_id, StreamRun.mode != "replay")
        .distinct(StreamRun.stream)
        .order_by(StreamRun.stream, running_first, StreamRun.started_at.desc())
    )
    return {row.stream: row for row in rows}


async def restart_run(uow: UnitOfWork, run_id: UUID) -> None:
    """Set a run's counts back, where the stream begins again from its start."""
    zero = dict.fromkeys(
        ("pages", "rows_read", "rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted", "landed"), 0
    )
    await uow.session.execute(
        update(StreamRun)
        .where(StreamRun.id == run_id)
        .values(status="running", reason=None, finished_at=None, **zero)
        .execution_options(synchronize_session=False)
    )
