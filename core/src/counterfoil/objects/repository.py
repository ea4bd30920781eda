"""SQL over the index of objects."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select

from counterfoil.db.database import UnitOfWork
from counterfoil.objects.models import StoredObject


async def add(uow: UnitOfWork, values: dict[str, Any]) -> StoredObject:
    statement = insert(StoredObject).values(tenant_id=uow.tenant, **values).returning(StoredObject)
    return (await uow.session.scalars(statement)).one()


async def get(uow: UnitOfWork, object_id: UUID) -> StoredObject | None:
    found: StoredObject | None = await uow.session.scalar(select(StoredObject).where(StoredObject.id == object_id))
    return found


async def delete_expired(uow: UnitOfWork, object_id: UUID) -> bool:
    """By the database's clock, in the one statement that also deletes."""
    is_over = or_(StoredObject.retention_until.is_(None), StoredObject.retention_until <= func.now())
    statement = delete(StoredObject).where(StoredObject.id == object_id, is_over).returning(StoredObject.id)
    return await uow.session.scalar(statement.execution_options(synchronize_session=False)) is not None


async def known_among(uow: UnitOfWork, keys: Sequence[str]) -> set[str]:
    return set(await uow.session.scalars(select(StoredObject.key).where(StoredObject.key.in_(keys))))
