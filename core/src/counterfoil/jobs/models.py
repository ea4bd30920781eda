from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps

QUEUES = ("sync", "recon", "export", "workspace", "ai", "evidence")
UNFINISHED = ("queued", "running")
STATUSES = (*UNFINISHED, "succeeded", "partial", "failed", "cancelled")


class Job(TenantOwned, Timestamps, CoreBase):
    """One piece of long work. The row is the truth and its own outbox; the broker's message is only a hint."""

    __tablename__ = "jobs"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["core.tenants.id"]),
        ForeignKeyConstraint(["tenant_id", "replay_of"], ["core.jobs.tenant_id", "core.jobs.id"]),
    )

    kind: Mapped[str]
    title: Mapped[str]
    queue: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=FetchedValue())
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    reasons: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default=FetchedValue())
    subject_type: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(server_default=FetchedValue())
    idle_attempts: Mapped[int] = mapped_column(server_default=FetchedValue())
    max_idle_attempts: Mapped[int]
    fence: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    run_after: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    published_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    event_seq: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    correlation_id: Mapped[UUID]
    requested_by_kind: Mapped[str]
    requested_by_id: Mapped[str | None]
    requested_by_label: Mapped[str]
    replay_of: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def waits_for(self) -> dict[str, Any] | None:
        """What went wrong in the latest attempt, for as long as the next one is waited for; a report of progress forgets it."""
        found: dict[str, Any] | None = (self.progress or {}).get("waits_for")
        return found if self.status == "queued" else None

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED


class JobEvent(CoreBase):
    """One line of a job's log, numbered together with the job's changes."""

    __tablename__ = "job_events"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "job_id"], ["core.jobs.tenant_id", "core.jobs.id"], ondelete="CASCADE"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    level: Mapped[str]
    message: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=FetchedValue())
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())


class JobArtifact(TenantOwned, CoreBase):
    """A file that a job made, kept in the object store. A later attempt's replaces an earlier one's of the same name."""

    __tablename__ = "job_artifacts"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "job_id"], ["core.jobs.tenant_id", "core.jobs.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "object_id"], ["core.objects.tenant_id", "core.objects.id"]),
        UniqueConstraint("tenant_id", "job_id", "name"),
        Index("job_artifacts_object_id_idx", "tenant_id", "object_id"),
    )

    job_id: Mapped[UUID]
    object_id: Mapped[UUID]
    name: Mapped[str]
