"""`/api/v1/tenants/me`: the tenant one is signed in to, its plan and what it used."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from counterfoil import audit
from counterfoil.entitlements import quotas, service, usage
from counterfoil.entitlements.schemas import PlanOut, UsageOut
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import FieldError, InvalidInput
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.tenancy import repository
from counterfoil.tenancy.schemas import OwnTenantOut, TenantPatch
from counterfoil.web import Page, provided
from counterfoil.web.instants import Day
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/tenants/me", tags=["tenants"])

Readable = Annotated[Scope, require("tenant.read")]
Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]

_USUAL_DAYS = 30
_MOST_DAYS = 366


@router.get("", operation_id="getTenant", responses=problem_responses(403))
async def get_tenant(scope: Readable) -> OwnTenantOut:
    """The tenant one is signed in to."""
    return OwnTenantOut.of(await repository.find(scope.uow))


@router.patch("", operation_id="updateTenant", responses=problem_responses(403))
async def update_tenant(body: TenantPatch, scope: Annotated[Scope, require("tenant.manage")]) -> OwnTenantOut:
    """Change name, time zone or currency; what is left out stays as it is."""
    tenant = await repository.find(scope.uow)
    given = body.model_dump(exclude_none=True)
    changed = {name: value for name, value in given.items() if value != getattr(tenant, name)}
    if changed:
        before = {name: getattr(tenant, name) for name in changed}
        tenant = await repository.change(scope.uow, changed)
        await audit.record(
            scope.uow,
            action="core.tenant.updated",
            resource_type="tenant",
            resource_id=tenant.id,
            payload={"from": before, "to": changed},
        )
    return OwnTenantOut.of(tenant)


@router.get("/plan", operation_id="getPlan", responses=problem_responses(403))
async def get_plan(scope: Readable, plugins: Plugins) -> PlanOut:
    """The plan: its features, its quotas with what is used of them, and when it ends."""
    allowance = await quotas.allowance(scope.uow)
    return PlanOut.of(allowance, await service.features(scope.uow, plugins=plugins))


@router.get("/usage", operation_id="getUsage", responses=problem_responses(403))
async def get_usage(
    scope: Readable,
    since: Annotated[Day | None, Query(alias="from", description="First day (UTC); 30 days before the last")] = None,
    until: Annotated[Day | None, Query(alias="to", description="Last day (UTC); today by default")] = None,
) -> Page[UsageOut]:
    """What was used, by day and metric, in at most 366 days. A day on which nothing was used is left out."""
    last = until or utc_now().date()
    first = since or max(date.min + timedelta(days=_USUAL_DAYS), last) - timedelta(days=_USUAL_DAYS)
    if not 0 <= (last - first).days < _MOST_DAYS:
        message = f"This has to be between 0 and {_MOST_DAYS - 1} days before the last day."
        raise InvalidInput("These days cannot be listed.", errors=[FieldError(path="from", message=message)])
    return Page(items=[UsageOut.of(counter) for counter in await usage.by_day(scope.uow, since=first, until=last)])
