"""What can be done with memberships. A tenant always keeps an owner who can log in, also when two of them act at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal
from uuid import UUID

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.identity.api_keys import repository as api_keys
from counterfoil.rbac.catalogue import OWNER, Catalogue
from counterfoil.rbac.deps import Scope
from counterfoil.rbac.errors import LastOwner, MemberNotFound, OwnersOnly
from counterfoil.rbac.members import repository
from counterfoil.rbac.members.repository import Member
from counterfoil.rbac.roles.service import require_grantable
from counterfoil.tenancy import locks

Status = Literal["active", "disabled"]


async def page(uow: UnitOfWork, *, after: UUID | None, limit: int) -> Sequence[Member]:
    return await repository.page(uow, after=after, limit=limit)


async def get(uow: UnitOfWork, user_id: UUID) -> Member:
    """One member of this tenant.

    Raises:
        MemberNotFound: also for a user of another tenant.
    """
    member = await repository.find(uow, user_id)
    if member is None:
        raise MemberNotFound
    return member


async def set_status(scope: Scope, user_id: UUID, status: Status, *, catalogue: Catalogue) -> Member:
    """Disable a member, who is logged out of the tenant at once, or let them in again.

    Raises:
        MemberNotFound: there is none.
        OwnersOnly: an owner's membership is for owners to change.
        BeyondOwnPermissions: letting them in gives them roles beyond the caller's own permissions.
        LastOwner: nobody would be left to make another.
    """
    member = await _held_still(scope, user_id)
    if member.status == status:
        return member
    if status == "active":
        await require_grantable(scope.uow, member.roles, by=scope, catalogue=catalogue)
    else:
        await _require_another_owner(scope.uow, member)
    await repository.set_status(scope.uow, member, status)
    ended = await _shut_out(scope.uow, member, reason="member_disabled") if status == "disabled" else {}
    verb = "disabled" if status == "disabled" else "enabled"
    await _record(scope.uow, verb, member, {"email": member.email, **ended})
    return await get(scope.uow, user_id)


async def set_roles(scope: Scope, user_id: UUID, roles: Collection[str], *, catalogue: Catalogue) -> Member:
    """Replace a member's roles.

    Raises:
        MemberNotFound: there is none.
        UnknownRole: a role is neither built in nor of this tenant.
        OwnersOnly: making and unmaking owners is for owners.
        BeyondOwnPermissions: a role that is given goes beyond the caller's own permissions.
        LastOwner: nobody would be left to make another.
    """
    member = await _held_still(scope, user_id, owners_only=OWNER in roles)
    given, taken = set(roles) - set(member.roles), set(member.roles) - set(roles)
    if not given and not taken:
        return member
    await require_grantable(scope.uow, given, by=scope, catalogue=catalogue)
    if OWNER in taken:
        await _require_another_owner(scope.uow, member)
    await repository.set_roles(scope.uow, member, roles)
    payload = {"email": member.email, "given": sorted(given), "taken": sorted(taken)}
    await _record(scope.uow, "roles_changed", member, payload)
    return await get(scope.uow, user_id)


async def remove(scope: Scope, user_id: UUID) -> None:
    """End a membership: sessions in this tenant and personal keys end with it, the user's account stays.

    Raises:
        MemberNotFound: there is none.
        OwnersOnly: an owner's membership is for owners to end.
        LastOwner: nobody would be left to make another.
    """
    member = await _held_still(scope, user_id)
    await _require_another_owner(scope.uow, member)
    ended = await _shut_out(scope.uow, member, reason="member_removed")
    keys = await api_keys.revoke_of_user(scope.uow, user_id, reason="member_removed")
    await repository.remove(scope.uow, member)
    payload = {"email": member.email, "roles": member.roles, "api_keys_revoked": [str(key) for key in keys], **ended}
    await _record(scope.uow, "removed", member, payload)


async def _held_still(scope: Scope, user_id: UUID, *, owners_only: bool = False) -> Member:
    """The member, while no other change of the tenant's memberships runs."""
    await locks.hold(scope.uow, "members")
    member = await get(scope.uow, user_id)
    needs_owner = owners_only or OWNER in member.roles
    # Also by what is true now: another owner may have unmade this one while the request waited.
    if needs_owner and not (OWNER in scope.roles and await _is_owner(scope)):
        raise OwnersOnly("Only an owner changes who is one.", reason=OWNER)
    return member


async def _is_owner(scope: Scope) -> bool:
    return scope.caller.user_id in await repository.active_owners(scope.uow)


async def _require_another_owner(uow: UnitOfWork, member: Member) -> None:
    if OWNER in member.roles and not await repository.active_owners(uow) - {member.user_id}:
        raise LastOwner(f"{member.email} is the only active owner: make somebody else one first.")


async def _shut_out(uow: UnitOfWork, member: Member, *, reason: str) -> dict[str, int]:
    return {"sessions_ended": await repository.end_sessions(uow, member.user_id, reason=reason)}


async def _record(uow: UnitOfWork, verb: str, member: Member, payload: Mapping[str, object]) -> None:
    await audit.record(
        uow, action=f"core.member.{verb}", resource_type="user", resource_id=member.user_id, payload=dict(payload)
    )
