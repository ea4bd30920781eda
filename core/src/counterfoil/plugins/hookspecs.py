"""Every hook a plugin may implement, and the records that hooks exchange.

A hook is collected (once, at start-up), decided (awaited; the first veto wins; no answer is a veto) or notified (awaited;
nothing a plugin does there reaches the caller). Arguments are opt-in: an implementation names those it wants.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pluggy
from fastapi import APIRouter

from counterfoil.plugins.connector import Connector, Settings
from counterfoil.plugins.records import Task

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


@hookspec
def register_routes() -> Sequence[APIRouter]:  # type: ignore[empty-body]  # as above
    """Contribute routes, each under ``/api/v1/`` and a word that nobody else has.

    Collected once per process of the API. A tenant that may not use the plugin gets 403 ``plugin_disabled`` from every one of
    them; what else a caller has to hold, each route asks with ``require``.
    """


@hookspec
def register_tasks() -> Sequence[Task]:  # type: ignore[empty-body]  # as above
    """Contribute kinds of job, named ``<plugin>.<noun>``.

    Collected once per process at start-up, by the API and by workers. A job whose tenant may no longer use the plugin when a
    worker takes it fails with ``plugin_disabled``; nothing of it runs.
    """
