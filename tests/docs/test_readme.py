"""What the README shows has to work."""

import importlib
import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from tests.docs.names import README as PAGE
from tests.docs.names import ROOT

from counterfoil.commerce.models import RECORDS, table_of
from counterfoil.plugins.manager import PluginManager
from counterfoil_stripe.connector import Stripe

README = PAGE.read_text()
STRIPE = (ROOT / "plugins/stripe/README.md").read_text()
TABLES = {str(record.__table__.name) for record in RECORDS}  # type: ignore[attr-defined]  # mapped classes have one


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


def test_what_it_says_of_stripe_is_so() -> None:
    streams = Stripe().streams
    assert "Stripe**: ten streams" in README
    assert "fill eight tables" in README
    assert len(streams) == 10
    filled = {str(table_of(target).name) for stream in streams.values() for target in stream.targets}
    assert len(filled) == 8
    [listed] = re.findall(r"\*\*Tables\*\* holds ([^.]+)\.", README)
    assert set(re.split(r",\s+|\s+and\s+", listed)) == {name.replace("_", " ") for name in filled}


def test_the_permissions_that_stripe_asks_for_cover_every_stream() -> None:
    streams = Stripe().streams
    table = STRIPE.partition("| permission |")[2].partition("\n\n")[0].splitlines()[2:]
    assert "[nine permissions listed here](plugins/stripe/README.md#connect)" in README
    assert len(table) == 9
    assert {name for name in re.findall(r"[a-z_]+", " ".join(table)) if name in streams} == set(streams)


def test_stripes_page_lists_each_stream_with_what_it_fills() -> None:
    table = STRIPE.partition("| stream | fills |")[2].partition("\n\n")[0].splitlines()[2:]
    listed = {cells[1].strip(): cells[2] for row in table if (cells := row.split("|"))}
    streams = Stripe().streams
    assert set(listed) == set(streams)
    for name, stream in streams.items():
        assert [str(table_of(target).name) for target in stream.targets] == [
            one for one in re.findall(r"[a-z_]+", listed[name].split("with")[0]) if one in TABLES
        ], name
