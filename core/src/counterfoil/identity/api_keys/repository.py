"""The SQL of API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, update

from counterfoil.db import UnitOfWork
from counterfoil.identity.api_keys.models import ApiKey

_USE = text("SELECT tenant_id, id, kind, name, user_id, is_live FROM core.use_api_key(:hash)")
# As a member's, to the driver directly: it is on the path of every request that brings a key.
_BEARER = """
    SELECT k.name AS key_name, coalesce(u.email, '') AS email, coalesce(u.name, k.name) AS name,
           k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AS is_live,
           t.status = 'active' AND (k.kind = 'service' OR coalesce(m.status = 'active' AND u.status = 'active', false))
               AS active,
           t.plan, t.plan_expires_at, k.scopes,
           k.roles || ARRAY(SELECT r.role FROM core.membership_roles r WHERE r.membership_id = m.id) AS roles,
           ARRAY(SELECT p.permission FROM core.role_permissions p
                 WHERE p.role = ANY (k.roles)
                    OR p.role IN (SELECT r.role FROM core.membership_roles r WHERE r.membership_id = m.id))
               AS custom_permissions
    FROM core.api_keys k
    JOIN core.tenants t ON t.id = k.tenant_id
    LEFT JOIN core.memberships m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
    LEFT JOIN core.users u ON u.id = m.user_id
    WHERE k.id = $1
"""


@dataclass(frozen=True, kw_only=True)
class Presented:
    """A key as it is known before its tenant's rows are open. It may have ended."""

    tenant_id: UUID
    id: UUID
    kind: str
    name: str
    user_id: UUID | None
    is_live: bool


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """What stands behind a key: its member's roles, or its own. ``active`` covers tenant, membership and user."""

    key_name: str
    email: str
    name: str
    is_live: bool
    active: bool
    plan: str
    plan_expires_at: datetime | None
    scopes: frozenset[str]
    roles: frozenset[str]
    custom_permissions: frozenset[str]


async def use(uow: UnitOfWork, key_hash: bytes) -> Presented | None:
    """The key with this hash, in whichever tenant; notes that it was used."""
    row = (await uow.session.execute(_USE, {"hash": key_hash})).mappings().one_or_none()
    return Presented(**row) if row else None


async def bearer(uow: UnitOfWork, key_id: UUID) -> Bearer | None:
    row = await (await uow.driver()).fetchrow(_BEARER, key_id)
    if row is None:
        return None
    sets = ("scopes", "roles", "custom_permissions")
    return Bearer(**{**row, **{name: frozenset(row[name]) for name in sets}})


async def page(uow: UnitOfWork, *, of_user: UUID | None, after: UUID | None, limit: int) -> Sequence[ApiKey]:
    """Keys, oldest first, those that have ended included; one user's own, or everybody's."""
    query = select(ApiKey).order_by(ApiKey.id).limit(limit)
    if of_user is not None:
        query = query.where(ApiKey.user_id == of_user)
    if after is not None:
        query = query.where(ApiKey.id > after)
    return (await uow.session.scalars(query)).all()


async def find(uow: UnitOfWork, key_id: UUID) -> ApiKey | None:
    """The key, locked for a change."""
    found: ApiKey | None = await uow.session.scalar(select(ApiKey).where(ApiKey.id == key_id).with_for_update())
    return found


async def add(uow: UnitOfWork, key: ApiKey) -> None:
    uow.session.add(key)
    await uow.session.flush()
    await uow.session.refresh(key)


async def save(uow: UnitOfWork, key: ApiKey) -> None:
    await uow.session.flush()
    await uow.session.refresh(key)


async def revoke_of_user(uow: UnitOfWork, user_id: UUID, *, reason: str) -> list[UUID]:
    """End a user's personal keys in this tenant; gives those that had not ended before."""
    statement = (
        update(ApiKey)
        .where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now(), revoked_reason=reason)
        .returning(ApiKey.id)
    )
    return list((await uow.session.scalars(statement)).all())
