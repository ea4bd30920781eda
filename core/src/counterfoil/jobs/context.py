"""What a running job works with: units of work that only the rightful attempt can commit."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from counterfoil.db.database import Database, UnitOfWork
from counterfoil.jobs import repository, service
from counterfoil.jobs.errors import LostLease
from counterfoil.kit.provided import Provided
from counterfoil.plugins.connector import SourceError
from counterfoil.plugins.records import RetryPolicy


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """Handed to ``Task.run``.

    Attributes:
        job_id: this job.
        tenant_id: whose job it is.
        attempt: 1 for the first try.
        tried: attempts that count against the policy, this one included.
        retry: the policy of the job's kind.
        last_progress: what an earlier attempt reported last, to continue its counts.
        provided: the worker's shared objects, by type.
    """

    job_id: UUID
    tenant_id: UUID
    attempt: int
    provided: Provided
    database: Database = field(repr=False)
    fence: int
    lease_s: float
    last_progress: Mapping[str, Any] | None = None
    tried: int = 1
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def tries_again(self, error: SourceError) -> bool:
        """Whether raising this error has the job tried again later, rather than ended."""
        return self.retry.allows_another(error.code, self.tried)

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """One transaction of this job; commits at the end of the block, rolls back on any error.

        It begins by locking the job's row under this attempt's fence, so that a worker that was thought dead can
        never commit beside its successor. Wait for vendors outside of it: it holds a lock.

        Raises:
            LostLease: another worker has the job; let it pass through.
            JobCancelled: somebody asked for the job to end; let it pass through.
        """
        began = time.monotonic()
        async with self.database.unit_of_work(self.tenant_id) as uow:
            await service.hold(uow, self.job_id, fence=self.fence, lease_s=self.lease_s)
            yield uow
            # The heartbeat cannot get at the row meanwhile: a long unit renews its own lease before it lets go.
            if time.monotonic() - began > self.lease_s / 3:
                await repository.hold(await uow.driver(), self.job_id, fence=self.fence, lease_s=self.lease_s)

    async def progress(
        self,
        uow: UnitOfWork,
        *,
        done: int,
        total: int | None = None,
        message: str = "",
        data: Mapping[str, Any] | None = None,
        advanced: bool | None = None,
    ) -> None:
        """Report how far the job is; shown live, and kept when the unit commits.

        Args:
            uow: a unit of work of this job.
            done: units done so far, over all attempts.
            total: units in all, when known.
            message: a short line for people.
            data: more keys of the progress, such as ``streams``.
            advanced: whether this commit brings the job nearer to its end, so that interrupted attempts before it no
                longer count; by default, when ``done`` has grown since the last report.
        """
        progress = {**(data or {}), "done": done, "total": total, "message": message}
        if not await repository.set_progress(
            await uow.driver(), self.job_id, fence=self.fence, progress=progress, advanced=advanced
        ):
            raise LostLease

    async def log(self, uow: UnitOfWork, level: str, message: str, data: Mapping[str, Any] | None = None) -> None:
        """Add a line to the job's log; shown live, and kept when the unit commits."""
        if not await repository.add_line(
            await uow.driver(),
            self.job_id,
            fence=self.fence,
            level=level,
            message=message.replace("\0", ""),
            data=dict(data or {}),
        ):
            raise LostLease
