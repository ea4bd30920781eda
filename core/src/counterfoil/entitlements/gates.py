"""Gates for what a plugin does only under some plans: in front of a route, and inside of a task."""

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends

from counterfoil.db import Database, UnitOfWork
from counterfoil.entitlements import service
from counterfoil.identity.deps import AnyCredential
from counterfoil.kit.provided import Provided
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Outcome, Task
from counterfoil.rbac.deps import Gate
from counterfoil.web import provided

# Whoever is signed in; what else a route asks for is asked by its own gate.
signed_in = asynccontextmanager(Gate(None, keys_may_change=True).__call__)


def needs_feature(feature: str) -> Any:
    """Let only tenants through whose plan includes a feature, and put the refusal of others on record.

    Written ``@router.post("/fast", dependencies=[needs_feature("acme.fast")])``, or among a router's own dependencies.

    Args:
        feature: with the plugin's name in front, as ``acme.fast``; its manifest declares ``features.fast``.
    """

    async def gate(
        credential: AnyCredential,
        database: Annotated[Database, Depends(provided(Database))],
        plugins: Annotated[PluginManager, Depends(provided(PluginManager))],
    ) -> None:
        # Closed before the route opens its own: two connections held by one request would starve the pool.
        async with signed_in(credential, database) as scope:
            await service.require_feature(scope.uow, feature, plugins=plugins)

    return Depends(gate)


async def require_feature(uow: UnitOfWork, feature: str, *, provided: Provided) -> None:
    """Pass if the tenant of a unit of work may use a feature, as a task asks before it begins.

    Written ``await require_feature(uow, "acme.fast", provided=job.provided)``.

    Args:
        uow: the tenant's; nothing is written.
        feature: with the plugin's name in front.
        provided: what the process hands to its jobs.

    Raises:
        EntitlementRequired: the tenant's plan does not include it; let it pass, and the job fails with the feature on record.
        PluginDisabled: nobody turned the plugin on, or it cannot run.
        ValueError: the plugin's manifest does not declare it.
    """
    await service.require_feature(uow, feature, plugins=provided[PluginManager])


def gated(task: Task, plugin: str) -> Task:
    """The same task, which runs only for tenants that may use the plugin when a worker takes it."""

    async def run(job: Any, params: Any) -> Outcome:
        async with job.unit_of_work() as uow:
            await service.require_plugin(uow, plugin, plugins=job.provided[PluginManager])
        return await task.run(job, params)

    return replace(task, run=run)
