"""`/api/v1/plugins`: what is installed, and what of it this tenant uses."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from counterfoil.entitlements import plugin_settings, service
from counterfoil.entitlements.errors import PluginDependency, PluginQuarantined
from counterfoil.entitlements.plugin_settings import InvalidPluginSettings
from counterfoil.entitlements.schemas import (
    Contributions,
    NavigationOut,
    PluginDetailOut,
    PluginFeatureOut,
    PluginOut,
    PluginPermissionOut,
    PluginSettingsIn,
    PluginSettingsOut,
)
from counterfoil.kit.errors import EntitlementRequired, NotFound, PluginDisabled
from counterfoil.plugins.manager import PluginInfo, PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.web import Page, provided
from counterfoil.web.etag import IfMatch, tag
from counterfoil.web.links import finds
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/plugins", tags=["plugins"])

Readable = Annotated[Scope, require("plugins.read")]
Manageable = Annotated[Scope, require("plugins.manage")]
Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]


@router.get("", operation_id="listPlugins", responses={**finds(200, name="/items/0/name"), **problem_responses(403)})
async def list_plugins(scope: Readable, plugins: Plugins) -> Page[PluginOut]:
    """Every installed plugin, those in quarantine with the reason."""
    found = await service.standings(scope.uow, plugins=plugins)
    return Page(items=[_shown(standing, scope.permissions) for standing in found])


@router.post(
    "/{name}/enable",
    operation_id="enablePlugin",
    responses=problem_responses(403, EntitlementRequired, 404, PluginQuarantined, PluginDependency),
)
async def enable_plugin(name: str, scope: Manageable, plugins: Plugins) -> PluginOut:
    """Turn a plugin on for this tenant; its plan has to include it."""
    await service.enable(scope.uow, name, plugins=plugins)
    return await _one(scope, name, plugins)


@router.post(
    "/{name}/disable",
    operation_id="disablePlugin",
    responses=problem_responses(403, 404, PluginQuarantined, PluginDependency),
)
async def disable_plugin(name: str, scope: Manageable, plugins: Plugins) -> PluginOut:
    """Turn a plugin off for this tenant; its data stays."""
    await service.disable(scope.uow, name, plugins=plugins)
    return await _one(scope, name, plugins)


@router.get("/{name}", operation_id="getPlugin", responses=problem_responses(403, 404))
async def get_plugin(name: str, scope: Readable, plugins: Plugins) -> PluginDetailOut:
    """One installed plugin: what it contributes, reaches and permits."""
    plugin = service.installed(plugins, name)
    shown = await _one(scope, name, plugins)
    included = {feature.name: feature.included for feature in await service.features(scope.uow, plugins=plugins)}
    manifest = plugin.manifest
    return PluginDetailOut(
        **shown.model_dump(),
        description=manifest.description,
        hosts=list(manifest.hosts),
        features=[
            PluginFeatureOut(
                name=f"{name}.{feature}",
                title=manifest.feature_title(feature),
                plans=list(entry.plans),
                included=included.get(f"{name}.{feature}", False),
            )
            for feature, entry in manifest.features.items()
        ],
        permissions=[
            PluginPermissionOut(name=permission, description=entry.description)
            for permission, entry in manifest.permissions.items()
        ],
        requires=list(manifest.requires),
        offers=list(manifest.offers),
        uses=list(manifest.uses),
        has_settings=bool(plugin.settings.model_fields),
    )


@router.get(
    "/{name}/settings", operation_id="getPluginSettings", responses=problem_responses(403, 404, PluginQuarantined)
)
async def get_plugin_settings(name: str, scope: Readable, plugins: Plugins, response: Response) -> PluginSettingsOut:
    """The plugin's settings in this tenant with their ETag, and the schema they follow."""
    plugin = service.installed(plugins, name)
    return _settings(plugin, await plugin_settings.read(scope.uow, plugin), response)


@router.put(
    "/{name}/settings",
    operation_id="savePluginSettings",
    responses=problem_responses(
        403, EntitlementRequired, PluginDisabled, 404, PluginQuarantined, InvalidPluginSettings
    ),
)
async def save_plugin_settings(
    *,
    name: str,
    body: PluginSettingsIn,
    scope: Manageable,
    plugins: Plugins,
    response: Response,
    if_match: IfMatch = None,
) -> PluginSettingsOut:
    """Replace the plugin's settings in this tenant."""
    plugin = service.installed(plugins, name)
    saved = await plugin_settings.save(scope.uow, plugin, body.settings, if_match=if_match)
    return _settings(plugin, saved, response)


def _settings(plugin: PluginInfo, saved: plugin_settings.Saved, response: Response) -> PluginSettingsOut:
    tag(response, saved.version)
    return PluginSettingsOut(
        settings=saved.settings.model_dump(mode="json") if saved.settings else None,
        settings_schema=plugin.settings.model_json_schema(),
        version=saved.version,
    )


async def _one(scope: Scope, name: str, plugins: PluginManager) -> PluginOut:
    chosen = plugins.find(name)
    for standing in await service.standings(scope.uow, plugins=plugins):
        if standing.plugin is chosen:
            return _shown(standing, scope.permissions)
    raise NotFound


def _shown(standing: service.Standing, permissions: frozenset[str]) -> PluginOut:
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
        navigation=[NavigationOut.of(entry) for entry in service.navigation(standing, permissions)],
    )
