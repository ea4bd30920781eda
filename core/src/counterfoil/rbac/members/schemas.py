from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from counterfoil.rbac.members.repository import Member

RoleName = Annotated[str, StringConstraints(max_length=40), Field(examples=["finance"])]


class MemberOut(BaseModel):
    """A user's place in the tenant."""

    user_id: UUID
    name: str
    email: str
    roles: list[str]
    status: Literal["active", "disabled"]
    last_used_at: datetime | None = Field(description="When the user last logged in to this tenant")
    joined_at: datetime

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        return cls.model_validate(member, from_attributes=True)


class MemberPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["active", "disabled"]


class MemberRolesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    roles: Annotated[
        list[RoleName], Field(min_length=1, max_length=50, description="All of them: replaces the member's roles")
    ]
