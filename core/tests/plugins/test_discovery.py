"""What is found, in which order, and who wins when two claim the same thing."""

from pathlib import Path

import pytest

from counterfoil.plugins.errors import BundledPluginBroken
from counterfoil.testing.plugins import write_distribution

from .conftest import Load
from .samples import CONNECTOR, manifest


def test_an_installed_plugin_is_active_beside_our_own(site: Path, load: Load) -> None:
    write_distribution(site, "paypal", {"hooks.py": CONNECTOR}, version="2.3")

    plugins = load()

    paypal = plugins.find("paypal")
    assert paypal is not None
    assert (paypal.status, paypal.reason, paypal.version, paypal.manifest.publisher) == ("active", None, "2.3", "Acme")
    assert plugins.connectors["paypal"][0] == "paypal"
    assert plugins.connectors["stripe"][0] == "stripe"


def test_a_plugin_the_operator_disabled_is_not_imported(site: Path, load: Load, tmp_path: Path) -> None:
    trace = tmp_path / "imported"
    write_distribution(site, "paypal", {"__init__.py": f"open({str(trace)!r}, 'w').close()\n"})

    plugins = load(disabled=["paypal"])

    assert plugins.find("paypal") is None
    assert not trace.exists()


def test_the_manifest_is_judged_before_any_code_of_the_plugin_runs(site: Path, load: Load, tmp_path: Path) -> None:
    trace = tmp_path / "imported"
    write_distribution(
        site, "paypal", {"__init__.py": f"open({str(trace)!r}, 'w').close()\n"}, manifest=manifest("paypal", api=2)
    )

    assert load().find("paypal") is not None
    assert not trace.exists()


def test_a_broken_plugin_of_our_own_stops_the_start(site: Path, load: Load) -> None:
    # The same distribution, found first on the path: a newer and broken version of ours.
    broken = {"hooks.py": "import nothing_of_that_name\n"}
    write_distribution(site, "stripe", broken, distribution="counterfoil-stripe", package="our_stripe")

    with pytest.raises(BundledPluginBroken, match=r"stripe: .*nothing_of_that_name"):
        load()


def test_nobody_takes_the_name_of_a_plugin_of_ours(site: Path, load: Load) -> None:
    write_distribution(site, "stripe", {}, package="impostor")

    plugins = load()

    ours = plugins.find("stripe")
    assert ours is not None
    assert (ours.distribution, ours.status) == ("counterfoil-stripe", "active")
    [impostor] = [plugin for plugin in plugins.plugins if plugin.distribution == "acme-stripe"]
    assert impostor.reason == "its name 'stripe' is claimed twice, also by counterfoil-stripe"
    assert plugins.connectors["stripe"][1] is ours.connectors[0]


def test_of_two_third_parties_with_one_name_neither_runs(site: Path, load: Load) -> None:
    write_distribution(site, "paypal", {}, distribution="acme-paypal")
    write_distribution(site, "paypal", {}, distribution="zenith-paypal")

    plugins = load()

    reasons = {one.distribution: one.reason for one in plugins.plugins if one.name == "paypal"}
    assert reasons == {
        "acme-paypal": "its name 'paypal' is claimed twice, also by zenith-paypal",
        "zenith-paypal": "its name 'paypal' is claimed twice, also by acme-paypal",
    }


def test_a_name_goes_before_a_namespace(site: Path, load: Load) -> None:
    write_distribution(site, "paypal", {})
    write_distribution(site, "zenith", {}, manifest=manifest("zenith", namespaces=["paypal"]))

    plugins = load()

    assert [plugin.name for plugin in plugins.active] == ["paypal", "stripe"]


def test_a_connector_kind_that_two_plugins_claim_goes_to_the_one_of_that_name(site: Path, load: Load) -> None:
    write_distribution(site, "pay", {"hooks.py": CONNECTOR.replace('"paypal"', '"pay_pal"')})
    write_distribution(site, "pay_pal", {"hooks.py": CONNECTOR.replace('"paypal"', '"pay_pal"')})

    plugins = load()

    assert plugins.connectors["pay_pal"][0] == "pay_pal"
    pay = plugins.find("pay")
    assert pay is not None
    assert pay.reason == "its connector kind 'pay_pal' is claimed twice, also by acme-pay_pal"
    assert pay.connectors == []


def test_plugins_are_listed_after_what_they_require(site: Path, load: Load) -> None:
    write_distribution(site, "alpha", {}, manifest=manifest("alpha", requires=["zulu"]))
    write_distribution(site, "zulu", {})

    names = [plugin.name for plugin in load().active]

    assert names.index("zulu") < names.index("alpha")


def test_a_plugin_whose_requirement_is_missing_does_not_run(site: Path, load: Load) -> None:
    write_distribution(site, "alpha", {}, manifest=manifest("alpha", requires=["zulu"]))

    alpha = load().find("alpha")

    assert alpha is not None
    assert alpha.reason == "it requires zulu: not installed, in quarantine, or requiring it in turn"


def test_plugins_that_require_each_other_do_not_run(site: Path, load: Load) -> None:
    write_distribution(site, "alpha", {}, manifest=manifest("alpha", requires=["zulu"]))
    write_distribution(site, "zulu", {}, manifest=manifest("zulu", requires=["alpha"]))

    assert [plugin.name for plugin in load().active] == ["stripe"]


def test_quarantine_takes_along_what_requires_the_plugin(site: Path, load: Load) -> None:
    write_distribution(site, "alpha", {"hooks.py": "1 / 0\n"})
    write_distribution(site, "beta", {"hooks.py": "raise KeyError\n"}, manifest=manifest("beta", requires=["alpha"]))
    write_distribution(site, "gamma", {"hooks.py": CONNECTOR}, manifest=manifest("gamma", requires=["beta"]))

    plugins = load()

    reasons = {plugin.name: plugin.reason for plugin in plugins.plugins}
    assert reasons["beta"] == "it requires 'alpha', which is in quarantine"
    assert reasons["gamma"] == "it requires 'beta', which is in quarantine"
    assert list(plugins.connectors) == ["stripe"]
