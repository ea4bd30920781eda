from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Double, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned


class ApiCall(TenantOwned, CoreBase):
    """One attempt at a request to a vendor, answered or not. Written once, never changed; old months are dropped whole."""

    __tablename__ = "api_calls"

    connection_id: Mapped[UUID]
    kind: Mapped[str]
    job_id: Mapped[UUID | None]
    correlation_id: Mapped[UUID | None]
    at: Mapped[datetime]
    method: Mapped[str]
    url: Mapped[str]
    status: Mapped[int | None]
    duration_ms: Mapped[float] = mapped_column(Double)
    request_bytes: Mapped[int] = mapped_column(BigInteger)
    response_bytes: Mapped[int | None] = mapped_column(BigInteger)
    attempt: Mapped[int]
    cost: Mapped[Decimal | None] = mapped_column(Numeric)
    error_code: Mapped[str | None]
    excerpt: Mapped[str | None]
