"""``counterfoil tenant``: what an operator decides about a tenant. Writes as the owner of the tables, on the tenant's record."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from counterfoil import audit
from counterfoil.cli.errors import CommandError
from counterfoil.cli.output import say
from counterfoil.cli.repository import act_as_owner, tenant_of_slug
from counterfoil.cli.services import ADMIN, usable_settings
from counterfoil.config import Settings
from counterfoil.db.database import Database, UnitOfWork
from counterfoil.entitlements import quotas, repository
from counterfoil.entitlements.plans import CORE_FEATURES, PLANS, QUOTAS
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.plugins.manager import PluginManager
from counterfoil.tenancy.term import TRIAL

_NEVER, _UNLIMITED, _PLANS_OWN = "never", "unlimited", "default"
_OPERATOR = context.Actor(kind="operator", id=None, label="operator")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to change. A value that is None in ``quotas`` is unlimited; what is ``dropped`` is the plan's to say again."""

    plan: str | None = None
    expires_at: datetime | None = None
    changes_expiry: bool = False
    quotas: Mapping[str, int | None] = field(default_factory=dict)
    features: Mapping[str, bool] = field(default_factory=dict)
    dropped: frozenset[tuple[str, str]] = frozenset()


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    plan = actions.add_parser("plan", help="show or change a tenant's plan", description=_HELP)
    plan.add_argument("slug", help="the tenant's short name")
    plan.add_argument("--plan", choices=list(PLANS), help="from now on; it never ends unless --expires says when")
    plan.add_argument("--expires", metavar="DATE", help="the first day (UTC) on which nothing can be changed, or never")
    plan.add_argument("--quota", metavar="NAME=N", action="append", default=[], help="a number, unlimited or default")
    plan.add_argument("--feature", metavar="NAME=on", action="append", default=[], help="on, off or default")


_HELP = "Show a tenant's plan, after changing what is given. `default` leaves a quota or feature to the plan again."


def run(arguments: argparse.Namespace) -> int:
    wish = _wish(arguments)
    with usable_settings(ADMIN) as settings:
        try:
            shown = asyncio.run(apply(settings, arguments.slug, wish))
        except (DBAPIError, OSError) as error:
            reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
            raise CommandError(f"the database refuses: {reason}") from error
    for line in shown:
        say(line)
    return 0


async def apply(settings: Settings, slug: str, wish: Wish) -> list[str]:
    """Make the changes in one transaction, with an event in the tenant's trail; says how the plan stands then.

    Raises:
        CommandError: there is no such tenant.
    """
    async with _unit_of_work(settings, slug) as uow:
        if changes := await _change(uow, wish):
            with context.bound(context.current_actor, _OPERATOR):
                await audit.record(
                    uow,
                    action="core.tenant.plan_changed",
                    resource_type="tenant",
                    resource_id=uow.tenant,
                    payload=changes,
                )
        return await _standing(uow)


@asynccontextmanager
async def _unit_of_work(settings: Settings, slug: str) -> AsyncIterator[UnitOfWork]:
    database = Database.connect(settings.database_admin_url.get_secret_value(), pool_size=1, patience_s=0)
    try:
        async with AsyncSession(database.engine) as session, session.begin():
            tenant_id = await tenant_of_slug(session, slug)
            if tenant_id is None:
                raise CommandError(f"there is no tenant {slug!r}")
            await act_as_owner(session, tenant_id)
            yield UnitOfWork(session=session, tenant_id=tenant_id, database=database)
    finally:
        await database.close()


async def _change(uow: UnitOfWork, wish: Wish) -> dict[str, Any]:
    """What was changed, for the record."""
    changes: dict[str, Any] = {}
    if wish.plan is not None or wish.changes_expiry:
        before = await repository.entitled(uow)
        plan = wish.plan or before.plan
        await repository.set_plan(uow, plan, expires_at=wish.expires_at)
        changes["plan"] = {"from": before.plan, "to": plan}
        changes["expires_at"] = wish.expires_at.isoformat() if wish.expires_at else None
    for name, limit in wish.quotas.items():
        await repository.override(uow, kind="quota", name=name, value=limit)
    for name, is_on in wish.features.items():
        await repository.override(uow, kind="feature", name=name, value=int(is_on))
    for kind, name in sorted(wish.dropped):
        await repository.drop_override(uow, kind=kind, name=name)
    given = {"quotas": dict(wish.quotas), "features": dict(wish.features), "dropped": [n for _, n in wish.dropped]}
    return changes | {name: value for name, value in given.items() if value}


async def _standing(uow: UnitOfWork) -> list[str]:
    allowance = await quotas.allowance(uow)
    entitled = await repository.entitled(uow)
    until = f"until {allowance.expires_at:%Y-%m-%d}" if allowance.expires_at else "without end"
    lines = [f"{allowance.plan}, {until}"]
    for quota in allowance.quotas:
        limit = _UNLIMITED if quota.limit is None else str(quota.limit)
        lines.append(f"  {quota.name}: {quota.used} of {limit}{' (set)' if quota.name in entitled.quotas else ''}")
    lines += [f"  {name}: {'on' if is_on else 'off'} (set)" for name, is_on in sorted(entitled.features.items())]
    return lines


def _wish(arguments: argparse.Namespace) -> Wish:
    limits = dict(_pair("--quota", one) for one in arguments.quota)
    switches = dict(_pair("--feature", one) for one in arguments.feature)
    _require_known("quota", limits, QUOTAS)
    _require_known("feature", switches, _features() if switches else {})
    dropped = {("quota", name) for name, value in limits.items() if value == _PLANS_OWN}
    dropped |= {("feature", name) for name, value in switches.items() if value == _PLANS_OWN}
    expires = arguments.expires
    if arguments.plan == TRIAL and expires is None:
        raise CommandError(f"a trial ends: give --expires DATE, or --expires {_NEVER}")
    return Wish(
        plan=arguments.plan,
        expires_at=None if expires in (None, _NEVER) else _date(expires),
        changes_expiry=expires is not None,
        quotas={name: _limit(name, value) for name, value in limits.items() if value != _PLANS_OWN},
        features={name: _switch(name, value) for name, value in switches.items() if value != _PLANS_OWN},
        dropped=frozenset(dropped),
    )


def _features() -> set[str]:
    plugins = PluginManager.load().active
    return {*CORE_FEATURES, *(f"{plugin.name}.{name}" for plugin in plugins for name in plugin.manifest.features)}


def _pair(option: str, text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise CommandError(f"{option} reads NAME=VALUE, not {text!r}")
    return name, value


def _require_known(what: str, given: Mapping[str, str], known: Mapping[str, object] | set[str]) -> None:
    if unknown := sorted(given.keys() - set(known)):
        raise CommandError(f"there is no {what} {unknown[0]!r}; there are: {', '.join(sorted(known))}")


def _limit(name: str, value: str) -> int | None:
    if value == _UNLIMITED:
        return None
    if not value.isdecimal():
        raise CommandError(f"the quota {name} is a number, {_UNLIMITED} or {_PLANS_OWN}, not {value!r}")
    return int(value)


def _switch(name: str, value: str) -> bool:
    if value not in ("on", "off"):
        raise CommandError(f"the feature {name} is on, off or {_PLANS_OWN}, not {value!r}")
    return value == "on"


def _date(text: str) -> datetime:
    try:
        given = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise CommandError(f"--expires is a date such as {utc_now():%Y-%m-%d}, or {_NEVER}, not {text!r}") from None
    return given
