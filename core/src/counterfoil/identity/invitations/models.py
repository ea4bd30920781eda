from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps


class Invitation(Timestamps, TenantOwned, CoreBase):
    """An offer of membership to whoever presents its token. ``email`` is where it was sent, and decides nothing."""

    __tablename__ = "invitations"
    __table_args__ = (Index("invitations_email_idx", "tenant_id", "email"),)

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("core.tenants.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    email: Mapped[str]
    name: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    token_hash: Mapped[bytes] = mapped_column(index=True)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.users.id", ondelete="SET NULL"))
    revoked_at: Mapped[datetime | None]
