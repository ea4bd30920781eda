"""What surrounds every request: correlation id, client address, bounds of the input, security headers, the last resort for errors."""

import time
from email.message import Message as MimeMessage
from urllib.parse import unquote_to_bytes
from uuid import UUID

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counterfoil.kit import context
from counterfoil.kit.errors import FieldError, InvalidInput, PayloadTooLarge, Problem
from counterfoil.kit.ids import new_id
from counterfoil.observability import get_logger
from counterfoil.observability.metrics import count_request
from counterfoil.web.limits import limit_headers
from counterfoil.web.problems import answer, problem_response
from counterfoil.web.security import DEFAULT_HEADERS, HSTS, SECURITY_HEADERS
from counterfoil.web.text import DEEPEST_JSON, NUL, find_nul, find_repeated_name, is_deeper

_log = get_logger(__name__)

CORRELATION_HEADER = "X-Correlation-ID"
_FROM_VENDORS = "/webhooks/"
_NO_NUL = "The character U+0000 cannot be stored."


class RequestContext:
    """Binds correlation id and client address, and turns whatever escapes the application into a problem."""

    def __init__(self, app: ASGIApp, *, is_https: bool = False) -> None:
        """Args: ``is_https`` where people reach us by https, whatever a proxy in front makes of it."""
        self.app = app
        self.is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        correlation_id = _correlation_id(Headers(scope=scope).get(CORRELATION_HEADER))
        client = scope.get("client")
        status = 0
        began = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[CORRELATION_HEADER] = str(correlation_id)
                headers.update(SECURITY_HEADERS)
                # A refusal by another limit says how that one stands.
                for name, value in (limit_headers(scope) | DEFAULT_HEADERS).items():
                    headers.setdefault(name, value)
                if self.is_https or scope.get("scheme") == "https":
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        with (
            context.bound(context.current_correlation_id, correlation_id),
            context.bound(context.current_client_ip, client[0] if client else None),
        ):
            try:
                await self.app(scope, receive, send_with_headers)
            except Exception as error:
                # The last resort at the edge: an unforeseen error still gets a problem with a correlation id.
                response = answer(error)
                if status:
                    raise
                await response(scope, receive, send_with_headers)
            finally:
                duration_s = time.perf_counter() - began
                count_request(method=scope["method"], route=_route(scope), status=status, duration_s=duration_s)
                _log.info(
                    "request.finished",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    duration_ms=round(duration_s * 1000, 1),
                    **_tenant(scope),
                )


class BodyLimit:
    """Refuses request bodies above a size, whether announced or streamed."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self.max_bytes:
            await self._refuse(scope, receive, send)
            return
        seen = 0
        answered = False

        async def bounded_receive() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                raise PayloadTooLarge(f"At most {self.max_bytes} bytes are accepted.")
            return message

        async def corrected_send(message: Message) -> None:
            # The framework turns any error while a body is read into one of its own: say what it really was.
            nonlocal answered
            if seen <= self.max_bytes:
                await send(message)
            elif not answered:
                answered = True
                await self._refuse(scope, receive, send)

        await self.app(scope, bounded_receive, corrected_send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await problem_response(PayloadTooLarge(f"At most {self.max_bytes} bytes are accepted."))(scope, receive, send)


class UnsupportedEncoding(Problem):
    status, code, title = 415, "unsupported_encoding", "The request body is compressed"


class TextGuard:
    """Refuses text that cannot be stored, on every route there is: U+0000 and what is no UTF-8, lone surrogates included.

    It stands in paths, queries and JSON bodies, so that no route has to think of it. Refused with it are JSON nested beyond
    reason, and compressed bodies, whose size says nothing. What vendors send is let through as it is: it is proven byte by byte,
    they could not send it otherwise, and only ids of it are kept. Goes inside of ``BodyLimit``, because it holds a JSON body in
    memory, as the route will.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _check_address(scope)
            headers = Headers(scope=scope)
            if headers.get("content-encoding", "identity").strip().lower() != "identity":
                raise UnsupportedEncoding("Send the body as it is.")
            if _is_json(headers.get("content-type", "")) and not scope["path"].startswith(_FROM_VENDORS):
                receive = await _checked_json(receive)
        await self.app(scope, receive, send)


def _check_address(scope: Scope) -> None:
    try:
        query = unquote_to_bytes(scope["query_string"]).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput("The query is not UTF-8.") from error
    if NUL in query or NUL in scope["path"]:
        raise InvalidInput(_NO_NUL)


def _is_json(content_type: str) -> bool:
    # As the framework decides it.
    message = MimeMessage()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


async def _checked_json(receive: Receive) -> Receive:
    """Read the body to its end and give a ``receive`` that says it all again."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    body = b"".join(message.get("body", b"") for message in messages)
    try:
        # Unlike the framework's parser, this one refuses lone surrogates.
        parsed = orjson.loads(body or b"null")
    except orjson.JSONDecodeError as error:
        raise InvalidInput("The body is not JSON in UTF-8.") from error
    if is_deeper(parsed, DEEPEST_JSON):
        raise InvalidInput(f"The body is nested more than {DEEPEST_JSON} levels deep.")
    twice = find_repeated_name(body)
    if twice is not None:
        message = "This name is there twice in one object."
        raise InvalidInput(message, errors=[FieldError(path=twice, message=message)])
    path = find_nul(parsed)
    if path is not None:
        raise InvalidInput(_NO_NUL, errors=[FieldError(path=path, message=_NO_NUL)])
    said = iter(messages)

    async def receive_again() -> Message:
        return next(said, None) or await receive()

    return receive_again


def _route(scope: Scope) -> str:
    """The path as its route declares it; anything may be asked for where there is none."""
    return getattr(scope.get("route"), "path", "none")


def _tenant(scope: Scope) -> dict[str, str]:
    """The tenant that authentication found, if it got that far."""
    tenant_id = scope.get("state", {}).get("tenant_id")
    return {"tenant_id": str(tenant_id)} if tenant_id else {}


def _correlation_id(given: str | None) -> UUID:
    try:
        return UUID(given) if given else new_id()
    except ValueError:
        return new_id()
