"""The log of outbound requests: noted in memory, written in batches, in transactions of its own.

Never in the business transaction: if that rolls back, the request was sent nevertheless.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Self
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from counterfoil.db import Database
from counterfoil.db.database import DatabaseUnavailable, is_passing
from counterfoil.kit import context
from counterfoil.observability import get_logger
from counterfoil.outbound import repository
from counterfoil.outbound.repository import CallRow

_BATCH = 200
_EVERY_S = 1.0
_MOST_WAITING = 10_000
_PAUSE_S = 1.0
# A job that is told to stop has a few seconds for all it leaves behind.
_STOPPED_S = 3.0
_CLOSED_S = 60.0
_TROUBLE = (DatabaseUnavailable, DBAPIError, PoolTimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One attempt, as the client that made it knows it; secrets are masked already."""

    id: UUID
    at: datetime
    method: str
    url: str
    status: int | None
    duration_ms: float
    request_bytes: int
    response_bytes: int | None
    attempt: int
    cost: Decimal | None
    error_code: str | None
    excerpt: str | None


class CallLog:
    """The log of one connection's requests. Use it as an async context manager: leaving it writes what still waits."""

    def __init__(
        self, database: Database, *, tenant_id: UUID, connection_id: UUID, kind: str, most_waiting: int = _MOST_WAITING
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._connection_id = connection_id
        self._kind = kind
        self._most_waiting = most_waiting
        self._waiting: deque[CallRow] = deque()
        self._due = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._dropped = 0

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        is_stopped = error is not None and not isinstance(error, Exception)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOPPED_S if is_stopped else _CLOSED_S):
                await self._write_rest()
        self._dropped += len(self._waiting)
        if self._dropped:
            _log.error("api_calls.dropped", connection_id=str(self._connection_id), count=self._dropped)

    def note(self, sent: Sent) -> None:
        """Remember an attempt; costs no time. What does not fit into memory is counted and dropped."""
        if len(self._waiting) >= self._most_waiting:
            if not self._dropped:
                _log.warning("api_calls.full", connection_id=str(self._connection_id), waiting=len(self._waiting))
            self._dropped += 1
            return
        self._waiting.append(
            CallRow(
                connection_id=self._connection_id,
                kind=self._kind,
                job_id=context.current_job_id.get(),
                correlation_id=context.current_correlation_id.get(),
                **{name: getattr(sent, name) for name in Sent.__slots__},
            )
        )
        if len(self._waiting) >= _BATCH:
            self._due.set()

    async def _write_on(self) -> None:
        while True:
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._due.wait()
            self._due.clear()
            await self._write_rest()

    async def _write_rest(self) -> None:
        """Write until nothing waits any more; a database that is away only delays it."""
        size = _BATCH
        while batch := [self._waiting[at] for at in range(min(size, len(self._waiting)))]:
            try:
                async with self._database.unit_of_work(self._tenant_id) as uow:
                    await repository.add(uow, batch)
            except _TROUBLE as error:
                if is_passing(error) or isinstance(error, OSError):
                    _log.warning("api_calls.delayed", waiting=len(self._waiting), error=type(error).__name__)
                    await asyncio.sleep(_PAUSE_S)
                    continue
                if size > 1:
                    # One that cannot be written must not take the others along.
                    size = 1
                    continue
                _log.error("api_calls.refused", error=str(error))
                self._dropped += 1
            for _ in batch:
                self._waiting.popleft()
