"""Invitations: `/api/v1/users` to send them and `/api/v1/auth/invitations` to accept them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response

from counterfoil.config import Settings
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.entitlements.quotas import require_quota
from counterfoil.identity import mailing
from counterfoil.identity import repository as identities
from counterfoil.identity.delivery import AUTH_PREFIX, deliver, device_of
from counterfoil.identity.deps import Recognized, require_own_origin
from counterfoil.identity.errors import AlreadyMember, LinkInvalid, OriginMismatch, RegistrationRefused
from counterfoil.identity.invitations import repository, service
from counterfoil.identity.invitations.schemas import (
    AcceptBody,
    AcceptedOut,
    InvitationIn,
    InvitationOut,
    NewInvitationOut,
    PreviewOut,
    TokenBody,
)
from counterfoil.identity.invitations.service import Invitations
from counterfoil.identity.schemas import TenantOut, UserOut
from counterfoil.kit.mail import Mailer
from counterfoil.rbac import Scope, require
from counterfoil.rbac.errors import BeyondOwnPermissions, OwnersOnly, UnknownRole
from counterfoil.web import Listing, Page, decode_cursor, encode_cursor, provided
from counterfoil.web.links import finds
from counterfoil.web.pagination import InvalidCursor, listing
from counterfoil.web.problems import problem_responses

router = APIRouter()

TheInvitations = Annotated[Invitations, Depends(provided(Invitations))]
TheSettings = Annotated[Settings, Depends(provided(Settings))]
TheMailer = Annotated[Mailer, Depends(provided(Mailer))]
Manageable = Annotated[Scope, require("members.manage")]


@router.post(
    "/api/v1/users",
    operation_id="inviteUser",
    status_code=201,
    tags=["users"],
    responses={
        **finds(201, invitation_id="/id"),
        **problem_responses(403, QuotaExceeded, OwnersOnly, BeyondOwnPermissions, AlreadyMember, UnknownRole),
    },
)
async def invite_user(
    *,
    body: InvitationIn,
    scope: Annotated[Scope, require("members.manage", secret_answer=True)],
    invitations: TheInvitations,
    mailer: TheMailer,
    background: BackgroundTasks,
) -> NewInvitationOut:
    """Invite somebody by a link that works once, for a week. It is in this answer and mailed to the address given.

    Whoever opens the link first becomes a member, with an account of any e-mail. Nobody can give a role that holds more than
    their own, and an invitation stops working when its sender could not send it any more.
    """
    caller = scope.caller
    await require_quota(scope.uow, "members")
    sent = await invitations.send(
        scope.uow,
        inviter=caller.user_id,
        by=scope,
        email=body.email,
        roles=body.roles,
        name=body.name,
    )
    tenant = await identities.tenant(scope.uow)
    message = mailing.invitation(body.email, inviter=caller.name, tenant=tenant.name, link=sent.link)
    # Sent when the answer has left, and with it the transaction: no mail tells of what was rolled back.
    background.add_task(mailing.send_quietly, mailer, message, purpose="invitation")
    inviter = UserOut(id=caller.user_id, email=caller.email, name=caller.name)
    return NewInvitationOut.sent(sent.invitation, inviter=inviter, link=sent.link)


@router.get(
    "/api/v1/users/invitations",
    operation_id="listInvitations",
    tags=["users"],
    responses={**finds(200, invitation_id="/items/0/id"), **problem_responses(403)},
)
async def list_invitations(
    scope: Annotated[Scope, require("members.read")], page: Annotated[Listing, Depends(listing)]
) -> Page[InvitationOut]:
    """Invitations that can still be accepted, newest first."""
    found = await repository.page(scope.uow, before=_position(page.cursor), limit=page.limit + 1)
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[InvitationOut.of(each.invitation, inviter=each.inviter) for each in shown],
        next_cursor=encode_cursor(str(shown[-1].invitation.id)) if more else None,
    )


@router.delete(
    "/api/v1/users/invitations/{invitation_id}",
    operation_id="revokeInvitation",
    status_code=204,
    tags=["users"],
    responses=problem_responses(403, 404),
)
async def revoke_invitation(invitation_id: UUID, scope: Manageable) -> None:
    """Take an invitation back: its link stops working."""
    await service.revoke(scope.uow, invitation_id)


@router.post(
    f"{AUTH_PREFIX}/invitations/preview",
    operation_id="previewInvitation",
    tags=["auth"],
    responses=problem_responses(OriginMismatch, LinkInvalid, 429, 503),
)
async def preview_invitation(body: TokenBody, caller: Recognized, invitations: TheInvitations) -> PreviewOut:
    """What a link is good for, and whether who is signed in, if anybody, can accept it."""
    session = caller.session if caller else None
    return PreviewOut.of(await invitations.preview(body.token.get_secret_value(), by=session))


@router.post(
    f"{AUTH_PREFIX}/invitations/accept",
    operation_id="acceptInvitation",
    status_code=201,
    tags=["auth"],
    responses=problem_responses(
        401, OriginMismatch, QuotaExceeded, RegistrationRefused, AlreadyMember, LinkInvalid, 429, 503
    ),
)
async def accept_invitation(
    *,
    body: AcceptBody,
    request: Request,
    response: Response,
    caller: Recognized,
    invitations: TheInvitations,
    settings: TheSettings,
) -> AcceptedOut:
    """Become a member: as who is signed in, or with e-mail, password and name of an account, which is made if there is none."""
    require_own_origin(request, settings, absent_is_fine=True)
    accepted = await invitations.accept(
        body.token.get_secret_value(),
        by=caller.session if caller else None,
        newcomer=body.newcomer,
        device=device_of(request),
    )
    session = (
        deliver(accepted.signed_in, response, settings, in_body=body.wants_tokens_in_body)
        if accepted.signed_in
        else None
    )
    return AcceptedOut(tenant=TenantOut.of(accepted.tenant), session=session)


def _position(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, length=1)[0])
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor from error
