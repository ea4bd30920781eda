"""Every hook a plugin may implement, and the records that hooks exchange.

A hook is collected (once, at start-up), decided (awaited; the first veto wins; no answer is a veto) or notified (awaited;
nothing a plugin does there reaches the caller). Arguments are opt-in: an implementation names those it wants.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pluggy

from counterfoil.plugins.connector import Connector, Settings

PROJECT = "counterfoil"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, kw_only=True)
class Veto:
    """A plugin's "no" to a decide hook. ``reason`` is shown to the user; ``plugin`` is filled in by the manager."""

    reason: str
    plugin: str = ""


@hookspec
def register_connectors() -> Sequence[Connector]:  # type: ignore[empty-body]  # pluggy only reads the signature
    """Contribute the sources of data a tenant may connect.

    Collected once per process at start-up, whether or not any tenant has enabled the plugin. Not called for a plugin in
    quarantine, and never again while the process runs: return instances that keep no state of a tenant.
    """


@hookspec
def register_settings() -> type[Settings]:  # type: ignore[empty-body]  # as above
    """Contribute the model of the plugin's settings, one set per tenant, which its administrators edit.

    Collected once per process at start-up. The settings are stored in plain: a ``Secret`` belongs to a connection.
    """
