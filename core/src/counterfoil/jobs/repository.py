"""All SQL of jobs. What a worker does on every step goes over the driver; lists and single rows over the models.

Triggers tell the two channels: that a row waits to be published, and that a job changed (its ``event_seq`` grew).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from counterfoil.db.database import Database, UnitOfWork
from counterfoil.jobs.models import UNFINISHED, Job, JobArtifact, JobEvent
from counterfoil.objects.models import StoredObject

JOBS_CHANNEL = "counterfoil_jobs"
EVENTS_CHANNEL = "counterfoil_job_events"

Driver: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A lease that still holds."""

    cancel_requested: bool


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A job whose worker is gone and that may not be tried again."""

    fence: int
    cancel_requested: bool


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A job that has just reached its final state."""

    kind: str
    correlation_id: UUID


@dataclass(frozen=True, kw_only=True)
class ClaimedRow:
    fence: int
    kind: str
    params: dict[str, Any]
    progress: dict[str, Any] | None
    attempt: int
    idle_attempt: int
    correlation_id: UUID
    requested_by_kind: str
    requested_by_id: str | None
    requested_by_label: str
    claimed_at: datetime


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    tenant_id: UUID
    job_id: UUID
    queue: str


@dataclass(frozen=True, kw_only=True)
class LostRow:
    tenant_id: UUID
    job_id: UUID
    must_end: bool


# --- requests -------------------------------------------------------------------------------------------------------


async def unfinished_of_subject(uow: UnitOfWork, *, kind: str, subject: tuple[str, UUID]) -> Job | None:
    query = select(Job).where(
        Job.kind == kind, Job.subject_type == subject[0], Job.subject_id == subject[1], Job.status.in_(UNFINISHED)
    )
    found: Job | None = await uow.session.scalar(query)
    return found


async def add(uow: UnitOfWork, values: dict[str, Any]) -> Job | None:
    """The new row, or None when an unfinished job of this kind and subject exists already."""
    statement = insert(Job).values(tenant_id=uow.tenant, **values).on_conflict_do_nothing().returning(Job)
    added: Job | None = await uow.session.scalar(statement)
    return added


async def get(uow: UnitOfWork, job_id: UUID) -> Job | None:
    query = select(Job).where(Job.id == job_id).execution_options(populate_existing=True)
    found: Job | None = await uow.session.scalar(query)
    return found


async def page(
    uow: UnitOfWork, *, status: str | None, kind: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Job]:
    query = select(Job).order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Job.status == status)
    if kind is not None:
        query = query.where(Job.kind == kind)
    if after is not None:
        query = query.where(tuple_(Job.created_at, Job.id) < after)
    return (await uow.session.scalars(query)).all()


async def events_after(uow: UnitOfWork, job_id: UUID, *, seq: int, until: int, limit: int) -> Sequence[JobEvent]:
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.seq > seq, JobEvent.seq <= until)
    return (await uow.session.scalars(query.order_by(JobEvent.seq).limit(limit))).all()


async def add_artifact(uow: UnitOfWork, values: dict[str, Any]) -> JobArtifact:
    statement = insert(JobArtifact).values(tenant_id=uow.tenant, **values)
    return (await uow.session.scalars(statement.returning(JobArtifact))).one()


async def drop_artifact(uow: UnitOfWork, job_id: UUID, name: str) -> UUID | None:
    """The object that was known by this name."""
    statement = delete(JobArtifact).where(JobArtifact.job_id == job_id, JobArtifact.name == name)
    found: UUID | None = await uow.session.scalar(statement.returning(JobArtifact.object_id))
    return found


_ARTIFACTS = select(JobArtifact, StoredObject).join(StoredObject, StoredObject.id == JobArtifact.object_id)


async def artifacts(uow: UnitOfWork, job_id: UUID) -> list[tuple[JobArtifact, StoredObject]]:
    query = _ARTIFACTS.where(JobArtifact.job_id == job_id).order_by(JobArtifact.id)
    return [(artifact, stored) for artifact, stored in await uow.session.execute(query)]


async def artifact(uow: UnitOfWork, job_id: UUID, artifact_id: UUID) -> tuple[JobArtifact, StoredObject] | None:
    query = _ARTIFACTS.where(JobArtifact.job_id == job_id, JobArtifact.id == artifact_id)
    found = (await uow.session.execute(query)).one_or_none()
    return (found[0], found[1]) if found else None


_CANCEL = """
    UPDATE core.jobs
    SET cancel_requested_at = clock_timestamp(),
        finished_at = CASE status WHEN 'queued' THEN clock_timestamp() END,
        status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END,
        event_seq = event_seq + 1, updated_at = clock_timestamp()
    WHERE id = $1 AND status IN ('queued', 'running') AND cancel_requested_at IS NULL
    RETURNING status
"""


async def request_cancel(driver: Driver, job_id: UUID) -> str | None:
    """The status after it, or None when the job has finished or somebody asked already."""
    # A unit of work of the running job holds the row for as long as one batch takes.
    await driver.execute("SET LOCAL lock_timeout = '20s'")
    status: str | None = await driver.fetchval(_CANCEL, job_id)
    return status


# --- one attempt ----------------------------------------------------------------------------------------------------


_CLAIM = "SELECT claimed.*, clock_timestamp() AS claimed_at FROM core.claim_job($1, $2, $3, $4) AS claimed"


async def claim_now(
    database: Database, tenant_id: UUID, job_id: UUID, *, owner: str, lease_s: float
) -> ClaimedRow | None:
    """Take a queued job, in a transaction of its own; None when somebody else has it, or had it."""
    row = await database.call(_CLAIM, tenant_id, job_id, owner, lease_s)
    return ClaimedRow(**row) if row else None


_HOLD = """
    UPDATE core.jobs SET lease_until = clock_timestamp() + make_interval(secs => $3)
    WHERE id = $1 AND fence = $2 AND status = 'running'
    RETURNING cancel_requested_at IS NOT NULL
"""


async def hold(driver: Driver, job_id: UUID, *, fence: int, lease_s: float) -> Held | None:
    """The fence: extend the lease and lock the row, or None when it is somebody else's by now."""
    cancel_requested = await driver.fetchval(_HOLD, job_id, fence, lease_s)
    return None if cancel_requested is None else Held(cancel_requested=cancel_requested)


_PROGRESS = """
    UPDATE core.jobs
    SET progress = $3::jsonb,
        idle_attempts = CASE
            WHEN coalesce($5::boolean, $4::bigint > coalesce((progress->>'done')::bigint, 0)) THEN 0 ELSE idle_attempts
        END,
        event_seq = event_seq + 1, updated_at = clock_timestamp()
    WHERE id = $1 AND fence = $2 AND status = 'running'
    RETURNING event_seq
"""


async def set_progress(
    driver: Driver, job_id: UUID, *, fence: int, progress: dict[str, Any], advanced: bool | None
) -> bool:
    """Whether the job is still ours."""
    values = (_json(progress), progress["done"], advanced)
    return await driver.fetchval(_PROGRESS, job_id, fence, *values) is not None


_LOG = """
    WITH changed AS (
        UPDATE core.jobs SET event_seq = event_seq + 1, updated_at = clock_timestamp()
        WHERE id = $1 AND fence = $2 AND status = 'running'
        RETURNING tenant_id, id, event_seq
    )
    INSERT INTO core.job_events (tenant_id, job_id, seq, level, message, data)
    SELECT tenant_id, id, event_seq, $3, $4, $5::jsonb FROM changed
    RETURNING seq
"""


async def add_line(driver: Driver, job_id: UUID, *, fence: int, level: str, message: str, data: dict[str, Any]) -> bool:
    """Whether the job is still ours."""
    return await driver.fetchval(_LOG, job_id, fence, level, message, _json(data)) is not None


_FINISH = """
    UPDATE core.jobs
    SET status = $3, result = $4::jsonb, error = $5::jsonb, reasons = $6::jsonb,
        finished_at = clock_timestamp(), lease_owner = NULL, lease_until = NULL,
        event_seq = event_seq + 1, updated_at = clock_timestamp()
    WHERE id = $1 AND fence = $2 AND status = 'running'
    RETURNING kind, correlation_id
"""


async def finish(
    driver: Driver,
    job_id: UUID,
    *,
    fence: int,
    status: str,
    result: dict[str, Any] | None,
    error: dict[str, Any] | None,
    reasons: list[dict[str, str]],
) -> Ended | None:
    """What has ended, or None when the lease is lost."""
    documents = [None if value is None else _json(value) for value in (result, error, reasons)]
    row = await driver.fetchrow(_FINISH, job_id, fence, status, *documents)
    return Ended(**row) if row else None


_FINISH_NOW = """
    SELECT core.finish_job($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7::jsonb, $8, $9, $10, $11, $12, $13) AS finished
"""


async def finish_now(
    database: Database,
    tenant_id: UUID,
    job_id: UUID,
    *,
    fence: int,
    status: str,
    documents: Sequence[Any],
    event: Sequence[Any],
) -> bool:
    """End a job and write its audit event, in a transaction of its own; False when the lease is lost.

    Args:
        database: as the application role.
        tenant_id: whose job it is.
        job_id: the job.
        fence: the fence of this attempt.
        status: how it ends.
        documents: result, error and reasons.
        event: id, actor's kind, id and label, outcome and reason of the audit event.
    """
    texts = [None if value is None else _json(value) for value in documents]
    row = await database.call(_FINISH_NOW, tenant_id, job_id, fence, status, *texts, *event)
    return bool(row and row["finished"])


_RELEASE = """
    WITH released AS (
        UPDATE core.jobs
        SET status = 'queued', published_at = NULL, lease_owner = NULL, lease_until = NULL,
            run_after = clock_timestamp() + make_interval(secs => $3),
            idle_attempts = coalesce(
                $5::integer, CASE WHEN $4 THEN idle_attempts ELSE greatest(idle_attempts - 1, 0) END
            ),
            progress = CASE WHEN $6::text IS NULL THEN progress
                ELSE coalesce(progress, '{"done": 0}'::jsonb)
                    || jsonb_build_object('message', $6::text, 'waits_for', $7::jsonb) END,
            event_seq = event_seq + 1, updated_at = clock_timestamp()
        WHERE id = $1 AND fence = $2 AND status = 'running' AND cancel_requested_at IS NULL
          AND ($5::integer IS NOT NULL OR NOT $4 OR idle_attempts < max_idle_attempts)
        RETURNING tenant_id, id, event_seq
    ), noted AS (
        INSERT INTO core.job_events (tenant_id, job_id, seq, level, message, data)
        SELECT tenant_id, id, event_seq, 'warning', $6::text, $7::jsonb FROM released WHERE $6::text IS NOT NULL
    )
    SELECT id FROM released
"""


async def release(
    driver: Driver,
    job_id: UUID,
    *,
    fence: int,
    delay_s: float,
    counts: bool,
    tried: int | None = None,
    note: tuple[str, dict[str, Any]] | None = None,
) -> bool:
    """Give the job back to the queue; False when it is not ours, was cancelled, or has used up its attempts.

    Args:
        driver: of a unit of work of the job's tenant.
        job_id: the job.
        fence: the fence of this attempt.
        delay_s: how long nobody may claim it.
        counts: whether the attempt counts against the limit of those without progress.
        tried: how many attempts count instead, when somebody else has decided that there is another.
        note: a line for the log, with its data; the progress shows it too.
    """
    message, data = note or (None, None)
    return await driver.fetchval(_RELEASE, job_id, fence, delay_s, counts, tried, message, _json(data)) is not None


async def hand_back(driver: Driver, job_id: UUID) -> None:
    """Have a job published again that was received but never claimed."""
    await driver.execute("UPDATE core.jobs SET published_at = NULL WHERE id = $1 AND status = 'queued'", job_id)


_STUCK = """
    SELECT fence, cancel_requested_at IS NOT NULL AS cancel_requested FROM core.jobs
    WHERE id = $1 AND status = 'running' AND lease_until < clock_timestamp()
      AND (idle_attempts >= max_idle_attempts OR cancel_requested_at IS NOT NULL)
    FOR NO KEY UPDATE SKIP LOCKED
"""


async def stuck(driver: Driver, job_id: UUID) -> Stuck | None:
    row = await driver.fetchrow(_STUCK, job_id)
    return Stuck(fence=row["fence"], cancel_requested=row["cancel_requested"]) if row else None


# --- the ticker, across tenants (definer functions) -------------------------------------------------------------------


async def try_duty(driver: Driver, lock: int) -> bool:
    """Whether this ticker has the duty until its transaction ends."""
    return bool(await driver.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock))


async def claim_unpublished(driver: Driver, *, batch: int) -> list[PublishedRow]:
    rows = await driver.fetch("SELECT tenant_id, job_id, queue FROM core.claim_unpublished_jobs($1)", batch)
    return [PublishedRow(**row) for row in rows]


async def unpublish(driver: Driver, rows: Sequence[PublishedRow]) -> None:
    await driver.execute(
        "SELECT core.unpublish_jobs($1, $2)", [row.tenant_id for row in rows], [row.job_id for row in rows]
    )


async def reap(driver: Driver, *, batch: int) -> list[LostRow]:
    rows = await driver.fetch("SELECT tenant_id, job_id, must_end FROM core.reap_jobs($1)", batch)
    return [LostRow(**row) for row in rows]


async def republish(driver: Driver, *, older_than_s: Mapping[str, float]) -> int:
    """Have jobs published again that nobody claimed for as long as their queue's age; how many."""
    query = "SELECT core.republish_jobs($1, $2)"
    return int(await driver.fetchval(query, list(older_than_s), list(older_than_s.values())))


async def ensure_partitions(driver: Driver) -> int:
    return int(await driver.fetchval("SELECT core.ensure_partitions()"))


async def drop_old_api_calls(driver: Driver, *, keep_days: int) -> int:
    return int(await driver.fetchval("SELECT core.drop_old_api_calls($1)", keep_days))


async def trim_job_events(driver: Driver, *, keep_days: int, batch: int) -> int:
    return int(await driver.fetchval("SELECT core.trim_job_events($1, $2)", keep_days, batch))


def _json(value: Any) -> str:
    # The dialect's codec parses what it reads, but takes text to write.
    return orjson.dumps(value, default=str).decode()
