from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from counterfoil.evidence.models import EvidencePack
from counterfoil.jobs.models import Job
from counterfoil.jobs.schemas import JobError
from counterfoil.objects.models import StoredObject


class PackOut(BaseModel):
    """A finished pack. ``sha256`` is that of the zip, ``key_id`` names the key that signed its manifest."""

    id: UUID
    sha256: str
    size: int
    manifest_sha256: str
    key_id: str
    as_of: datetime
    created_at: datetime
    retention_until: datetime | None

    @classmethod
    def of(cls, pack: EvidencePack, stored: StoredObject) -> Self:
        return cls(
            id=pack.id,
            sha256=pack.sha256,
            size=stored.size,
            manifest_sha256=pack.manifest_sha256,
            key_id=pack.key_id,
            as_of=pack.as_of,
            created_at=pack.created_at,
            retention_until=stored.retention_until,
        )


class EvidenceOut(BaseModel):
    """How the evidence of a job stands; ``job_id`` is that of the job which makes the pack."""

    state: Literal["absent", "preparing", "ready", "failed"]
    job_id: UUID | None = None
    correlation_id: UUID | None = None
    error: JobError | None = None
    pack: PackOut | None = None

    @classmethod
    def ready(cls, pack: PackOut) -> Self:
        return cls(state="ready", pack=pack)

    @classmethod
    def of_attempt(cls, job: Job | None) -> Self:
        if job is None or job.status == "cancelled":
            return cls(state="absent")
        error = JobError.model_validate(job.error) if job.error else None
        state: Literal["failed", "preparing"] = "failed" if job.is_finished else "preparing"
        return cls(state=state, job_id=job.id, correlation_id=job.correlation_id, error=error)


class SealKeyOut(BaseModel):
    """The public key evidence packs are signed for, in both forms `counterfoil evidence verify` takes."""

    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: str
    public_key: str
    public_key_pem: str
