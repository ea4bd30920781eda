"""`/api/v1/auth`: the first thing anybody calls."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Request, Response

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.entitlements.service import enable_defaults
from counterfoil.identity import repository
from counterfoil.identity.delivery import AUTH_PREFIX, deliver, device_of, forget
from counterfoil.identity.deps import REFRESH_COOKIE, require_own_origin, verified
from counterfoil.identity.errors import (
    InactiveMember,
    InvalidCredentials,
    OriginMismatch,
    RegistrationRefused,
    SessionEnded,
    SlugTaken,
)
from counterfoil.identity.refusals import on_record
from counterfoil.identity.repository import Session
from counterfoil.identity.schemas import LoginBody, MeOut, RefreshBody, RegisterBody, SessionOut, TenantOut, UserOut
from counterfoil.identity.service import TRIAL_PLAN, Identity
from counterfoil.kit import context
from counterfoil.kit.errors import Unauthenticated
from counterfoil.kit.ids import new_id
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require_member
from counterfoil.web import provided
from counterfoil.web.limits import ApiLimits
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix=AUTH_PREFIX, tags=["auth"])

TheIdentity = Annotated[Identity, Depends(provided(Identity))]
TheSettings = Annotated[Settings, Depends(provided(Settings))]
TheDatabase = Annotated[Database, Depends(provided(Database))]
RefreshCookie = Annotated[str | None, Cookie(alias=REFRESH_COOKIE, include_in_schema=False)]


@dataclass(frozen=True, kw_only=True)
class Presented:
    """The refresh token of a request, from the body or else the cookie, and the session it belongs to, if any."""

    token: str | None = field(repr=False)
    session: Session | None
    in_body: bool


async def presented(
    *,
    request: Request,
    identity: TheIdentity,
    settings: TheSettings,
    database: TheDatabase,
    limits: Annotated[ApiLimits, Depends(provided(ApiLimits))],
    body: RefreshBody | None = None,
    cookie: RefreshCookie = None,
) -> AsyncIterator[Presented]:
    """Count the request, look the token up, and put refusals on record with the session's tenant.

    Raises:
        TooManyRequests: the network has sent too many; nobody has asked the database yet.
    """
    await limits.count_visitor(request)
    token = body.refresh_token.get_secret_value() if body else cookie
    session = await identity.session_of(token) if token else None
    async with on_record(session, request=request, database=database):
        if body is None and cookie is not None:
            require_own_origin(request, settings)
        yield Presented(token=token, session=session, in_body=body is not None)


RefreshToken = Annotated[Presented, Depends(presented, scope="function")]


@router.post(
    "/register",
    operation_id="register",
    status_code=201,
    responses=problem_responses(OriginMismatch, RegistrationRefused, SlugTaken, 429),
)
async def register(
    *,
    body: RegisterBody,
    request: Request,
    response: Response,
    identity: TheIdentity,
    settings: TheSettings,
    database: TheDatabase,
    plugins: Annotated[PluginManager, Depends(provided(PluginManager))],
) -> SessionOut:
    """Create a tenant on the trial plan with its owner, signed in. A known e-mail with its password adds a tenant."""
    require_own_origin(request, settings, absent_is_fine=True)
    founder = await identity.claim_email(body.email, body.password.get_secret_value(), name=body.full_name)
    with context.bound(context.current_actor, founder.actor):
        async with database.unit_of_work(new_id()) as uow:
            signed_in = await identity.found_tenant(
                uow, founder, name=body.tenant_name, slug=body.tenant_slug, device=device_of(request)
            )
            await enable_defaults(uow, TRIAL_PLAN, plugins=plugins)
    return deliver(signed_in, response, settings, in_body=body.wants_tokens_in_body)


@router.post(
    "/login", operation_id="login", responses=problem_responses(InvalidCredentials, InactiveMember, OriginMismatch, 429)
)
async def login(
    body: LoginBody, request: Request, response: Response, identity: TheIdentity, settings: TheSettings
) -> SessionOut:
    """Sign in to the tenant used last. An unknown e-mail and a wrong password get the same answer."""
    require_own_origin(request, settings, absent_is_fine=True)
    signed_in = await identity.log_in(body.email, body.password.get_secret_value(), device=device_of(request))
    return deliver(signed_in, response, settings, in_body=body.wants_tokens_in_body)


@router.post(
    "/refresh", operation_id="refresh", responses=problem_responses(SessionEnded, InactiveMember, OriginMismatch, 429)
)
async def refresh(
    given: RefreshToken, request: Request, response: Response, identity: TheIdentity, settings: TheSettings
) -> SessionOut:
    """Exchange the refresh token, from the body or the cookie, for a new pair; the answer goes the way it came."""
    if given.token is None or given.session is None:
        raise SessionEnded
    signed_in = await identity.refresh(given.session, given.token, device=device_of(request))
    return deliver(signed_in, response, settings, in_body=given.in_body)


@router.post("/logout", operation_id="logout", status_code=204, responses=problem_responses(OriginMismatch, 429))
async def logout(
    given: RefreshToken, request: Request, response: Response, identity: TheIdentity, settings: TheSettings
) -> None:
    """End the session. Answers the same when it has ended already."""
    # Also of a request without cookies: the answer drops a browser's, which another site's form does not bring.
    require_own_origin(request, settings, absent_is_fine=True)
    session = given.session if given.token else _session_of_bearer(request, identity)
    if session is not None:
        await identity.log_out(session)
    forget(response)


@router.get("/me", operation_id="me")
async def me(scope: Annotated[Scope, require_member()]) -> MeOut:
    """Who is signed in, where, and what they may do."""
    caller, tenant = scope.caller, await repository.tenant(scope.uow)
    return MeOut(
        user=UserOut(id=caller.user_id, email=caller.email, name=caller.name),
        tenant=TenantOut.of(tenant),
        roles=sorted(scope.roles),
        permissions=sorted(scope.permissions),
    )


def _session_of_bearer(request: Request, identity: Identity) -> Session | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return verified(identity, token).session
    except Unauthenticated:
        return None
