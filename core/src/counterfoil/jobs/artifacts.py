"""Files that jobs leave behind: stored first, and then named in a unit of work of the job."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from counterfoil.db.database import UnitOfWork
from counterfoil.jobs import repository
from counterfoil.jobs.errors import ArtifactDamaged
from counterfoil.jobs.models import JobArtifact
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.objects import ObjectMissing, ObjectStore


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file in the object store that no job names yet."""

    object_key: str
    size: int
    sha256: str


class _Counted:
    """A file that counts and hashes what is read from it."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self.size = 0
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._content.read(size)
        self.size += len(chunk)
        self.digest.update(chunk)
        return chunk


async def store_file(objects: ObjectStore, content: BinaryIO, *, tenant_id: UUID, job_id: UUID) -> StoredFile:
    """Put a file into the store; hold no unit of work open meanwhile."""
    key = f"{tenant_id}/jobs/{job_id}/{new_id()}"
    counted = _Counted(content)
    await objects.put(key, counted)
    return StoredFile(object_key=key, size=counted.size, sha256=counted.digest.hexdigest())


async def add_artifact(uow: UnitOfWork, job_id: UUID, stored: StoredFile, *, name: str, media_type: str) -> JobArtifact:
    """Name a stored file as one of the job's; it takes the place of one that had the name before.

    Args:
        uow: a unit of work of the job: who has lost the job names nothing.
        job_id: the job.
        stored: from ``store_file``.
        name: what a download is called.
        media_type: what it is served as.
    """
    values = {
        "id": new_id(),
        "job_id": job_id,
        "name": name,
        "media_type": media_type,
        "size": stored.size,
        "sha256": stored.sha256,
        "object_key": stored.object_key,
    }
    return await repository.add_artifact(uow, values)


async def of_job(uow: UnitOfWork, job_id: UUID) -> Sequence[JobArtifact]:
    return await repository.artifacts(uow, job_id)


async def get(uow: UnitOfWork, job_id: UUID, artifact_id: UUID) -> JobArtifact:
    """One file of a job.

    Raises:
        NotFound: also for another tenant's.
    """
    found = await repository.artifact(uow, job_id, artifact_id)
    if found is None:
        raise NotFound("The job has no such file.")
    return found


async def read(objects: ObjectStore, artifact: JobArtifact) -> AsyncIterator[bytes]:
    """The file in chunks. The last one is held back until all of them are what was stored.

    Raises:
        ArtifactDamaged: they are not, or the object is gone.
    """
    digest, held = hashlib.sha256(), b""
    try:
        async for chunk in objects.read(artifact.object_key):
            digest.update(chunk)
            if held:
                yield held
            held = chunk
    except ObjectMissing:
        raise ArtifactDamaged("It is gone from the object store.") from None
    if digest.hexdigest() != artifact.sha256:
        raise ArtifactDamaged("It has been changed in the object store.")
    yield held
