"""How many deliveries are taken in: counted in Redis before anything else, and let through uncounted where it is away."""

from uuid import UUID

from redis.exceptions import RedisError

from counterfoil.kit import context
from counterfoil.kit.ratelimit import Rate, RateLimiter, network_of
from counterfoil.observability import get_logger

# More than the busiest account sends; a vendor that is told to wait delivers again.
PER_CONNECTION = Rate(burst=500, interval_ms=10)
# A vendor's few addresses deliver for all of its customers.
PER_NETWORK = Rate(burst=5_000, interval_ms=1)
_TIMEOUT_S = 0.25

_log = get_logger(__name__)


async def count(limiter: RateLimiter, connection_id: UUID) -> None:
    """Count one delivery, whether or not there is such a connection.

    Raises:
        TooManyRequests: with ``Retry-After``, where the connection's or the network's limit is used up.
    """
    try:
        standing = await limiter.take_all(
            ("webhook_connection", str(connection_id), PER_CONNECTION),
            ("webhook_network", network_of(context.current_client_ip.get()), PER_NETWORK),
            timeout_s=_TIMEOUT_S,
        )
    except (RedisError, OSError) as error:
        _log.warning("webhooks.uncounted", error=type(error).__name__)
        return
    standing.require()
