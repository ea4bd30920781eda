"""Saved views: kept only while they fit their table, changed only by their owner."""

from collections.abc import Sequence
from uuid import UUID

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.tables.aggregates import read_aggregate
from counterfoil.tables.exports import read_export
from counterfoil.tables.records import Table
from counterfoil.tables.views import repository
from counterfoil.tables.views.errors import NotYourView, TooManyViews, ViewNameTaken
from counterfoil.tables.views.models import SavedView
from counterfoil.tables.views.schemas import Chart, ViewIn, ViewPatch
from counterfoil.web.etag import require_match

# Per member; a list nobody can read helps nobody.
MOST_VIEWS = 500

_RESOURCE = "saved_view"


async def page(
    uow: UnitOfWork, *, user_id: UUID, tables: Sequence[Table], after: UUID | None, limit: int
) -> Sequence[SavedView]:
    """The member's own views and the shared ones, of these tables, oldest first."""
    names = [table.name for table in tables]
    return await repository.page(uow, user_id=user_id, tables=names, after=after, limit=limit)


async def get(uow: UnitOfWork, view_id: UUID, *, user_id: UUID) -> SavedView:
    """Raises ``NotFound`` also for somebody else's view that is not shared."""
    view = await repository.find(uow, view_id, user_id=user_id)
    if view is None:
        raise NotFound("There is no such view.")
    return view


async def create(uow: UnitOfWork, table: Table, wanted: ViewIn, *, user_id: UUID) -> SavedView:
    """Keep a view.

    Raises:
        InvalidFilter, InvalidSort, InvalidColumns, InvalidAggregate: it does not fit the table.
        ViewNameTaken: the member has one of that name on the table.
        TooManyViews: the member has enough.
    """
    if await repository.count(uow, user_id=user_id) >= MOST_VIEWS:
        raise TooManyViews(f"A member keeps at most {MOST_VIEWS} views.")
    view = SavedView(
        tenant_id=uow.tenant,
        id=new_id(),
        table_name=table.name,
        name=wanted.name,
        owner_id=user_id,
        shared=wanted.shared,
        filters=wanted.filters,
        sort=wanted.sort,
        columns=wanted.columns,
        chart=wanted.chart.model_dump() if wanted.chart else None,
    )
    _check(table, view)
    await _write(uow, view)
    await _record(uow, "core.saved_view.created", view, {"name": view.name, "shared": view.shared})
    return view


async def update(
    uow: UnitOfWork, table: Table, view: SavedView, change: ViewPatch, *, user_id: UUID, if_match: str | None
) -> SavedView:
    """Change what is given.

    Raises:
        NotYourView: the member does not own it.
        PreconditionFailed: the member saw another version.
        InvalidFilter, InvalidSort, InvalidColumns, InvalidAggregate, ViewNameTaken: as for a new one.
    """
    _require_owner(view, user_id)
    require_match(if_match, view.version)
    given = change.model_dump(exclude_unset=True)
    for field in ("name", "shared", "filters"):
        if given.get(field) is not None:
            setattr(view, field, given[field])
    for field in ("sort", "columns", "chart"):
        if field in given:
            setattr(view, field, given[field])
    _check(table, view)
    fields = sorted(repository.changed(view))
    if fields:
        view.version += 1
        await _write(uow, view)
        await _record(uow, "core.saved_view.updated", view, {"name": view.name, "fields": fields})
    return view


async def delete(uow: UnitOfWork, view: SavedView, *, user_id: UUID, if_match: str | None) -> None:
    """Raises ``NotYourView`` and ``PreconditionFailed`` as ``update`` does."""
    _require_owner(view, user_id)
    require_match(if_match, view.version)
    await repository.delete(uow, view)
    await _record(uow, "core.saved_view.deleted", view, {"name": view.name})


def _check(table: Table, view: SavedView) -> None:
    read_export(table, filters=view.filters, sort=view.sort, columns=",".join(view.columns) if view.columns else None)
    if view.chart:
        chart = Chart.model_validate(view.chart)
        read_aggregate(table, groups=chart.groups, measures=chart.measures, sort=chart.sort, limit=1)


async def _write(uow: UnitOfWork, view: SavedView) -> None:
    if not await repository.write(uow, view):
        raise ViewNameTaken("Choose another name.")


def _require_owner(view: SavedView, user_id: UUID) -> None:
    if view.owner_id != user_id:
        raise NotYourView("Save a copy of it instead.")


async def _record(uow: UnitOfWork, action: str, view: SavedView, payload: dict[str, object]) -> None:
    await audit.record(
        uow,
        action=action,
        resource_type=_RESOURCE,
        resource_id=view.id,
        payload={"table": view.table_name, **payload},
    )
