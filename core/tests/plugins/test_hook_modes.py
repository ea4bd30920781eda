"""Decide and notify, with hooks of the test's own: only enabled plugins are asked, and none can hurt the caller."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from counterfoil.plugins import hookspecs
from counterfoil.plugins.hookspecs import Veto, hookspec
from counterfoil.plugins.manager import PluginManager
from counterfoil.testing.plugins import write_distribution

from .conftest import Load


class Specifications:
    """Hooks as core would declare them."""

    @hookspec
    async def before_posting(self, amount: int, account: str) -> Veto | None:
        """Ask whether an amount may be posted."""

    @hookspec
    async def after_posting(self, amount: int) -> None:
        """Tell that it was."""

    @hookspec
    def register_ledgers(self) -> list[str]:  # type: ignore[empty-body]  # pluggy only reads the signature
        """Collect ledgers."""


PREAMBLE = """
import asyncio
from counterfoil.plugins.hookspecs import Veto
from counterfoil.sdk import hookimpl

seen = []

@hookimpl
"""
DECIDES = PREAMBLE + "async def before_posting(amount):\n"
NOTED = PREAMBLE + "async def after_posting(amount):\n"


def loaded(load: Load, site: Path, **hooks: str) -> PluginManager:
    for name, source in hooks.items():
        write_distribution(site, name, {"hooks.py": source})
    plugins = load(specifications=(hookspecs, Specifications))
    assert {plugin.name for plugin in plugins.active} == {*hooks, "stripe"}
    return plugins


def seen(plugins: PluginManager, name: str) -> list[Any]:
    plugin = plugins.find(name)
    assert plugin is not None
    assert plugin.hooks is not None
    calls: list[Any] = plugin.hooks.seen
    return calls


async def test_nobody_objects_when_no_enabled_plugin_does(site: Path, load: Load) -> None:
    plugins = loaded(load, site, alpha=DECIDES + "    seen.append(amount)\n")

    assert await plugins.decide("before_posting", {"alpha"}, amount=5, account="cash") is None
    assert seen(plugins, "alpha") == [5]


async def test_one_veto_is_enough_and_says_whose_it_is(site: Path, load: Load) -> None:
    plugins = loaded(
        load,
        site,
        alpha=DECIDES + "    return None\n",
        beta=DECIDES + "    return Veto(reason=f'{amount} is too much')\n",
    )

    veto = await plugins.decide("before_posting", {"alpha", "beta"}, amount=9, account="cash")

    assert veto == Veto(plugin="beta", reason="9 is too much")


async def test_a_plugin_the_tenant_has_not_enabled_is_not_asked(site: Path, load: Load) -> None:
    plugins = loaded(load, site, alpha=DECIDES + "    seen.append(amount); return Veto(reason='no')\n")

    assert await plugins.decide("before_posting", frozenset({"stripe"}), amount=9, account="cash") is None
    assert seen(plugins, "alpha") == []


async def test_a_plain_function_may_decide_too(site: Path, load: Load) -> None:
    plugins = loaded(load, site, alpha=PREAMBLE + "def before_posting(account):\n    return Veto(reason=account)\n")

    veto = await plugins.decide("before_posting", {"alpha"}, amount=9, account="cash")

    assert veto == Veto(plugin="alpha", reason="cash")


@pytest.mark.parametrize(
    "body",
    ["raise RuntimeError('down')", "await asyncio.sleep(60)", "return True", "return 'fine'"],
    ids=["raises", "is too slow", "answers true", "answers with text"],
)
async def test_a_plugin_that_does_not_answer_properly_counts_as_a_veto(body: str, site: Path, load: Load) -> None:
    plugins = loaded(load, site, alpha=DECIDES + f"    {body}\n")
    plugins.time_limit_s = 0.05

    veto = await plugins.decide("before_posting", {"alpha"}, amount=9, account="cash")

    assert veto == Veto(plugin="alpha", reason="Alpha gave no answer, which counts as no.")


async def test_every_enabled_plugin_is_notified_whatever_happens_to_the_others(site: Path, load: Load) -> None:
    plugins = loaded(
        load,
        site,
        alpha=NOTED + "    raise RuntimeError('down')\n",
        beta=NOTED + "    await asyncio.sleep(60)\n",
        delta=NOTED + "    seen.append(amount)\n",
        gamma=NOTED + "    seen.append(amount)\n",
    )
    plugins.time_limit_s = 0.05

    with capture_logs() as lines:
        await plugins.notify("after_posting", {"alpha", "beta", "gamma"}, amount=7)

    assert seen(plugins, "gamma") == [7]
    assert seen(plugins, "delta") == []
    told = [(line["plugin"], line["event"]) for line in lines]
    assert told == [
        ("alpha", "plugin.hook_failed"),
        ("beta", "plugin.hook_failed"),
        ("gamma", "plugin.hook_called"),
    ]
    assert isinstance(lines[0]["exc_info"], RuntimeError)
    assert lines[1]["duration_ms"] >= 50


async def test_a_plugin_in_quarantine_is_neither_asked_nor_told(site: Path, load: Load) -> None:
    plugins = loaded(load, site, alpha=NOTED + "    seen.append(amount)\n")
    alpha = plugins.find("alpha")
    assert alpha is not None

    plugins.quarantine(alpha, "for the test")
    await plugins.notify("after_posting", {"alpha"}, amount=7)

    assert seen(plugins, "alpha") == []


def test_what_a_plugin_collected_before_it_failed_is_dropped(site: Path, load: Load) -> None:
    hooks = PREAMBLE + "def register_ledgers():\n    yield 'one'\n    raise RuntimeError('down')\n"
    plugins = loaded(load, site, alpha=PREAMBLE + "def register_ledgers():\n    return ['two']\n", beta=hooks)

    collected = plugins.collect("register_ledgers")

    assert [(plugin.name, ledger) for plugin, ledger in collected] == [("alpha", "two")]
    beta = plugins.find("beta")
    assert beta is not None
    assert beta.reason == "register_ledgers() failed: RuntimeError: down"
