"""Saved views in the database."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from counterfoil.db import UnitOfWork
from counterfoil.tables.views.models import SavedView

_NAME_KEY = "saved_views_name_key"


def _visible_to(user_id: UUID) -> sa.ColumnElement[bool]:
    return sa.or_(SavedView.owner_id == user_id, SavedView.shared)


async def page(
    uow: UnitOfWork, *, user_id: UUID, tables: Collection[str], after: UUID | None, limit: int
) -> Sequence[SavedView]:
    statement = (
        sa.select(SavedView)
        .where(_visible_to(user_id), SavedView.table_name.in_(tables))
        .order_by(SavedView.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(SavedView.id > after)
    return (await uow.session.scalars(statement)).all()


async def find(uow: UnitOfWork, view_id: UUID, *, user_id: UUID) -> SavedView | None:
    """A view the member sees, locked against others who change it."""
    statement = sa.select(SavedView).where(SavedView.id == view_id, _visible_to(user_id)).with_for_update()
    return (await uow.session.scalars(statement)).one_or_none()


async def count(uow: UnitOfWork, *, user_id: UUID) -> int:
    statement = sa.select(sa.func.count()).where(SavedView.owner_id == user_id)
    return int((await uow.session.execute(statement)).scalar_one())


async def is_taken(uow: UnitOfWork, view: SavedView) -> bool:
    """Whether another view of the same owner and table has its name."""
    statement = sa.select(
        sa.exists().where(
            SavedView.owner_id == view.owner_id,
            SavedView.table_name == view.table_name,
            SavedView.name == view.name,
            SavedView.id != view.id,
        )
    )
    return bool((await uow.session.execute(statement)).scalar_one())


async def write(uow: UnitOfWork, view: SavedView) -> bool:
    """Insert or update; false where another view took the name a moment ago."""
    with uow.session.no_autoflush:
        if await is_taken(uow, view):
            return False
    uow.session.add(view)
    try:
        async with uow.session.begin_nested():
            await uow.session.flush()
    except sa.exc.IntegrityError as error:
        if _NAME_KEY not in str(error.orig):
            raise
        return False
    await uow.session.refresh(view)
    return True


async def delete(uow: UnitOfWork, view: SavedView) -> None:
    await uow.session.delete(view)
    await uow.session.flush()


def changed(view: SavedView) -> dict[str, Any]:
    """The attributes that would be written, with their former values."""
    state = sa.inspect(view)
    return {
        attribute.key: attribute.history.deleted[0] if attribute.history.deleted else None
        for attribute in state.attrs
        if attribute.history.has_changes()
    }
