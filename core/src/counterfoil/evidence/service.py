"""What can be done with evidence packs. Every function works inside the caller's unit of work."""

import hashlib
from datetime import timedelta
from uuid import UUID

from counterfoil import audit
from counterfoil.db.database import UnitOfWork
from counterfoil.evidence import repository
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

KIND = "core.evidence"
RESOURCE = "evidence_pack"
MEDIA_TYPE = "application/zip"


async def find(uow: UnitOfWork, job_id: UUID) -> EvidencePack | None:
    return await repository.pack_of(uow, job_id)


async def latest_attempt(uow: UnitOfWork, job_id: UUID) -> Job | None:
    """The newest job that was to make the pack of this one."""
    return await repository.latest_attempt(uow, job_id, kind=KIND)


async def has_evidence(uow: UnitOfWork, job_id: UUID) -> bool:
    """Whether the job got as far as asking the vendor."""
    return bool(await repository.runs_of(uow, job_id))


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
    """Make a written pack the tenant's; it cannot be deleted before the retention ends."""
    stored = await objects.index(
        uow, written, media_type=MEDIA_TYPE, retention_until=utc_now() + timedelta(days=retention_days)
    )
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
