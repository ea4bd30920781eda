"""Inviting, and accepting: the membership goes to the account that presents the token, whatever its e-mail.

An e-mail decides nothing, because anybody can register somebody else's beforehand and wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from uuid import UUID

from counterfoil import audit
from counterfoil.config import Settings
from counterfoil.db import Database, UnitOfWork
from counterfoil.identity import repository as identities
from counterfoil.identity.errors import (
    AlreadyMember,
    InactiveMember,
    LinkInvalid,
    RegistrationRefused,
)
from counterfoil.identity.invitations import repository
from counterfoil.identity.invitations.models import Invitation
from counterfoil.identity.invitations.repository import Place
from counterfoil.identity.opaque import hashed, link, new_token
from counterfoil.identity.repository import Device, Session
from counterfoil.identity.service import Identity, Person, SignedIn, current_person
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import NotFound, PermissionDenied, Unauthenticated
from counterfoil.kit.ids import new_id
from counterfoil.rbac.catalogue import ROLES, Catalogue
from counterfoil.rbac.errors import UnknownRole
from counterfoil.rbac.roles.repository import permissions_by_role
from counterfoil.rbac.roles.service import Grantor, require_grantable
from counterfoil.tenancy import Tenant

_RESOURCE = "invitation"
_TTL = timedelta(days=7)
_ACTIVE = "active"


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """Who accepts without being signed in: with an account of theirs, or one that this makes."""

    email: str
    password: str = field(repr=False)
    name: str


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A new invitation with its link, which nobody can be shown again."""

    invitation: Invitation
    link: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the bearer of a token is invited to. ``person`` is who is signed in."""

    invitation: Invitation
    tenant: Tenant
    inviter: str | None
    person: Person | None
    is_member: bool


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """``signed_in`` where the bearer was not signed in before."""

    tenant: Tenant
    signed_in: SignedIn | None


@dataclass(frozen=True, kw_only=True)
class _Inviter:
    """What whoever invited holds now: nothing, when they have left."""

    roles: frozenset[str]
    permissions: frozenset[str]


async def revoke(uow: UnitOfWork, invitation_id: UUID) -> None:
    """Take an open invitation back.

    Raises:
        NotFound: there is none of this id, or it is not open any more.
    """
    if not await repository.revoke(uow, invitation_id):
        raise NotFound("There is no such invitation.")
    await audit.record(uow, action="core.invitation.revoked", resource_type=_RESOURCE, resource_id=invitation_id)


class Invitations:
    """Invitations into the tenants of this installation."""

    def __init__(self, identity: Identity, *, database: Database, settings: Settings, catalogue: Catalogue) -> None:
        self._identity = identity
        self._database = database
        self._origin = settings.origin
        self._catalogue = catalogue

    async def send(
        self,
        uow: UnitOfWork,
        *,
        inviter: UUID,
        by: Grantor,
        email: str,
        roles: Sequence[str],
        name: str | None,
    ) -> Sent:
        """Make an invitation; an open one to the same address is taken back, so that one link works.

        Raises:
            UnknownRole: there is no such role.
            OwnersOnly, BeyondOwnPermissions: a role holds more than the inviter.
            AlreadyMember: a member has this e-mail.
            TooManyRequests: the tenant invites too many.
        """
        await require_grantable(uow, roles, by=by, catalogue=self._catalogue)
        if await repository.has_member_with_email(uow, email):
            raise AlreadyMember(f"{email} belongs to a member.")
        await self._identity.throttle.invite(str(uow.tenant))
        replaced = await repository.revoke_of_email(uow, email)
        token = new_token()
        invitation = Invitation(
            tenant_id=uow.tenant,
            id=new_id(),
            email=email,
            name=name,
            roles=list(roles),
            token_hash=hashed(token),
            invited_by=inviter,
            expires_at=utc_now() + _TTL,
        )
        await repository.add(uow, invitation)
        await audit.record(
            uow,
            action="core.invitation.created",
            resource_type=_RESOURCE,
            resource_id=invitation.id,
            payload={"email": email, "roles": list(roles), "replaces": [str(each) for each in replaced]},
        )
        return Sent(invitation=invitation, link=link(self._origin, "accept-invitation", token))

    async def preview(self, token: str, *, by: Session | None) -> Preview:
        """What a token is good for.

        Raises:
            LinkInvalid: for nothing.
            TooManyRequests: too many attempts from this network.
        """
        await self._identity.throttle.attempt("preview")
        place = await self._place(token)
        person = await self._recognized(by)
        async with self._database.unit_of_work(place.tenant_id) as uow:
            invitation = await self._require_open(uow, place)
            inviter = await repository.inviter(uow, invitation)
            return Preview(
                invitation=invitation,
                tenant=await identities.tenant(uow),
                inviter=inviter.name if inviter else None,
                person=person,
                is_member=person is not None and await repository.is_member(uow, person.id),
            )

    async def accept(self, token: str, *, by: Session | None, newcomer: Newcomer | None, device: Device) -> Accepted:
        """Make the bearer of the token a member: whoever it says they are, or else whoever is signed in.

        Raises:
            LinkInvalid: the token is not good any more, or whoever invited could not do so any more.
            Unauthenticated: nobody is signed in, and nobody said who they are.
            RegistrationRefused: the e-mail is known and the password is not its own.
            AlreadyMember: the link stays good for somebody else.
            TooManyRequests: too many attempts from this network, or on this account.
        """
        await self._identity.throttle.attempt("accept")
        place = await self._place(token)
        person: Person | None = None
        try:
            # Before any password is looked at: without a good link nobody learns anything about an account here.
            async with self._database.unit_of_work(place.tenant_id) as uow:
                await self._require_open(uow, place)
            person = await self._bearer(by, newcomer)
            with context.bound(context.current_actor, person.actor):
                async with self._database.unit_of_work(place.tenant_id) as uow:
                    return await self._admit(uow, place, person, device=device if newcomer else None)
        except LinkInvalid as refusal:
            await self._note_refusal(place, refusal, person)
            raise

    async def _bearer(self, by: Session | None, newcomer: Newcomer | None) -> Person:
        if newcomer is not None:
            return await self._identity.claim_email(newcomer.email, newcomer.password, name=newcomer.name)
        person = await self._recognized(by)
        if person is None:
            raise Unauthenticated("Log in, or give e-mail, password and name.")
        return person

    async def _recognized(self, session: Session | None) -> Person | None:
        if session is None:
            return None
        async with self._database.unit_of_work(session.tenant_id) as uow:
            try:
                return await current_person(uow, session)
            except (InactiveMember, Unauthenticated):
                return None

    async def _place(self, token: str) -> Place:
        async with self._database.unit_of_work(None) as uow:
            place = await repository.find(uow, hashed(token))
        if place is None:
            raise LinkInvalid
        return place

    async def _require_open(self, uow: UnitOfWork, place: Place) -> Invitation:
        invitation = await repository.open_for_update(uow, place.id)
        if invitation is None:
            raise LinkInvalid(reason=await _why_closed(uow, place))
        if (await identities.tenant(uow)).status != _ACTIVE:
            raise LinkInvalid(reason="tenant_inactive")
        try:
            # Whoever invited may have lost the right since, or left: an invitation is no way to stay.
            inviter = await self._inviter(uow, invitation.invited_by)
            await require_grantable(uow, invitation.roles, by=inviter, catalogue=self._catalogue)
        except (PermissionDenied, UnknownRole) as error:
            raise LinkInvalid(reason="inviter_may_not") from error
        return invitation

    async def _inviter(self, uow: UnitOfWork, user_id: UUID | None) -> "_Inviter":
        roles = await repository.roles_of(uow, user_id)
        custom = await permissions_by_role(uow, roles - ROLES.keys())
        held = self._catalogue.permissions_of(roles, custom=chain.from_iterable(custom.values()))
        return _Inviter(roles=roles, permissions=held)

    async def _admit(self, uow: UnitOfWork, place: Place, person: Person, *, device: Device | None) -> Accepted:
        invitation = await self._require_open(uow, place)
        if person.password_hash is not None and not await identities.create_user(
            uow, user_id=person.id, email=person.email, name=person.name, password_hash=person.password_hash
        ):
            raise RegistrationRefused("Log in if you have an account, or use another e-mail.")
        membership_id = await repository.add_member(uow, person.id, roles=invitation.roles)
        if membership_id is None:
            raise AlreadyMember("You are a member of this tenant already.")
        await repository.mark_accepted(uow, invitation.id, by=person.id)
        await audit.record(
            uow,
            action="core.invitation.accepted",
            resource_type=_RESOURCE,
            resource_id=invitation.id,
            payload={
                "membership_id": str(membership_id),
                "sent_to": invitation.email,
                "roles": invitation.roles,
                "new_user": person.password_hash is not None,
            },
        )
        signed_in = await self._identity.open(uow, person, device=device) if device else None
        return Accepted(tenant=await identities.tenant(uow), signed_in=signed_in)

    async def _note_refusal(self, place: Place, refusal: LinkInvalid, person: Person | None) -> None:
        async with self._database.unit_of_work(place.tenant_id) as uow:
            with context.bound(context.current_actor, person.actor if person else context.SYSTEM):
                await audit.record(
                    uow,
                    action="core.invitation.refused",
                    resource_type=_RESOURCE,
                    resource_id=place.id,
                    outcome="denied",
                    reason=refusal.reason,
                )


async def _why_closed(uow: UnitOfWork, place: Place) -> str:
    invitation = await repository.get(uow, place.id)
    if invitation is None:
        return "removed"
    if invitation.accepted_at is not None:
        return "used"
    return "revoked" if invitation.revoked_at is not None else "expired"
