"""The gate: authenticate, open the tenant's unit of work, check the permission, commit before the answer leaves.

What it refuses, authentication puts on record, as it does for everything raised behind it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from counterfoil.db import Database, UnitOfWork
from counterfoil.identity import repository
from counterfoil.identity.deps import Authenticated, Credential
from counterfoil.identity.errors import InactiveMember
from counterfoil.identity.repository import Member
from counterfoil.identity.service import user_actor
from counterfoil.kit import context
from counterfoil.kit.errors import PermissionDenied, Unauthenticated
from counterfoil.rbac.catalogue import PERMISSIONS, permissions_of
from counterfoil.web import provided


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The signed-in user behind a request."""

    user_id: UUID
    tenant_id: UUID
    session_id: UUID
    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Everything a route works with: who asks, what they may, and the transaction it all happens in."""

    caller: Caller
    uow: UnitOfWork
    roles: frozenset[str]
    permissions: frozenset[str]


class Gate:
    """A dependency that lets members with one permission through; ``None`` lets every member through."""

    def __init__(self, permission: str | None) -> None:
        if permission is not None and permission not in PERMISSIONS:
            raise ValueError(f"no such permission: {permission!r}")
        self.permission = permission

    async def __call__(
        self,
        credential: Authenticated,
        database: Annotated[Database, Depends(provided(Database))],
    ) -> AsyncIterator[Scope]:
        async with database.unit_of_work(credential.tenant_id) as uow:
            member = await repository.member(uow, credential.user_id, session_id=credential.session_id)
            if member is None or not member.active:
                raise InactiveMember
            if not member.session_is_live:
                raise Unauthenticated
            permissions = permissions_of(member.roles)
            if self.permission is not None and self.permission not in permissions:
                raise PermissionDenied(f"This needs the permission {self.permission}.", reason=self.permission)
            with context.bound(context.current_actor, user_actor(credential.user_id, member.email)):
                yield _scope(credential, member, uow=uow, permissions=permissions)


def _scope(credential: Credential, member: Member, *, uow: UnitOfWork, permissions: frozenset[str]) -> Scope:
    caller = Caller(
        user_id=credential.user_id,
        tenant_id=credential.tenant_id,
        session_id=credential.session_id,
        email=member.email,
        name=member.name,
    )
    return Scope(caller=caller, uow=uow, roles=member.roles, permissions=permissions)


def require(permission: str) -> Any:
    """Gate a route by one permission.

    Written ``scope: Annotated[Scope, require("connections.read")]``.

    The unit of work ends before the response is sent, so a failed commit is an error and never a lie; a streaming route
    opens its own inside the stream.

    Raises:
        ValueError: at definition, for a permission that is not in the catalogue.
    """
    return Depends(Gate(permission), scope="function")


def require_member() -> Any:
    """As ``require``, for what every member may do."""
    return Depends(Gate(None), scope="function")
