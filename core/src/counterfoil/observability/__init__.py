"""Structured logs that carry tenant and correlation id on every line."""

from counterfoil.observability.logs import configure_logging, get_logger

__all__ = ["configure_logging", "get_logger"]
