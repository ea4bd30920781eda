"""The SQL of connections and data keys."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import undefer

from counterfoil.connections.errors import LabelTaken
from counterfoil.connections.models import Connection, TenantKey
from counterfoil.db import UnitOfWork
from counterfoil.kit.ids import new_id

_LABEL_KEY = "connections_label_key"


async def page(uow: UnitOfWork, *, after: UUID | None, limit: int) -> Sequence[Connection]:
    """Live connections, oldest first."""
    query = select(Connection).where(Connection.status != "revoked").order_by(Connection.id).limit(limit)
    if after is not None:
        query = query.where(Connection.id > after)
    return (await uow.session.scalars(query)).all()


async def find(
    uow: UnitOfWork, connection_id: UUID, *, for_update: bool = False, with_credentials: bool = False
) -> Connection | None:
    """A live connection."""
    query = select(Connection).where(Connection.id == connection_id, Connection.status != "revoked")
    query = query.execution_options(populate_existing=True)
    if with_credentials:
        query = query.options(undefer(Connection.credentials))
    if for_update:
        query = query.with_for_update()
    found: Connection | None = await uow.session.scalar(query)
    return found


async def is_known(uow: UnitOfWork, connection_id: UUID) -> bool:
    """Whether there is such a connection, or was before it was deleted."""
    return await uow.session.scalar(select(Connection.id).where(Connection.id == connection_id)) is not None


async def save(uow: UnitOfWork, connection: Connection) -> None:
    """Write a new or changed connection.

    Raises:
        LabelTaken: a live connection has its label.
    """
    # Read beforehand: a failed flush expires the row.
    label = connection.label
    uow.session.add(connection)
    try:
        await uow.session.flush()
    except IntegrityError as error:
        if _LABEL_KEY in str(error.orig):
            raise LabelTaken(f"There is already a connection called “{label}”.") from error
        raise


async def data_key(uow: UnitOfWork, *, version: int | None = None) -> TenantKey | None:
    """One data key, or the newest."""
    query = select(TenantKey).order_by(TenantKey.version.desc()).limit(1)
    if version is not None:
        query = query.where(TenantKey.version == version)
    found: TenantKey | None = await uow.session.scalar(query)
    return found


async def add_data_key(uow: UnitOfWork, *, version: int, wrapped: bytes, master_key_id: str) -> TenantKey:
    """The row of that version: this one, or the one that another transaction committed first."""
    statement = insert(TenantKey).values(
        tenant_id=uow.tenant, id=new_id(), version=version, wrapped=wrapped, master_key_id=master_key_id
    )
    await uow.session.execute(statement.on_conflict_do_nothing())
    query = select(TenantKey).where(TenantKey.version == version)
    return (await uow.session.scalars(query)).one()


async def data_keys_not_under(uow: UnitOfWork, *, master_key_id: str) -> Sequence[TenantKey]:
    query = select(TenantKey).where(TenantKey.master_key_id != master_key_id).with_for_update()
    return (await uow.session.scalars(query)).all()
