"""tap-stripe against another address than Stripe's: ``python run_tap.py STUB --config ... --catalog ...``."""

import sys

import stripe
import tap_stripe


def main() -> None:
    stripe.api_base = sys.argv.pop(1)
    # It reads the stream's name off api.stripe.com addresses, for a metric.
    tap_stripe.apply_request_timer_to_client = lambda _client: None
    tap_stripe.main()


if __name__ == "__main__":
    main()
