"""`/api/v1/auth`, for those who are signed in or forgot how to: tenants, sessions, password, name."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response

from counterfoil.config import Settings
from counterfoil.identity.account import repository, service
from counterfoil.identity.account.schemas import (
    ForgotBody,
    ForgotOut,
    MySessionOut,
    MyTenantOut,
    PasswordBody,
    ProfileBody,
    ResetBody,
    RevokedOut,
    SwitchBody,
)
from counterfoil.identity.account.service import Accounts
from counterfoil.identity.delivery import AUTH_PREFIX, deliver, device_of, forget
from counterfoil.identity.deps import Authenticated
from counterfoil.identity.errors import LinkInvalid, PasswordChanged, WrongPassword
from counterfoil.identity.schemas import SessionOut, UserOut
from counterfoil.identity.service import Identity
from counterfoil.rbac import Scope, require_member
from counterfoil.web import Listing, Page, decode_cursor, encode_cursor, provided
from counterfoil.web.links import finds
from counterfoil.web.pagination import InvalidCursor, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix=AUTH_PREFIX, tags=["auth"])

TheIdentity = Annotated[Identity, Depends(provided(Identity))]
TheAccounts = Annotated[Accounts, Depends(provided(Accounts))]
TheSettings = Annotated[Settings, Depends(provided(Settings))]
Paging = Annotated[Listing, Depends(listing)]


@router.patch("/me", operation_id="updateMe", responses=problem_responses(403))
async def update_me(body: ProfileBody, scope: Annotated[Scope, require_member()]) -> UserOut:
    """Change one's own name, in every tenant."""
    caller = scope.caller
    await service.rename(scope.uow, caller.user_id, body.full_name, former=caller.name)
    return UserOut(id=caller.user_id, email=caller.email, name=body.full_name)


@router.get("/me/tenants", operation_id="listMyTenants")
async def list_my_tenants(scope: Annotated[Scope, require_member()], page: Paging) -> Page[MyTenantOut]:
    """The tenants one is a member of, also those one cannot enter at the moment, oldest first."""
    found = await repository.tenants(
        scope.uow, scope.caller.user_id, after=_position(page.cursor), limit=page.limit + 1
    )
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[MyTenantOut.of(tenant, current=scope.caller.tenant_id) for tenant in shown],
        next_cursor=encode_cursor(str(shown[-1].tenant_id)) if more else None,
    )


@router.post("/switch-tenant", operation_id="switchTenant", responses=problem_responses(403, 404))
async def switch_tenant(
    *,
    body: SwitchBody,
    request: Request,
    response: Response,
    credential: Authenticated,
    identity: TheIdentity,
    settings: TheSettings,
) -> SessionOut:
    """Go on in another tenant of one's own: this session ends, and one there begins. It ends when this one would have."""
    signed_in = await identity.switch(credential.session, body.tenant_id, device=device_of(request))
    return deliver(signed_in, response, settings, in_body=body.wants_tokens_in_body)


@router.get("/sessions", operation_id="listMySessions", responses=finds(200, session_id="/items/0/id"))
async def list_my_sessions(scope: Annotated[Scope, require_member()], page: Paging) -> Page[MySessionOut]:
    """One's own live sessions in all tenants, newest first."""
    found = await repository.sessions(
        scope.uow, scope.caller.user_id, before=_position(page.cursor), limit=page.limit + 1
    )
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[MySessionOut.of(session, current=scope.caller.session_id) for session in shown],
        next_cursor=encode_cursor(str(shown[-1].id)) if more else None,
    )


@router.delete(
    "/sessions/{session_id:uuid}",
    operation_id="endSession",
    status_code=204,
    responses=problem_responses(403, 404),
)
async def end_session(session_id: UUID, response: Response, credential: Authenticated, accounts: TheAccounts) -> None:
    """End one of one's own sessions. Its access token stops working at once."""
    await accounts.end_session(credential.session, session_id)
    if session_id == credential.session_id:
        forget(response)


@router.post("/sessions/revoke-others", operation_id="endOtherSessions", responses=problem_responses(403))
async def end_other_sessions(credential: Authenticated, accounts: TheAccounts) -> RevokedOut:
    """End all of one's own sessions but this one, in all tenants."""
    return RevokedOut(revoked=await accounts.end_other_sessions(credential.session))


@router.post(
    "/password",
    operation_id="changePassword",
    status_code=204,
    responses=problem_responses(403, WrongPassword, PasswordChanged),
)
async def change_password(
    body: PasswordBody, credential: Authenticated, accounts: TheAccounts, background: BackgroundTasks
) -> None:
    """Set a new password. One's other sessions end, as do links for a new password; a wrong current one is counted."""
    current, new = body.current_password.get_secret_value(), body.new_password.get_secret_value()
    person = await accounts.change_password(credential.session, current=current, new=new)
    background.add_task(accounts.tell_of_new_password, person)


@router.post("/password/forgot", operation_id="forgotPassword", status_code=202, responses=problem_responses(429, 503))
async def forgot_password(
    body: ForgotBody, identity: TheIdentity, accounts: TheAccounts, background: BackgroundTasks
) -> ForgotOut:
    """Have a link mailed that sets a new password, good for an hour and once. The answer is the same for every e-mail."""
    await identity.throttle.attempt("forgot")
    background.add_task(accounts.mail_reset_link, body.email)
    return ForgotOut()


@router.post(
    "/password/reset", operation_id="resetPassword", status_code=204, responses=problem_responses(LinkInvalid, 429, 503)
)
async def reset_password(body: ResetBody, accounts: TheAccounts, background: BackgroundTasks) -> None:
    """Set a new password with a mailed link. Every session ends: log in with the new password next."""
    person = await accounts.reset_password(body.token.get_secret_value(), body.new_password.get_secret_value())
    background.add_task(accounts.tell_of_new_password, person)


def _position(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, length=1)[0])
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor from error
