"""A process with third-party plugins installed, beside our own."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.plugins.manager import PluginManager
from counterfoil.testing.plugins import installed, write_distribution

LEAN_CLAIMS = """
requires = ["free"]
offers = ["lean.cutting"]
uses = ["free.advice"]
[permissions]
"lean.cut" = "Cut what is not needed"
"lean.look" = { description = "See what was cut", roles = ["finance", "readonly"] }
[[navigation]]
title = "Lean"
path = "/lean"
[[navigation]]
title = "Cuts"
path = "/lean/cuts"
permission = "lean.cut"
[[navigation]]
title = "What was cut"
path = "/lean/looks"
permission = "lean.look"
"""
LEAN = """
from typing import Literal
from counterfoil.sdk import Settings, hookimpl

class LeanSettings(Settings):
    depth: int
    tone: Literal["kind", "curt"] = "kind"

@hookimpl
def register_settings():
    return LeanSettings
"""
TIERED_FEATURES = """
[features]
basic = { plans = ["trial"] }
fast = { plans = ["pro"] }
sync = { plans = ["pro", "enterprise"] }
"""
TIERED = """
from counterfoil.sdk import Account, Bearer, Connector, Page, Payment, Settings, TimeCursor, hookimpl, stream

class Tiered(Connector):
    kind, title, base_url, settings = "tiered", "Tiered", "https://tiered.example", Settings

    async def authorize(self, http, settings):
        return Bearer("token")

    async def check(self, ctx):
        return Account(id="1")

    @stream("things", cursor=TimeCursor(lookback="3h"), targets=[Payment])
    async def things(self, ctx, window):
        yield Page(records=[])

    @things.rows
    def thing_rows(raw):
        return []

@hookimpl
def register_connectors():
    return [Tiered()]
"""


def _manifest(name: str, rest: str = "") -> str:
    return f'name = "{name}"\ntitle = "{name.title()}"\npublisher = "Acme"\napi = 1\n{rest}'


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> PluginManager:
    """``free`` is for every plan, ``gold`` for the plan gold, ``lean`` requires free, ``broken`` cannot load.

    ``lean`` brings permissions and settings. ``tiered`` is for every plan but syncs and goes fast with some only.
    """
    site = tmp_path_factory.mktemp("site")
    write_distribution(site, "free", {}, version="1.2")
    write_distribution(site, "gold", {}, manifest=_manifest("gold", 'features.shine = { plans = ["gold", "black"] }\n'))
    write_distribution(site, "lean", {"hooks.py": LEAN}, manifest=_manifest("lean", LEAN_CLAIMS))
    write_distribution(site, "broken", {"hooks.py": "import nothing_of_that_name\n"})
    write_distribution(site, "tiered", {"hooks.py": TIERED}, manifest=_manifest("tiered", TIERED_FEATURES))
    with installed(site):
        return PluginManager.load()


@pytest.fixture(scope="session")
async def app(settings: Settings, plugins: PluginManager) -> AsyncIterator[FastAPI]:
    """The whole product, with those plugins."""
    app = create_app(settings, plugins=plugins)
    async with app.router.lifespan_context(app):
        yield app
