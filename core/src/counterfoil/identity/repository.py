"""The SQL of identity. What answers before a tenant is known is a definer function (revisions 0002, 0007)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import TextClause, func, select, text, update
from sqlalchemy.exc import IntegrityError

from counterfoil.db import UnitOfWork
from counterfoil.identity.errors import SlugTaken
from counterfoil.identity.models import Membership, MembershipRole
from counterfoil.kit.ids import new_id
from counterfoil.tenancy import Tenant

_SLUG_KEY = "tenants_slug_key"

# On the path of every request, so it goes to the driver directly: a third of the price of the mapped query.
_MEMBER = """
    SELECT u.email, u.name, core.session_is_live($2, $1) AS session_is_live,
           m.status = 'active' AND u.status = 'active' AND t.status = 'active' AS active,
           t.plan, t.plan_expires_at,
           ARRAY(SELECT r.role FROM core.membership_roles r WHERE r.membership_id = m.id) AS roles,
           ARRAY(SELECT p.permission FROM core.membership_roles r JOIN core.role_permissions p ON p.role = r.role
                 WHERE r.membership_id = m.id) AS custom_permissions
    FROM core.memberships m JOIN core.users u ON u.id = m.user_id JOIN core.tenants t ON t.id = m.tenant_id
    WHERE m.user_id = $1
"""
_FIND_ACCOUNT = text("SELECT user_id, name, password_hash, password_set_at, tenant_id FROM core.find_account(:email)")
_CREATE_USER = text("SELECT core.create_user(:id, :email, :name, :password_hash)")
_RECORD_LOGIN = text("SELECT core.record_login(:user_id, :succeeded)")
_OPEN_SESSION = text("SELECT core.open_session(:id, :user_id, :tenant_id, :hash, :until, :ends_at, :agent, :address)")
_FIND_SESSION = text("SELECT family_id, user_id, tenant_id FROM core.find_session(:hash)")
_ROTATE = text("SELECT core.rotate_session(:hash, :child_id, :child_hash, :until, :grace, :agent, :address)")
_REVOKE = text("SELECT core.revoke_session(:family_id, :user_id, :reason)")
_REVOKE_MANY = text("SELECT family_id, tenant_id, ends_at FROM core.revoke_sessions(:user_id, :only, :keep, :reason)")
_MAY_ENTER = text("SELECT core.may_enter(:user_id, :tenant_id)")
_PASSWORD_IS_FROM = text("SELECT core.password_is_from(:user_id, :set_at)")
_REHASH = text("SELECT core.rehash_password(:user_id, :former, :new)")


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user at log-in, with the tenant they used last."""

    user_id: UUID
    name: str
    password_hash: str
    password_set_at: datetime
    tenant_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class Session:
    """One log-in: a family of refresh tokens."""

    family_id: UUID
    user_id: UUID
    tenant_id: UUID


@dataclass(frozen=True, kw_only=True)
class EndedSession:
    """A session that was live a moment ago. ``ends_at`` is when it would have ended for good."""

    family_id: UUID
    tenant_id: UUID
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Member:
    """A user within the tenant of the unit of work. ``active`` covers user, membership and tenant.

    ``custom_permissions`` are those of the tenant's own roles; what the built-in ones hold is in the catalogue.
    """

    email: str
    name: str
    active: bool
    session_is_live: bool
    plan: str
    plan_expires_at: datetime | None
    roles: frozenset[str]
    custom_permissions: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a session is used from, for its owner to recognize."""

    user_agent: str | None
    address: str | None


async def find_account(uow: UnitOfWork, email: str) -> Account | None:
    row = (await uow.session.execute(_FIND_ACCOUNT, {"email": email})).mappings().one_or_none()
    return Account(**row) if row else None


async def find_session(uow: UnitOfWork, token_hash: bytes) -> Session | None:
    row = (await uow.session.execute(_FIND_SESSION, {"hash": token_hash})).mappings().one_or_none()
    return Session(**row) if row else None


async def member(uow: UnitOfWork, user_id: UUID, *, session_id: UUID) -> Member | None:
    row = await (await uow.driver()).fetchrow(_MEMBER, user_id, session_id)
    sets = ("roles", "custom_permissions")
    return Member(**{**row, **{name: frozenset(row[name]) for name in sets}}) if row else None


async def tenant(uow: UnitOfWork) -> Tenant:
    return (await uow.session.execute(select(Tenant))).scalar_one()


async def add_tenant(uow: UnitOfWork, new: Tenant) -> None:
    uow.session.add(new)
    try:
        await uow.session.flush()
    except IntegrityError as error:
        if _SLUG_KEY in str(error.orig):
            raise SlugTaken(f"{new.slug} is in use.") from error
        raise


async def create_user(uow: UnitOfWork, *, user_id: UUID, email: str, name: str, password_hash: str) -> bool:
    """False where somebody has the e-mail already."""
    values = {"id": user_id, "email": email, "name": name, "password_hash": password_hash}
    return bool(await _scalar(uow, _CREATE_USER, values))


async def add_member(uow: UnitOfWork, user_id: UUID, *, role: str) -> None:
    membership = Membership(tenant_id=uow.tenant, id=new_id(), user_id=user_id)
    uow.session.add(membership)
    await uow.session.flush()
    uow.session.add(MembershipRole(tenant_id=uow.tenant, membership_id=membership.id, role=role))
    await uow.session.flush()


async def record_login(uow: UnitOfWork, user_id: UUID, *, succeeded: bool) -> None:
    await _scalar(uow, _RECORD_LOGIN, {"user_id": user_id, "succeeded": succeeded})


async def mark_used(uow: UnitOfWork, user_id: UUID) -> None:
    """Make the unit of work's tenant the one the user's next log-in opens."""
    await uow.session.execute(update(Membership).where(Membership.user_id == user_id).values(last_used_at=func.now()))


async def open_session(
    uow: UnitOfWork, user_id: UUID, *, token_hash: bytes, until: datetime, ends_at: datetime, device: Device
) -> UUID:
    """``until`` slides with every refresh, ``ends_at`` does not."""
    session_id = new_id()
    values = {
        "id": session_id,
        "user_id": user_id,
        "tenant_id": uow.tenant,
        "hash": token_hash,
        "until": until,
        "ends_at": ends_at,
        "agent": device.user_agent,
        "address": device.address,
    }
    await _scalar(uow, _OPEN_SESSION, values)
    return session_id


async def rotate_session(
    uow: UnitOfWork, token_hash: bytes, *, child_hash: bytes, until: datetime, grace: timedelta, device: Device
) -> str:
    """``rotated``, ``repeated`` (same successor, within the grace time), ``reused`` (family revoked) or ``ended``."""
    values = {
        "hash": token_hash,
        "child_id": new_id(),
        "child_hash": child_hash,
        "until": until,
        "grace": grace,
        "agent": device.user_agent,
        "address": device.address,
    }
    return str(await _scalar(uow, _ROTATE, values))


async def revoke_session(uow: UnitOfWork, session: Session, *, reason: str) -> bool:
    """False where it was revoked already."""
    values = {"family_id": session.family_id, "user_id": session.user_id, "reason": reason}
    return bool(await _scalar(uow, _REVOKE, values))


async def revoke_sessions(
    uow: UnitOfWork, user_id: UUID, *, reason: str, only: UUID | None = None, keep: UUID | None = None
) -> list[EndedSession]:
    """End one live session of a user, all but one, or all of them, in whatever tenants they are."""
    values = {"user_id": user_id, "only": only, "keep": keep, "reason": reason}
    return [EndedSession(**row) for row in (await uow.session.execute(_REVOKE_MANY, values)).mappings()]


async def may_enter(uow: UnitOfWork, user_id: UUID, tenant_id: UUID) -> bool:
    """Whether the user is an active member of some other, active tenant."""
    return bool(await _scalar(uow, _MAY_ENTER, {"user_id": user_id, "tenant_id": tenant_id}))


async def password_is_from(uow: UnitOfWork, user_id: UUID, set_at: datetime) -> bool:
    """Whether no other password was set since; none is until this unit of work has ended."""
    return bool(await _scalar(uow, _PASSWORD_IS_FROM, {"user_id": user_id, "set_at": set_at}))


async def rehash_password(uow: UnitOfWork, user_id: UUID, *, former: str, new: str) -> None:
    """Keep a stronger hash of the same password, unless it was changed meanwhile."""
    await _scalar(uow, _REHASH, {"user_id": user_id, "former": former, "new": new})


async def _scalar(uow: UnitOfWork, statement: TextClause, values: dict[str, object]) -> object:
    return (await uow.session.execute(statement, values)).scalar_one()
