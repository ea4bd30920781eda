"""Which plugins a tenant may use: installed and fit to run, included in its plan, turned on, and so is all they require."""

from dataclasses import dataclass

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.entitlements import repository
from counterfoil.entitlements.errors import PluginDependency, PluginQuarantined
from counterfoil.kit import context
from counterfoil.kit.errors import EntitlementRequired, NotFound, PluginDisabled
from counterfoil.plugins.manager import PluginInfo, PluginManager
from counterfoil.plugins.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One plugin as one tenant sees it."""

    plugin: PluginInfo
    available: bool
    enabled: bool


def feature_available(plan: str, manifest: Manifest, feature: str) -> bool:
    """Whether a plan includes a plugin's feature, named without the plugin: ``"sync"``. An undeclared one is in no plan."""
    declared = manifest.features.get(feature)
    return declared is not None and plan in declared.plans


def plugin_available(plan: str, manifest: Manifest) -> bool:
    """Whether a plan includes any feature of the plugin. One that declares no features is for every plan."""
    return not manifest.features or any(feature_available(plan, manifest, name) for name in manifest.features)


def plans_needed(manifest: Manifest) -> list[str]:
    """The plans that include the plugin; empty when it is for every plan."""
    return sorted({plan for feature in manifest.features.values() for plan in feature.plans})


def usable(plugins: PluginManager, plan: str, turned_on: frozenset[str]) -> frozenset[str]:
    """Of the plugins a tenant turned on, those that work for it. A downgrade or a quarantine takes effect at once."""
    found: set[str] = set()
    # In dependency order, so what a plugin requires is decided before it.
    for plugin in plugins.active:
        included = plugin.name in turned_on and plugin_available(plan, plugin.manifest)
        if included and found.issuperset(plugin.manifest.requires):
            found.add(plugin.name)
    return frozenset(found)


async def enabled_plugins(uow: UnitOfWork, *, plugins: PluginManager) -> frozenset[str]:
    plan, turned_on = await repository.plan_and_enabled(uow)
    return usable(plugins, plan, turned_on)


async def require_plugin(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Pass if the tenant may use the plugin now.

    Raises:
        EntitlementRequired: its plan does not include it.
        PluginDisabled: nobody turned it on, or it cannot run.
    """
    plan, turned_on = await repository.plan_and_enabled(uow)
    if name in usable(plugins, plan, turned_on):
        return
    plugin = plugins.find(name)
    if plugin is not None and plugin.status == "active":
        _require_plan(plan, plugin)
    raise PluginDisabled(f"The plugin {name} is not enabled for this tenant.")


async def standings(uow: UnitOfWork, *, plugins: PluginManager) -> list[Standing]:
    """Every installed plugin by name, those in quarantine included."""
    plan, turned_on = await repository.plan_and_enabled(uow)
    working = usable(plugins, plan, turned_on)
    return [
        Standing(
            plugin=plugin,
            available=plugin.status == "active" and plugin_available(plan, plugin.manifest),
            enabled=plugin.status == "active" and plugin.name in working,
        )
        for plugin in sorted(plugins.plugins, key=lambda plugin: (plugin.name, plugin.status))
    ]


async def enable(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Turn a plugin on; once on, again does nothing.

    Raises:
        NotFound: no such plugin is installed.
        PluginQuarantined: it cannot run here.
        EntitlementRequired: the plan does not include it.
        PluginDependency: it requires a plugin the tenant has not enabled.
    """
    plugin = _installed(plugins, name)
    if plugin.status == "quarantined":
        raise PluginQuarantined(plugin.reason or "")
    plan, turned_on = await repository.plan_and_enabled(uow)
    _require_plan(plan, plugin)
    if missing := set(plugin.manifest.requires) - usable(plugins, plan, turned_on):
        raise PluginDependency(f"Enable first what {name} requires: {', '.join(sorted(missing))}.")
    await _turn_on(uow, name)


async def disable(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Turn a plugin off; what it stored stays. Works on a plugin in quarantine too.

    Raises:
        NotFound: no such plugin is installed.
        PluginDependency: a plugin the tenant has enabled requires it.
    """
    _installed(plugins, name)
    working = await enabled_plugins(uow, plugins=plugins)
    if leaning := [p.name for p in plugins.active if p.name in working and name in p.manifest.requires]:
        raise PluginDependency(f"Disable first what requires {name}: {', '.join(sorted(leaning))}.")
    if await repository.turn_off(uow, name):
        await audit.record(uow, action="core.plugin.disabled", resource_type="plugin", resource_id=name)


async def enable_defaults(uow: UnitOfWork, plan: str, *, plugins: PluginManager) -> None:
    """Turn on, for a new tenant, every bundled plugin its plan includes."""
    for plugin in plugins.active:
        if plugin.bundled and plugin_available(plan, plugin.manifest):
            await _turn_on(uow, plugin.name)


async def _turn_on(uow: UnitOfWork, name: str) -> None:
    actor = context.current_actor.get()
    if await repository.turn_on(uow, name, by=actor.id if actor.kind == "user" else None):
        await audit.record(uow, action="core.plugin.enabled", resource_type="plugin", resource_id=name)


def _installed(plugins: PluginManager, name: str) -> PluginInfo:
    plugin = plugins.find(name)
    if plugin is None:
        raise NotFound(f"There is no plugin {name}.")
    return plugin


def _require_plan(plan: str, plugin: PluginInfo) -> None:
    if not plugin_available(plan, plugin.manifest):
        plans = ", ".join(plans_needed(plugin.manifest)) or "a plan that includes it"
        raise EntitlementRequired(f"{plugin.manifest.title} needs another plan: {plans}.")
