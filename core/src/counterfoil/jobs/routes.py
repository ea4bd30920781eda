"""``/api/v1/jobs``: the list, one job, its events as they happen, its log and files, cancelling, and running again."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import Response, StreamingResponse

from counterfoil.connections import service as connections
from counterfoil.connections.errors import ConnectionNotFound, CredentialsUnreadable, UnknownConnector
from counterfoil.db import Database, UnitOfWork
from counterfoil.entitlements.service import require_sync
from counterfoil.ingest.errors import ConnectionNotReady, SyncUnderWay, UnknownStream
from counterfoil.jobs import artifacts, service
from counterfoil.jobs.errors import (
    DATABASE_TROUBLE,
    JobAlreadyFinished,
    JobInProgress,
    JobParamsInvalid,
    JobUnfinished,
    TaskUnknown,
)
from counterfoil.jobs.feed import JobFeed
from counterfoil.jobs.registry import TaskRegistry
from counterfoil.jobs.schemas import JobArtifactOut, JobLogLine, JobOut, JobRequested, JobStatus
from counterfoil.kit.errors import EntitlementRequired, NotFound, PluginDisabled
from counterfoil.objects import ObjectStore
from counterfoil.objects import service as objects
from counterfoil.objects.errors import ObjectDamaged
from counterfoil.objects.store import ObjectStoreUnavailable
from counterfoil.observability import get_logger
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.web import Listing, Page, decode_cursor, encode_cursor, provided, sse
from counterfoil.web.links import finds
from counterfoil.web.pagination import InvalidCursor, instant_of, listing, number_of
from counterfoil.web.problems import problem_responses

_POLL_S = 2.0
_HEARTBEAT_S = 15.0
# As long as an access token: the browser reconnects by itself, and what it may see is checked again.
_STREAM_LIFE_S = 900.0
_LINES = 500
_NO_BOUND = 2**63 - 1
# Nothing else is an id we sent; what is not starts from the beginning.
_SEQUENCE = re.compile(r"[0-9]{1,18}")

_log = get_logger(__name__)

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])


@router.get("", operation_id="listJobs", responses={**finds(200, job_id="/items/0/id"), **problem_responses(403)})
async def list_jobs(
    scope: Annotated[Scope, require("jobs.read")],
    listing: Annotated[Listing, Depends(listing)],
    status: Annotated[JobStatus | None, Query(description="Only jobs in this state")] = None,
    kind: Annotated[str | None, Query(max_length=200, description="Only jobs of this kind")] = None,
) -> Page[JobOut]:
    """Jobs of the tenant, newest first."""
    after = _position(listing.cursor) if listing.cursor else None
    jobs = await service.page(scope.uow, status=status, kind=kind, after=after, limit=listing.limit + 1)
    items = jobs[: listing.limit]
    more = len(jobs) > listing.limit
    return Page(
        items=[JobOut.of(job) for job in items],
        next_cursor=encode_cursor(items[-1].created_at.isoformat(), str(items[-1].id)) if more else None,
    )


@router.get("/{job_id}", operation_id="getJob", responses=problem_responses(403, 404))
async def get_job(job_id: UUID, scope: Annotated[Scope, require("jobs.read")]) -> JobOut:
    return JobOut.of(await service.get(scope.uow, job_id))


@router.get(
    "/{job_id}/events",
    operation_id="streamJobEvents",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`job` (a Job) on every change, `log` (a line) as they are written, `end` when it is final",
            "content": sse.content("job", "log", "end"),
        },
        **problem_responses(403, 404),
    },
)
async def stream_job_events(
    job_id: UUID,
    scope: Annotated[Scope, require("jobs.read")],
    database: Annotated[Database, Depends(provided(Database))],
    feed: Annotated[JobFeed, Depends(provided(JobFeed))],
    last_event_id: Annotated[str | None, Header(description="Id of the last event that arrived")] = None,
) -> StreamingResponse:
    """The job's changes and log lines as server-sent events; resumes after ``Last-Event-ID``."""
    await service.get(scope.uow, job_id)
    seen = int(last_event_id) if last_event_id and _SEQUENCE.fullmatch(last_event_id) else 0
    tenant_id = scope.caller.tenant_id
    return sse.stream(_events(job_id, tenant_id=tenant_id, database=database, feed=feed, seen=seen))


@router.post("/{job_id}/cancel", operation_id="cancelJob", responses=problem_responses(403, 404, JobAlreadyFinished))
async def cancel_job(job_id: UUID, scope: Annotated[Scope, require("jobs.cancel")]) -> JobOut:
    """End a queued job at once, ask a running one to stop."""
    return JobOut.of(await service.cancel(scope.uow, job_id))


@router.post(
    "/{job_id}/replay",
    operation_id="replayJob",
    status_code=202,
    responses={
        **finds(202, job_id="/job_id"),
        **problem_responses(
            403,
            EntitlementRequired,
            PluginDisabled,
            404,
            ConnectionNotFound,
            JobUnfinished,
            JobInProgress,
            SyncUnderWay,
            ConnectionNotReady,
            UnknownConnector,
            UnknownStream,
            JobParamsInvalid,
            TaskUnknown,
            CredentialsUnreadable,
        ),
    },
)
async def replay_job(
    job_id: UUID,
    scope: Annotated[Scope, require("jobs.read")],
    tasks: Annotated[TaskRegistry, Depends(provided(TaskRegistry))],
    plugins: Annotated[PluginManager, Depends(provided(PluginManager))],
) -> JobRequested:
    """Run a finished job again with the same parameters. It takes the permission that starting such a job takes."""
    job = await service.get(scope.uow, job_id)
    connection_id = job.subject_id if job.subject_type == connections.RESOURCE else None
    if connection_id is not None:
        await _require_usable(scope.uow, connection_id, plugins)
    again = await service.replay(scope.uow, job_id, tasks=tasks, permissions=scope.permissions)
    if connection_id is not None:
        await connections.record_job(scope.uow, connection_id, again.id)
    return JobRequested(job_id=again.id, correlation_id=again.correlation_id)


@router.get(
    "/{job_id}/log",
    operation_id="getJobLog",
    response_model=Page[JobLogLine],
    responses={
        200: {
            "description": "A page of lines; as text, all of them",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **problem_responses(403, 404),
    },
)
async def get_job_log(
    job_id: UUID,
    scope: Annotated[Scope, require("jobs.read")],
    listing: Annotated[Listing, Depends(listing)],
    database: Annotated[Database, Depends(provided(Database))],
    format: Annotated[Literal["json", "text"], Query(description="`text`: the whole log as a file")] = "json",  # noqa: A002  (the parameter's name)
) -> Page[JobLogLine] | Response:
    """The lines of the job's log, oldest first. Old lines are deleted after a while."""
    await service.get(scope.uow, job_id)
    if format == "text":
        lines = _all_lines(job_id, tenant_id=scope.caller.tenant_id, database=database)
        headers = {"Content-Disposition": _attachment(f"job-{job_id}.log")}
        return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)
    seen = number_of(listing.cursor) if listing.cursor else 0
    found = await service.events_after(scope.uow, job_id, seq=seen, until=_NO_BOUND, limit=listing.limit + 1)
    items = found[: listing.limit]
    return Page(
        items=[JobLogLine.of(line) for line in items],
        next_cursor=encode_cursor(items[-1].seq) if len(found) > listing.limit else None,
    )


@router.get(
    "/{job_id}/artifacts",
    operation_id="listJobArtifacts",
    responses={**finds(200, artifact_id="/items/0/id"), **problem_responses(403, 404)},
)
async def list_job_artifacts(job_id: UUID, scope: Annotated[Scope, require("jobs.read")]) -> Page[JobArtifactOut]:
    """The files that the job made."""
    await service.get(scope.uow, job_id)
    return Page(items=[JobArtifactOut.of(*found) for found in await artifacts.of_job(scope.uow, job_id)])


@router.get(
    "/{job_id}/artifacts/{artifact_id}",
    operation_id="downloadJobArtifact",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        **problem_responses(403, 404, ObjectDamaged, ObjectStoreUnavailable),
    },
)
async def download_job_artifact(
    job_id: UUID,
    artifact_id: UUID,
    scope: Annotated[Scope, require("jobs.read")],
    store: Annotated[ObjectStore, Depends(provided(ObjectStore))],
) -> StreamingResponse:
    """One file that the job made. A file that is not what the job stored any more breaks off before its end."""
    artifact, stored = await artifacts.get(scope.uow, job_id, artifact_id)
    chunks = objects.read(store, stored)
    # An object that is gone is an error of this request, and not of its stream.
    first = await anext(chunks)
    headers = {
        "Content-Disposition": _attachment(artifact.name),
        "Content-Length": str(stored.size),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_with_first(first, chunks), media_type=stored.media_type, headers=headers)


async def _require_usable(uow: UnitOfWork, connection_id: UUID, plugins: PluginManager) -> None:
    connection = await connections.get(uow, connection_id)
    await require_sync(uow, connection.plugin, plugins=plugins)


async def _all_lines(job_id: UUID, *, tenant_id: UUID, database: Database) -> AsyncIterator[str]:
    seen = 0
    while True:
        async with database.unit_of_work(tenant_id) as uow:
            lines = await service.events_after(uow, job_id, seq=seen, until=_NO_BOUND, limit=_LINES)
        for line in lines:
            seen = line.seq
            yield JobLogLine.of(line).as_text()
        if len(lines) < _LINES:
            return


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


async def _events(
    job_id: UUID, *, tenant_id: UUID, database: Database, feed: JobFeed, seen: int
) -> AsyncIterator[bytes]:
    told: int | None = None
    began = last_sent = time.monotonic()
    with feed.watch(tenant_id, job_id) as changed:
        while time.monotonic() - began < _STREAM_LIFE_S:
            changed.clear()
            try:
                async with database.unit_of_work(tenant_id) as uow:
                    job = await service.get(uow, job_id)
                    # The job first: its number is the bound up to which the lines are complete.
                    lines = await service.events_after(uow, job_id, seq=seen, until=job.event_seq, limit=_LINES)
            except (NotFound, *DATABASE_TROUBLE) as error:
                # The client comes back by itself, with the id of what it has.
                _log.warning("job.stream_ended", job_id=str(job_id), error=str(error))
                return
            for line in lines:
                seen = line.seq
                yield sse.event("log", JobLogLine.of(line).model_dump(mode="json"), event_id=line.seq)
            if len(lines) == _LINES:
                continue
            if job.event_seq != told:
                seen = told = job.event_seq
                yield sse.event("job", JobOut.of(job).model_dump(mode="json"), event_id=told)
                last_sent = time.monotonic()
            if job.is_finished:
                yield sse.event("end", {"status": job.status}, event_id=told)
                return
            if time.monotonic() - last_sent >= _HEARTBEAT_S:
                yield sse.HEARTBEAT
                last_sent = time.monotonic()
            await _changed_or_poll(changed)


async def _changed_or_poll(changed: asyncio.Event) -> None:
    # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(_POLL_S):
            await changed.wait()


def _position(cursor: str) -> tuple[datetime, UUID]:
    created_at, job_id = decode_cursor(cursor, length=2)
    try:
        return instant_of(created_at), UUID(job_id)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor from error
