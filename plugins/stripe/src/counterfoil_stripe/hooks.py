from counterfoil.sdk import Connector, hookimpl
from counterfoil_stripe.connector import Stripe


@hookimpl
def register_connectors() -> list[Connector]:
    return [Stripe()]
