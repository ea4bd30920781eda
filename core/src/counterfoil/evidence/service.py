"""What can be done with evidence packs. Every function works inside the caller's unit of work."""

import hashlib
from datetime import timedelta
from uuid import UUID

from counterfoil import audit
from counterfoil.db.database import Database, UnitOfWork
from counterfoil.evidence import repository
from counterfoil.evidence.content import Landed
from counterfoil.evidence.errors import NothingToProve, PackMissing
from counterfoil.evidence.models import EvidencePack
from counterfoil.evidence.packing import Packed
from counterfoil.evidence.sections import Subject
from counterfoil.jobs import service as jobs
from counterfoil.jobs.errors import JobUnfinished
from counterfoil.jobs.models import Job
from counterfoil.kit.clock import utc_now
from counterfoil.kit.ids import new_id
from counterfoil.objects import service as objects
from counterfoil.objects.models import StoredObject
from counterfoil.objects.service import Written
from counterfoil.plugins.records import Task

KIND = "core.evidence"
RESOURCE = "evidence_pack"
MEDIA_TYPE = "application/zip"


async def find(uow: UnitOfWork, job_id: UUID) -> EvidencePack | None:
    return await repository.pack_of(uow, job_id)


async def latest_attempt(uow: UnitOfWork, job_id: UUID) -> Job | None:
    """The newest job that was to make the pack of this one."""
    return await repository.latest_attempt(uow, job_id, kind=KIND)


async def has_news(uow: UnitOfWork, job_id: UUID) -> bool:
    """Whether a sync landed something, or read something and not all of it."""
    return await repository.has_news(uow, job_id)


async def count_landed(database: Database, tenant_id: UUID, job_id: UUID) -> Landed:
    """What a sync has landed, each record and row once; to be counted as soon as it has, before others change it."""
    async with database.unit_of_work(tenant_id) as uow:
        runs = await repository.runs_of(uow, job_id)
    async with repository.snapshot(database, tenant_id) as driver:
        since = min(run.started_at for run in runs)
        held = await repository.holdings(driver, runs[0].connection_id, [run.id for run in runs], since=since)
        return Landed(records=sum(held.records.values()), rows=await repository.count_rows(driver, held))


async def awaits_seal(uow: UnitOfWork, job: Job) -> bool:
    """Whether some audit event of the job is in no seal yet."""
    return await repository.awaits_seal(uow, job.correlation_id, job.id)


async def subject(uow: UnitOfWork, job_id: UUID) -> Subject:
    """Everything a pack says about its job.

    Raises:
        NotFound: no such job.
        JobUnfinished: what it writes is not all there yet.
        NothingToProve: it read nothing from a vendor.
    """
    job = await jobs.get(uow, job_id)
    if not job.is_finished:
        raise JobUnfinished(f"It is {job.status}.")
    runs = await repository.runs_of(uow, job_id)
    if not runs:
        raise NothingToProve("Evidence is of syncs that got as far as asking the vendor.")
    return Subject(
        tenant=await repository.tenant(uow),
        connection=await repository.connection(uow, runs[0].connection_id),
        job=job,
        runs=runs,
    )


async def record(
    uow: UnitOfWork, job_id: UUID, *, packed: Packed, written: Written, key_id: str, retention_days: int
) -> EvidencePack:
    """Make a written pack the tenant's; it cannot be deleted before the retention ends, which for 0 days it never does."""
    retention_until = utc_now() + timedelta(days=retention_days) if retention_days else None
    stored = await objects.index(uow, written, media_type=MEDIA_TYPE, retention_until=retention_until)
    pack = await repository.add_pack(
        uow,
        {
            "id": new_id(),
            "job_id": job_id,
            "object_id": stored.id,
            "sha256": written.sha256,
            "manifest_sha256": hashlib.sha256(packed.manifest).hexdigest(),
            "signature": packed.signature,
            "key_id": key_id,
            "as_of": packed.as_of,
            "records_landed": packed.content.records.landed,
            "records_packed": packed.content.records.in_this_pack,
            "rows_landed": packed.content.rows.landed,
            "rows_packed": packed.content.rows.in_this_pack,
        },
    )
    await audit.record(
        uow,
        action="core.evidence.created",
        resource_type=RESOURCE,
        resource_id=pack.id,
        payload={
            "job_id": str(job_id),
            "sha256": pack.sha256,
            "manifest_sha256": pack.manifest_sha256,
            "key_id": key_id,
            "size": written.size,
        },
    )
    return pack


async def ask(uow: UnitOfWork, task: Task, about: Job) -> Job:
    """The job that makes the pack of another one; the one that is at it already, if any."""
    return await jobs.enqueue(
        uow,
        task,
        task.params.model_validate({"job_id": about.id}),
        title=f"Evidence of {about.title}",
        subject=(jobs.RESOURCE, about.id),
    )


async def delete_expired(uow: UnitOfWork, *, limit: int) -> int:
    """Delete packs whose retention is over, each with its audit event; how many there were, at most ``limit``."""
    packs = await repository.expired_packs(uow, limit=limit)
    for pack in packs:
        await repository.delete_pack(uow, pack.id)
        await objects.delete(uow, pack.object_id)
        await audit.record(
            uow,
            action="core.evidence.expired",
            resource_type=RESOURCE,
            resource_id=pack.id,
            payload={"job_id": str(pack.job_id), "sha256": pack.sha256, "created_at": pack.created_at.isoformat()},
        )
    return len(packs)


async def stored_object(uow: UnitOfWork, pack: EvidencePack) -> StoredObject:
    return await objects.get(uow, pack.object_id)


async def download(uow: UnitOfWork, job_id: UUID) -> StoredObject:
    """The object to send, once it is on record who got it.

    Raises:
        PackMissing: there is no pack of this job.
    """
    await jobs.get(uow, job_id)
    pack = await find(uow, job_id)
    if pack is None:
        raise PackMissing("Make one first.")
    await audit.record(
        uow,
        action="core.evidence.downloaded",
        resource_type=RESOURCE,
        resource_id=pack.id,
        payload={"job_id": str(job_id), "sha256": pack.sha256},
    )
    return await stored_object(uow, pack)
