"""The SQL of a person's own account: definer functions, because it spans tenants (revision 0007)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from counterfoil.db import UnitOfWork

_TENANTS = text("SELECT * FROM core.tenants_of(:user_id, :after, :limit)")
_SESSIONS = text("SELECT * FROM core.sessions_of(:user_id, :before, :limit)")
_RENAME = text("SELECT core.rename_user(:user_id, :name)")
_CHANGE_PASSWORD = text("SELECT core.change_password(:user_id, :former, :new)")
_ADD_RESET = text("SELECT core.add_password_reset(:id, :user_id, :hash, :until)")
_FIND_RESET = text("SELECT user_id, email, name, tenant_id FROM core.find_password_reset(:hash)")
_RESET_PASSWORD = text("SELECT core.reset_password(:hash, :new)")


@dataclass(frozen=True, kw_only=True)
class MyTenant:
    """A tenant of a user's. ``status`` is the membership's, and the tenant's where that is active."""

    tenant_id: UUID
    name: str
    slug: str
    plan: str
    status: str
    roles: list[str]
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class MySession:
    """A live session of a user's. ``last_seen_at`` is when it last got tokens."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str | None
    ip: str | None


@dataclass(frozen=True, kw_only=True)
class PasswordReset:
    """Whose password a link sets, with the tenant they used last."""

    user_id: UUID
    email: str
    name: str
    tenant_id: UUID | None


async def tenants(uow: UnitOfWork, user_id: UUID, *, after: UUID | None, limit: int) -> list[MyTenant]:
    values = {"user_id": user_id, "after": after, "limit": limit}
    return [MyTenant(**row) for row in (await uow.session.execute(_TENANTS, values)).mappings()]


async def sessions(uow: UnitOfWork, user_id: UUID, *, before: UUID | None, limit: int) -> list[MySession]:
    values = {"user_id": user_id, "before": before, "limit": limit}
    return [MySession(**row) for row in (await uow.session.execute(_SESSIONS, values)).mappings()]


async def rename(uow: UnitOfWork, user_id: UUID, name: str) -> None:
    await uow.session.execute(_RENAME, {"user_id": user_id, "name": name})


async def change_password(uow: UnitOfWork, user_id: UUID, *, former: str, new: str) -> bool:
    """False where the hash is not the one that was checked any more."""
    values = {"user_id": user_id, "former": former, "new": new}
    return bool((await uow.session.execute(_CHANGE_PASSWORD, values)).scalar_one())


async def add_password_reset(
    uow: UnitOfWork, *, reset_id: UUID, user_id: UUID, token_hash: bytes, until: datetime
) -> None:
    await uow.session.execute(_ADD_RESET, {"id": reset_id, "user_id": user_id, "hash": token_hash, "until": until})


async def find_password_reset(uow: UnitOfWork, token_hash: bytes) -> PasswordReset | None:
    row = (await uow.session.execute(_FIND_RESET, {"hash": token_hash})).mappings().one_or_none()
    return PasswordReset(**row) if row else None


async def reset_password(uow: UnitOfWork, token_hash: bytes, *, new: str) -> bool:
    """Use the link up; False where somebody else just did."""
    return bool((await uow.session.execute(_RESET_PASSWORD, {"hash": token_hash, "new": new})).scalar_one())
