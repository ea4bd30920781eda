"""Brings the database up to date: core first, then each plugin's own schema in dependency order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from counterfoil.config import Settings
from counterfoil.db.database import is_disconnect
from counterfoil.db.migrate import CORE, Lineage, current_revisions, run_lineages
from counterfoil.db.migrate import LineageReport as AppliedLineage
from counterfoil.plugins.errors import Rejected
from counterfoil.plugins.manager import PluginInfo, PluginManager


@dataclass(frozen=True, kw_only=True)
class LineageReport(AppliedLineage):
    """What became of one schema; that of a quarantined plugin is left as it was."""

    status: Literal["applied", "quarantined"] = "applied"
    reason: str | None = None


async def migrate(settings: Settings, *, plugins: PluginManager | None = None) -> list[LineageReport]:
    """Ensure the roles, then apply core's lineage and every active plugin's, one transaction each.

    A third party's lineage that fails is rolled back and quarantines its plugin; the others go on. The schema of a plugin
    that is no longer installed stays untouched.

    Raises:
        BundledPluginBroken: a lineage of our own failed; the cause says why.
    """
    plugins = plugins or PluginManager.load()
    reports = [await _apply(settings, CORE)]
    for plugin, lineage in _lineages(plugins):
        with _quarantining(plugins, plugin, "its migrations failed and were rolled back"):
            reports.append(await _apply(settings, lineage))
    refused = [plugin for plugin in plugins.plugins if plugin.status == "quarantined"]
    return reports + [
        LineageReport(schema=one.name, before=None, after=None, status="quarantined", reason=one.reason)
        for one in refused
    ]


async def quarantine_unmigrated(plugins: PluginManager, settings: Settings) -> None:
    """Quarantine each plugin whose schema is not at the revision its code wants. Called once, at start-up.

    Raises:
        BundledPluginBroken: one of our own is behind; run the migrations first.
    """
    url = settings.database_url.get_secret_value()
    for plugin, lineage in _lineages(plugins):
        with _quarantining(plugins, plugin, "migrations not applied"):
            [state] = await current_revisions(admin_url=url, lineages=[lineage])
            if state.before != state.after:
                raise Rejected(f"the schema is at {state.before or 'nothing'}, the code wants {state.after}")


def _lineages(plugins: PluginManager) -> Iterator[tuple[PluginInfo, Lineage]]:
    for plugin in plugins.active:
        if plugin.lineage and plugin.status == "active":  # still, when its turn comes
            yield plugin, plugin.lineage


@contextmanager
def _quarantining(plugins: PluginManager, plugin: PluginInfo, finding: str) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        if is_disconnect(error):
            raise
        plugins.quarantine(plugin, f"{finding}: {str(error).partition(chr(10))[0] or type(error).__name__}")


async def _apply(settings: Settings, lineage: Lineage) -> LineageReport:
    admin_url = settings.database_admin_url.get_secret_value()
    app_url = settings.database_url.get_secret_value()
    [report] = await run_lineages(admin_url=admin_url, app_url=app_url, lineages=[lineage])
    return LineageReport(schema=report.schema, before=report.before, after=report.after)
