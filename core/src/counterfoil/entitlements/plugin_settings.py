"""A plugin's settings in one tenant. The model is the plugin's; settings it has outgrown count as none."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.entitlements import repository
from counterfoil.entitlements.errors import PluginQuarantined
from counterfoil.kit.errors import FieldError, InvalidInput
from counterfoil.plugins.connector import Settings
from counterfoil.plugins.manager import PluginInfo
from counterfoil.tenancy import locks
from counterfoil.web.etag import require_match


class InvalidPluginSettings(InvalidInput):
    code, title = "invalid_plugin_settings", "Some settings of the plugin are not right"


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A plugin's settings and their version; None where some are needed and missing, or what there is fits no more."""

    settings: Settings | None
    version: int


async def read(uow: UnitOfWork, plugin: PluginInfo) -> Saved:
    """The settings, the plugin's defaults where nobody saved any."""
    stored, version = await repository.plugin_settings(uow, plugin.name)
    try:
        return Saved(settings=plugin.settings.model_validate(stored or {}), version=version)
    except ValidationError:
        return Saved(settings=None, version=version)


async def save(uow: UnitOfWork, plugin: PluginInfo, given: dict[str, Any], *, if_match: str | None = None) -> Saved:
    """Replace the settings.

    Raises:
        PreconditionFailed: the caller saw another version.
        PluginQuarantined: the plugin cannot run here, and nobody knows what its settings would be.
        InvalidPluginSettings: with one error per wrong field.
    """
    if plugin.status == "quarantined":
        raise PluginQuarantined(plugin.reason or "")
    try:
        settings = plugin.settings.model_validate(given)
    except ValidationError as error:
        found = [
            FieldError(path=".".join(["settings", *map(str, one["loc"])]), message=str(one["msg"]))
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise InvalidPluginSettings(errors=found) from None
    values = settings.model_dump(mode="json")
    # Before anything was saved there is no row that could be locked.
    await locks.hold(uow, f"plugin_settings/{plugin.name}")
    before, version = await repository.plugin_settings(uow, plugin.name)
    require_match(if_match, version)
    if values != before:
        version += 1
        await repository.save_plugin_settings(uow, plugin.name, values, version=version)
        changed = sorted(name for name in values if before is None or values[name] != before.get(name))
        await audit.record(
            uow,
            action="core.plugin.configured",
            resource_type="plugin",
            resource_id=plugin.name,
            payload={"changed": changed},
        )
    return Saved(settings=settings, version=version)
