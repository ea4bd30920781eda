"""Bodies of the routes about oneself."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from counterfoil.identity.account.repository import MySession, MyTenant
from counterfoil.identity.schemas import Body, Email, KnownPassword, Name, NewPassword, Signing, Token


class SwitchBody(Signing):
    tenant_id: UUID


class PasswordBody(Body):
    current_password: KnownPassword
    new_password: NewPassword


class ForgotBody(Body):
    email: Email


class ResetBody(Body):
    token: Token
    new_password: NewPassword


class ProfileBody(Body):
    full_name: Name


class ForgotOut(BaseModel):
    """The same whether or not there is such an account."""

    detail: str = "If there is an account with this e-mail, a link that sets a new password is on its way."


class MyTenantOut(BaseModel):
    """A tenant one is a member of. Only an ``active`` one can be switched to."""

    id: UUID
    name: str
    slug: str
    plan: str
    status: Literal["active", "disabled", "suspended", "closing"] = Field(
        description="`disabled` is one's own membership, `suspended` and `closing` are the tenant's state"
    )
    roles: list[str]
    last_used_at: datetime | None
    current: bool = Field(description="The tenant of this session")

    @classmethod
    def of(cls, tenant: MyTenant, *, current: UUID) -> "MyTenantOut":
        values = {name: getattr(tenant, name) for name in ("name", "slug", "plan", "status", "roles", "last_used_at")}
        return cls(id=tenant.tenant_id, current=tenant.tenant_id == current, **values)


class SessionTenantOut(BaseModel):
    id: UUID
    name: str


class MySessionOut(BaseModel):
    """A session: one log-in on one device, in one tenant."""

    id: UUID
    tenant: SessionTenantOut
    created_at: datetime
    last_seen_at: datetime = Field(
        description="When the session last got tokens; it may have been used for a while since"
    )
    expires_at: datetime = Field(description="When the session ends unless it is refreshed")
    user_agent: str | None
    ip: str | None
    current: bool = Field(description="The session of this request")

    @classmethod
    def of(cls, session: MySession, *, current: UUID) -> "MySessionOut":
        return cls(
            id=session.id,
            tenant=SessionTenantOut(id=session.tenant_id, name=session.tenant_name),
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
            user_agent=session.user_agent,
            ip=session.ip,
            current=session.id == current,
        )


class RevokedOut(BaseModel):
    revoked: int = Field(description="How many sessions were ended")
