"""`/api/v1/users`: the tenant's members. Paths name ids as such, so that words beside them are free for other things."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from counterfoil.rbac import Scope, require
from counterfoil.rbac.catalogue import Catalogue
from counterfoil.rbac.errors import BeyondOwnPermissions, LastOwner, MemberNotFound, OwnersOnly, UnknownRole
from counterfoil.rbac.members import service
from counterfoil.rbac.members.schemas import MemberOut, MemberPatch, MemberRolesIn
from counterfoil.web import Listing, Page, encode_cursor, provided
from counterfoil.web.links import finds
from counterfoil.web.pagination import id_of, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/users", tags=["users"])

Readable = Annotated[Scope, require("members.read")]
Manageable = Annotated[Scope, require("members.manage")]
TheCatalogue = Annotated[Catalogue, Depends(provided(Catalogue))]


@router.get("", operation_id="listMembers", responses={**finds(200, user_id="/items/0/id"), **problem_responses(403)})
async def list_members(scope: Readable, page: Annotated[Listing, Depends(listing)]) -> Page[MemberOut]:
    """Members by when they joined, disabled ones included."""
    found = await service.page(scope.uow, after=id_of(page.cursor), limit=page.limit + 1)
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[MemberOut.of(member) for member in shown],
        next_cursor=encode_cursor(str(shown[-1].membership_id)) if more else None,
    )


@router.get("/{user_id:uuid}", operation_id="getMember", responses=problem_responses(403, 404, MemberNotFound))
async def get_member(user_id: UUID, scope: Readable) -> MemberOut:
    """One member."""
    return MemberOut.of(await service.get(scope.uow, user_id))


@router.patch(
    "/{user_id:uuid}",
    operation_id="updateMember",
    responses=problem_responses(403, OwnersOnly, BeyondOwnPermissions, 404, MemberNotFound, LastOwner),
)
async def update_member(user_id: UUID, body: MemberPatch, scope: Manageable, catalogue: TheCatalogue) -> MemberOut:
    """Disable a member, who is logged out of this tenant at once, or let them in again."""
    return MemberOut.of(await service.set_status(scope, user_id, body.status, catalogue=catalogue))


@router.put(
    "/{user_id:uuid}/roles",
    operation_id="setMemberRoles",
    responses=problem_responses(403, OwnersOnly, BeyondOwnPermissions, 404, MemberNotFound, LastOwner, UnknownRole),
)
async def set_member_roles(user_id: UUID, body: MemberRolesIn, scope: Manageable, catalogue: TheCatalogue) -> MemberOut:
    """Replace a member's roles. Nobody gives what they do not have, and only owners make and unmake owners."""
    return MemberOut.of(await service.set_roles(scope, user_id, body.roles, catalogue=catalogue))


@router.delete(
    "/{user_id:uuid}",
    operation_id="removeMember",
    status_code=204,
    responses=problem_responses(403, OwnersOnly, 404, MemberNotFound, LastOwner),
)
async def remove_member(user_id: UUID, scope: Manageable) -> None:
    """End a membership, its sessions and its personal API keys at once. The user's account stays."""
    await service.remove(scope, user_id)
