from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from counterfoil.audit.seals import SealKeys
from counterfoil.evidence.models import EvidencePack
from counterfoil.jobs.models import Job
from counterfoil.jobs.schemas import JobError
from counterfoil.kit.signing import key_id_of, pem_of
from counterfoil.objects.models import StoredObject


class TallyOut(BaseModel):
    """How many landed, each counted once when the sync ended, and how many of them the pack holds.

    What a later sync changed before the pack was made is that one's. ``landed`` is null when the sync was cut off before it
    was counted.
    """

    landed: int | None
    in_this_pack: int


class PackOut(BaseModel):
    """A finished pack. ``sha256`` is that of the zip, ``key_id`` names the key that signed its manifest."""

    id: UUID
    sha256: str
    size: int
    manifest_sha256: str
    key_id: str
    as_of: datetime
    created_at: datetime
    records: TallyOut
    """The vendor's records."""
    rows: TallyOut
    """The canonical rows that were written from them."""
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
            records=TallyOut(landed=pack.records_landed, in_this_pack=pack.records_packed),
            rows=TallyOut(landed=pack.rows_landed, in_this_pack=pack.rows_packed),
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
        # A pack that was made and is not there has expired.
        if job is None or job.status in ("cancelled", "succeeded"):
            return cls(state="absent")
        error = JobError.model_validate(job.error) if job.error else None
        state: Literal["failed", "preparing"] = "failed" if job.is_finished else "preparing"
        return cls(state=state, job_id=job.id, correlation_id=job.correlation_id, error=error)


class PublicKeyOut(BaseModel):
    """A public key in both forms `counterfoil evidence verify` takes."""

    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: str
    public_key: str
    public_key_pem: str
    is_current: bool

    @classmethod
    def of(cls, public_key: str, *, is_current: bool) -> Self:
        return cls(
            key_id=key_id_of(public_key),
            public_key=public_key,
            public_key_pem=pem_of(public_key),
            is_current=is_current,
        )


class SealKeyOut(PublicKeyOut):
    """The key evidence packs are signed with now, and those that signed earlier ones."""

    former: list[PublicKeyOut]

    @classmethod
    def of_keys(cls, keys: SealKeys) -> Self:
        current = keys.signing.public_key
        former = [PublicKeyOut.of(key, is_current=False) for key in keys.public.values() if key != current]
        return cls(**dict(PublicKeyOut.of(current, is_current=True)), former=former)
