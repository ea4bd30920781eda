from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from counterfoil.db.base import CoreBase, TenantOwned


class PluginState(TenantOwned, CoreBase):
    """Whether a tenant turned a plugin on, and who did so last. No row means never."""

    __tablename__ = "plugin_states"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin"),)

    plugin: Mapped[str]
    enabled: Mapped[bool]
    enabled_by: Mapped[str | None]
    enabled_at: Mapped[datetime]
