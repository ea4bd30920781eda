import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home_path() -> Iterator[Path]:
    """A home folder the service account can reach (pytest's own are closed to everybody but us)."""
    folder = Path(tempfile.mkdtemp(prefix="cf-"))
    folder.chmod(0o755)
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bare_environment(home_path: Path) -> dict[str, str]:
    """Our environment without any setting of the product, and a home."""
    ours = ("COUNTERFOIL_", "DATABASE_", "REDIS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"COUNTERFOIL_HOME": str(home_path)}


@pytest.fixture
def counterfoil(bare_environment: dict[str, str]) -> Command:
    """Run a command of the product to its end."""

    def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, "-m", "counterfoil.cli", *arguments],
            env=bare_environment | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
