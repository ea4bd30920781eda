from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from counterfoil.plugins.manager import PluginManager
from counterfoil.testing.plugins import installed


class Load(Protocol):
    def __call__(self, **arguments: Any) -> PluginManager: ...


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for distributions, which ``load`` makes importable."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def load(site: Path) -> Iterator[Load]:
    """Load what is installed, our own plugins and those of ``site``."""
    with ExitStack() as stack:

        def load(**arguments: Any) -> PluginManager:
            stack.enter_context(installed(site))
            return PluginManager.load(**arguments)

        yield load
