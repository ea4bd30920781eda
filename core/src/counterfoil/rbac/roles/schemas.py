from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from counterfoil.rbac.catalogue import PERMISSIONS, ROLE_TITLES, ROLES, Catalogue
from counterfoil.rbac.roles.repository import Custom
from counterfoil.web.text import Line

_MOST_PERMISSIONS = 500

RoleName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$"),
    Field(examples=["treasury"], description="Never changes, because members hold the role by it"),
]
RoleTitle = Annotated[Line, StringConstraints(max_length=100)]
RoleDescription = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
PermissionName = Annotated[str, StringConstraints(max_length=130), Field(examples=["tables.read"])]
PermissionNames = Annotated[list[PermissionName], Field(max_length=_MOST_PERMISSIONS)]


class RoleIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: RoleName
    title: RoleTitle
    description: RoleDescription = ""
    permissions: PermissionNames


class RolePatch(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    title: RoleTitle | None = None
    description: RoleDescription | None = None
    permissions: PermissionNames | None = Field(None, description="All of them: replaces what the role permits")


class RoleOut(BaseModel):
    """A role with what it permits. Those without an id are built in."""

    id: UUID | None
    name: str
    title: str
    description: str
    built_in: bool
    permissions: list[str]
    created_at: datetime | None
    updated_at: datetime | None
    version: int | None = Field(description="Its entity tag, for If-Match in quotes")

    @classmethod
    def of(cls, custom: Custom) -> "RoleOut":
        role = custom.role
        return cls(
            id=role.id,
            name=role.name,
            title=role.title,
            description=role.description,
            built_in=False,
            permissions=sorted(custom.permissions),
            created_at=role.created_at,
            updated_at=role.updated_at,
            version=role.version,
        )

    @classmethod
    def built_in_ones(cls, catalogue: Catalogue) -> list["RoleOut"]:
        return [
            cls(
                id=None,
                name=name,
                title=name.capitalize(),
                description=ROLE_TITLES[name],
                built_in=True,
                permissions=sorted(catalogue.roles[name]),
                created_at=None,
                updated_at=None,
                version=None,
            )
            for name in ROLES
        ]


class PermissionOut(BaseModel):
    name: str = Field(examples=list(PERMISSIONS)[:1])
    description: str
    plugin: str | None = Field(description="The plugin it is about; null for the product's own")
    held: bool = Field(description="The caller has it, and may give it to others")
