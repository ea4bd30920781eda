"""Whatever is struck, whenever: nothing is lost, nothing is doubled, and everything accepted comes to its end."""

import json
import os

import pytest
from tests.product.conftest import free_port
from tests.soak.run import Plan, Soak
from tests.soak.stripe import Stripe

pytestmark = [
    pytest.mark.xdist_group("product"),
    pytest.mark.faults,
    pytest.mark.timeout(600),
    # Shown, and no failure: the driver's own files and sockets are cut off in the middle of things as well.
    pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning"),
]


def test_every_kind_of_strike_leaves_the_books_right(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The hour's soak (`./dev soak`) in small, in a product of its own: every kind there is, once."""
    seed = int(os.environ.get("COUNTERFOIL_TEST_SEED", "7"))
    plan = Plan(seed=seed, seconds=35, orders=150, companies=3, changes_until=0.3, haste=0.3)
    folder = tmp_path_factory.mktemp("soak")
    result = Soak(plan=plan, vendor=Stripe, folder=folder, port=free_port(), keep_logs=folder / "logs").run()
    assert result["findings"] == [], json.dumps(result, indent=2)
    assert result["changes_accepted"] > 20
    assert set(result["not_possible"]) <= {"disk-full", "clock-minutes", "clock-days"}
    assert set(result["strikes_by_kind"]) | set(result["not_possible"]) >= set(result["kinds"])
    assert min(result["rows_checked"], result["events_hashed"], result["webhooks_taken"]) > 0
