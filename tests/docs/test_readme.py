"""What the README shows has to work."""

import importlib
import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from counterfoil.config import Settings
from counterfoil.plugins.manager import PluginManager

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def _blocks() -> dict[str, str]:
    """The code blocks that begin with the name of their file."""
    found = re.findall(r"```\w+\n# (\S+)\n(.*?)```", README, flags=re.DOTALL)
    return {name: body for name, body in found if "." in name}


def test_the_connector_it_shows_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = _blocks()
    package = tmp_path / "acme_till"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("plugin.toml", "hooks.py"):
        (package / name).write_text(blocks[f"acme_till/{name}"])
    assert 'till = "acme_till.hooks"' in blocks["pyproject.toml"]
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()

    manager = PluginManager.load(
        entry_points=[EntryPoint(name="till", value="acme_till.hooks", group="counterfoil.plugins")]
    )

    assert [(plugin.name, plugin.status, plugin.reason) for plugin in manager.plugins] == [("till", "active", None)]
    _, connector = manager.connectors["till"]
    sales = connector.streams["sales"]
    assert sales.to_rows is not None
    [row] = sales.to_rows({"id": "s1", "cents": 1250, "currency": "EUR", "state": "paid"})
    assert str(row.amount) == "12.50"  # type: ignore[attr-defined]  # a payment
    sys.modules.pop("acme_till.hooks")


def test_the_settings_it_names_exist() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", README, flags=re.MULTILINE))
    fields = Settings.model_fields.items()
    known = {field.alias or f"COUNTERFOIL_{name.upper()}" for name, field in fields}
    assert len(named) >= 7
    assert named <= known
