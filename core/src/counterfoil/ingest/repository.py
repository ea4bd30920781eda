"""SQL around landing: cursors, runs, parents, kept raw records."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, case, column, exists, func, literal, select, table, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import aliased

from counterfoil.connections.models import Connection
from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.landing import Counts
from counterfoil.ingest.models import CursorState, RawRecord, SchemaNotice, StreamRun, StreamSchema
from counterfoil.ingest.positions import Position
from counterfoil.kit.ids import derived_id, new_id

INTERRUPTED = {"code": "interrupted", "detail": "The job ended before this stream was through."}
MAPPED_ANEW = "mapped_anew"
SYNC_MODES = ("incremental", "backfill", "full")
# Jobs are a layer above; of theirs only this much is of interest here.
_JOBS = table("jobs", column("id"), column("status"), column("kind"), column("subject_id"), schema="core")


async def load_position(uow: UnitOfWork, connection_id: UUID, stream: str) -> CursorState | None:
    found: CursorState | None = await uow.session.scalar(
        select(CursorState).where(CursorState.connection_id == connection_id, CursorState.stream == stream)
    )
    return found


async def present_position(uow: UnitOfWork, connection_id: UUID, stream: str) -> CursorState:
    """The cursor as it was just written."""
    query = select(CursorState).where(CursorState.connection_id == connection_id, CursorState.stream == stream)
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).one()


async def save_position(
    uow: UnitOfWork,
    connection_id: UUID,
    stream: str,
    position: Position,
    *,
    mapped_version: int,
    job_id: UUID | None,
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


async def restart(
    uow: UnitOfWork, connection_id: UUID, stream: str, position: Position, *, version: int, job_id: UUID | None
) -> CursorState | None:
    """Put a cursor somewhere else, and answer the one there was. Which version its kept records went through stays true."""
    before = await load_position(uow, connection_id, stream)
    # The mapping of kept records anew that was under way goes on where it stopped.
    kept = {name: value for name, value in before.position.items() if name == MAPPED_ANEW} if before else {}
    await save_position(
        uow,
        connection_id,
        stream,
        {**position, **kept},
        mapped_version=before.mapped_version if before else version,
        job_id=job_id or (before.job_id if before else None),
        complete=False,
    )
    return before


async def runs_of_job(uow: UnitOfWork, job_id: UUID) -> dict[str, StreamRun]:
    runs = await uow.session.scalars(select(StreamRun).where(StreamRun.job_id == job_id))
    return {run.stream: run for run in runs}


def new_run(
    uow: UnitOfWork,
    *,
    job_id: UUID,
    connection_id: UUID,
    stream: str,
    mode: str,
    position: Position | None,
    read_at: datetime | None = None,
    notices: Sequence[dict[str, str]] = (),
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
        read_at=read_at,
        told={},
        notices=list(notices),
        pages=0,
        rows_read=0,
        rows_inserted=0,
        rows_updated=0,
        rows_unchanged=0,
        rows_deleted=0,
        rechecked=0,
        short=0,
    )
    uow.session.add(run)
    return run


async def add_to_run(
    uow: UnitOfWork,
    run_id: UUID,
    counts: Counts,
    *,
    pages: int,
    expected: int | None = None,
    position: Position | None = None,
    short: int = 0,
    rechecked: int = 0,
    told: Mapping[str, Any] | None = None,
    notices: Sequence[dict[str, str]] | None = None,
) -> None:
    """Add a batch to what a run has done; ``told`` and ``notices`` are what they are after it."""
    later = {"last_position": position, "told": told, "notices": notices}
    grown: dict[str, Any] = {name: value for name, value in later.items() if value is not None}
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
            rechecked=StreamRun.rechecked + rechecked,
            short=StreamRun.short + short,
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


async def pause_run(uow: UnitOfWork, run_id: UUID, *, status: str, reason: dict[str, Any]) -> None:
    """Leave a run as it stands until its job is tried again: not finished, and with what stands in its way."""
    await uow.session.execute(
        update(StreamRun)
        .where(StreamRun.id == run_id)
        .values(status=status, reason=reason)
        .execution_options(synchronize_session=False)
    )


async def resume_runs(uow: UnitOfWork, run_ids: Sequence[UUID]) -> None:
    """Go on with runs of an earlier attempt; what stood in its way stays to be read until they end."""
    await uow.session.execute(
        update(StreamRun)
        .where(StreamRun.id.in_(run_ids))
        .values(status="running", finished_at=None)
        .execution_options(synchronize_session=False)
    )


async def kept_after(
    uow: UnitOfWork, connection_id: UUID, stream: str, change: int, limit: int, *, with_deleted: bool = True
) -> Sequence[RawRecord]:
    """Kept raw records of a stream whose latest change came after that one, in the order of their changes."""
    query = select(RawRecord).where(
        RawRecord.connection_id == connection_id, RawRecord.stream == stream, RawRecord.change > change
    )
    if not with_deleted:
        query = query.where(RawRecord.deleted_at.is_(None))
    return (await uow.session.scalars(query.order_by(RawRecord.change).limit(limit))).all()


async def end_interrupted(uow: UnitOfWork, connection_id: UUID, stream: str, *, job_id: UUID) -> None:
    """Close what an earlier job that did not end well left open. One that waited for another attempt keeps its reason."""
    is_running = StreamRun.status == "running"
    await uow.session.execute(
        update(StreamRun)
        .where(StreamRun.connection_id == connection_id, StreamRun.stream == stream)
        .where(StreamRun.finished_at.is_(None), StreamRun.job_id != job_id, StreamRun.mode.in_(SYNC_MODES))
        .values(
            status=case((is_running, "failed"), else_=StreamRun.status),
            reason=case((is_running, literal(INTERRUPTED, JSONB)), else_=StreamRun.reason),
            finished_at=func.now(),
        )
        .execution_options(synchronize_session=False)
    )


async def cursors_of(uow: UnitOfWork, connection_id: UUID) -> dict[str, CursorState]:
    rows = await uow.session.scalars(select(CursorState).where(CursorState.connection_id == connection_id))
    return {row.stream: row for row in rows}


async def latest_runs(uow: UnitOfWork, connection_id: UUID, streams: Collection[str]) -> dict[str, StreamRun]:
    """The newest sync of each of these streams: a replay or a refresh of single records says nothing of its health.

    A run is open no longer than its job is. One whose job ended without closing it is shown as what it is.
    """
    is_open = exists().where(_JOBS.c.id == StreamRun.job_id, _JOBS.c.status.in_(("queued", "running")))
    # Stream by stream, each by one look into the index of syncs: there are years of runs.
    named = func.unnest(literal(list(streams), ARRAY(Text()))).table_valued("stream").render_derived(name="named")
    syncs = aliased(StreamRun)
    newest = (
        select(syncs.id)
        .where(syncs.connection_id == connection_id, syncs.stream == named.c.stream, syncs.mode.in_(SYNC_MODES))
        .order_by(syncs.started_at.desc())
        .limit(1)
    )
    ids = func.array(select(newest.scalar_subquery()).select_from(named).scalar_subquery())
    rows = await uow.session.execute(select(StreamRun, is_open).where(StreamRun.id == any_(ids)))
    found: dict[str, StreamRun] = {}
    for run, job_is_open in rows:
        if run.status == "running" and not job_is_open:
            uow.session.expunge(run)
            run.status, run.reason = "failed", INTERRUPTED
        found[run.stream] = run
    return found


async def open_unseen(
    uow: UnitOfWork, connection_id: UUID, stream: str, *, before: datetime, after: UUID | None, limit: int
) -> Sequence[tuple[UUID, str]]:
    """Open records of a stream that nobody has seen since an instant: ids and the vendor's ids, in the order of the former."""
    query = select(RawRecord.id, RawRecord.source_id).where(
        RawRecord.connection_id == connection_id,
        RawRecord.stream == stream,
        RawRecord.is_open,
        func.coalesce(RawRecord.seen_at, RawRecord.observed_at) < before,
    )
    if after is not None:
        query = query.where(RawRecord.id > after)
    return [(row.id, row.source_id) for row in await uow.session.execute(query.order_by(RawRecord.id).limit(limit))]


async def not_shown(
    uow: UnitOfWork, connection_id: UUID, stream: str, *, run_id: UUID, before: datetime, after: UUID | None, limit: int
) -> Sequence[tuple[UUID, str]]:
    """Records known before an instant that a run which remembers all it sees was not shown, and that are not deleted."""
    query = select(RawRecord.id, RawRecord.source_id).where(
        RawRecord.connection_id == connection_id,
        RawRecord.stream == stream,
        RawRecord.deleted_at.is_(None),
        RawRecord.run_id != run_id,
        RawRecord.seen_run.is_distinct_from(run_id),
        func.coalesce(RawRecord.seen_at, RawRecord.observed_at) < before,
    )
    if after is not None:
        query = query.where(RawRecord.id > after)
    return [(row.id, row.source_id) for row in await uow.session.execute(query.order_by(RawRecord.id).limit(limit))]


async def schema_of(uow: UnitOfWork, connection_id: UUID, stream: str) -> tuple[dict[str, list[str]], bool]:
    """The paths a stream's records are known to have, and whether it was read to its end once."""
    paths: dict[str, list[str]] | None = await uow.session.scalar(
        select(StreamSchema.paths).where(StreamSchema.connection_id == connection_id, StreamSchema.stream == stream)
    )
    state = await load_position(uow, connection_id, stream)
    return paths or {}, paths is not None and state is not None and state.last_synced_at is not None


async def save_schema(uow: UnitOfWork, connection_id: UUID, stream: str, paths: dict[str, list[str]]) -> None:
    """Add to the known paths; another job may have added others meanwhile."""
    statement = insert(StreamSchema).values(
        tenant_id=uow.tenant,
        id=derived_id(str(uow.tenant), str(connection_id), stream),
        connection_id=connection_id,
        stream=stream,
        paths=paths,
    )
    grown = {"paths": StreamSchema.paths.op("||")(statement.excluded.paths), "updated_at": func.now()}
    await uow.session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=grown))


async def add_schema_notices(
    uow: UnitOfWork, connection_id: UUID, stream: str, found: Sequence[tuple[str, str, str]], *, run_id: UUID
) -> list[tuple[str, str]]:
    """Keep what nobody noticed before; the paths and types of those."""
    values = [
        {
            "tenant_id": uow.tenant,
            "id": new_id(),
            "connection_id": connection_id,
            "stream": stream,
            "path": path,
            "kind": kind,
            "sample_type": sample_type,
            "run_id": run_id,
        }
        for path, kind, sample_type in found
    ]
    statement = insert(SchemaNotice).values(values).on_conflict_do_nothing()
    added = await uow.session.execute(statement.returning(SchemaNotice.path, SchemaNotice.sample_type))
    return [(row.path, row.sample_type) for row in added]


async def schema_notices(
    uow: UnitOfWork, connection_id: UUID, *, only_open: bool, before: UUID | None, limit: int
) -> Sequence[SchemaNotice]:
    """Notices of a connection, newest first."""
    query = select(SchemaNotice).where(SchemaNotice.connection_id == connection_id)
    if only_open:
        query = query.where(SchemaNotice.acknowledged_at.is_(None))
    if before is not None:
        query = query.where(SchemaNotice.id < before)
    return (await uow.session.scalars(query.order_by(SchemaNotice.id.desc()).limit(limit))).all()


async def schema_notice(uow: UnitOfWork, connection_id: UUID, notice_id: UUID) -> SchemaNotice | None:
    query = select(SchemaNotice).where(SchemaNotice.connection_id == connection_id, SchemaNotice.id == notice_id)
    found: SchemaNotice | None = await uow.session.scalar(query.with_for_update())
    return found


async def unfinished_sync(uow: UnitOfWork, connection_id: UUID, *, kinds: Sequence[str]) -> UUID | None:
    """A job that moves, or is about to move, the connection's cursors. None is asked for until this transaction ends."""
    # Whoever asks for a job writes that down on the connection.
    await uow.session.execute(select(Connection.id).where(Connection.id == connection_id).with_for_update())
    mine = _JOBS.c.subject_id == connection_id
    query = select(_JOBS.c.id).where(mine, _JOBS.c.kind.in_(kinds), _JOBS.c.status.in_(("queued", "running")))
    found: UUID | None = await uow.session.scalar(query.limit(1))
    return found
