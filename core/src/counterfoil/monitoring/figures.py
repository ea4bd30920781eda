"""The figures as Prometheus reads them: this process's own, and those of the installation."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy.pool import QueuePool

from counterfoil.db import Database
from counterfoil.kit.clock import utc_now
from counterfoil.monitoring import repository
from counterfoil.monitoring.repository import Backlog
from counterfoil.observability.metrics import REGISTRY

if TYPE_CHECKING:
    from sqlalchemy.pool import Pool


async def exposition(database: Database) -> bytes:
    """Everything in Prometheus' text format."""
    pool = database.engine.pool
    async with database.unit_of_work(None) as uow:
        backlog, oldest = await repository.backlog(uow), await repository.oldest_unsealed(uow)
    # Made anew each time: a queue that is empty now has no line, instead of the one of its last job.
    asked = CollectorRegistry()
    _jobs(asked, backlog)
    _seals(asked, oldest)
    _connections(asked, pool)
    return generate_latest(REGISTRY) + generate_latest(asked)


def _jobs(registry: CollectorRegistry, backlog: Sequence[Backlog]) -> None:
    labels = ["queue", "status"]
    number = Gauge("counterfoil_jobs", "Unfinished jobs", labels, registry=registry)
    age = Gauge("counterfoil_job_oldest_seconds", "How long the oldest of them has been so", labels, registry=registry)
    for line in backlog:
        number.labels(line.queue, line.status).set(line.jobs)
        age.labels(line.queue, line.status).set(line.oldest_s)


def _seals(registry: CollectorRegistry, oldest: datetime | None) -> None:
    gauge = Gauge(
        "counterfoil_audit_unsealed_seconds", "Age of the oldest audit event without a seal", registry=registry
    )
    gauge.set((utc_now() - oldest).total_seconds() if oldest else 0)


def _connections(registry: CollectorRegistry, pool: "Pool") -> None:
    if isinstance(pool, QueuePool):
        gauge = Gauge("counterfoil_database_connections", "This process's connections", ["state"], registry=registry)
        gauge.labels("in_use").set(pool.checkedout())
        gauge.labels("idle").set(pool.checkedin())
