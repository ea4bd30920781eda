"""The gate: authenticate, open the tenant's unit of work, check the permission, commit before the answer leaves.

What it refuses, authentication puts on record, as it does for everything raised behind it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request

from counterfoil.db import Database, UnitOfWork
from counterfoil.identity import repository
from counterfoil.identity.api_keys import repository as api_keys
from counterfoil.identity.api_keys.repository import Bearer
from counterfoil.identity.deps import SAFE_METHODS, AnyCredential, Credential
from counterfoil.identity.errors import ApiKeyEnded, InactiveMember
from counterfoil.identity.repository import Member
from counterfoil.identity.service import user_actor
from counterfoil.kit import context
from counterfoil.kit.context import Actor
from counterfoil.kit.errors import PermissionDenied, Unauthenticated
from counterfoil.rbac.catalogue import Catalogue, require_known
from counterfoil.tenancy.term import require_current
from counterfoil.web import idempotency, provided

# Who can change nothing else any more can still log out, change a password or go to another tenant.
_ALWAYS_OPEN = "/api/v1/auth/"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is behind a request: a signed-in user, or the bearer of an API key.

    A service key stands for nobody: its own id is its ``user_id`` then, which no user has.
    """

    user_id: UUID
    tenant_id: UUID
    session_id: UUID
    email: str
    name: str
    api_key: Actor | None = None

    @property
    def is_service(self) -> bool:
        return self.api_key is not None and self.user_id == self.session_id

    @property
    def actor(self) -> Actor:
        """Whom the audit trail names."""
        return self.api_key or user_actor(self.user_id, self.email)


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

    An API key goes through for what a permission names. Without one it may only look, unless ``keys_may_change``: set that
    where another gate follows. With ``replays`` the unit of work is what an idempotency key protects, and its answer is kept
    as that says.
    """

    def __init__(
        self, permission: str | None, *, keys_may_change: bool = False, replays: Replays | None = None
    ) -> None:
        if permission is not None:
            require_known(permission)
        self.permission = permission
        self.keys_may_change = keys_may_change
        self.replays = replays

    async def __call__(
        self,
        credential: AnyCredential,
        database: Annotated[Database, Depends(provided(Database))],
    ) -> AsyncIterator[Scope]:
        request = _request_of(credential)
        catalogue: Catalogue = request.app.state.provided[Catalogue]
        async with database.unit_of_work(credential.tenant_id) as uow:
            member = await _standing(uow, credential)
            permissions = catalogue.permissions_of(member.roles, custom=member.custom_permissions)
            if isinstance(member, Bearer):
                permissions &= member.scopes
            self._require(permissions, credential, request)
            if request.method not in SAFE_METHODS and not request.url.path.startswith(_ALWAYS_OPEN):
                require_current(member.plan, member.plan_expires_at)
            caller = _caller(credential, member)
            with context.bound(context.current_actor, caller.actor):
                if self.replays is not None:
                    await idempotency.claim(uow, secret_answer=self.replays == "sealed")
                yield Scope(caller=caller, uow=uow, roles=member.roles, permissions=permissions)

    def _require(self, permissions: frozenset[str], credential: Credential, request: Request) -> None:
        if self.permission is not None:
            if self.permission not in permissions:
                raise PermissionDenied(f"This needs the permission {self.permission}.", reason=self.permission)
        elif credential.api_key is not None and request.method not in SAFE_METHODS and not self.keys_may_change:
            raise PermissionDenied("This is for people: an API key does what a permission names.", reason="api_key")


def _request_of(credential: Credential) -> Request:
    if credential.request is None:
        raise RuntimeError("a credential that came with no request opens no gate")
    return credential.request


async def _standing(uow: UnitOfWork, credential: Credential) -> Member | Bearer:
    """Who the credential belongs to, as things are now, in one round trip."""
    if credential.api_key is not None:
        bearer = await api_keys.bearer(uow, credential.session_id)
        if bearer is None or not bearer.is_live:
            raise ApiKeyEnded
        if not bearer.active:
            raise InactiveMember
        return bearer
    member = await repository.member(uow, credential.user_id, session_id=credential.session_id)
    if member is None or not member.active:
        raise InactiveMember
    if not member.session_is_live:
        raise Unauthenticated
    return member


def _caller(credential: Credential, member: Member | Bearer) -> Caller:
    return Caller(
        user_id=credential.user_id,
        tenant_id=credential.tenant_id,
        session_id=credential.session_id,
        email=member.email,
        name=member.name,
        api_key=credential.api_key,
    )


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
        ValueError: at definition, for a permission of core's that is not in the catalogue.
    """
    return Depends(Gate(permission, replays=_replays(secret_answer=secret_answer, replays=replays)), scope="function")


def require_member(*, secret_answer: bool = False, replays: bool = True) -> Any:
    """As ``require``, for what every member may do. An API key may only look."""
    return Depends(Gate(None, replays=_replays(secret_answer=secret_answer, replays=replays)), scope="function")


def _replays(*, secret_answer: bool, replays: bool) -> Replays | None:
    if not replays:
        return None
    return "sealed" if secret_answer else "plain"
