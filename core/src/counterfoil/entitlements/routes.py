"""`/api/v1/plugins`: what is installed, and what of it this tenant uses."""

from typing import Annotated

from fastapi import APIRouter, Depends

from counterfoil.entitlements import service
from counterfoil.entitlements.schemas import Contributions, PluginOut
from counterfoil.kit.errors import NotFound
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.web import Page, provided
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/plugins", tags=["plugins"])

Readable = Annotated[Scope, require("plugins.read")]
Manageable = Annotated[Scope, require("plugins.manage")]
Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]


@router.get("", operation_id="listPlugins", responses=problem_responses(401, 403))
async def list_plugins(scope: Readable, plugins: Plugins) -> Page[PluginOut]:
    """Every installed plugin, those in quarantine with the reason."""
    return Page(items=[_shown(standing) for standing in await service.standings(scope.uow, plugins=plugins)])


@router.post("/{name}/enable", operation_id="enablePlugin", responses=problem_responses(401, 403, 404, 409))
async def enable_plugin(name: str, scope: Manageable, plugins: Plugins) -> PluginOut:
    """Turn a plugin on for this tenant; its plan has to include it."""
    await service.enable(scope.uow, name, plugins=plugins)
    return await _one(scope, name, plugins)


@router.post("/{name}/disable", operation_id="disablePlugin", responses=problem_responses(401, 403, 404, 409))
async def disable_plugin(name: str, scope: Manageable, plugins: Plugins) -> PluginOut:
    """Turn a plugin off for this tenant; its data stays."""
    await service.disable(scope.uow, name, plugins=plugins)
    return await _one(scope, name, plugins)


async def _one(scope: Scope, name: str, plugins: PluginManager) -> PluginOut:
    chosen = plugins.find(name)
    for standing in await service.standings(scope.uow, plugins=plugins):
        if standing.plugin is chosen:
            return _shown(standing)
    raise NotFound


def _shown(standing: service.Standing) -> PluginOut:
    plugin = standing.plugin
    return PluginOut(
        name=plugin.name,
        title=plugin.manifest.title,
        publisher=plugin.manifest.publisher,
        version=plugin.version,
        status=plugin.status,
        reason=plugin.reason,
        enabled=standing.enabled,
        available=standing.available,
        plans_needed=service.plans_needed(plugin.manifest),
        contributes=Contributions(connectors=sorted(connector.kind for connector in plugin.connectors)),
    )
