"""structlog set-up: one line per event, bound to the work in hand by `kit.context`."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from counterfoil.kit import context


def configure_logging(log_format: Literal["json", "console"] = "json", level: str = "INFO") -> None:
    """Send our logs and the libraries' through one chain of processors to standard error."""
    shared: list[structlog.typing.Processor] = [
        _add_work_in_hand,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        # What is not logged costs nothing more than finding that out.
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("httpx2", "httpcore2", "asyncio", "kombu", "celery.redirected"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _add_work_in_hand(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, variable in (
        ("tenant_id", context.current_tenant_id),
        ("correlation_id", context.current_correlation_id),
        ("job_id", context.current_job_id),
    ):
        value = variable.get()
        if value is not None:
            event.setdefault(key, str(value))
    return event
