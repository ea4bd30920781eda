"""What is known about the work in hand: read by the database (tenant), by audit events and by every log line."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: a person, a service key, a job or the system itself."""

    kind: str
    id: str | None
    label: str


SYSTEM = Actor(kind="system", id=None, label="system")

current_tenant_id: ContextVar[UUID | None] = ContextVar("current_tenant_id", default=None)
current_correlation_id: ContextVar[UUID | None] = ContextVar("current_correlation_id", default=None)
current_actor: ContextVar[Actor] = ContextVar("current_actor", default=SYSTEM)
current_job_id: ContextVar[UUID | None] = ContextVar("current_job_id", default=None)
current_client_ip: ContextVar[str | None] = ContextVar("current_client_ip", default=None)


@contextmanager
def bound(variable: ContextVar[Any], value: object) -> Iterator[None]:
    """Set a context variable for a block and put the former value back."""
    token: Token[Any] = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
