from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.jobs.models import Job, JobArtifact, JobEvent
from counterfoil.objects.models import StoredObject

JobStatus = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]


class JobProgress(BaseModel):
    """How far a job is; ``streams`` and other keys are the job kind's own."""

    model_config = ConfigDict(extra="allow")

    done: int
    total: int | None = None
    message: str = ""
    streams: dict[str, dict[str, Any]] | None = None


class JobError(BaseModel):
    code: str
    detail: str


class JobReason(BaseModel):
    stream: str
    code: str
    detail: str


class JobWait(BaseModel):
    """Why a queued job does not go on at once."""

    until: datetime = Field(description="When it is tried again, which a vendor may have put off by hours")
    code: str = Field(description="What the latest attempt failed with", examples=["source_rate_limited"])
    detail: str

    @classmethod
    def of(cls, job: Job) -> Self | None:
        found = job.waits_for
        return cls(until=job.run_after, code=found["code"], detail=found["detail"]) if found else None


class JobRequester(BaseModel):
    kind: str
    id: str | None
    label: str


class JobOut(BaseModel):
    id: UUID
    kind: str
    title: str
    status: JobStatus
    queue: str
    params: dict[str, Any]
    progress: JobProgress | None
    result: dict[str, Any] | None
    error: JobError | None
    waiting: JobWait | None
    reasons: list[JobReason]
    attempts: int
    idle_attempts: int
    max_attempts: int
    """Attempts in a row without committed progress after which the job is given up."""
    cancel_requested_at: datetime | None
    correlation_id: UUID
    requested_by: JobRequester
    replay_of: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls.model_validate(
            {
                **{
                    name: getattr(job, name)
                    for name in cls.model_fields
                    if name not in ("max_attempts", "requested_by", "waiting")
                },
                "waiting": JobWait.of(job),
                "max_attempts": job.max_idle_attempts,
                "requested_by": {
                    "kind": job.requested_by_kind,
                    "id": job.requested_by_id,
                    "label": job.requested_by_label,
                },
            }
        )


class JobLogLine(BaseModel):
    seq: int
    level: str
    message: str
    data: dict[str, Any]
    at: datetime

    @classmethod
    def of(cls, event: JobEvent) -> Self:
        return cls(seq=event.seq, level=event.level, message=event.message, data=event.data, at=event.created_at)

    def as_text(self) -> str:
        """As one line of a text file: what could pass for another line, or moves a terminal's cursor, is made visible."""
        shown = "".join(one if one.isprintable() else repr(one)[1:-1] for one in self.message)
        data = f" {orjson.dumps(self.data).decode()}" if self.data else ""
        return f"{self.at:%Y-%m-%dT%H:%M:%S.%fZ} {self.level.upper():7} {shown}{data}\n"


class JobRequested(BaseModel):
    job_id: UUID
    correlation_id: UUID


class JobArtifactOut(BaseModel):
    """A file that the job made."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str = Field(description="Of the file, in hexadecimal")
    created_at: datetime

    @classmethod
    def of(cls, artifact: JobArtifact, stored: StoredObject) -> Self:
        return cls(
            id=artifact.id,
            name=artifact.name,
            media_type=stored.media_type,
            size=stored.size,
            sha256=stored.sha256,
            created_at=stored.created_at,
        )
