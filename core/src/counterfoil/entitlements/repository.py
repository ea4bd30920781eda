from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.orm import aliased

from counterfoil.db import UnitOfWork
from counterfoil.entitlements.models import PluginState, TenantOverride, UsageCounter
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.tenancy import Tenant

_ENTITLED = text("""
    SELECT t.plan, t.plan_expires_at AS expires_at,
           ARRAY(SELECT s.plugin FROM core.plugin_states s WHERE s.enabled) AS turned_on,
           (SELECT jsonb_object_agg(o.name, o.value = 1) FROM core.tenant_overrides o WHERE o.kind = 'feature') AS features,
           (SELECT jsonb_object_agg(o.name, o.value) FROM core.tenant_overrides o WHERE o.kind = 'quota') AS quotas
    FROM core.tenants t WHERE t.id = :tenant_id
""").columns(features=JSONB, quotas=JSONB)
# What a quota bounds: so many of something now, or so much of a metric in this month.
_COUNTED = {
    "connections": "SELECT count(*) FROM core.connections WHERE status <> 'revoked'",
    # An open invitation has its place: whoever accepts it is not turned away.
    "members": """
        SELECT (SELECT count(*) FROM core.memberships) + (
            SELECT count(*) FROM core.invitations
            WHERE accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()
        )
    """,
    "api_keys": "SELECT count(*) FROM core.api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
}
METERED = {"rows_per_month": "rows_landed", "export_bytes_per_month": "export_bytes"}
_THIS_MONTH = """
    SELECT coalesce(sum(value), 0)::bigint FROM core.usage_counters
    WHERE metric = '{metric}' AND day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date
"""


@dataclass(frozen=True, kw_only=True)
class Entitled:
    """A tenant's plan, the plugins it turned on, and what the operator set beside the plan: ``features``, ``quotas``."""

    plan: str
    expires_at: datetime | None
    turned_on: frozenset[str]
    features: Mapping[str, bool]
    quotas: Mapping[str, int | None]


async def entitled(uow: UnitOfWork) -> Entitled:
    """All in one round trip."""
    row = (await uow.session.execute(_ENTITLED, {"tenant_id": uow.tenant})).one_or_none()
    if row is None:
        raise NotFound("There is no such tenant.")
    return Entitled(
        plan=row.plan,
        expires_at=row.expires_at,
        turned_on=frozenset(row.turned_on),
        features=row.features or {},
        quotas=row.quotas or {},
    )


async def used(uow: UnitOfWork, quotas: Sequence[str]) -> dict[str, int]:
    """How much of each quota is used: what there is now, or what was counted this month."""
    columns = ", ".join(f"({_counting(quota)}) AS {quota}" for quota in quotas)
    row = (await uow.session.execute(text(f"SELECT {columns}"))).mappings().one()
    return dict(row)


def _counting(quota: str) -> str:
    return _COUNTED[quota] if quota in _COUNTED else _THIS_MONTH.format(metric=METERED[quota])


async def add_usage(uow: UnitOfWork, metric: str, *, day: date, number: int) -> None:
    await uow.session.execute(_more_usage(uow, metric, day=day, number=number))


async def add_usage_of_month(uow: UnitOfWork, metric: str, *, day: date, number: int) -> int:
    """How much it is now in the day's month, found out in the same round trip."""
    before = aliased(UsageCounter)
    earlier = select(func.coalesce(func.sum(before.value), 0)).where(
        before.metric == metric, before.day >= day.replace(day=1), before.day < day
    )
    statement = _more_usage(uow, metric, day=day, number=number)
    month = UsageCounter.value + earlier.scalar_subquery()
    return int((await uow.session.execute(statement.returning(month))).scalar_one())


def _more_usage(uow: UnitOfWork, metric: str, *, day: date, number: int) -> Insert:
    statement = insert(UsageCounter).values(tenant_id=uow.tenant, metric=metric, day=day, value=number)
    key = [UsageCounter.tenant_id, UsageCounter.metric, UsageCounter.day]
    more = {"value": UsageCounter.value + statement.excluded.value}
    return statement.on_conflict_do_update(index_elements=key, set_=more)


async def usage(uow: UnitOfWork, *, since: date, until: date) -> Sequence[UsageCounter]:
    query = select(UsageCounter).where(UsageCounter.day.between(since, until))
    return (await uow.session.scalars(query.order_by(UsageCounter.day, UsageCounter.metric))).all()


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


async def plugin_settings(uow: UnitOfWork, plugin: str) -> tuple[dict[str, Any] | None, int]:
    """What was saved, and its version: 0 where nobody has saved any."""
    query = select(PluginState.settings, PluginState.settings_version).where(PluginState.plugin == plugin)
    row = (await uow.session.execute(query)).one_or_none()
    return (row[0], row[1]) if row else (None, 0)


async def save_plugin_settings(uow: UnitOfWork, plugin: str, settings: dict[str, Any], *, version: int) -> None:
    values = {"settings": settings, "settings_version": version}
    statement = insert(PluginState).values(tenant_id=uow.tenant, id=new_id(), plugin=plugin, enabled=False, **values)
    key = [PluginState.tenant_id, PluginState.plugin]
    await uow.session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


async def set_plan(uow: UnitOfWork, plan: str, *, expires_at: datetime | None) -> None:
    """For the operator's connection only: the application may not."""
    values = {"plan": plan, "plan_expires_at": expires_at, "updated_at": func.now()}
    await uow.session.execute(update(Tenant).where(Tenant.id == uow.tenant).values(**values))


async def override(uow: UnitOfWork, *, kind: str, name: str, value: int | None) -> None:
    """For the operator's connection only: the application may not."""
    statement = insert(TenantOverride).values(tenant_id=uow.tenant, id=new_id(), kind=kind, name=name, value=value)
    key = [TenantOverride.tenant_id, TenantOverride.kind, TenantOverride.name]
    set_ = {"value": value, "updated_at": func.now()}
    await uow.session.execute(statement.on_conflict_do_update(index_elements=key, set_=set_))


async def drop_override(uow: UnitOfWork, *, kind: str, name: str) -> None:
    """For the operator's connection only: the application may not."""
    await uow.session.execute(delete(TenantOverride).where(TenantOverride.kind == kind, TenantOverride.name == name))
