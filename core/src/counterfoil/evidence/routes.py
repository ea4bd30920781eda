"""`/api/v1/jobs/{id}/evidence`: a run's evidence pack, and the key it is checked with."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from starlette.responses import StreamingResponse

from counterfoil.audit.seals import SealKeys
from counterfoil.db import UnitOfWork
from counterfoil.evidence import service
from counterfoil.evidence.errors import NothingToProve, PackMissing
from counterfoil.evidence.schemas import EvidenceOut, PackOut, SealKeyOut
from counterfoil.evidence.tasks import EVIDENCE
from counterfoil.jobs import service as jobs
from counterfoil.jobs.errors import JobInProgress, JobUnfinished
from counterfoil.kit.errors import EntitlementRequired
from counterfoil.objects import ObjectStore
from counterfoil.objects import service as objects
from counterfoil.objects.errors import ObjectDamaged
from counterfoil.objects.store import ObjectStoreUnavailable
from counterfoil.rbac import Scope, require, require_member
from counterfoil.web import provided
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1", tags=["evidence"])

Reading = Annotated[Scope, require("evidence.read")]


@router.post(
    "/jobs/{job_id}/evidence",
    operation_id="createEvidence",
    status_code=202,
    responses={
        200: {"model": EvidenceOut, "description": "It is there already"},
        **problem_responses(403, EntitlementRequired, 404, JobUnfinished, JobInProgress, NothingToProve),
    },
)
async def create_evidence(
    job_id: UUID, scope: Annotated[Scope, require("evidence.create")], response: Response
) -> EvidenceOut:
    """Make the evidence pack of a finished sync, or join the job that does. A job has one pack, and it never changes."""
    if ready := await _ready(scope.uow, job_id):
        response.status_code = 200
        return ready
    subject = await service.subject(scope.uow, job_id)
    return EvidenceOut.of_attempt(await service.ask(scope.uow, EVIDENCE, subject.job))


@router.get("/jobs/{job_id}/evidence", operation_id="getEvidence", responses=problem_responses(403, 404))
async def get_evidence(job_id: UUID, scope: Reading) -> EvidenceOut:
    """Whether there is a pack of this job, or one under way."""
    await jobs.get(scope.uow, job_id)
    return await _ready(scope.uow, job_id) or EvidenceOut.of_attempt(await service.latest_attempt(scope.uow, job_id))


@router.get(
    "/jobs/{job_id}/evidence/download",
    operation_id="downloadEvidence",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The pack",
            "content": {service.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problem_responses(403, 404, PackMissing, ObjectDamaged, ObjectStoreUnavailable),
    },
)
async def download_evidence(
    job_id: UUID,
    scope: Reading,
    store: Annotated[ObjectStore, Depends(provided(ObjectStore))],
) -> StreamingResponse:
    """The pack as a zip. Check it with `counterfoil evidence verify`, or as its README says."""
    stored = await service.download(scope.uow, job_id)
    chunks = objects.read(store, stored)
    # Before the answer begins: a store that is away is a problem, not a file that breaks off.
    first = await anext(chunks)
    return StreamingResponse(
        _joined(first, chunks),
        media_type=service.MEDIA_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="evidence-{job_id}.zip"',
            "Content-Length": str(stored.size),
            "Cache-Control": "no-store",
        },
    )


@router.get("/evidence/key", operation_id="getEvidenceKey", responses=problem_responses(403))
async def get_evidence_key(
    _scope: Annotated[Scope, require_member()], keys: Annotated[SealKeys, Depends(provided(SealKeys))]
) -> SealKeyOut:
    """The public keys to check packs with: the current one, and those of earlier packs. Keep them where the packs are not."""
    return SealKeyOut.of_keys(keys)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _ready(uow: UnitOfWork, job_id: UUID) -> EvidenceOut | None:
    pack = await service.find(uow, job_id)
    if pack is None:
        return None
    return EvidenceOut.ready(PackOut.of(pack, await service.stored_object(uow, pack)))
