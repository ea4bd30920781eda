from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned


class EvidencePack(TenantOwned, CoreBase):
    """The one pack of a job. It may outlive the job's row, so nothing but the id ties it to that.

    What was landed is null where nobody counted it: the sync was cut off.
    """

    __tablename__ = "evidence_packs"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "object_id"], ["core.objects.tenant_id", "core.objects.id"]),
        UniqueConstraint("tenant_id", "job_id"),
        Index("evidence_packs_object_id_idx", "tenant_id", "object_id"),
    )

    job_id: Mapped[UUID]
    object_id: Mapped[UUID]
    sha256: Mapped[str]
    manifest_sha256: Mapped[str]
    signature: Mapped[bytes]
    key_id: Mapped[str]
    as_of: Mapped[datetime]
    records_landed: Mapped[int | None] = mapped_column(BigInteger)
    records_packed: Mapped[int] = mapped_column(BigInteger)
    rows_landed: Mapped[int | None] = mapped_column(BigInteger)
    rows_packed: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
