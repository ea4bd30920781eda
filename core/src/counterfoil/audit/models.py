from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, FetchedValue, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned

_CATEGORY = (
    "CASE WHEN split_part(action, '.', 1) = 'core' THEN split_part(action, '.', 2) ELSE split_part(action, '.', 1) END"
)


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
    epoch: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    category: Mapped[str] = mapped_column(Computed(_CATEGORY, persisted=False))


class AuditSeal(CoreBase):
    """A signed Merkle root over the events whose transactions lie in a window, chained to the seal before it.

    A tenant's windows of one epoch follow each other without a gap: an event below the newest is in exactly one.
    """

    __tablename__ = "audit_seals"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["core.tenants.id"]),
        UniqueConstraint("tenant_id", "epoch", "to_xid", name="audit_seals_window_key"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    from_xid: Mapped[int] = mapped_column(BigInteger)
    to_xid: Mapped[int] = mapped_column(BigInteger)
    event_count: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]
    key_id: Mapped[str]
    signature: Mapped[bytes]
    sealed_at: Mapped[datetime]
    anchor_key: Mapped[str | None]


class AuditArchive(TenantOwned, CoreBase):
    """A month of a tenant's events as files in the object store; ``purged_at`` is when the database let go of them."""

    __tablename__ = "audit_archives"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["core.tenants.id"]),
        UniqueConstraint("tenant_id", "month", name="audit_archives_month_key"),
    )

    month: Mapped[date]
    first_sequence: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    event_count: Mapped[int] = mapped_column(BigInteger)
    events_key: Mapped[str]
    events_sha256: Mapped[bytes]
    seals_key: Mapped[str]
    seals_sha256: Mapped[bytes]
    manifest_key: Mapped[str]
    key_id: Mapped[str]
    signature: Mapped[bytes]
    archived_at: Mapped[datetime]
    purged_at: Mapped[datetime | None]


class Epoch(CoreBase):
    """A database cluster this database has lived in, known by its system identifier.

    Transaction ids mean something within one epoch only: after a restore they begin again.
    """

    __tablename__ = "epochs"

    epoch: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(unique=True)
    sealed_until: Mapped[int] = mapped_column(BigInteger, server_default=FetchedValue())
    began_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
