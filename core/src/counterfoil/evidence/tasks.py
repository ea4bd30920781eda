"""The job that makes an evidence pack."""

import asyncio
import tempfile
import time
from dataclasses import replace
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from counterfoil.audit.seals import SealKeys
from counterfoil.config import Settings
from counterfoil.evidence import packing, service
from counterfoil.evidence.models import EvidencePack
from counterfoil.evidence.sections import Subject
from counterfoil.jobs import service as jobs
from counterfoil.jobs.context import JobContext
from counterfoil.jobs.errors import JobUnfinished
from counterfoil.jobs.models import Job
from counterfoil.objects import ObjectStore
from counterfoil.objects import service as objects
from counterfoil.plugins.records import Outcome, Task

_PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.5
# The sealer comes by every second, but a long transaction anywhere makes it wait.
_SEAL_PATIENCE_S = 5.0
_LOOK_FOR_SEALS_EVERY_S = 0.25
# A small file takes less time than telling of it.
_TELL_EVERY_S = 0.5


class EvidenceParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    job_id: UUID


async def run_evidence(job: JobContext, params: EvidenceParams) -> Outcome:
    """Write the pack to a temporary file, store that, and put it on record."""
    keys, store = job.provided[SealKeys], job.provided[ObjectStore]  # type: ignore[type-abstract]  # provided under the protocol
    async with job.unit_of_work() as uow:
        if pack := await service.find(uow, params.job_id):
            return _outcome(pack)
    subject = await _finished(job, params.job_id)
    await _sealed(job, subject.job)
    done, told = 0, time.monotonic()

    async def on_file(path: str) -> None:
        nonlocal done, told
        done += 1
        if time.monotonic() - told < _TELL_EVERY_S:
            return
        told = time.monotonic()
        async with job.unit_of_work() as uow:
            await job.progress(uow, done=done, message=f"Packed {path}")

    with tempfile.TemporaryFile(prefix="counterfoil-evidence-") as file:
        packed = await packing.pack(job.database, subject, file, keys=keys, on_file=on_file)
        file.seek(0)
        written = await objects.write(store, job.tenant_id, file, purpose="evidence")
    async with job.unit_of_work() as uow:
        await job.progress(uow, done=done, message="Packed and signed")
        pack = await service.record(
            uow,
            params.job_id,
            packed=packed,
            written=written,
            key_id=keys.signing.key_id,
            retention_days=job.provided[Settings].evidence_retention_days,
        )
    return _outcome(pack)


async def _finished(job: JobContext, job_id: UUID) -> Subject:
    """What the pack is about. A sync that asks for its own pack has only to be put on record as finished."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            async with job.unit_of_work() as uow:
                return await service.subject(uow, job_id)
        except JobUnfinished:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_LOOK_EVERY_S)


async def _sealed(job: JobContext, of: Job) -> None:
    """Give the sealer a moment: what is in no seal by then is in the pack without a proof."""
    deadline = time.monotonic() + _SEAL_PATIENCE_S
    while True:
        async with job.database.unit_of_work(job.tenant_id) as uow:
            if not await service.awaits_seal(uow, of):
                return
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(_LOOK_FOR_SEALS_EVERY_S)


def _outcome(pack: EvidencePack) -> Outcome:
    return Outcome(result={"pack_id": str(pack.id), "sha256": pack.sha256, "key_id": pack.key_id})


EVIDENCE = Task(
    name=service.KIND,
    title="Evidence pack",
    params=EvidenceParams,
    run=run_evidence,
    queue="evidence",
    permission="evidence.create",
)
TASKS = (EVIDENCE,)


def followed_by_evidence(sync: Task) -> Task:
    """The same sync, which counts what it landed, and asks for its own pack unless ``evidence_auto`` says no."""

    async def run(job: JobContext, params: BaseModel) -> Outcome:
        outcome = await sync.run(job, params)
        async with job.database.unit_of_work(job.tenant_id) as uow:
            if not await service.has_news(uow, job.job_id):
                return outcome
        landed = await service.count_landed(job.database, job.tenant_id, job.job_id)
        if job.provided[Settings].evidence_auto:
            async with job.unit_of_work() as uow:
                await service.ask(uow, EVIDENCE, await jobs.get(uow, job.job_id))
        return replace(outcome, result=outcome.result | landed.in_result())

    return replace(sync, run=run)
