"""The plugin is what its manifest says, and contributes one connector."""

from counterfoil.plugins.manifest import package_folder, read_manifest
from counterfoil.plugins.validation import check_connector
from counterfoil_stripe.connector import Stripe
from counterfoil_stripe.events import TOLD_STREAMS
from counterfoil_stripe.hooks import register_connectors


def test_the_manifest_is_valid_and_claims_the_connectors_host() -> None:
    manifest = read_manifest(package_folder("counterfoil_stripe"))
    assert (manifest.name, manifest.api, manifest.hosts) == ("stripe", 1, ("api.stripe.com",))
    assert Stripe.base_url == f"https://{manifest.hosts[0]}"
    assert manifest.features["sync"].plans == ("trial", "pro", "enterprise")


def test_the_plugin_contributes_the_stripe_connector() -> None:
    (connector,) = register_connectors()
    assert connector.kind == "stripe"
    assert list(connector.streams) == [
        "charges",
        "payment_intents",
        "refunds",
        "disputes",
        "invoices",
        "customers",
        "payouts",
        "balance_transactions",
        "events",
        "payout_transactions",
    ]
    assert {name for name, stream in connector.streams.items() if not stream.targets} == {"payment_intents", "events"}
    assert all(bool(stream.to_rows) == bool(stream.targets) for stream in connector.streams.values())


def test_the_engine_takes_the_connector() -> None:
    (connector,) = register_connectors()
    assert check_connector("stripe", connector) is connector


def test_every_stream_that_events_tell_of_can_be_fetched() -> None:
    assert set(Stripe.streams["events"].tells_of) == set(TOLD_STREAMS.values()) < set(Stripe.streams)
    assert all(Stripe.streams[name].fetch_one for name in TOLD_STREAMS.values())
    assert all(stream.fetch_one for stream in Stripe.streams.values() if stream.is_open)
