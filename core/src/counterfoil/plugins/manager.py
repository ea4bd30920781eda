"""Finds, checks and calls plugins. One that breaks a rule is put in quarantine, where it contributes nothing at all."""

import asyncio
import functools
import importlib.metadata
import importlib.util
import inspect
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal, Self

import pluggy

from counterfoil.db.migrate import Lineage
from counterfoil.observability import get_logger
from counterfoil.plugins import hookspecs
from counterfoil.plugins.connector import Connector, Settings
from counterfoil.plugins.errors import BundledPluginBroken, Rejected
from counterfoil.plugins.hookspecs import PROJECT, Veto
from counterfoil.plugins.manifest import Manifest, package_folder, read_manifest
from counterfoil.plugins.records import Task
from counterfoil.plugins.validation import check_connector, check_models, check_settings, check_task

GROUP = "counterfoil.plugins"
BUNDLED = frozenset({"counterfoil-stripe"})

Call = Callable[[], Any]

_log = get_logger(__name__)


@dataclass(kw_only=True)
class PluginInfo:
    """An installed plugin; only the manager changes it. If the manifest is unreadable, a stand-in carries the name."""

    name: str
    module: str
    distribution: str
    version: str
    manifest: Manifest
    status: Literal["active", "quarantined"] = "active"
    reason: str | None = None
    lineage: Lineage | None = None
    hooks: ModuleType | None = None
    connectors: list[Connector] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    settings: type[Settings] = Settings  # without any fields, until it registers its own

    @property
    def bundled(self) -> bool:
        return self.distribution.lower().replace("_", "-") in BUNDLED

    @property
    def package(self) -> str:
        # Only the top level: to find a submodule Python would have to import its parents.
        return self.module.partition(".")[0]


class PluginManager:
    """The plugins of this process: ``plugins`` lists those ready to run in dependency order, then those refused."""

    time_limit_s = 5.0  # for one plugin's part in one decide or notify call

    def __init__(self, specifications: Iterable[Any]) -> None:
        self.plugins: list[PluginInfo] = []
        self._registry = pluggy.PluginManager(PROJECT)
        for specification in specifications:
            self._registry.add_hookspecs(specification)

    @classmethod
    def load(
        cls,
        disabled: Collection[str] = (),
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        *,
        specifications: Iterable[Any] = (hookspecs,),
    ) -> Self:
        """Discover, check and register what is installed, save what the operator ``disabled`` by name.

        Raises:
            BundledPluginBroken: a plugin of our own is not fit to run. A third party's is quarantined instead.
        """
        manager = cls(specifications)
        found = importlib.metadata.entry_points(group=GROUP) if entry_points is None else entry_points
        for entry_point in sorted(found, key=lambda point: (point.name, point.value)):
            if entry_point.name not in disabled:
                manager._discover(entry_point)
        manager._settle("name", lambda plugin: plugin.manifest.claims)
        manager._order()
        for plugin in manager.active:
            if plugin.status == "active":  # still: one before it may have failed and taken it along
                manager._register(plugin)
        for plugin, connector in manager.collect("register_connectors"):
            if plugin.status == "active":
                with manager.quarantining(plugin, "checking its connectors"):
                    plugin.connectors.append(check_connector(plugin.name, connector))
        for plugin, task in manager.collect("register_tasks"):
            with manager.quarantining(plugin, "checking its tasks"):
                plugin.tasks.append(check_task(plugin.manifest.claims, task))
        for plugin, call in manager._calls("register_settings", {}, {plugin.name for plugin in manager.active}):
            with manager.quarantining(plugin, "register_settings()"):
                plugin.settings = check_settings(call())
        manager._settle("connector kind", lambda plugin: [connector.kind for connector in plugin.connectors])
        manager._settle("task", lambda plugin: [task.name for task in plugin.tasks])
        return manager

    @property
    def active(self) -> list[PluginInfo]:
        return [plugin for plugin in self.plugins if plugin.status == "active"]

    @property
    def connectors(self) -> dict[str, tuple[str, Connector]]:
        """By kind: the plugin's name and the connector."""
        return {one.kind: (plugin.name, one) for plugin in self.active for one in plugin.connectors}

    @property
    def lineages(self) -> list[Lineage]:
        return [plugin.lineage for plugin in self.active if plugin.lineage]

    def find(self, name: str) -> PluginInfo | None:
        """The plugin of that name; where several claim it, the active one."""
        return next((one for one in (*self.active, *self.plugins) if one.name == name), None)

    def quarantine(self, plugin: PluginInfo, reason: str) -> None:
        """Take away everything a plugin contributes, and what requires it; the product goes on.

        Raises:
            BundledPluginBroken: the plugin is our own.
        """
        if plugin.status == "quarantined":
            return
        plugin.status, plugin.reason = "quarantined", " ".join(reason.split())[:500]
        plugin.connectors.clear()
        plugin.tasks.clear()
        if plugin.hooks is not None and self._registry.is_registered(plugin.hooks):
            self._registry.unregister(plugin.hooks)
        if plugin.bundled:
            raise BundledPluginBroken(f"{plugin.name}: {plugin.reason}")
        _log.error("plugin.quarantined", plugin=plugin.name, distribution=plugin.distribution, reason=plugin.reason)
        lost = {plugin.name} - {other.name for other in self.active}
        for other in self.active:
            if lost.intersection(other.manifest.requires):
                self.quarantine(other, f"it requires {plugin.name!r}, which is in quarantine")

    def collect(self, hook: str, **arguments: Any) -> list[tuple[PluginInfo, Any]]:
        """Call a hook on every active plugin; one that fails is quarantined, and none of its records are returned."""
        collected: list[tuple[PluginInfo, Any]] = []
        for plugin, call in self._calls(hook, arguments, {plugin.name for plugin in self.active}):
            with self.quarantining(plugin, f"{hook}()"):
                collected += [(plugin, record) for record in call()]
        return [found for found in collected if found[0].status == "active"]

    async def decide(self, hook: str, enabled: Collection[str], **arguments: Any) -> Veto | None:
        """Ask the plugins a tenant has enabled. The first veto wins, and a plugin that fails to answer vetoes."""
        for plugin, call in self._calls(hook, arguments, enabled):
            answer = await self._timed(plugin, hook, call)
            if isinstance(answer, Veto):
                return replace(answer, plugin=plugin.name)
            if answer is not None:
                return Veto(plugin=plugin.name, reason=f"{plugin.manifest.title} gave no answer, which counts as no.")
        return None

    async def notify(self, hook: str, enabled: Collection[str], **arguments: Any) -> None:
        """Tell the plugins a tenant has enabled, one after the other; what fails or is too slow is logged, no more.

        An open unit of work is no argument for such a hook: a failed statement would take the caller's work with it.
        """
        for plugin, call in self._calls(hook, arguments, enabled):
            await self._timed(plugin, hook, call)

    async def _timed(self, plugin: PluginInfo, hook: str, call: Call) -> Any:
        """The answer, or the exception that stands in its place."""
        started, failure = time.perf_counter(), None
        try:
            async with asyncio.timeout(self.time_limit_s):
                answer = call()
                return await answer if inspect.isawaitable(answer) else answer
        except Exception as error:  # noqa: BLE001  (somebody else's code: whatever it raises stays here)
            failure = error
            return error
        finally:
            log = _log.bind(plugin=plugin.name, hook=hook, duration_ms=round((time.perf_counter() - started) * 1000, 1))
            log.warning("plugin.hook_failed", exc_info=failure) if failure else log.debug("plugin.hook_called")

    def _calls(
        self, hook: str, arguments: dict[str, Any], enabled: Collection[str]
    ) -> Iterator[tuple[PluginInfo, Call]]:
        implementations = getattr(self._registry.hook, hook).get_hookimpls()
        for plugin in self.active:
            for one in implementations:
                if one.plugin_name == plugin.name and plugin.name in enabled:
                    yield plugin, functools.partial(one.function, *(arguments[name] for name in one.argnames))

    def _discover(self, entry_point: importlib.metadata.EntryPoint) -> None:
        name, distribution = entry_point.name, entry_point.dist
        plugin = PluginInfo(
            name=name,
            module=entry_point.value,
            distribution=(distribution and distribution.name) or "",
            version=(distribution and distribution.version) or "",
            manifest=Manifest.model_construct(name=name, title=name, publisher="", api=0),
        )
        self.plugins.append(plugin)
        with self.quarantining(plugin, "reading its manifest"):
            folder = package_folder(plugin.package)
            manifest = read_manifest(folder)
            if manifest.name != name:
                raise Rejected(f"its entry point is called {name!r}, its manifest says {manifest.name!r}")
            plugin.manifest = manifest
            if (versions := folder / "migrations" / "versions").is_dir():
                plugin.lineage = Lineage(schema=name, versions=versions)

    def _settle(self, what: str, claims: Callable[[PluginInfo], Iterable[str]]) -> None:
        """Where several claim one thing: ours goes before theirs, the plugin of that very name next, else nobody gets it."""
        claimants: dict[str, list[PluginInfo]] = defaultdict(list)
        for plugin in self.active:
            for claim in claims(plugin):
                claimants[claim].append(plugin)
        for claim, plugins in claimants.items():
            ranks = [(not plugin.bundled, plugin.name != claim) for plugin in plugins]
            for plugin, rank in zip(plugins, ranks, strict=True):
                if len(plugins) > 1 and (rank != min(ranks) or ranks.count(rank) > 1):
                    rivals = ", ".join(sorted(other.distribution for other in plugins if other is not plugin))
                    self.quarantine(plugin, f"its {what} {claim!r} is claimed twice, also by {rivals or 'itself'}")

    def _order(self) -> None:
        ordered: list[PluginInfo] = []
        waiting = self.active
        while ready := [one for one in waiting if set(one.manifest.requires) <= {done.name for done in ordered}]:
            ordered += ready
            waiting = [plugin for plugin in waiting if plugin not in ready]
        for plugin in waiting:
            missing = ", ".join(sorted(set(plugin.manifest.requires) - {done.name for done in ordered}))
            self.quarantine(plugin, f"it requires {missing}: not installed, in quarantine, or requiring it in turn")
        self.plugins = ordered + [plugin for plugin in self.plugins if plugin not in ordered]

    def _register(self, plugin: PluginInfo) -> None:
        with self.quarantining(plugin, f"loading {plugin.module}"):
            plugin.hooks = importlib.import_module(plugin.module)
            if importlib.util.find_spec(f"{plugin.package}.models"):
                importlib.import_module(f"{plugin.package}.models")
            check_models(plugin.name, plugin.package)
            self._registry.register(plugin.hooks, plugin.name)
            self._registry.check_pending()
            for caller in self._registry.get_hookcallers(plugin.hooks) or ():
                if any(one.wrapper or one.hookwrapper for one in caller.get_hookimpls()):
                    raise Rejected(f"{caller.name}() is a wrapper: a plugin sees its own calls only")

    @contextmanager
    def quarantining(self, plugin: PluginInfo, doing: str) -> Iterator[None]:
        """Whatever a block raises puts the plugin in quarantine, and goes no further."""
        try:
            yield
        except (Exception, SystemExit) as error:  # noqa: BLE001  (somebody else's code: whatever it raises stays here)
            context = "" if isinstance(error, Rejected) else f"{doing} failed: {type(error).__name__}: "
            self.quarantine(plugin, f"{context}{error}")
