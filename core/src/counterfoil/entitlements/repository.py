from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from counterfoil.db import UnitOfWork
from counterfoil.entitlements.models import PluginState
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.tenancy import Tenant


async def plan_and_enabled(uow: UnitOfWork) -> tuple[str, frozenset[str]]:
    """The tenant's plan and the names of the plugins it turned on, in one round trip."""
    turned_on = and_(PluginState.tenant_id == Tenant.id, PluginState.enabled)
    names = func.array_remove(func.array_agg(PluginState.plugin), None)
    query = (
        select(Tenant.plan, names).outerjoin(PluginState, turned_on).where(Tenant.id == uow.tenant).group_by(Tenant.id)
    )
    row = (await uow.session.execute(query)).one_or_none()
    if row is None:
        raise NotFound("There is no such tenant.")
    return row[0], frozenset(row[1])


async def turn_on(uow: UnitOfWork, plugin: str, *, by: str | None) -> bool:
    """Whether this changed anything."""
    values = {"enabled": True, "enabled_by": by, "enabled_at": func.now()}
    statement = (
        insert(PluginState)
        .values(tenant_id=uow.tenant, id=new_id(), plugin=plugin, **values)
        .on_conflict_do_update(
            index_elements=[PluginState.tenant_id, PluginState.plugin], set_=values, where=~PluginState.enabled
        )
        .returning(PluginState.id)
    )
    return (await uow.session.execute(statement)).scalar_one_or_none() is not None


async def turn_off(uow: UnitOfWork, plugin: str) -> bool:
    """Whether this changed anything."""
    statement = (
        update(PluginState)
        .where(PluginState.tenant_id == uow.tenant, PluginState.plugin == plugin, PluginState.enabled)
        .values(enabled=False)
        .returning(PluginState.id)
    )
    return (await uow.session.execute(statement)).scalar_one_or_none() is not None
