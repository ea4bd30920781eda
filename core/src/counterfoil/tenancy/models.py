from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, Timestamps


class Tenant(Timestamps, CoreBase):
    """A customer of ours: the owner of rows. Visible to itself only."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    plan: Mapped[str]
    plan_expires_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default="active")
    default_currency: Mapped[str] = mapped_column(default="USD")
    timezone: Mapped[str] = mapped_column(default="UTC")
