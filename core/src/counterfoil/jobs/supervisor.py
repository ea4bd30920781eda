"""Watches over one attempt from a pool child's main thread: claim, heartbeat, cancel, time limit, hand-over.

The job's own code runs on another thread's loop. However long that loop is blocked, the heartbeat here goes on; and
when the whole process is stopped, both stop, the lease runs out, and the fence keeps the sleeper from writing.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from counterfoil.db.database import Database, UnitOfWork
from counterfoil.jobs import repository, service
from counterfoil.jobs.attempt import Attempt, Claim, StopReason
from counterfoil.jobs.errors import DATABASE_TROUBLE, LostLease, TimeLimitExceeded
from counterfoil.jobs.runner import JobRunner
from counterfoil.jobs.service import Ending
from counterfoil.observability import get_logger

_WATCH_S = 0.25
_GRACE_S = 5.0

_log = get_logger(__name__)


def lease_owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """Runs jobs one after the other.

    Args:
        database: a small pool of the main thread's own loop.
        runner: what runs the job, on ``job_loop``.
        job_loop: the loop of the job thread.
        is_stopping: whether this worker shuts down.
        is_alive: whether the job thread still runs.
        leave: ends this process at once, for an attempt that does not stop when told to.
    """

    database: Database
    runner: JobRunner
    job_loop: asyncio.AbstractEventLoop
    lease_s: float
    is_stopping: Callable[[], bool]
    is_alive: Callable[[], bool]
    leave: Callable[[], None]
    owner: str = field(default_factory=lease_owner)

    async def run(self, tenant_id: UUID, job_id: UUID) -> None:
        try:
            claim = await self._claim(tenant_id, job_id)
        except DATABASE_TROUBLE as error:
            # Nothing is lost: the row is still queued, and the ticker publishes it again.
            _log.warning("job.not_claimed", job_id=str(job_id), error=str(error))
            return
        if claim is None:
            return
        attempt = Attempt(claim)
        work = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.runner.execute(attempt), self.job_loop))
        heartbeat = asyncio.create_task(self._heartbeat(attempt))
        try:
            await self._watch(attempt, work)
        except DATABASE_TROUBLE as error:
            # The end could not be recorded; the lease runs out and the job is tried again.
            _log.error("job.end_not_recorded", job_id=str(job_id), error=str(error))
        finally:
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat

    async def _claim(self, tenant_id: UUID, job_id: UUID) -> Claim | None:
        if self.is_stopping():
            async with self.database.unit_of_work(tenant_id) as uow:
                await repository.hand_back(await uow.driver(), job_id)
            return None
        row = await repository.claim_now(self.database, tenant_id, job_id, owner=self.owner, lease_s=self.lease_s)
        return Claim(tenant_id=tenant_id, job_id=job_id, row=row) if row else None

    async def _heartbeat(self, attempt: Attempt) -> None:
        claim = attempt.claim
        while True:
            await asyncio.sleep(self.lease_s / 3)
            try:
                async with self.database.unit_of_work(claim.tenant_id) as uow:
                    held = await repository.hold(
                        await uow.driver(), claim.job_id, fence=claim.row.fence, lease_s=self.lease_s
                    )
            except DATABASE_TROUBLE as error:
                # Also when the job's own unit of work has the row: that unit renews the lease itself.
                _log.debug("job.heartbeat_missed", job_id=str(claim.job_id), error=str(error))
                continue
            if held is None:
                attempt.stop(StopReason.LOST_LEASE)
                return
            if held.cancel_requested:
                attempt.stop(StopReason.CANCELLED)

    async def _watch(self, attempt: Attempt, work: "asyncio.Future[None]") -> None:
        limit_s = self.runner.time_limit_s(attempt.claim.row.kind)
        deadline = time.monotonic() + limit_s if limit_s is not None else None
        while True:
            done, _ = await asyncio.wait({work}, timeout=_WATCH_S)
            if done:
                work.result()
                return
            if self.is_stopping():
                attempt.stop(StopReason.SHUTDOWN)
            elif deadline is not None and time.monotonic() > deadline:
                attempt.stop(StopReason.TIME_LIMIT)
            overdue = attempt.stopped_at is not None and time.monotonic() - attempt.stopped_at > _GRACE_S
            if overdue or not self.is_alive():
                await self._abandon(attempt)
                self.leave()

    async def _abandon(self, attempt: Attempt) -> None:
        """Record the end of an attempt whose code does not stop; the fence shuts it out from here on."""
        claim = attempt.claim
        _log.error("job.abandoned", job_id=str(claim.job_id), reason=attempt.reason)
        try:
            async with self.database.unit_of_work(claim.tenant_id) as uow:
                await self._end_abandoned(uow, attempt)
        except (LostLease, *DATABASE_TROUBLE) as error:
            _log.warning("job.end_not_recorded", job_id=str(claim.job_id), error=str(error))

    async def _end_abandoned(self, uow: UnitOfWork, attempt: Attempt) -> None:
        claim, fence = attempt.claim, attempt.claim.row.fence
        if attempt.reason is StopReason.TIME_LIMIT:
            await service.finish(uow, claim.job_id, fence=fence, ending=Ending.of_failure(TimeLimitExceeded()))
        elif attempt.reason is StopReason.CANCELLED:
            await service.finish(uow, claim.job_id, fence=fence, ending=Ending.cancelled())
        elif attempt.reason is not StopReason.LOST_LEASE:
            await service.release(uow, claim.job_id, fence=fence)
