"""The SQL of the timeline: one query for each kind of thing that carries a correlation id."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

Driver: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Something that leaves traces.

    Args:
        name: what the traces are, as a noun.
        permission: who may see them.
        query: everything with the correlation id ``$1`` as ``(at, key, event, title, status, subject_type, subject_id,
            detail)``. ``key`` orders what happened in the same moment and is like no other key.
    """

    name: str
    permission: str
    query: str


@dataclass(frozen=True, kw_only=True)
class Position:
    """The last entry somebody has seen."""

    at: datetime
    key: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    source: str
    at: datetime
    key: str
    event: str
    title: str
    status: str | None
    subject_type: str | None
    subject_id: str | None
    detail: dict[str, Any]


_JOBS = Source(
    name="job",
    permission="jobs.read",
    query="""
        SELECT step.at, 'job/' || j.id || '/' || step.number AS key, 'job.' || step.name AS event, j.title, step.status,
               'job' AS subject_type, j.id::text AS subject_id,
               jsonb_build_object('kind', j.kind, 'requested_by', j.requested_by_label, 'attempts', j.attempts,
                                  'error', j.error, 'reasons', j.reasons) AS detail
        FROM core.jobs j CROSS JOIN LATERAL (VALUES
            (j.created_at, 1, 'requested', 'queued'),
            (j.started_at, 2, 'started', 'running'),
            (j.finished_at, 3, 'finished', j.status)
        ) step (at, number, name, status)
        WHERE j.correlation_id = $1 AND step.at IS NOT NULL
    """,
)
_STREAM_RUNS = Source(
    name="stream_run",
    permission="jobs.read",
    query="""
        SELECT step.at, 'stream_run/' || r.id || '/' || step.number AS key, 'stream_run.' || step.name AS event,
               r.stream AS title, step.status, 'connection' AS subject_type, r.connection_id::text AS subject_id,
               jsonb_build_object('job_id', r.job_id, 'mode', r.mode, 'pages', r.pages, 'rows_read', r.rows_read,
                                  'rows_inserted', r.rows_inserted, 'rows_updated', r.rows_updated,
                                  'rows_deleted', r.rows_deleted, 'expected', r.expected, 'landed', r.landed,
                                  'reason', r.reason) AS detail
        FROM core.jobs j JOIN core.stream_runs r ON r.tenant_id = j.tenant_id AND r.job_id = j.id
        CROSS JOIN LATERAL (VALUES
            (r.started_at, 1, 'started', 'running'),
            (r.finished_at, 2, 'finished', r.status)
        ) step (at, number, name, status)
        WHERE j.correlation_id = $1 AND step.at IS NOT NULL
    """,
)
_AUDIT_EVENTS = Source(
    name="audit_event",
    permission="audit.read",
    query="""
        SELECT e.occurred_at AS at, 'audit_event/' || e.id AS key, e.action AS event, e.action AS title, e.outcome AS status,
               e.resource_type AS subject_type, e.resource_id AS subject_id,
               jsonb_build_object('id', e.id, 'actor', e.actor_label, 'reason', e.reason, 'job_id', e.job_id) AS detail
        FROM core.audit_events e WHERE e.correlation_id = $1
    """,
)
# A sync makes thousands: those that were refused one by one, the rest as how many there were.
_API_CALLS = Source(
    name="api_call",
    permission="connections.read",
    query="""
        SELECT c.at, 'api_call/' || c.id AS key, 'api_call.failed' AS event,
               c.method || ' ' || split_part(c.url, '?', 1) AS title, coalesce(c.status::text, c.error_code) AS status,
               'connection' AS subject_type, c.connection_id::text AS subject_id,
               jsonb_build_object('job_id', c.job_id, 'attempt', c.attempt, 'duration_ms', c.duration_ms,
                                  'error_code', c.error_code, 'excerpt', c.excerpt) AS detail
        FROM core.api_calls c WHERE c.correlation_id = $1 AND (c.status IS NULL OR c.status >= 400)
        UNION ALL
        SELECT max(c.at), 'api_calls/' || c.connection_id || coalesce('/' || c.job_id, ''), 'api_call.total', 'Requests', NULL,
               'connection', c.connection_id::text,
               jsonb_build_object('job_id', c.job_id, 'requests', count(*),
                                  'failed', count(*) FILTER (WHERE c.status IS NULL OR c.status >= 400),
                                  'first_at', min(c.at), 'response_bytes', sum(c.response_bytes))
        FROM core.api_calls c WHERE c.correlation_id = $1 GROUP BY c.connection_id, c.job_id
    """,
)
# Whatever else comes to carry a correlation id gets a line here.
SOURCES: tuple[Source, ...] = (_JOBS, _STREAM_RUNS, _API_CALLS, _AUDIT_EVENTS)


async def entries(
    driver: Driver, correlation_id: UUID, *, sources: Sequence[Source], after: Position | None, limit: int
) -> list[Entry]:
    """The next entries of all these sources together, oldest first."""
    found = [await _of_source(driver, correlation_id, source, after=after, limit=limit) for source in sources]
    return list(heapq.merge(*found, key=lambda entry: (entry.at, entry.key)))[:limit]


async def _of_source(
    driver: Driver, correlation_id: UUID, source: Source, *, after: Position | None, limit: int
) -> list[Entry]:
    values: list[Any] = [correlation_id, limit]
    condition = ""
    if after is not None:
        values += [after.at, after.key]
        condition = 'WHERE (at, key COLLATE "C") > ($3, $4)'
    query = f'SELECT * FROM ({source.query}) traces {condition} ORDER BY at, key COLLATE "C" LIMIT $2'  # noqa: S608  (constants)
    return [Entry(source=source.name, **row) for row in await driver.fetch(query, *values)]
