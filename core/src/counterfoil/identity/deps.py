"""Turns the credential of a request into ids, and keeps other sites from using a browser's cookies."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.identity.api_keys import repository as api_keys
from counterfoil.identity.api_keys.keys import hashed, is_api_key
from counterfoil.identity.errors import ApiKeyEnded, OriginMismatch
from counterfoil.identity.refusals import on_record
from counterfoil.identity.repository import Session
from counterfoil.identity.service import Identity
from counterfoil.kit.context import Actor
from counterfoil.kit.errors import PermissionDenied, Unauthenticated
from counterfoil.kit.tokens import Claims, InvalidToken
from counterfoil.observability import get_logger
from counterfoil.web import provided
from counterfoil.web.limits import ApiLimits

ACCESS_COOKIE, REFRESH_COOKIE = "cf_access", "cf_refresh"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_LONGEST_LOGGED_ORIGIN = 200

_log = get_logger(__name__)

_bearer = HTTPBearer(
    auto_error=False, description="Access token of `POST /auth/login`, or an API key `cfk_…`, for scripts"
)
_cookie = APIKeyCookie(name=ACCESS_COOKIE, auto_error=False, description="Access token of the web app")


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a verified access token claims. Whether member and session are still good is for the database to say.

    With an API key, ``api_key`` names it, and its id stands where there is no session or, for a service key, no user.
    ``request`` is the one it came with.
    """

    user_id: UUID
    tenant_id: UUID
    session_id: UUID
    api_key: Actor | None = None
    api_key_is_live: bool = True
    request: Request | None = field(default=None, repr=False, compare=False)

    @property
    def session(self) -> Session:
        return Session(family_id=self.session_id, user_id=self.user_id, tenant_id=self.tenant_id)


async def authenticate(
    *,
    request: Request,
    identity: Annotated[Identity, Depends(provided(Identity))],
    settings: Annotated[Settings, Depends(provided(Settings))],
    database: Annotated[Database, Depends(provided(Database))],
    limits: Annotated[ApiLimits, Depends(provided(ApiLimits))],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> AsyncIterator[Credential]:
    """Verify the bearer token or, failing one, the cookie. Every refusal of the request from here on is put on record.

    Raises:
        Unauthenticated: no credential, or none of ours.
        TooManyRequests: too many came from this network that were none of ours.
        OriginMismatch: a cookie came with an unsafe method, but not from our own pages.
    """
    if bearer is None and cookie is None:
        raise Unauthenticated(headers=_CHALLENGE)
    try:
        if bearer is not None and is_api_key(bearer.credentials):
            credential = await _of_api_key(database, limits, bearer.credentials)
        else:
            credential = verified(identity, bearer.credentials if bearer else str(cookie))
    except Unauthenticated:
        await limits.count_stranger(request)
        raise
    credential = replace(credential, request=request)
    # For the request's log line, which is written where no context variable of ours is bound any more.
    request.state.tenant_id = credential.tenant_id
    async with on_record(credential.session, request=request, database=database, actor=credential.api_key):
        if bearer is None:
            require_own_origin(request, settings)
        yield credential


async def within_limits(
    request: Request,
    credential: Annotated[Credential, Depends(authenticate, scope="function")],
    limits: Annotated[ApiLimits, Depends(provided(ApiLimits))],
) -> Credential:
    """Count the request before the database hears of it.

    Raises:
        TooManyRequests: the caller or the tenant has sent too many.
    """
    caller = credential.api_key.id if credential.api_key else credential.user_id
    await limits.count(request, tenant_id=credential.tenant_id, caller=str(caller))
    return credential


# Function scope: whatever the route or its other dependencies raise passes through, after their transactions have ended.
AnyCredential = Annotated[Credential, Depends(within_limits, scope="function")]


async def person(credential: AnyCredential) -> Credential:
    """Refuse an API key: one does what a permission names, and without a gate there is none.

    Raises:
        ApiKeyEnded: the request brings an API key that is not good any more.
        PermissionDenied: it brings one that is.
    """
    if not credential.api_key_is_live:
        raise ApiKeyEnded
    if credential.api_key is not None:
        raise PermissionDenied("This is for people: an API key does what a permission names.", reason="api_key")
    return credential


# Whoever is signed in, for routes without a gate of `rbac`; a gate takes any credential.
Authenticated = Annotated[Credential, Depends(person, scope="function")]


async def recognize(
    *,
    request: Request,
    identity: Annotated[Identity, Depends(provided(Identity))],
    settings: Annotated[Settings, Depends(provided(Settings))],
    database: Annotated[Database, Depends(provided(Database))],
) -> AsyncIterator[Credential | None]:
    """As ``authenticate``, for a route that is open to everybody: without a token, or with one that is no good, it is nobody.

    Raises:
        OriginMismatch: a cookie came with an unsafe method, but not from our own pages.
    """
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    try:
        credential = verified(identity, bearer if is_bearer else request.cookies.get(ACCESS_COOKIE, ""))
    except Unauthenticated:
        yield None
        return
    request.state.tenant_id = credential.tenant_id
    async with on_record(credential.session, request=request, database=database):
        if not is_bearer:
            require_own_origin(request, settings)
        yield credential


Recognized = Annotated[Credential | None, Depends(recognize, scope="function")]


def verified(identity: Identity, access_token: str) -> Credential:
    try:
        return _credential(identity.tokens.verify(access_token))
    except InvalidToken as error:
        raise Unauthenticated(headers=_CHALLENGE) from error


async def _of_api_key(database: Database, limits: ApiLimits, key: str) -> Credential:
    """Whose key it is, good or not; the gate finds out what it is good for."""
    key_hash = hashed(key)
    limits.require_welcome(key_hash)
    async with database.unit_of_work(None) as uow:
        found = await api_keys.use(uow, key_hash)
    if found is None:
        raise Unauthenticated(headers=_CHALLENGE)
    limits.welcome(key_hash)
    return Credential(
        user_id=found.user_id or found.id,
        tenant_id=found.tenant_id,
        session_id=found.id,
        api_key=Actor(kind="api_key", id=str(found.id), label=found.name),
        api_key_is_live=found.is_live,
    )


def require_own_origin(request: Request, settings: Settings, *, absent_is_fine: bool = False) -> None:
    """Refuse an unsafe request that a browser sends for another site.

    Raises:
        OriginMismatch: ``Origin`` is neither the configured origin nor the address this request came to.
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("origin")
    if origin is None and absent_is_fine:
        return
    # Where people come by https, a page that came by http is anybody's who sits on the way.
    scheme = "https" if settings.origin.startswith("https://") else request.url.scheme
    if origin not in (settings.origin, f"{scheme}://{request.headers.get('host', '')}"):
        # Where nobody is known yet there is no tenant whose audit trail could tell of it.
        said = origin[:_LONGEST_LOGGED_ORIGIN] if origin else origin
        _log.warning("identity.origin_mismatch", method=request.method, path=request.url.path, origin=said)
        raise OriginMismatch


def _credential(claims: Claims) -> Credential:
    try:
        return Credential(
            user_id=UUID(claims.subject), tenant_id=UUID(claims.extra["tid"]), session_id=UUID(claims.extra["sid"])
        )
    except (KeyError, ValueError) as error:
        raise InvalidToken from error
