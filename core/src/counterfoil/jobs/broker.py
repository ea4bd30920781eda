"""The broker carries hints: ``{tenant_id, job_id}``, in JSON, no results, no schedules, at most once per publication."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu import Queue

from counterfoil.config import Settings
from counterfoil.jobs.models import QUEUES
from counterfoil.jobs.repository import PublishedRow

RUN_JOB = "run_job"
KEY_PREFIX = "counterfoil:"
_SOCKET_TIMEOUT_S = 10


def broker_url(redis_url: str) -> str:
    """A redis-py address as Celery's transport reads it: they differ for Unix sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    secret = f"{parts.netloc}" if parts.netloc else ""
    return f"redis+socket://{secret}{parts.path}?virtual_host={database}"


def celery_app(settings: Settings) -> Celery:
    app = Celery("counterfoil", broker=broker_url(settings.redis_url.get_secret_value()), set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,
        # The default exchange needs no binding in Redis, so a flushed Redis takes messages at once.
        task_queues=[Queue(name, exchange="", routing_key=name) for name in QUEUES],
        task_create_missing_queues=False,
        task_default_queue=QUEUES[0],
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "global_keyprefix": KEY_PREFIX,
            "socket_timeout": _SOCKET_TIMEOUT_S,
            "socket_connect_timeout": _SOCKET_TIMEOUT_S,
            "socket_keepalive": True,
        },
    )
    return app


class Publisher:
    """Puts messages for published jobs into their queues; blocking, so call it in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._app = celery_app(settings)
        # The ticker tries again by itself; kombu would sit in its thread, for ever by default.
        self._app.conf.broker_transport_options = {**self._app.conf.broker_transport_options, "max_retries": 0}

    def publish(self, rows: Sequence[PublishedRow]) -> None:
        """Send one message per job over one connection.

        Raises:
            kombu.exceptions.OperationalError: the broker is away.
        """
        with self._app.producer_pool.acquire(block=True) as producer:
            for row in rows:
                self._app.send_task(
                    RUN_JOB,
                    kwargs=message(row),
                    queue=row.queue,
                    producer=producer,
                    retry=False,
                    ignore_result=True,
                )

    def close(self) -> None:
        self._app.close()


def message(row: PublishedRow) -> dict[str, Any]:
    return {"tenant_id": str(row.tenant_id), "job_id": str(row.job_id)}
