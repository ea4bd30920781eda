"""A Stripe that tells a commerce world: the real wire protocol of the API's read side, served locally.

Keys
    `sk_test_demo` and `sk_test_<the account id without acct_>` may read everything. A restricted key is `rk_test_` and the
    permissions it has, joined by underscores: `account`, `balance`, `charges` (and refunds), `customers`, `disputes`, `events`,
    `intents`, `invoices`, `payouts`; `rk_test_account_charges` may call `/v1/account`, `/v1/charges` and `/v1/refunds`, and gets
    Stripe's 403 elsewhere. A key ending in `_expired` gets the 401 of an expired key, any other key that of an invalid one. Keys
    travel as Bearer token or as the user of Basic authentication.

Protocol
    `GET /v1/account`, and list and retrieve for charges, payment_intents, refunds, disputes, invoices, customers, payouts,
    balance_transactions and events: newest first, `limit` 1..100, `starting_after`, `ending_before`, `created[gt|gte|lt|lte]`,
    the filters of each list, unknown parameters refused. It speaks `versions.API_VERSION` and, asked in `Stripe-Version`, writes
    objects as `versions.OLDER_VERSION` did; another version is refused.

Events
    Kept for 30 days of the account's own clock, which starts at the world's last moment. Some were written in the older
    version. They may appear late, each by a time of its own, and webhooks can be sent for them.

Control
    `/_simulator/...` (see `control`) injects faults and limits, and changes the world. It is not part of Stripe's protocol and
    needs no key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterfoil.simulation.simulators import DemoConnection
from counterfoil_stripe.simulator.app import create_app

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from counterfoil.simulation.simulators import Simulator
    from counterfoil.simulation.world import World


class StripeSimulator:
    """What the entry point `counterfoil.simulators` offers."""

    kind = "stripe"
    title = "Stripe"

    def app(self, world: World) -> ASGIApp:
        """A server that speaks Stripe's wire protocol about this world."""
        return create_app(world)

    def demo_connection(self, base_url: str) -> DemoConnection:
        """The connection that reaches `app` when it is served at `base_url`."""
        return DemoConnection(
            kind=self.kind,
            label="Stripe (simulated)",
            settings={"api_base": base_url},
            credentials={"api_key": "sk_test_demo"},
        )


simulator: Simulator = StripeSimulator()
