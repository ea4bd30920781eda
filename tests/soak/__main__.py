"""`./dev soak`: the product under load, struck at random, and then asked whether anything is missing."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.run import Plan, Soak
from tests.soak.stripe import Stripe
from tests.soak.vendors import Vendor

VENDORS: dict[str, type[Vendor]] = {vendor.kind: vendor for vendor in (Stripe,)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long it is struck (default: 60)")
    parser.add_argument("--kills", type=int, help="how many strikes (default: one every three seconds)")
    parser.add_argument("--seed", type=int, default=1, help="what is struck when (default: 1)")
    parser.add_argument("--companies", type=int, default=4, help="how many sync at once (default: 4)")
    parser.add_argument("--vendor", choices=VENDORS, default="stripe", help="whose data is synced (default: stripe)")
    parser.add_argument("--only", default="", help="kinds of strikes, separated by commas (default: all)")
    parser.add_argument("--port", type=int, default=8483, help="port of the product (default: 8483)")
    parser.add_argument("--keep-logs", type=Path, help="copy the product's logs there")
    asked = parser.parse_args()
    # Whoever ends this wants the product and its disk to go as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    seconds = asked.minutes * 60
    plan = Plan(
        seed=asked.seed,
        seconds=seconds,
        strikes=asked.kills or max(1, round(seconds / 3)),
        companies=asked.companies,
        only=tuple(filter(None, asked.only.split(","))),
    )
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        # The databases' account has to get at its own.
        Path(folder).chmod(0o711)
        vendor = VENDORS[asked.vendor]
        result = Soak(plan=plan, vendor=vendor, folder=Path(folder), port=asked.port, keep_logs=asked.keep_logs).run()
    print(json.dumps(result, indent=2))  # noqa: T201  (what was asked for)
    return 1 if result["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
