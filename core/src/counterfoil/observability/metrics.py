"""What a process counts of its own work, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram

# From an answer out of memory to an export that takes a minute.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

REGISTRY = CollectorRegistry()
_requests = Counter("counterfoil_http_requests", "Requests answered", ["method", "route", "status"], registry=REGISTRY)
_durations = Histogram(
    "counterfoil_http_request_duration_seconds",
    "From the first byte of a request to the last of its answer",
    ["method", "route"],
    buckets=_SECONDS,
    registry=REGISTRY,
)


def count_request(*, method: str, route: str, status: int, duration_s: float) -> None:
    """Count one answered request.

    Args:
        method: of HTTP.
        route: the path as the route declares it: with the ids in it there would be a series for each.
        status: of the answer; 0 if there was none.
        duration_s: in seconds.
    """
    _requests.labels(method, route, str(status)).inc()
    _durations.labels(method, route).observe(duration_s)
