"""How tokens reach whoever signed in: in cookies, or in the body where a script asks for that."""

from starlette.requests import Request
from starlette.responses import Response

from counterfoil.config import Settings
from counterfoil.identity.deps import ACCESS_COOKIE, REFRESH_COOKIE
from counterfoil.identity.repository import Device
from counterfoil.identity.schemas import SessionOut
from counterfoil.identity.service import SignedIn
from counterfoil.kit import context

AUTH_PREFIX = "/api/v1/auth"
_LONGEST_USER_AGENT = 300


def deliver(signed_in: SignedIn, response: Response, settings: Settings, *, in_body: bool) -> SessionOut:
    if not in_body:
        is_https = settings.origin.startswith("https://")
        response.set_cookie(
            ACCESS_COOKIE,
            signed_in.access_token,
            max_age=signed_in.expires_in_s,
            path="/",
            secure=is_https,
            httponly=True,
            samesite="strict",
        )
        response.set_cookie(
            REFRESH_COOKIE,
            signed_in.refresh_token,
            max_age=settings.refresh_token_ttl_s,
            path=AUTH_PREFIX,
            secure=is_https,
            httponly=True,
            samesite="strict",
        )
    return SessionOut.of(signed_in, with_refresh_token=in_body)


def forget(response: Response) -> None:
    """Have a browser drop its cookies."""
    response.delete_cookie(ACCESS_COOKIE, path="/")
    response.delete_cookie(REFRESH_COOKIE, path=AUTH_PREFIX)


def device_of(request: Request) -> Device:
    agent = request.headers.get("user-agent")
    return Device(user_agent=agent[:_LONGEST_USER_AGENT] if agent else None, address=context.current_client_ip.get())
