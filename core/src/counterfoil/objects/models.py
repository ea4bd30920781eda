from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned


class StoredObject(TenantOwned, CoreBase):
    """One object of a tenant: what it is, and until when it must not go. The row decides, the store only holds bytes."""

    __tablename__ = "objects"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint("key LIKE tenant_id || '/%'", name="key"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("size >= 0", name="size"),
        Index(
            "objects_retention_idx",
            "tenant_id",
            "retention_until",
            postgresql_where=text("retention_until IS NOT NULL"),
        ),
    )

    key: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str]
    purpose: Mapped[str]
    retention_until: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
