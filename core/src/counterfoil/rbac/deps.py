"""The gate: authenticate, open the tenant's unit of work, check the permission, commit before the answer leaves.

What it refuses, authentication puts on record, as it does for everything raised behind it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal
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
from counterfoil.web import idempotency, provided


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


Replays = Literal["plain", "sealed"]


class Gate:
    """A dependency that lets members with one permission through; ``None`` lets every member through.

    With ``replays`` the unit of work is what an idempotency key protects, and its answer is kept as that says.
    """

    def __init__(self, permission: str | None, *, replays: Replays | None = None) -> None:
        if permission is not None and permission not in PERMISSIONS:
            raise ValueError(f"no such permission: {permission!r}")
        self.permission = permission
        self.replays = replays

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
                if self.replays is not None:
                    await idempotency.claim(uow, secret_answer=self.replays == "sealed")
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


def require(permission: str, *, secret_answer: bool = False, replays: bool = True) -> Any:
    """Gate a route by one permission.

    Written ``scope: Annotated[Scope, require("connections.read")]``.

    The unit of work ends before the response is sent, so a failed commit is an error and never a lie; a streaming route
    opens its own inside the stream.

    Args:
        permission: what the caller needs.
        secret_answer: the answer bears a secret; what is kept of it for an idempotency key is sealed.
        replays: whether a POST honours idempotency keys. Only one whose work is not in this unit of work, or whose answer
            is a stream, does not.

    Raises:
        ValueError: at definition, for a permission that is not in the catalogue.
    """
    return Depends(Gate(permission, replays=_replays(secret_answer=secret_answer, replays=replays)), scope="function")


def require_member(*, secret_answer: bool = False, replays: bool = True) -> Any:
    """As ``require``, for what every member may do."""
    return Depends(Gate(None, replays=_replays(secret_answer=secret_answer, replays=replays)), scope="function")


def _replays(*, secret_answer: bool, replays: bool) -> Replays | None:
    if not replays:
        return None
    return "sealed" if secret_answer else "plain"
