from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned, Timestamps


class User(Timestamps, CoreBase):
    """A person, in however many tenants. The application may read neither the hash nor the count of failures."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str] = mapped_column(deferred=True, deferred_raiseload=True)
    password_set_at: Mapped[datetime] = mapped_column(server_default=func.now(), deferred=True, deferred_raiseload=True)
    status: Mapped[str] = mapped_column(server_default="active")
    last_login_at: Mapped[datetime | None]
    failed_logins: Mapped[int] = mapped_column(server_default="0", deferred=True, deferred_raiseload=True)


class Membership(Timestamps, TenantOwned, CoreBase):
    """A user's place in a tenant."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("tenant_id", "user_id"),)

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("core.tenants.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("core.users.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(server_default="active")
    last_used_at: Mapped[datetime | None]


class MembershipRole(CoreBase):
    """One role of a member; what the role permits is `rbac`'s."""

    __tablename__ = "membership_roles"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "membership_id"], ["core.memberships.tenant_id", "core.memberships.id"], ondelete="CASCADE"
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class RefreshSession(CoreBase):
    """One refresh token. The application reaches it through definer functions only; mapped to compare with the schema."""

    __tablename__ = "refresh_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("core.users.id", ondelete="CASCADE"), index=True)
    active_tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenants.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    rotated_from: Mapped[UUID | None]
    user_agent: Mapped[str | None]
    ip: Mapped[str | None]
    expires_at: Mapped[datetime]
    family_ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PasswordReset(CoreBase):
    """A link that sets a new password. Reached through definer functions only; gone as soon as it is used."""

    __tablename__ = "password_resets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("core.users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


Index(
    "refresh_sessions_head_idx",
    RefreshSession.family_id,
    unique=True,
    postgresql_where=RefreshSession.used_at.is_(None),
)
