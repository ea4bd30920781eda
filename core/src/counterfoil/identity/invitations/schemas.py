"""Bodies of the invitation routes."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from counterfoil.identity.invitations.models import Invitation
from counterfoil.identity.invitations.service import Newcomer, Preview
from counterfoil.identity.models import User
from counterfoil.identity.schemas import Body, Email, Name, NewPassword, SessionOut, Signing, TenantOut, Token, UserOut
from counterfoil.identity.service import Person


def _distinct(roles: list[str]) -> list[str]:
    return sorted(set(roles))


RoleName = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class InvitationIn(Body):
    email: Email
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=20), AfterValidator(_distinct)]
    name: Name | None = None


class TokenBody(Body):
    token: Token


class AcceptBody(Signing):
    """The token and, unless one accepts as who is signed in, an account: an existing one with its password, or a new one."""

    token: Token
    email: Email | None = None
    password: NewPassword | None = None
    full_name: Name | None = None

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [value is not None for value in (self.email, self.password, self.full_name)]
        if any(given) and not all(given):
            raise ValueError("email, password and full_name belong together")
        return self

    @property
    def newcomer(self) -> Newcomer | None:
        if self.email is None or self.password is None or self.full_name is None:
            return None
        return Newcomer(email=self.email, password=self.password.get_secret_value(), name=self.full_name)


class InvitationOut(BaseModel):
    """An invitation that nobody accepted yet."""

    id: UUID
    email: str
    name: str | None
    roles: list[str]
    invited_by: UserOut | None = Field(description="Null when that is no member any more")
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: Invitation, *, inviter: User | None) -> Self:
        return cls(
            **_described(
                invitation, UserOut(id=inviter.id, email=inviter.email, name=inviter.name) if inviter else None
            )
        )


class NewInvitationOut(InvitationOut):
    """A new invitation."""

    link: str = Field(description="For the invited person. It is shown this once: to get another, invite again")

    @classmethod
    def sent(cls, invitation: Invitation, *, inviter: UserOut, link: str) -> Self:
        return cls(**_described(invitation, inviter), link=link)


class PreviewOut(BaseModel):
    """What a link is good for."""

    tenant_name: str
    email: str = Field(description="Where the invitation was sent; it need not be the account's that accepts")
    name: str | None
    roles: list[str]
    invited_by: str | None
    expires_at: datetime
    signed_in: UserOut | None
    may_accept: bool = Field(
        description="Whether who is signed in can accept; not so without a session, or as a member"
    )

    @classmethod
    def of(cls, preview: Preview) -> Self:
        invitation, person = preview.invitation, preview.person
        return cls(
            tenant_name=preview.tenant.name,
            email=invitation.email,
            name=invitation.name,
            roles=invitation.roles,
            invited_by=preview.inviter,
            expires_at=invitation.expires_at,
            signed_in=_user(person) if person else None,
            may_accept=person is not None and not preview.is_member,
        )


class AcceptedOut(BaseModel):
    """The tenant one is a member of now."""

    tenant: TenantOut
    session: SessionOut | None = Field(
        description="A session there; null where one accepted with the session one had: go there with `switchTenant`"
    )


def _user(person: Person) -> UserOut:
    return UserOut(id=person.id, email=person.email, name=person.name)


def _described(invitation: Invitation, inviter: UserOut | None) -> dict[str, object]:
    names = ("id", "email", "name", "roles", "created_at", "expires_at")
    return {name: getattr(invitation, name) for name in names} | {"invited_by": inviter}
