from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps


class PluginState(TenantOwned, CoreBase):
    """Whether a tenant turned a plugin on, who did so last, and its settings. No row means never, and none."""

    __tablename__ = "plugin_states"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin"),)

    plugin: Mapped[str]
    enabled: Mapped[bool]
    enabled_by: Mapped[str | None]
    enabled_at: Mapped[datetime | None]
    settings: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    settings_version: Mapped[int] = mapped_column(server_default="0")


class TenantOverride(Timestamps, TenantOwned, CoreBase):
    """What an operator grants one tenant beside its plan. The application reads it and no more."""

    __tablename__ = "tenant_overrides"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "name"),)

    kind: Mapped[str]
    name: Mapped[str]
    value: Mapped[int | None] = mapped_column(BigInteger)


class UsageCounter(CoreBase):
    """How much of something a tenant used on one day (UTC)."""

    __tablename__ = "usage_counters"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
