"""SQL around landing: cursors, runs, parents, kept raw records."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import column, exists, func, select, table, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.landing import Counts
from counterfoil.ingest.models import CursorState, RawRecord, StreamRun
from counterfoil.ingest.positions import Position
from counterfoil.kit.ids import derived_id, new_id

INTERRUPTED = {"code": "interrupted", "detail": "The job ended before this stream was through."}
# Jobs are a layer above; of theirs only this much is of interest here.
_JOBS = table("jobs", column("id"), column("status"), schema="core")


async def load_position(uow: UnitOfWork, connection_id: UUID, stream: str) -> CursorState | None:
    found: CursorState | None = await uow.session.scalar(
        select(CursorState).where(CursorState.connection_id == connection_id, CursorState.stream == stream)
    )
    return found


async def save_position(
    uow: UnitOfWork,
    connection_id: UUID,
    stream: str,
    position: Position,
    *,
    mapped_version: int,
    job_id: UUID,
    complete: bool,
) -> None:
    """Upsert the cursor.

    Args:
        uow: the unit of work that lands the rows the position stands for.
        connection_id: the connection.
        stream: the stream's name.
        position: where it stands now.
        mapped_version: the version of the mapping that every kept record went through.
        job_id: who moved it.
        complete: everything up to now is in.
    """
    values: dict[str, Any] = {
        "position": position,
        "mapped_version": mapped_version,
        "job_id": job_id,
        "updated_at": func.now(),
    }
    if complete:
        values["last_synced_at"] = func.now()
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


async def kept_after(uow: UnitOfWork, connection_id: UUID, stream: str, change: int, limit: int) -> Sequence[RawRecord]:
    """Kept raw records of a stream whose latest change came after that one, in the order of their changes."""
    query = select(RawRecord).where(
        RawRecord.connection_id == connection_id, RawRecord.stream == stream, RawRecord.change > change
    )
    return (await uow.session.scalars(query.order_by(RawRecord.change).limit(limit))).all()


async def end_interrupted(uow: UnitOfWork, connection_id: UUID, stream: str, *, job_id: UUID) -> None:
    """Close what an earlier job that did not end well left open."""
    await uow.session.execute(
        update(StreamRun)
        .where(StreamRun.connection_id == connection_id, StreamRun.stream == stream)
        .where(StreamRun.status == "running", StreamRun.job_id != job_id, StreamRun.mode != "replay")
        .values(status="failed", reason=INTERRUPTED, finished_at=func.now())
        .execution_options(synchronize_session=False)
    )


async def cursors_of(uow: UnitOfWork, connection_id: UUID) -> dict[str, CursorState]:
    rows = await uow.session.scalars(select(CursorState).where(CursorState.connection_id == connection_id))
    return {row.stream: row for row in rows}


async def latest_runs(uow: UnitOfWork, connection_id: UUID) -> dict[str, StreamRun]:
    """The newest run of each stream that asked the vendor: a replay says nothing of health.

    A run is open no longer than its job is. One whose job ended without closing it is shown as what it is.
    """
    is_open = exists().where(_JOBS.c.id == StreamRun.job_id, _JOBS.c.status.in_(("queued", "running")))
    rows = await uow.session.execute(
        select(StreamRun, is_open)
        .where(StreamRun.connection_id == connection_id, StreamRun.mode != "replay")
        .ext(distinct_on(StreamRun.stream))
        .order_by(StreamRun.stream, StreamRun.started_at.desc())
    )
    found: dict[str, StreamRun] = {}
    for run, job_is_open in rows:
        if run.status == "running" and not job_is_open:
            uow.session.expunge(run)
            run.status, run.reason = "failed", INTERRUPTED
        found[run.stream] = run
    return found
