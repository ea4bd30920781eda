"""What a source that forgets has cost: streams whose changes nobody can tell of any more are read in full again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest import positions, repository
from counterfoil.ingest.control import JobControl
from counterfoil.ingest.models import CursorState, StreamRun
from counterfoil.plugins.connector import Stream, TimeCursor

CODE = "horizon_passed"


async def heed(
    uow: UnitOfWork,
    job: JobControl,
    connection_id: UUID,
    *,
    chosen: Sequence[Stream],
    streams: Mapping[str, Stream],
    runs: Mapping[str, StreamRun],
    mode: str,
    now: datetime,
) -> dict[str, StreamRun]:
    """Start over what cannot be complete otherwise, and say so; the runs that were opened for that, by stream.

    It happens in one transaction: whoever takes the job over later finds the runs and goes on with them.
    """
    states = await repository.cursors_of(uow, connection_id)
    opened: dict[str, StreamRun] = {}
    for stream in chosen:
        last = _missed_since(stream, states, now)
        if last is None or stream.name in runs or stream.name in opened:
            continue
        anew = [stream, *(streams[name] for name in stream.tells_of)]
        notice = {"code": CODE, "detail": _detail(stream, anew, last)}
        await job.log(uow, "warning", notice["detail"], {**notice, "streams": [one.name for one in anew]})
        for one in anew:
            if one.name in runs or one.name in opened:
                continue
            position = positions.start_of(one.cursor)
            await repository.end_interrupted(uow, connection_id, one.name, job_id=job.job_id)
            await repository.restart(uow, connection_id, one.name, position, version=one.version, job_id=job.job_id)
            opened[one.name] = repository.new_run(
                uow,
                job_id=job.job_id,
                connection_id=connection_id,
                stream=one.name,
                mode=mode,
                position=position,
                read_at=now,
                notices=[notice],
            )
    await uow.session.flush()
    return opened


def _missed_since(stream: Stream, states: Mapping[str, CursorState], now: datetime) -> datetime | None:
    """Up to when a stream was read that has missed something since; None when it has missed nothing."""
    horizon = stream.cursor.horizon_delta if isinstance(stream.cursor, TimeCursor) else None
    if horizon is None:
        return None
    own = states.get(stream.name)
    known = [own] if own is not None else [states[name] for name in stream.tells_of if name in states]
    reached = [instant for state in known if (instant := positions.frontier(state.position)) is not None]
    # A stream that was never read has missed what the others did not see while it was not there.
    last = min(reached, default=None)
    return last if last is not None and last < now - horizon else None


def _detail(stream: Stream, anew: Sequence[Stream], last: datetime) -> str:
    titles = ", ".join(one.title for one in anew)
    return (
        f"{stream.title} were last read up to {last:%Y-%m-%d}, and the source keeps less. Read in full again: {titles}."
    )
