"""The SQL of connections and data keys."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text
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


async def data_key(uow: UnitOfWork, *, version: int | None = None, hold: bool = False) -> TenantKey | None:
    """One data key, or the newest; held against being dropped until the unit of work ends, if asked."""
    query = select(TenantKey).order_by(TenantKey.version.desc()).limit(1)
    if hold:
        query = query.with_for_update(read=True, key_share=True)
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
    query = select(TenantKey).where(TenantKey.master_key_id != master_key_id).with_for_update(key_share=True)
    return (await uow.session.scalars(query)).all()


async def all_data_keys(uow: UnitOfWork) -> Sequence[TenantKey]:
    """Oldest first, for one rotation at a time; whoever seals meanwhile is not kept waiting."""
    query = select(TenantKey).order_by(TenantKey.version).with_for_update(key_share=True)
    return (await uow.session.scalars(query)).all()


async def old_data_keys(uow: UnitOfWork, *, before: int) -> Sequence[TenantKey]:
    """Locked so that nobody can be sealing under one of them."""
    query = select(TenantKey).where(TenantKey.version < before).with_for_update()
    return (await uow.session.scalars(query)).all()


async def delete_data_key(uow: UnitOfWork, row: TenantKey) -> None:
    await uow.session.delete(row)
    await uow.session.flush()


async def sealed_before(
    uow: UnitOfWork, *, table: str, column: str, version: int, limit: int
) -> Sequence[tuple[UUID, bytes]]:
    """Values under an older data key, their rows locked; those that somebody else has locked are passed over."""
    query = f"""
        SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL AND key_version < :version
        ORDER BY id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
    """  # noqa: S608  (our own names)
    rows = (await uow.session.execute(text(query), {"version": version, "limit": limit})).all()
    return [(row[0], row[1]) for row in rows]


async def count_sealed_before(uow: UnitOfWork, *, table: str, column: str, version: int) -> int:
    query = f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND key_version < :version"  # noqa: S608  (our own names)
    return int((await uow.session.execute(text(query), {"version": version})).scalar_one())


async def put_sealed(uow: UnitOfWork, *, table: str, column: str, row_id: UUID, sealed: bytes, version: int) -> None:
    # The second condition lets the index of sealed rows find it, where a table has few of them.
    query = f"UPDATE {table} SET {column} = :sealed, key_version = :version WHERE id = :id AND key_version < :version"  # noqa: S608  (our own names)
    await uow.session.execute(text(query), {"sealed": sealed, "version": version, "id": row_id})


async def master_key_ids(uow: UnitOfWork) -> set[str]:
    """The master keys that the tenant's data keys are wrapped by."""
    return set((await uow.session.scalars(select(TenantKey.master_key_id).distinct())).all())


async def tenants_for_operator(uow: UnitOfWork) -> Sequence[tuple[UUID, str]]:
    """Every tenant's id and slug; takes a unit of work without a tenant."""
    rows = (await uow.session.execute(text("SELECT tenant_id, slug FROM core.tenants_for_operator()"))).all()
    return [(row[0], row[1]) for row in rows]
