"""How many deliveries are taken in, counted before anything else."""

from uuid import UUID

from starlette.requests import Request

from counterfoil.kit import context
from counterfoil.kit.ratelimit import Rate, network_of
from counterfoil.web.limits import ApiLimits

# More than the busiest account sends; a vendor that is told to wait delivers again.
PER_CONNECTION = Rate(burst=500, interval_ms=10)
# A vendor's few addresses deliver for all of its customers.
PER_NETWORK = Rate(burst=5_000, interval_ms=1)


async def count(limits: ApiLimits, request: Request, connection_id: UUID) -> None:
    """Count one delivery, whether or not there is such a connection.

    Raises:
        TooManyRequests: with ``Retry-After``, where the connection's or the network's limit is used up.
    """
    await limits.count_by(
        request,
        ("webhook_connection", str(connection_id), PER_CONNECTION),
        ("webhook_network", network_of(context.current_client_ip.get()), PER_NETWORK),
    )
