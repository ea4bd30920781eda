"""Bodies of the auth routes."""

from typing import Annotated, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from counterfoil.identity.service import SignedIn
from counterfoil.tenancy import Tenant
from counterfoil.web.text import Line


def _email(value: str) -> str:
    try:
        # No DNS: an installation may know addresses the Internet does not, and log-in may not depend on a resolver.
        return validate_email(value, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_email)]
Name = Annotated[Line, StringConstraints(max_length=200)]
NewPassword = Annotated[SecretStr, Field(min_length=12, max_length=200)]
KnownPassword = Annotated[SecretStr, Field(min_length=1, max_length=200)]
Token = Annotated[SecretStr, Field(min_length=1, max_length=200)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](-?[a-z0-9]){2,39}$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Signing(Body):
    token_delivery: Annotated[
        Literal["cookie", "body"],
        Field(description="`body` puts the refresh token in the answer and sets no cookies: for scripts"),
    ] = "cookie"  # noqa: S105  (a choice, not a secret)

    @property
    def wants_tokens_in_body(self) -> bool:
        return self.token_delivery == "body"  # noqa: S105  (a choice, not a secret)


class RegisterBody(Signing):
    tenant_name: Name
    tenant_slug: Slug = Field(examples=["acme-books"])
    email: Email
    password: NewPassword
    full_name: Name


class LoginBody(Signing):
    email: Email
    password: KnownPassword


class RefreshBody(Body):
    refresh_token: Annotated[SecretStr, Field(max_length=200)]


class UserOut(BaseModel):
    id: UUID
    email: str
    name: str


class TenantOut(BaseModel):
    id: UUID
    name: str
    slug: str
    plan: str

    @classmethod
    def of(cls, tenant: Tenant) -> "TenantOut":
        return cls(id=tenant.id, name=tenant.name, slug=tenant.slug, plan=tenant.plan)


class SessionOut(BaseModel):
    """A signed-in session. ``refresh_token`` is null where it went into a cookie."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  (a type, RFC 6750)
    expires_in: int = Field(description="Seconds the access token lives")
    user: UserOut
    tenant: TenantOut
    refresh_token: str | None = None

    @classmethod
    def of(cls, signed_in: SignedIn, *, with_refresh_token: bool) -> "SessionOut":
        person, tenant = signed_in.person, signed_in.tenant
        return cls(
            access_token=signed_in.access_token,
            expires_in=signed_in.expires_in_s,
            user=UserOut(id=person.id, email=person.email, name=person.name),
            tenant=TenantOut.of(tenant),
            refresh_token=signed_in.refresh_token if with_refresh_token else None,
        )


class MeOut(BaseModel):
    user: UserOut
    tenant: TenantOut
    roles: list[str]
    permissions: list[str]
