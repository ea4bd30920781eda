"""Which plugins a tenant may use: installed and fit to run, included in its plan, turned on, and so is all they require."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.entitlements import repository
from counterfoil.entitlements.errors import PluginDependency, PluginQuarantined
from counterfoil.entitlements.plans import CORE_FEATURES, ROWS_PER_MONTH, plan_named
from counterfoil.entitlements.quotas import require_quota
from counterfoil.entitlements.repository import Entitled
from counterfoil.kit import context
from counterfoil.kit.errors import EntitlementRequired, NotFound, PluginDisabled
from counterfoil.plugins.manager import PluginInfo, PluginManager
from counterfoil.plugins.manifest import Manifest, NavigationEntry
from counterfoil.tenancy.term import require_current

Overrides = Mapping[str, bool]
# A plugin that declares a feature of this name says which plans include its syncs.
SYNC = "sync"
_CORE = "core"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One plugin as one tenant sees it."""

    plugin: PluginInfo
    available: bool
    enabled: bool


def feature_available(plan: str, manifest: Manifest, feature: str, overrides: Overrides | None = None) -> bool:
    """Whether a plan includes a plugin's feature, named without the plugin: ``"sync"``. An undeclared one is in no plan.

    ``overrides`` are the operator's, by the feature's full name: ``"stripe.sync"``.
    """
    declared = manifest.features.get(feature)
    if declared is None:
        return False
    return (overrides or {}).get(f"{manifest.name}.{feature}", plan in declared.plans)


def plugin_available(plan: str, manifest: Manifest, overrides: Overrides | None = None) -> bool:
    """Whether a plan includes any feature of the plugin. One that declares no features is for every plan."""
    included = (feature_available(plan, manifest, name, overrides) for name in manifest.features)
    return not manifest.features or any(included)


def plans_needed(manifest: Manifest) -> list[str]:
    """The plans that include the plugin; empty when it is for every plan."""
    return sorted({plan for feature in manifest.features.values() for plan in feature.plans})


def usable(plugins: PluginManager, entitled: Entitled) -> frozenset[str]:
    """Of the plugins a tenant turned on, those that work for it. A downgrade or a quarantine takes effect at once."""
    found: set[str] = set()
    # In dependency order, so what a plugin requires is decided before it.
    for plugin in plugins.active:
        included = plugin.name in entitled.turned_on and _available(entitled, plugin)
        if included and found.issuperset(plugin.manifest.requires):
            found.add(plugin.name)
    return frozenset(found)


async def enabled_plugins(uow: UnitOfWork, *, plugins: PluginManager) -> frozenset[str]:
    return usable(plugins, await repository.entitled(uow))


async def require_plugin(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Pass if the tenant may use the plugin now.

    Raises:
        EntitlementRequired: its plan does not include it.
        PluginDisabled: nobody turned it on, or it cannot run.
    """
    _require_plugin(await repository.entitled(uow), name, plugins)


async def require_sync(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Pass if the tenant may sync with the plugin: use it, and its feature ``sync`` where it declares one.

    Raises:
        EntitlementRequired: its plan does not include the plugin, or not its syncs.
        PluginDisabled: nobody turned it on, or it cannot run.
    """
    _require_sync(await repository.entitled(uow), name, plugins)


async def require_work(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Pass if a job may begin to fetch or land rows with the plugin now.

    Raises:
        EntitlementRequired: the plan does not include the plugin, or not its syncs.
        PluginDisabled: nobody turned it on, or it cannot run.
        TrialExpired, PlanExpired: the plan has ended.
        QuotaExceeded: all the month's rows have landed.
    """
    entitled = await repository.entitled(uow)
    _require_sync(entitled, name, plugins)
    require_current(entitled.plan, entitled.expires_at)
    await require_quota(uow, ROWS_PER_MONTH)


async def require_feature(uow: UnitOfWork, feature: str, *, plugins: PluginManager) -> None:
    """Pass if the tenant may use a feature: core's, as ``core.api_keys``, or an enabled plugin's, as ``stripe.sync``.

    Raises:
        EntitlementRequired: its plan does not include it.
        PluginDisabled: nobody turned its plugin on, or that cannot run.
        ValueError: neither core nor the plugin declares it.
    """
    entitled = await repository.entitled(uow)
    if feature in CORE_FEATURES:
        if not core_features(entitled)[feature]:
            raise EntitlementRequired(
                f"Your plan does not include {feature}: {CORE_FEATURES[feature]}.", reason=feature
            )
        return
    name, _, word = feature.partition(".")
    plugin = plugins.find(name)
    known = name != _CORE and (plugin is None or plugin.status == "quarantined" or word in plugin.manifest.features)
    if not known:
        raise ValueError(f"no such feature: {feature!r}")
    _require_feature_of(_require_plugin(entitled, name, plugins), word, entitled)


@dataclass(frozen=True, kw_only=True)
class FeatureStanding:
    """A feature, and whether the tenant's plan includes it."""

    name: str
    title: str
    included: bool


async def features(uow: UnitOfWork, *, plugins: PluginManager) -> list[FeatureStanding]:
    """Every feature there is, core's and the plugins'."""
    entitled = await repository.entitled(uow)
    found = [
        FeatureStanding(name=name, title=CORE_FEATURES[name], included=included)
        for name, included in core_features(entitled).items()
    ]
    for plugin in plugins.active:
        for name in plugin.manifest.features:
            included = feature_available(entitled.plan, plugin.manifest, name, entitled.features)
            title = plugin.manifest.feature_title(name)
            found.append(FeatureStanding(name=f"{plugin.name}.{name}", title=title, included=included))
    return found


def core_features(entitled: Entitled) -> dict[str, bool]:
    included = plan_named(entitled.plan).features
    return {name: entitled.features.get(name, name in included) for name in CORE_FEATURES}


async def standings(uow: UnitOfWork, *, plugins: PluginManager) -> list[Standing]:
    """Every installed plugin by name, those in quarantine included."""
    entitled = await repository.entitled(uow)
    working = usable(plugins, entitled)
    return [
        Standing(
            plugin=plugin,
            available=plugin.status == "active" and _available(entitled, plugin),
            enabled=plugin.status == "active" and plugin.name in working,
        )
        for plugin in sorted(plugins.plugins, key=lambda plugin: (plugin.name, plugin.status))
    ]


def navigation(standing: Standing, permissions: Collection[str]) -> list[NavigationEntry]:
    """What a plugin adds to the side bar of somebody with these permissions: nothing while it is not enabled."""
    if not standing.enabled:
        return []
    entries = standing.plugin.manifest.navigation
    return [entry for entry in entries if entry.permission is None or entry.permission in permissions]


async def enable(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Turn a plugin on; once on, again does nothing.

    Raises:
        NotFound: no such plugin is installed.
        PluginQuarantined: it cannot run here.
        EntitlementRequired: the plan does not include it.
        PluginDependency: it requires a plugin the tenant has not enabled.
    """
    plugin = installed(plugins, name)
    if plugin.status == "quarantined":
        raise PluginQuarantined(plugin.reason or "")
    entitled = await repository.entitled(uow)
    _require_plan(entitled, plugin)
    if missing := set(plugin.manifest.requires) - usable(plugins, entitled):
        raise PluginDependency(f"Enable first what {name} requires: {', '.join(sorted(missing))}.")
    await _turn_on(uow, name)


async def disable(uow: UnitOfWork, name: str, *, plugins: PluginManager) -> None:
    """Turn a plugin off; what it stored stays. Works on a plugin in quarantine too.

    Raises:
        NotFound: no such plugin is installed.
        PluginDependency: a plugin the tenant has enabled requires it.
    """
    installed(plugins, name)
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


def installed(plugins: PluginManager, name: str) -> PluginInfo:
    """The plugin, fit to run or not.

    Raises:
        NotFound: no such plugin is installed.
    """
    plugin = plugins.find(name)
    if plugin is None:
        raise NotFound(f"There is no plugin {name}.")
    return plugin


def _available(entitled: Entitled, plugin: PluginInfo) -> bool:
    return plugin_available(entitled.plan, plugin.manifest, entitled.features)


def _require_plugin(entitled: Entitled, name: str, plugins: PluginManager) -> PluginInfo:
    plugin = plugins.find(name)
    if plugin is not None and name in usable(plugins, entitled):
        return plugin
    if plugin is not None and plugin.status == "active":
        _require_plan(entitled, plugin)
    raise PluginDisabled(f"The plugin {name} is not enabled for this tenant.")


def _require_sync(entitled: Entitled, name: str, plugins: PluginManager) -> None:
    plugin = _require_plugin(entitled, name, plugins)
    if SYNC in plugin.manifest.features:
        _require_feature_of(plugin, SYNC, entitled)


def _require_feature_of(plugin: PluginInfo, feature: str, entitled: Entitled) -> None:
    if not feature_available(entitled.plan, plugin.manifest, feature, entitled.features):
        plans = _named(plugin.manifest.features[feature].plans)
        name = f"{plugin.name}.{feature}"
        raise EntitlementRequired(f"{name} needs another plan: {plans}.", reason=name)


def _require_plan(entitled: Entitled, plugin: PluginInfo) -> None:
    if not _available(entitled, plugin):
        plans = _named(plans_needed(plugin.manifest))
        raise EntitlementRequired(f"{plugin.manifest.title} needs another plan: {plans}.", reason=_missing(plugin))


def _named(plans: Iterable[str]) -> str:
    return ", ".join(sorted(plans)) or "a plan that includes it"


def _missing(plugin: PluginInfo) -> str:
    return ", ".join(f"{plugin.name}.{feature}" for feature in sorted(plugin.manifest.features))
