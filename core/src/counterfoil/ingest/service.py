"""What may be asked of a connection's streams."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from counterfoil import audit
from counterfoil.commerce.models import table_of
from counterfoil.db.database import UnitOfWork
from counterfoil.ingest import positions, repository
from counterfoil.ingest.errors import NoticeNotFound, SyncUnderWay, UnknownStream
from counterfoil.ingest.models import CursorState, SchemaNotice
from counterfoil.kit.clock import utc_now
from counterfoil.plugins.connector import Connector, Stream

SYNC_KIND, REPLAY_KIND = "core.sync", "core.replay"
RESOURCE = "connection"


def chosen_streams(connector: Connector, names: Sequence[str] | None) -> list[Stream]:
    """The streams of these names in the connector's own order; all of them for None.

    Raises:
        UnknownStream: naming the ones there are.
    """
    unknown = sorted(set(names or ()) - set(connector.streams))
    if unknown:
        known = ", ".join(connector.streams)
        raise UnknownStream(f"{', '.join(unknown)}: choose from {known}.")
    return [stream for stream in connector.streams.values() if names is None or stream.name in names]


def target_tables(stream: Stream) -> list[str]:
    return [table_of(target).name for target in stream.targets]


async def reset_cursor(
    uow: UnitOfWork, connection_id: UUID, stream: Stream, *, instant: datetime | None
) -> CursorState:
    """Have the next sync read from an instant on, or from the beginning; rows stay as they are.

    Raises:
        SyncUnderWay: a job is moving the cursors.
    """
    if job_id := await repository.unfinished_sync(uow, connection_id, kinds=(SYNC_KIND, REPLAY_KIND)):
        raise SyncUnderWay("Wait for its end, or cancel it first.", job_id=job_id)
    position = positions.start_of(stream.cursor) if instant is None else positions.at(stream.cursor, instant)
    before = await repository.restart(uow, connection_id, stream.name, position, version=stream.version, job_id=None)
    await audit.record(
        uow,
        action="core.cursor.reset",
        resource_type=RESOURCE,
        resource_id=connection_id,
        payload={"stream": stream.name, "before": before.position if before else None, "after": position},
    )
    return await repository.present_position(uow, connection_id, stream.name)


async def acknowledge(uow: UnitOfWork, connection_id: UUID, notice_id: UUID, *, by: UUID) -> SchemaNotice:
    """Take a notice off the list of what nobody has looked at; again does nothing.

    Raises:
        NoticeNotFound: the connection has none of that id.
    """
    notice = await repository.schema_notice(uow, connection_id, notice_id)
    if notice is None:
        raise NoticeNotFound
    if notice.acknowledged_at is None:
        notice.acknowledged_at, notice.acknowledged_by = utc_now(), by
        await uow.session.flush()
        await audit.record(
            uow,
            action="core.schema_notice.acknowledged",
            resource_type="schema_notice",
            resource_id=notice.id,
            payload={"connection_id": str(connection_id), "stream": notice.stream, "path": notice.path},
        )
    return notice
