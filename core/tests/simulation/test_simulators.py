"""Simulators are found by their entry point, and only by those who ask for them."""

import subprocess
import sys

from counterfoil.simulation.simulators import load_simulators


def test_the_bundled_simulator_of_stripe_is_found_by_its_kind() -> None:
    simulator = load_simulators()["stripe"]
    connection = simulator.demo_connection("http://127.0.0.1:9")
    assert (simulator.kind, simulator.title, connection.kind) == ("stripe", "Stripe", "stripe")
    assert connection.settings == {"api_base": "http://127.0.0.1:9"}


def test_a_plugin_does_not_bring_its_simulator_into_the_product() -> None:
    check = "import sys, counterfoil_stripe.hooks; print([m for m in sys.modules if 'simulat' in m])"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    assert found.stdout.strip() == "[]"
