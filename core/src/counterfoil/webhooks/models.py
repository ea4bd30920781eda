from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned


class WebhookReceipt(TenantOwned, CoreBase):
    """An event a vendor has signed. Its body is not kept: what it hints at is asked for, and lands like anything else."""

    __tablename__ = "webhook_receipts"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "connection_id"], ["core.connections.tenant_id", "core.connections.id"]),
        UniqueConstraint("tenant_id", "connection_id", "event_id", name="webhook_receipts_event_key"),
        Index(
            "webhook_receipts_pending_idx",
            "tenant_id",
            "connection_id",
            "id",
            postgresql_where=text("handled_at IS NULL"),
        ),
        Index("webhook_receipts_newest_idx", "tenant_id", "connection_id", text("id DESC")),
    )

    connection_id: Mapped[UUID]
    kind: Mapped[str]
    event_id: Mapped[str]
    event_type: Mapped[str]
    event_created_at: Mapped[datetime | None]
    body_hash: Mapped[bytes]
    hints: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    handled_at: Mapped[datetime | None]
    error: Mapped[str | None]
    job_id: Mapped[UUID | None]
