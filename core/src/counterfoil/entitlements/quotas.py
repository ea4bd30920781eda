"""How much of everything a tenant may have: its plan's quotas, or what the operator set instead."""

from dataclasses import dataclass
from datetime import datetime

from counterfoil.db import UnitOfWork
from counterfoil.entitlements import repository
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.entitlements.plans import QUOTAS, plan_named
from counterfoil.entitlements.repository import Entitled
from counterfoil.tenancy import locks


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One quota with its use; a limit of None is none."""

    name: str
    title: str
    limit: int | None
    used: int


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """A tenant's plan and how much of it is used."""

    plan: str
    title: str
    expires_at: datetime | None
    quotas: list[Quota]


async def require_quota(uow: UnitOfWork, quota: str, *, add: int = 1) -> None:
    """Pass if so much more still fits. Call it before adding, in the same transaction: the next one waits for its end.

    Of a metered quota nothing is reserved, so nobody waits either: what is used is counted when it is known.

    Raises:
        QuotaExceeded: it does not.
    """
    limit = _limit(await repository.entitled(uow), quota)
    if limit is None:
        return
    if quota not in repository.METERED:
        await locks.hold(uow, f"quota/{quota}")
    used = (await repository.used(uow, [quota]))[quota]
    if used + add > limit:
        raise QuotaExceeded(f"The quota {quota} is used up: {used} of {limit}.", reason=quota)


async def limit_of(uow: UnitOfWork, quota: str) -> int | None:
    """How much the tenant may have; None is unlimited."""
    return _limit(await repository.entitled(uow), quota)


async def allowance(uow: UnitOfWork) -> Allowance:
    entitled = await repository.entitled(uow)
    used = await repository.used(uow, list(QUOTAS))
    quotas = [
        Quota(name=name, title=title, limit=_limit(entitled, name), used=used[name]) for name, title in QUOTAS.items()
    ]
    plan = plan_named(entitled.plan)
    return Allowance(plan=entitled.plan, title=plan.title, expires_at=entitled.expires_at, quotas=quotas)


def _limit(entitled: Entitled, quota: str) -> int | None:
    if quota not in QUOTAS:
        raise ValueError(f"no such quota: {quota!r}")
    return entitled.quotas[quota] if quota in entitled.quotas else plan_named(entitled.plan).quotas[quota]
