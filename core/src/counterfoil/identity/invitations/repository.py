"""The SQL of invitations. A token is looked up by a definer function (revision 0007); all else happens in its tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from counterfoil.db import UnitOfWork
from counterfoil.identity.invitations.models import Invitation
from counterfoil.identity.models import Membership, MembershipRole, User
from counterfoil.kit.ids import new_id

_FIND = text("SELECT tenant_id, id FROM core.find_invitation(:hash)")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which invitation a token belongs to, open or not."""

    tenant_id: UUID
    id: UUID


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An invitation with whoever sent it, while that is a member."""

    invitation: Invitation
    inviter: User | None


async def find(uow: UnitOfWork, token_hash: bytes) -> Place | None:
    row = (await uow.session.execute(_FIND, {"hash": token_hash})).mappings().one_or_none()
    return Place(**row) if row else None


async def add(uow: UnitOfWork, invitation: Invitation) -> None:
    uow.session.add(invitation)
    await uow.session.flush()
    await uow.session.refresh(invitation)


async def get(uow: UnitOfWork, invitation_id: UUID) -> Invitation | None:
    found: Invitation | None = await uow.session.scalar(select(Invitation).where(Invitation.id == invitation_id))
    return found


async def inviter(uow: UnitOfWork, invitation: Invitation) -> User | None:
    found: User | None = await uow.session.scalar(select(User).where(User.id == invitation.invited_by))
    return found


async def open_for_update(uow: UnitOfWork, invitation_id: UUID) -> Invitation | None:
    """The invitation if it can still be accepted; whoever else comes with it waits, and then finds it used."""
    query = select(Invitation).where(Invitation.id == invitation_id, *_is_open()).with_for_update()
    found: Invitation | None = await uow.session.scalar(query)
    return found


async def page(uow: UnitOfWork, *, before: UUID | None, limit: int) -> list[Listed]:
    query = (
        select(Invitation, User)
        .outerjoin(User, User.id == Invitation.invited_by)
        .where(*_is_open())
        .order_by(Invitation.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Invitation.id < before)
    return [Listed(invitation=found, inviter=user) for found, user in (await uow.session.execute(query)).all()]


async def revoke(uow: UnitOfWork, invitation_id: UUID) -> bool:
    """False where there is no open one of this id."""
    query = update(Invitation).where(Invitation.id == invitation_id, *_is_open()).values(revoked_at=func.now())
    return (await uow.session.execute(query.returning(Invitation.id))).first() is not None


async def revoke_of_email(uow: UnitOfWork, email: str) -> Sequence[UUID]:
    """Take back the open ones that were sent to this address."""
    query = update(Invitation).where(Invitation.email == email, *_is_open()).values(revoked_at=func.now())
    return (await uow.session.scalars(query.returning(Invitation.id))).all()


async def mark_accepted(uow: UnitOfWork, invitation_id: UUID, *, by: UUID) -> None:
    query = update(Invitation).where(Invitation.id == invitation_id)
    await uow.session.execute(query.values(accepted_at=func.now(), accepted_by=by))


async def has_member_with_email(uow: UnitOfWork, email: str) -> bool:
    # A tenant sees no users but its members.
    return await uow.session.scalar(select(User.id).where(User.email == email)) is not None


async def is_member(uow: UnitOfWork, user_id: UUID) -> bool:
    """Whether there is a membership, active or not."""
    return await uow.session.scalar(select(Membership.id).where(Membership.user_id == user_id)) is not None


async def add_member(uow: UnitOfWork, user_id: UUID, *, roles: Sequence[str]) -> UUID | None:
    """The new membership, or None where there is one already."""
    values: dict[str, Any] = {"tenant_id": uow.tenant, "id": new_id(), "user_id": user_id}
    added = insert(Membership).values(values).on_conflict_do_nothing().returning(Membership.id)
    membership_id: UUID | None = await uow.session.scalar(added)
    if membership_id is not None:
        rows = [{"tenant_id": uow.tenant, "membership_id": membership_id, "role": role} for role in roles]
        await uow.session.execute(insert(MembershipRole), rows)
    return membership_id


async def roles_of(uow: UnitOfWork, user_id: UUID | None) -> frozenset[str]:
    """The roles of an active member; none of anybody else."""
    query = (
        select(MembershipRole.role)
        .join(Membership, Membership.id == MembershipRole.membership_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.user_id == user_id, Membership.status == "active", User.status == "active")
    )
    return frozenset(await uow.session.scalars(query))


def _is_open() -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > func.now(),
    )
