from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps


class ApiKey(Timestamps, TenantOwned, CoreBase):
    """A key. Personal: what its user may do within the scopes. Service: what its roles may do within the scopes."""

    __tablename__ = "api_keys"

    kind: Mapped[str]
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(index=True, deferred=True, deferred_raiseload=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.users.id", ondelete="CASCADE"))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]
    created_by: Mapped[str | None]


Index("api_keys_user_id_idx", ApiKey.tenant_id, ApiKey.user_id)
