from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps

STATUSES = ("pending", "active", "error", "needs_reauth", "revoked")


class TenantKey(TenantOwned, CoreBase):
    """A tenant's data key, wrapped by a master key. Deleting the row shreds what was sealed under it."""

    __tablename__ = "tenant_keys"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["core.tenants.id"]),
        UniqueConstraint("tenant_id", "version"),
        CheckConstraint("version > 0", name="version"),
    )

    version: Mapped[int]
    wrapped: Mapped[bytes]
    master_key_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    rewrapped_at: Mapped[datetime | None]


class Connection(Timestamps, TenantOwned, CoreBase):
    """An account at a vendor. A revoked one has no credentials any more; its row stays, because rows refer to it."""

    __tablename__ = "connections"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["core.tenants.id"]),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint("(credentials IS NULL) = (key_version IS NULL)", name="sealed"),
        CheckConstraint("status <> 'revoked' OR credentials IS NULL", name="shredded"),
        Index("connections_label_key", "tenant_id", "label", unique=True, postgresql_where=text("status <> 'revoked'")),
    )

    kind: Mapped[str]
    plugin: Mapped[str]
    label: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    auth_kind: Mapped[str]
    credentials: Mapped[bytes | None] = mapped_column(deferred=True)
    key_version: Mapped[int | None]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    external_account_id: Mapped[str | None]
    external_account_label: Mapped[str | None]
    # When these very credentials were last seen to open that account; a change of either clears it.
    verified_at: Mapped[datetime | None]
    last_check_at: Mapped[datetime | None]
    last_error: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    last_synced_at: Mapped[datetime | None]
    latest_job_id: Mapped[UUID | None]
    # One more with every edit; a check or a sync is none.
    version: Mapped[int] = mapped_column(server_default="1")
