"""The job that makes an evidence pack."""

import tempfile
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from counterfoil.config import Settings
from counterfoil.evidence import packing, service
from counterfoil.evidence.models import EvidencePack
from counterfoil.jobs.context import JobContext
from counterfoil.kit.signing import SealKey
from counterfoil.objects import ObjectStore
from counterfoil.objects import service as objects
from counterfoil.plugins.records import Outcome, Task


class EvidenceParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    job_id: UUID


async def run_evidence(job: JobContext, params: EvidenceParams) -> Outcome:
    """Write the pack to a temporary file, store that, and put it on record."""
    key, store = job.provided[SealKey], job.provided[ObjectStore]  # type: ignore[type-abstract]  # provided under the protocol
    async with job.unit_of_work() as uow:
        if pack := await service.find(uow, params.job_id):
            return _outcome(pack)
        subject = await service.subject(uow, params.job_id)
    done = 0

    async def on_file(path: str) -> None:
        nonlocal done
        done += 1
        async with job.unit_of_work() as uow:
            await job.progress(uow, done=done, message=path)

    with tempfile.TemporaryFile(prefix="counterfoil-evidence-") as file:
        packed = await packing.pack(job.database, subject, file, key=key, on_file=on_file)
        file.seek(0)
        written = await objects.write(store, job.tenant_id, file, purpose="evidence")
    async with job.unit_of_work() as uow:
        pack = await service.record(
            uow,
            params.job_id,
            packed=packed,
            written=written,
            key_id=key.key_id,
            retention_days=job.provided[Settings].evidence_retention_days,
        )
    return _outcome(pack)


def _outcome(pack: EvidencePack) -> Outcome:
    return Outcome(result={"pack_id": str(pack.id), "sha256": pack.sha256, "key_id": pack.key_id})


EVIDENCE = Task(name=service.KIND, title="Evidence pack", params=EvidenceParams, run=run_evidence, queue="export")
TASKS = (EVIDENCE,)
