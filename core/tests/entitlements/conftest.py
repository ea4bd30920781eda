"""A process with third-party plugins installed, beside our own."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.plugins.manager import PluginManager
from counterfoil.testing.plugins import installed, write_distribution


def _manifest(name: str, rest: str = "") -> str:
    return f'name = "{name}"\ntitle = "{name.title()}"\npublisher = "Acme"\napi = 1\n{rest}'


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> PluginManager:
    """``free`` is for every plan, ``gold`` for the plan gold, ``lean`` requires free, ``broken`` cannot load."""
    site = tmp_path_factory.mktemp("site")
    write_distribution(site, "free", {}, version="1.2")
    write_distribution(site, "gold", {}, manifest=_manifest("gold", 'features.shine = { plans = ["gold", "black"] }\n'))
    write_distribution(site, "lean", {}, manifest=_manifest("lean", 'requires = ["free"]\n'))
    write_distribution(site, "broken", {"hooks.py": "import nothing_of_that_name\n"})
    with installed(site):
        return PluginManager.load()


@pytest.fixture(scope="session")
async def app(settings: Settings, plugins: PluginManager) -> AsyncIterator[FastAPI]:
    """The whole product, with those plugins."""
    app = create_app(settings, plugins=plugins)
    async with app.router.lifespan_context(app):
        yield app
