"""What can be done with jobs. Every function works inside the caller's unit of work."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ValidationError

from counterfoil import audit
from counterfoil.db.database import Database, UnitOfWork
from counterfoil.jobs import repository
from counterfoil.jobs.errors import (
    AttemptsExhausted,
    JobAlreadyFinished,
    JobCancelled,
    JobInProgress,
    JobParamsInvalid,
    JobUnfinished,
    LostLease,
)
from counterfoil.jobs.models import QUEUES, Job, JobEvent
from counterfoil.jobs.registry import TaskRegistry
from counterfoil.jobs.repository import Ended
from counterfoil.kit import context
from counterfoil.kit.errors import FieldError, NotFound, PermissionDenied, Problem
from counterfoil.kit.ids import new_id
from counterfoil.plugins.connector import SourceError
from counterfoil.plugins.records import Outcome, Task

RESOURCE = "job"
# From here on people count in minutes.
_MANY_SECONDS = 180
# What a person is told about a job that failed.
Failure: TypeAlias = Problem | SourceError


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The final state of a job; ``refused`` says what was missing where the product would not do it."""

    status: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    refused: str | None = None
    reasons: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def of_outcome(cls, outcome: Outcome) -> Self:
        reasons = [reason.as_json() for reason in outcome.reasons]
        error = None
        if outcome.status == "failed":
            first = reasons[0] if reasons else {"code": "failed", "detail": "The job reported a failure."}
            error = {"code": first["code"], "detail": first["detail"]}
        return cls(status=outcome.status, result=outcome.result, error=error, reasons=reasons)

    @classmethod
    def of_failure(cls, failure: Failure) -> Self:
        refused = failure.reason if isinstance(failure, Problem) and failure.is_refusal else None
        return cls(status="failed", error={"code": failure.code, "detail": _said(failure)}, refused=refused)

    @classmethod
    def cancelled(cls) -> Self:
        return cls(status="cancelled")

    @property
    def outcome(self) -> Literal["ok", "error", "denied"]:
        if self.refused is not None:
            return "denied"
        return "error" if self.status == "failed" else "ok"

    @property
    def reason(self) -> str | None:
        return self.refused or (self.error["code"] if self.error else None)


async def enqueue(
    uow: UnitOfWork,
    task: Task,
    params: BaseModel,
    *,
    title: str | None = None,
    subject: tuple[str, UUID] | None = None,
    replay_of: UUID | None = None,
) -> Job:
    """Ask for a job, in the business transaction: it exists exactly if that commits.

    Args:
        uow: the caller's unit of work.
        task: the kind of job.
        params: checked parameters; kept as JSON.
        title: what a person reads; the task's own title by default.
        subject: what the job is about, such as ``("connection", id)``. While a job of this kind for this subject is
            queued or running, none is made; that one is returned when it was asked for with the same parameters.
        replay_of: the job this one repeats.

    Raises:
        JobInProgress: an unfinished job of this kind and subject has other parameters.
    """
    if task.queue not in QUEUES:
        msg = f"{task.name}: no queue is called {task.queue!r}"
        raise ValueError(msg)
    actor = context.current_actor.get()
    values = {
        "kind": task.name,
        "title": title or task.title,
        "queue": task.queue,
        "params": params.model_dump(mode="json"),
        "max_idle_attempts": task.max_idle_attempts,
        "subject_type": subject[0] if subject else None,
        "subject_id": subject[1] if subject else None,
        "correlation_id": context.current_correlation_id.get() or new_id(),
        "requested_by_kind": actor.kind,
        "requested_by_id": actor.id,
        "requested_by_label": actor.label,
        "replay_of": replay_of,
    }
    while True:
        if subject and (existing := await repository.unfinished_of_subject(uow, kind=task.name, subject=subject)):
            if existing.params != values["params"]:
                detail = f"{existing.title} is {existing.status} with other options."
                raise JobInProgress(detail, job_id=existing.id)
            return existing
        # None: another transaction was first; the next look finds its job, unless that has already finished.
        if job := await repository.add(uow, {"id": new_id(), **values}):
            break
    await audit.record(
        uow,
        action="core.job.requested",
        resource_type=RESOURCE,
        resource_id=job.id,
        payload={
            "kind": job.kind,
            "title": job.title,
            "params": job.params,
            "subject": {"type": subject[0], "id": str(subject[1])} if subject else None,
            "replay_of": str(replay_of) if replay_of else None,
        },
    )
    return job


async def get(uow: UnitOfWork, job_id: UUID) -> Job:
    """One job of this tenant.

    Raises:
        NotFound: also for another tenant's.
    """
    job = await repository.get(uow, job_id)
    if job is None:
        raise NotFound("There is no such job.")
    return job


async def page(
    uow: UnitOfWork, *, status: str | None, kind: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Job]:
    return await repository.page(uow, status=status, kind=kind, after=after, limit=limit)


async def events_after(uow: UnitOfWork, job_id: UUID, *, seq: int, until: int, limit: int) -> Sequence[JobEvent]:
    return await repository.events_after(uow, job_id, seq=seq, until=until, limit=limit)


async def cancel(uow: UnitOfWork, job_id: UUID) -> Job:
    """End a queued job at once; ask a running one to stop at its next step.

    Raises:
        NotFound: no such job.
        JobAlreadyFinished: it ended before, other than by being cancelled.
    """
    job = await get(uow, job_id)
    status = await repository.request_cancel(await uow.driver(), job_id)
    job = await get(uow, job_id)
    if status is None:
        # Asked before: it has ended so, or will at its next step.
        if job.is_finished and job.status != "cancelled":
            raise JobAlreadyFinished(f"It ended as {job.status}.")
        return job
    await audit.record(
        uow,
        action="core.job.cancelled",
        resource_type=RESOURCE,
        resource_id=job_id,
        payload={"kind": job.kind, "was": "queued" if status == "cancelled" else "running"},
    )
    if status == "cancelled":
        ended = Ended(kind=job.kind, correlation_id=job.correlation_id)
        await _record_finished(uow, job_id, ended, Ending.cancelled())
    return job


async def replay(uow: UnitOfWork, job_id: UUID, *, tasks: TaskRegistry, permissions: frozenset[str]) -> Job:
    """Ask for a finished job once more, with the same parameters.

    Args:
        uow: the caller's unit of work.
        job_id: the finished job.
        tasks: the kinds there are.
        permissions: the caller's; running a job again takes what starting it took.

    Raises:
        NotFound: no such job.
        PermissionDenied: the caller may not start jobs of this kind.
        JobUnfinished: it has not ended yet.
        TaskUnknown: its kind is gone.
        JobParamsInvalid: its kind has come to take other parameters.
        JobInProgress: an unfinished job of this kind and subject has other parameters.
    """
    job = await get(uow, job_id)
    task = tasks[job.kind]
    if task.permission not in permissions:
        raise PermissionDenied(f"This needs the permission {task.permission}.", reason=task.permission)
    if not job.is_finished:
        raise JobUnfinished(f"It is {job.status}.")
    subject = (job.subject_type, job.subject_id) if job.subject_type and job.subject_id else None
    return await enqueue(
        uow, task, checked_params(task, job.params), title=job.title, subject=subject, replay_of=job.id
    )


def checked_params(task: Task, params: Mapping[str, Any]) -> BaseModel:
    """Parameters as the kind of job takes them.

    Raises:
        JobParamsInvalid: it does not take these.
    """
    try:
        return task.params.model_validate(params)
    except ValidationError as error:
        errors = [FieldError(path=".".join(map(str, e["loc"])), message=e["msg"]) for e in error.errors()]
        raise JobParamsInvalid("; ".join(f"{e.path}: {e.message}" for e in errors), errors=errors) from error


async def finish(uow: UnitOfWork, job_id: UUID, *, fence: int, ending: Ending) -> None:
    """End a running job.

    Raises:
        LostLease: it is somebody else's by now.
    """
    ended = await repository.finish(
        await uow.driver(),
        job_id,
        fence=fence,
        status=ending.status,
        result=ending.result,
        error=ending.error,
        reasons=ending.reasons,
    )
    if ended is None:
        raise LostLease
    await _record_finished(uow, job_id, ended, ending)


async def finish_now(database: Database, tenant_id: UUID, job_id: UUID, *, fence: int, ending: Ending) -> None:
    """As ``finish``, in a unit of work of its own that takes one round trip: this is how nearly every job ends.

    Raises:
        LostLease: it is somebody else's by now.
    """
    actor = context.current_actor.get()
    if not await repository.finish_now(
        database,
        tenant_id,
        job_id,
        fence=fence,
        status=ending.status,
        documents=(ending.result, ending.error, ending.reasons),
        event=(new_id(), actor.kind, actor.id, actor.label, ending.outcome, ending.reason),
    ):
        raise LostLease


async def release(
    uow: UnitOfWork,
    job_id: UUID,
    *,
    fence: int,
    delay_s: float = 0.0,
    failure: Failure | None = None,
    tried: int | None = None,
) -> bool:
    """Give a running job back to the queue; whether it will be tried again.

    Args:
        uow: a unit of work of the job's tenant.
        job_id: the job.
        fence: the fence of this attempt.
        delay_s: how long to wait before the next attempt.
        failure: why, when the attempt failed: it then counts, and ends the job when it was the last one. Without, the
            attempt was merely interrupted and does not count.
        tried: the number of the attempt, when it is the kind's own policy that has it followed by another: no progress makes
            up for it then, and the job's log and progress say when it goes on, and why.

    Raises:
        LostLease: it is somebody else's by now.
    """
    driver = await uow.driver()
    note = None
    if failure is not None and tried is not None:
        said = _said(failure)
        note = f"Trying again in {_in_words(delay_s)}: {said}", {"code": failure.code, "detail": said, "attempt": tried}
    counts = failure is not None
    if await repository.release(driver, job_id, fence=fence, delay_s=delay_s, counts=counts, tried=tried, note=note):
        return True
    held = await repository.hold(driver, job_id, fence=fence, lease_s=0)
    if held is None:
        raise LostLease
    ending = Ending.cancelled() if held.cancel_requested else Ending.of_failure(failure or AttemptsExhausted())
    await finish(uow, job_id, fence=fence, ending=ending)
    return False


async def end_stuck(uow: UnitOfWork, job_id: UUID) -> bool:
    """End a job whose worker died and that may not run again: its attempts are used up, or somebody cancelled it."""
    stuck = await repository.stuck(await uow.driver(), job_id)
    if stuck is None:
        return False
    ending = Ending.cancelled() if stuck.cancel_requested else Ending.of_failure(AttemptsExhausted())
    await finish(uow, job_id, fence=stuck.fence, ending=ending)
    return True


async def hold(uow: UnitOfWork, job_id: UUID, *, fence: int, lease_s: float) -> None:
    """Prove that the job is still ours, extend its lease, and keep the row locked until this unit ends.

    Raises:
        LostLease: it is somebody else's by now.
        JobCancelled: somebody asked for it to end.
    """
    held = await repository.hold(await uow.driver(), job_id, fence=fence, lease_s=lease_s)
    if held is None:
        raise LostLease
    if held.cancel_requested:
        raise JobCancelled


def _said(failure: Failure) -> str:
    said = failure.detail or (failure.title if isinstance(failure, Problem) else "")
    # Neither text nor jsonb takes U+0000, and a detail may quote a vendor.
    return said.replace("\0", "")


def _in_words(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < _MANY_SECONDS else f"{math.ceil(whole / 60)} min"


async def _record_finished(uow: UnitOfWork, job_id: UUID, ended: Ended, ending: Ending) -> None:
    # Whoever ends it (its worker, the ticker, a person), the end belongs to the request that asked for the job.
    with (
        context.bound(context.current_correlation_id, ended.correlation_id),
        context.bound(context.current_job_id, job_id),
    ):
        await audit.record(
            uow,
            action="core.job.finished",
            resource_type=RESOURCE,
            resource_id=job_id,
            outcome=ending.outcome,
            reason=ending.reason,
            payload={"kind": ended.kind, "status": ending.status, "reasons": ending.reasons},
        )
