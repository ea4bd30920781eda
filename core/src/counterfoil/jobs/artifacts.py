"""Files that jobs leave behind: written with ``objects.service.write`` first, and then named in a unit of work of the job."""

from collections.abc import Sequence
from uuid import UUID

from counterfoil.db.database import UnitOfWork
from counterfoil.jobs import repository
from counterfoil.jobs.models import JobArtifact
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import new_id
from counterfoil.objects import service as objects
from counterfoil.objects.models import StoredObject
from counterfoil.objects.service import Written


async def add_artifact(uow: UnitOfWork, job_id: UUID, written: Written, *, name: str, media_type: str) -> JobArtifact:
    """Name a written object as one of the job's files; it takes the place of one that had the name before.

    Args:
        uow: a unit of work of the job: who has lost the job names nothing.
        job_id: the job.
        written: with the purpose ``artifact``; hold no unit of work open while it is written.
        name: what a download is called.
        media_type: what it is served as.
    """
    replaced = await repository.drop_artifact(uow, job_id, name)
    if replaced is not None:
        await objects.delete(uow, replaced)
    stored = await objects.index(uow, written, media_type=media_type)
    return await repository.add_artifact(uow, {"id": new_id(), "job_id": job_id, "name": name, "object_id": stored.id})


async def of_job(uow: UnitOfWork, job_id: UUID) -> Sequence[tuple[JobArtifact, StoredObject]]:
    return await repository.artifacts(uow, job_id)


async def get(uow: UnitOfWork, job_id: UUID, artifact_id: UUID) -> tuple[JobArtifact, StoredObject]:
    """One file of a job.

    Raises:
        NotFound: also for another tenant's.
    """
    found = await repository.artifact(uow, job_id, artifact_id)
    if found is None:
        raise NotFound("The job has no such file.")
    return found
