from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from counterfoil.connections.models import Connection
from counterfoil.connections.service import Checked
from counterfoil.web.text import Line

Label = Annotated[Line, StringConstraints(max_length=100)]
Kind = Annotated[str, StringConstraints(max_length=63)]
SettingsIn = Annotated[dict[str, Any], Field(description="As the provider's settings_schema says")]
CredentialsIn = Annotated[
    dict[str, Any], Field(description="As the provider's credentials_schema says; never read back")
]


class StreamOffer(BaseModel):
    name: str
    title: str
    targets: list[str] = Field(description="Tables its rows land in")


class ProviderOut(BaseModel):
    """A kind of connection, with what it asks for."""

    kind: str
    title: str
    plugin: str
    description: str
    auth_kind: Literal["api_key"]
    available: bool = Field(description="This tenant may connect to it now")
    unavailable_code: str | None = Field(
        description="`entitlement_required`: the plan lacks it; `plugin_disabled`: nobody turned its plugin on"
    )
    unavailable_reason: str | None = Field(description="Why this tenant may not, and what would help")
    settings_schema: dict[str, Any] = Field(description="JSON Schema of `settings`")
    credentials_schema: dict[str, Any] = Field(description="JSON Schema of `credentials`; every field has `x-secret`")
    streams: list[StreamOffer]


class ConnectionIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={
        "example": {"kind": "stripe", "label": "Stripe EU", "settings": {}, "credentials": {"api_key": "rk_live_..."}}
    })  # fmt: skip

    kind: Kind
    label: Label
    settings: SettingsIn = {}
    credentials: CredentialsIn = {}


class ConnectionPatch(BaseModel):
    """What to change. Settings and credentials that are not named keep their values."""

    model_config = ConfigDict(extra="forbid")

    label: Label | None = None
    settings: SettingsIn | None = None
    credentials: CredentialsIn | None = None


class ConnectionErrorOut(BaseModel):
    code: str
    detail: str


class ConnectionOut(BaseModel):
    """A connection. Credentials are never part of it."""

    id: UUID
    kind: str
    label: str
    status: Literal["pending", "active", "error", "needs_reauth", "revoked"]
    auth_kind: str
    settings: dict[str, Any]
    external_account_id: str | None
    external_account_label: str | None
    last_check_at: datetime | None
    last_error: ConnectionErrorOut | None
    last_synced_at: datetime | None
    created_at: datetime
    latest_job_id: UUID | None
    version: int = Field(description="Its entity tag, for If-Match in quotes; a check or a sync makes no new one")

    @classmethod
    def of(cls, connection: Connection) -> Self:
        return cls.model_validate(connection, from_attributes=True)


class AccountOut(BaseModel):
    id: str
    label: str


class CheckOut(BaseModel):
    """Whether the credentials work, and whose account they open."""

    ok: bool
    account: AccountOut | None
    error: ConnectionErrorOut | None
    duration_ms: int

    @classmethod
    def of(cls, checked: Checked) -> Self:
        account, error = checked.account, checked.error
        return cls(
            ok=error is None,
            account=AccountOut(id=account.id, label=account.label or account.id) if account else None,
            error=ConnectionErrorOut(code=error.code, detail=error.detail) if error else None,
            duration_ms=checked.duration_ms,
        )
