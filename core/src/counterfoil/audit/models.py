from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned


class AuditEvent(TenantOwned, CoreBase):
    """One event. The application may insert and read; nobody updates or deletes."""

    __tablename__ = "audit_events"

    occurred_at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    actor_label: Mapped[str]
    action: Mapped[str]
    resource_type: Mapped[str | None]
    resource_id: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    correlation_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    client_ip: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    transaction_id: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
