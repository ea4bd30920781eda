"""The SQL of memberships, seen from their tenant."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, text

from counterfoil.db import UnitOfWork
from counterfoil.identity.models import Membership, MembershipRole, User
from counterfoil.rbac.catalogue import OWNER

_END_SESSIONS = text("SELECT core.end_sessions(:user_id, :reason)")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A user's place in the tenant."""

    membership_id: UUID
    user_id: UUID
    email: str
    name: str
    status: str
    roles: list[str]
    last_used_at: datetime | None
    joined_at: datetime


def _members() -> Select[Any]:
    held = select(MembershipRole.role).where(
        MembershipRole.tenant_id == Membership.tenant_id, MembershipRole.membership_id == Membership.id
    )
    roles: ColumnElement[Any] = func.array(held.order_by(MembershipRole.role).scalar_subquery())
    return select(
        Membership.id.label("membership_id"),
        Membership.user_id,
        User.email,
        User.name,
        Membership.status,
        roles.label("roles"),
        Membership.last_used_at,
        Membership.created_at.label("joined_at"),
    ).join(User, User.id == Membership.user_id)


async def page(uow: UnitOfWork, *, after: UUID | None, limit: int) -> Sequence[Member]:
    """Members by when they joined."""
    query = _members().order_by(Membership.id).limit(limit)
    if after is not None:
        query = query.where(Membership.id > after)
    return [Member(**row) for row in (await uow.session.execute(query)).mappings()]


async def find(uow: UnitOfWork, user_id: UUID) -> Member | None:
    row = (await uow.session.execute(_members().where(Membership.user_id == user_id))).mappings().one_or_none()
    return Member(**row) if row else None


async def active_owners(uow: UnitOfWork) -> frozenset[UUID]:
    query = (
        select(Membership.user_id)
        .join(
            MembershipRole,
            (MembershipRole.tenant_id == Membership.tenant_id) & (MembershipRole.membership_id == Membership.id),
        )
        .join(User, User.id == Membership.user_id)
        .where(MembershipRole.role == OWNER, Membership.status == "active", User.status == "active")
    )
    return frozenset((await uow.session.scalars(query)).all())


async def set_status(uow: UnitOfWork, member: Member, status: str) -> None:
    membership = await uow.session.get_one(Membership, (uow.tenant, member.membership_id))
    membership.status = status
    await uow.session.flush()


async def set_roles(uow: UnitOfWork, member: Member, roles: Collection[str]) -> None:
    gone, come = set(member.roles) - set(roles), sorted(set(roles) - set(member.roles))
    await uow.session.execute(
        delete(MembershipRole).where(
            MembershipRole.membership_id == member.membership_id, MembershipRole.role.in_(gone)
        )
    )
    if come:
        rows = [{"tenant_id": uow.tenant, "membership_id": member.membership_id, "role": role} for role in come]
        await uow.session.execute(insert(MembershipRole), rows)


async def remove(uow: UnitOfWork, member: Member) -> None:
    """The membership and its roles; the user stays."""
    await uow.session.execute(delete(Membership).where(Membership.id == member.membership_id))


async def end_sessions(uow: UnitOfWork, user_id: UUID, *, reason: str) -> int:
    """Log the user out of this tenant, on every device; gives how many log-ins that ended."""
    values = {"user_id": user_id, "reason": reason}
    return int((await uow.session.execute(_END_SESSIONS, values)).scalar_one())
