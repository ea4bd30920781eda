"""Append-only events: who did what, to what, with which outcome, in the same transaction as the deed."""

from counterfoil.audit.service import record

__all__ = ["record"]
