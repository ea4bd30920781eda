"""One attempt at a job, shared between the thread that watches over it and the loop that runs it."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from counterfoil.jobs.repository import ClaimedRow
from counterfoil.kit.clock import Reading
from counterfoil.kit.context import Actor


class StopReason(Enum):
    """Why an attempt is stopped from outside."""

    LOST_LEASE = "lost_lease"
    CANCELLED = "cancelled"
    TIME_LIMIT = "time_limit"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to run a job: valid for as long as the fence in the row is this one."""

    tenant_id: UUID
    job_id: UUID
    row: ClaimedRow
    made_s: float = field(default_factory=time.monotonic)

    @property
    def clock(self) -> Reading:
        """The database's. What passed on the way makes it a little slow, never fast."""
        return Reading(at=self.row.claimed_at, read_s=self.made_s)

    @property
    def actor(self) -> Actor:
        return Actor(kind=self.row.requested_by_kind, id=self.row.requested_by_id, label=self.row.requested_by_label)


class Attempt:
    """A claim in work. ``stop`` may be called from any thread; the first reason wins."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.reason: StopReason | None = None
        self.stopped_at: float | None = None
        self._lock = threading.Lock()
        self._work: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def attach(self, task: "asyncio.Task[Any]") -> None:
        """Say what a stop cancels; called in the task's loop."""
        with self._lock:
            self._work = (asyncio.get_running_loop(), task)
            if self.reason is not None:
                task.cancel()

    def stop(self, reason: StopReason) -> None:
        with self._lock:
            if self.reason is not None:
                return
            self.reason = reason
            self.stopped_at = time.monotonic()
            if self._work is not None:
                loop, task = self._work
                loop.call_soon_threadsafe(task.cancel)
