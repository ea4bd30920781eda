from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from counterfoil.identity.api_keys.models import ApiKey
from counterfoil.kit.clock import utc_now
from counterfoil.web.instants import ZonedInstant
from counterfoil.web.text import Line

KeyName = Annotated[Line, StringConstraints(max_length=100), Field(examples=["Month-end export"])]
ScopeName = Annotated[str, StringConstraints(max_length=130), Field(examples=["tables.read"])]
RoleName = Annotated[str, StringConstraints(max_length=40), Field(examples=["readonly"])]


class ApiKeyIn(BaseModel):
    """A personal key does what its maker may do, a service key what its roles may; either no more than its scopes."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["personal", "service"] = "personal"
    name: KeyName
    scopes: Annotated[
        list[ScopeName],
        Field(min_length=1, max_length=500, description="Permissions the key may use; the maker has to have them"),
    ]
    roles: Annotated[list[RoleName], Field(max_length=50, description="Of a service key; any but owner")] = []
    expires_at: ZonedInstant | None = Field(None, description="Never, if left out")


class ApiKeyPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: KeyName


class ApiKeyOut(BaseModel):
    """An API key; the key itself is shown once, when it is made or rotated."""

    id: UUID
    kind: Literal["personal", "service"]
    name: str
    prefix: str = Field(description="How the key begins after its kind, to recognize it by")
    status: Literal["active", "expired", "revoked"]
    scopes: list[str]
    roles: list[str]
    user_id: UUID | None = Field(description="Whose personal key it is")
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute")
    revoked_at: datetime | None
    created_by: str | None
    created_at: datetime

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyOut":
        return cls.model_validate(_fields(key))


class ApiKeyMade(ApiKeyOut):
    key: str = Field(description="Shown now and never again", examples=["cfk_p_1f2e3d4c_…"])

    @classmethod
    def with_key(cls, row: ApiKey, key: str) -> "ApiKeyMade":
        return cls.model_validate({**_fields(row), "key": key})


def _fields(key: ApiKey) -> dict[str, object]:
    has_expired = key.expires_at is not None and key.expires_at <= utc_now()
    return {
        "id": key.id,
        "kind": key.kind,
        "name": key.name,
        "prefix": key.prefix,
        "status": "revoked" if key.revoked_at else "expired" if has_expired else "active",
        "scopes": key.scopes,
        "roles": key.roles,
        "user_id": key.user_id,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "created_by": key.created_by,
        "created_at": key.created_at,
    }
