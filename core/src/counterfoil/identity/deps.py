"""Turns the credential of a request into ids, and keeps other sites from using a browser's cookies."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.identity.errors import OriginMismatch
from counterfoil.identity.refusals import on_record
from counterfoil.identity.repository import Session
from counterfoil.identity.service import Identity
from counterfoil.kit.errors import Unauthenticated
from counterfoil.kit.tokens import Claims, InvalidToken
from counterfoil.web import provided
from counterfoil.web.limits import ApiLimits

ACCESS_COOKIE, REFRESH_COOKIE = "cf_access", "cf_refresh"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_CHALLENGE = {"WWW-Authenticate": "Bearer"}

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="Access token of `POST /auth/login`, for scripts"
)
_cookie = APIKeyCookie(name=ACCESS_COOKIE, auto_error=False, description="Access token of the web app")


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a verified access token claims. Whether member and session are still good is for the database to say."""

    user_id: UUID
    tenant_id: UUID
    session_id: UUID

    @property
    def session(self) -> Session:
        return Session(family_id=self.session_id, user_id=self.user_id, tenant_id=self.tenant_id)


async def authenticate(
    *,
    request: Request,
    identity: Annotated[Identity, Depends(provided(Identity))],
    settings: Annotated[Settings, Depends(provided(Settings))],
    database: Annotated[Database, Depends(provided(Database))],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> AsyncIterator[Credential]:
    """Verify the bearer token or, failing one, the cookie. Every refusal of the request from here on is put on record.

    Raises:
        Unauthenticated: no credential, or none of ours.
        OriginMismatch: a cookie came with an unsafe method, but not from our own pages.
    """
    if bearer is None and cookie is None:
        raise Unauthenticated(headers=_CHALLENGE)
    credential = verified(identity, bearer.credentials if bearer else str(cookie))
    # For the request's log line, which is written where no context variable of ours is bound any more.
    request.state.tenant_id = credential.tenant_id
    async with on_record(credential.session, request=request, database=database):
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
    await limits.count(request, tenant_id=credential.tenant_id, caller=str(credential.user_id))
    return credential


# Function scope: whatever the route or its other dependencies raise passes through, after their transactions have ended.
Authenticated = Annotated[Credential, Depends(within_limits, scope="function")]


def verified(identity: Identity, access_token: str) -> Credential:
    try:
        return _credential(identity.tokens.verify(access_token))
    except InvalidToken as error:
        raise Unauthenticated(headers=_CHALLENGE) from error


def require_own_origin(request: Request, settings: Settings, *, absent_is_fine: bool = False) -> None:
    """Refuse an unsafe request that a browser sends for another site.

    Raises:
        OriginMismatch: ``Origin`` is neither the configured origin nor the address this request came to.
    """
    if request.method in _SAFE_METHODS:
        return
    origin = request.headers.get("origin")
    if origin is None and absent_is_fine:
        return
    if origin not in (settings.origin, f"{request.url.scheme}://{request.headers.get('host', '')}"):
        raise OriginMismatch


def _credential(claims: Claims) -> Credential:
    try:
        return Credential(
            user_id=UUID(claims.subject), tenant_id=UUID(claims.extra["tid"]), session_id=UUID(claims.extra["sid"])
        )
    except (KeyError, ValueError) as error:
        raise InvalidToken from error
