from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps


class SavedView(TenantOwned, Timestamps, CoreBase):
    """A view by name. Its owner edits it, everybody sees it when it is shared."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("tenant_id", "owner_id", "table_name", "name", name="saved_views_name_key"),
        ForeignKeyConstraint(
            ["tenant_id", "owner_id"], ["core.memberships.tenant_id", "core.memberships.user_id"], ondelete="CASCADE"
        ),
    )

    table_name: Mapped[str]
    name: Mapped[str]
    owner_id: Mapped[UUID]
    shared: Mapped[bool]
    filters: Mapped[list[str]] = mapped_column(JSONB)
    sort: Mapped[str | None]
    columns: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    chart: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    version: Mapped[int] = mapped_column(server_default="1")
