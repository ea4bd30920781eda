"""The plugin is what its manifest says, and contributes one connector."""

from counterfoil.plugins.manifest import package_folder, read_manifest
from counterfoil_stripe.connector import Stripe
from counterfoil_stripe.hooks import register_connectors


def test_the_manifest_is_valid_and_claims_the_connectors_host() -> None:
    manifest = read_manifest(package_folder("counterfoil_stripe"))
    assert (manifest.name, manifest.api, manifest.hosts) == ("stripe", 1, ("api.stripe.com",))
    assert Stripe.base_url == f"https://{manifest.hosts[0]}"
    assert manifest.features["sync"].plans == ("trial", "pro", "enterprise")


def test_the_plugin_contributes_the_stripe_connector() -> None:
    (connector,) = register_connectors()
    assert connector.kind == "stripe"
    assert list(connector.streams) == ["charges", "payouts", "balance_transactions", "payout_transactions"]
    assert all(stream.to_rows for stream in connector.streams.values())
