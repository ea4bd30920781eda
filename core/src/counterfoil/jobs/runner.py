"""Runs an attempt on the job loop: binds the context, calls the task, and records how it ended."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from counterfoil.db.database import Database, is_passing
from counterfoil.jobs import service
from counterfoil.jobs.attempt import Attempt, Claim, StopReason
from counterfoil.jobs.context import JobContext
from counterfoil.jobs.errors import (
    AttemptsExhausted,
    JobCancelled,
    LostLease,
    TaskUnknown,
    TimeLimitExceeded,
)
from counterfoil.jobs.service import Ending, Failure
from counterfoil.kit import clock, context
from counterfoil.kit.errors import Problem
from counterfoil.kit.provided import Provided
from counterfoil.observability import get_logger
from counterfoil.plugins.connector import SourceError
from counterfoil.plugins.records import Outcome, RetryPolicy, Task

_RETRYABLE = (RedisConnectionError, RedisTimeoutError)
# What is nobody's fault is mostly over at once.
_INTERRUPTED = RetryPolicy(base_s=1.0, cap_s=60.0)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _GiveBack:
    """The attempt did not end the job: it goes back to the queue, for what went wrong, if anything did.

    ``tried`` is the attempt's number where the kind's own policy has it followed by another.
    """

    failure: Failure | None = None
    delay_s: float = 0.0
    tried: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Lost:
    """Somebody else has the job: there is nothing to record."""


_Verdict = Ending | _GiveBack | _Lost


@dataclass(frozen=True, kw_only=True)
class JobRunner:
    """Everything an attempt needs, for the life of one worker process."""

    database: Database
    provided: Provided
    lease_s: float
    tasks: Mapping[str, Task] = field(default_factory=dict)

    def time_limit_s(self, kind: str) -> float | None:
        task = self.tasks.get(kind)
        return task.time_limit_s if task else None

    async def execute(self, attempt: Attempt) -> None:
        """Run one attempt to its end. Nothing is raised for what the job did; only for a database that stays away."""
        claim = attempt.claim
        with ExitStack() as stack:
            stack.enter_context(context.bound(context.current_tenant_id, claim.tenant_id))
            stack.enter_context(context.bound(context.current_correlation_id, claim.row.correlation_id))
            stack.enter_context(context.bound(context.current_actor, claim.actor))
            stack.enter_context(context.bound(context.current_job_id, claim.job_id))
            stack.enter_context(clock.following(claim.clock))
            _log.info("job.started", kind=claim.row.kind, attempt=claim.row.attempt)
            verdict = await self._verdict(attempt)
            try:
                await self._record(claim, verdict)
            except LostLease:
                _log.warning("job.lease_lost", kind=claim.row.kind, attempt=claim.row.attempt)

    async def _verdict(self, attempt: Attempt) -> _Verdict:
        work = asyncio.create_task(self._run(attempt.claim))
        attempt.attach(work)
        try:
            return Ending.of_outcome(await work)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  (the edge of foreign code: any error must end the job)
            return _judge(error, attempt, self._policy(attempt.claim))

    def _policy(self, claim: Claim) -> RetryPolicy:
        task = self.tasks.get(claim.row.kind)
        return task.retry if task else RetryPolicy()

    async def _run(self, claim: Claim) -> Outcome:
        row = claim.row
        task = self.tasks.get(row.kind)
        if task is None:
            raise TaskUnknown(f"No plugin of this worker has a task {row.kind!r}.")
        params = service.checked_params(task, row.params)
        job = JobContext(
            job_id=claim.job_id,
            tenant_id=claim.tenant_id,
            attempt=row.attempt,
            provided=self.provided,
            database=self.database,
            fence=row.fence,
            lease_s=self.lease_s,
            last_progress=row.progress,
            tried=row.idle_attempt,
            retry=self._policy(claim),
        )
        return await task.run(job, params)

    async def _record(self, claim: Claim, verdict: _Verdict) -> None:
        if isinstance(verdict, _Lost):
            raise LostLease
        if isinstance(verdict, Ending):
            await service.finish_now(
                self.database, claim.tenant_id, claim.job_id, fence=claim.row.fence, ending=verdict
            )
            _log.info("job.finished", kind=claim.row.kind, status=verdict.status, error=verdict.error)
            return
        async with self.database.unit_of_work(claim.tenant_id) as uow:
            again = await service.release(
                uow,
                claim.job_id,
                fence=claim.row.fence,
                delay_s=verdict.delay_s,
                failure=verdict.failure,
                tried=verdict.tried,
            )
            _log.info("job.released", kind=claim.row.kind, will_run_again=again, delay_s=verdict.delay_s)


def _judge(error: BaseException, attempt: Attempt, retry: RetryPolicy) -> _Verdict:
    """What an error, or a stop from outside, means for the job."""
    leaves = list(_leaves(error))
    return _told_to_stop(leaves, attempt.reason) or _failed(error, leaves, attempt.claim, retry)


def _told_to_stop(leaves: list[BaseException], reason: StopReason | None) -> _Verdict | None:
    if reason is StopReason.LOST_LEASE or any(isinstance(leaf, LostLease) for leaf in leaves):
        return _Lost()
    if reason is StopReason.CANCELLED or any(isinstance(leaf, JobCancelled) for leaf in leaves):
        return Ending.cancelled()
    if reason is StopReason.TIME_LIMIT:
        return Ending.of_failure(TimeLimitExceeded())
    return _GiveBack() if reason is StopReason.SHUTDOWN else None


def _failed(error: BaseException, leaves: list[BaseException], claim: Claim, retry: RetryPolicy) -> _Verdict:
    tried = claim.row.idle_attempt
    if all(_is_passing(leaf) for leaf in leaves):
        _log.warning("job.interrupted", error=str(leaves[0]))
        away = AttemptsExhausted("The database or the cache went away again and again.")
        return _GiveBack(failure=away, delay_s=_INTERRUPTED.wait_s(tried))
    failure = next((leaf for leaf in leaves if isinstance(leaf, Problem | SourceError)), None)
    if isinstance(failure, TaskUnknown):
        # Another worker may be a version ahead; only when none takes it, the job ends with this.
        return _GiveBack(failure=failure, delay_s=_INTERRUPTED.wait_s(tried))
    if failure is None:
        _log.error("job.crashed", exc_info=error)
        correlation_id = claim.row.correlation_id
        return Ending.of_failure(
            Problem(f"Something went wrong on our side. Quote the correlation id {correlation_id}.")
        )
    if retry.allows_another(failure.code, tried):
        asked_s = failure.retry_after_s if isinstance(failure, SourceError) else None
        return _GiveBack(failure=failure, delay_s=retry.wait_s(tried, at_least_s=asked_s), tried=tried)
    return Ending.of_failure(failure)


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, _RETRYABLE) or is_passing(error)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
