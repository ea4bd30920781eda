"""A plugin's settings in one tenant. The model is the plugin's; settings it has outgrown count as none."""

from typing import Any

from pydantic import ValidationError

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.entitlements import repository
from counterfoil.entitlements.errors import PluginQuarantined
from counterfoil.kit.errors import FieldError, InvalidInput
from counterfoil.plugins.connector import Settings
from counterfoil.plugins.manager import PluginInfo


class InvalidPluginSettings(InvalidInput):
    code, title = "invalid_plugin_settings", "Some settings of the plugin are not right"


async def read(uow: UnitOfWork, plugin: PluginInfo) -> Settings | None:
    """The settings, its defaults where nobody saved any; None where they are needed and missing, or fit no more."""
    stored = await repository.plugin_settings(uow, plugin.name)
    try:
        return plugin.settings.model_validate(stored or {})
    except ValidationError:
        return None


async def save(uow: UnitOfWork, plugin: PluginInfo, given: dict[str, Any]) -> Settings:
    """Replace the settings.

    Raises:
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
    before = await repository.plugin_settings(uow, plugin.name)
    if values != before:
        await repository.save_plugin_settings(uow, plugin.name, values)
        changed = sorted(name for name in values if before is None or values[name] != before.get(name))
        await audit.record(
            uow,
            action="core.plugin.configured",
            resource_type="plugin",
            resource_id=plugin.name,
            payload={"changed": changed},
        )
    return settings
