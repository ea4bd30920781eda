"""The one way out: bounded requests through the guard, with no cookies, no proxies and no redirects unless asked."""

import asyncio
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import httpx2

from counterfoil.kit.clock import utc_now
from counterfoil.kit.http.errors import (
    BlockedDestination,
    BodyTooLarge,
    ConnectFailed,
    CutBody,
    HttpError,
    NoAnswer,
    TooManyRedirects,
    Unsendable,
    UntrustedCertificate,
)
from counterfoil.kit.http.guard import EgressPolicy, GuardedTransport, Resolve, system_resolve

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_CREDENTIAL_HEADERS = ("authorization", "cookie", "proxy-authorization")
_MANY_ENCODINGS = ","
# RFC 9110, 5.5: visible characters, with spaces and tabs between them.
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one request may take: seconds to connect, between two reads and in all, and bytes after decompression."""

    connect_s: float = 10.0
    read_s: float = 30.0
    total_s: float = 120.0
    max_bytes: int = 32_000_000


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A complete answer. ``sent_at`` is when the request left: the content is surely not older than that."""

    status: int
    headers: httpx2.Headers
    body: bytes
    sent_at: datetime


class HttpClient:
    """One pool of guarded connections. Use it as an async context manager; it is not shared between tenants."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        bounds: Bounds | None = None,
        resolve: Resolve = system_resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(policy, resolve=resolve, tls=tls),
            trust_env=False,
            follow_redirects=False,
            # A vendor's cookies would carry state from one request into the next.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx2.Timeout(self._bounds.read_s, connect=self._bounds.connect_s),
            headers={"Accept-Encoding": "gzip", "User-Agent": "Counterfoil/1"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        max_redirects: int = 0,
    ) -> Reply:
        """Send one request and read the whole answer, whatever its status.

        Args:
            method: GET, POST and so on.
            url: absolute, with or without a query.
            params: further parameters of the query, already text.
            headers: sent as they are; credentials among them do not follow a redirect to another origin.
            content: the body.
            max_redirects: how many redirects of a GET are followed, each through the same guard. With none, the
                redirect itself is the answer.

        Raises:
            HttpError: one of its subclasses, by what went wrong.
        """
        request = self._built(method, url, params=params, headers=headers or {}, content=content)
        try:
            async with asyncio.timeout(self._bounds.total_s):
                return await self._follow(request, max_redirects)
        except TimeoutError as error:
            raise NoAnswer(f"no complete answer from {request.url.host} in {self._bounds.total_s:g} s") from error

    def _built(
        self,
        method: str,
        url: str | httpx2.URL,
        *,
        headers: Mapping[str, str],
        params: Sequence[tuple[str, str]] = (),
        content: bytes | None = None,
    ) -> httpx2.Request:
        for name, value in headers.items():
            # The library would refuse it too, but quote the value, which may be a secret, in its debug log.
            if not _HEADER_VALUE.fullmatch(value):
                raise Unsendable(f"the header {name} holds a character that cannot be sent")
        try:
            # The library lets given parameters replace those of the address.
            merged = httpx2.QueryParams((*httpx2.URL(url).params.multi_items(), *params)) if params else None
            return self._client.build_request(method, url, params=merged, headers=dict(headers), content=content)
        except httpx2.InvalidURL:
            raise Unsendable("the address is not a valid one") from None

    async def _follow(self, request: httpx2.Request, max_redirects: int) -> Reply:
        for _ in range(max_redirects + 1):
            reply = await self._send(request)
            location = reply.headers.get("location")
            if not max_redirects or request.method != "GET" or not (300 <= reply.status < 400 and location):  # noqa: PLR2004  (the redirect class)
                return reply
            request = self._redirected(request, location)
        raise TooManyRedirects(f"{request.url.host} redirects more than {max_redirects} times")

    def _redirected(self, request: httpx2.Request, location: str) -> httpx2.Request:
        try:
            url = request.url.join(location)
        except httpx2.InvalidURL:
            raise Unsendable("the server redirects to something that is no address") from None
        same_origin = (url.scheme, url.host, url.port) == (request.url.scheme, request.url.host, request.url.port)
        headers = {
            name: value
            for name, value in request.headers.items()
            if name != "host" and (same_origin or name not in _CREDENTIAL_HEADERS)
        }
        return self._built("GET", url, headers=headers)

    async def _send(self, request: httpx2.Request) -> Reply:
        sent_at = utc_now()
        response: httpx2.Response | None = None
        try:
            response = await self._client.send(request, stream=True)
            body = await self._read(response)
        except httpx2.UnsupportedProtocol as error:
            raise BlockedDestination("only http and https addresses are reached") from error
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise _as_http_error(error, request.url.host, answered=response is not None) from error
        finally:
            if response is not None:
                await response.aclose()
        return Reply(status=response.status_code, headers=response.headers, body=body, sent_at=sent_at)

    async def _read(self, response: httpx2.Response) -> bytes:
        host, limit = response.url.host, self._bounds.max_bytes
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise BodyTooLarge(f"the answer of {host} is larger than {limit} bytes")
        if _MANY_ENCODINGS in response.headers.get("content-encoding", ""):
            raise CutBody(f"the answer of {host} is compressed more than once")
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > limit:
                raise BodyTooLarge(f"the answer of {host} is larger than {limit} bytes")
        return bytes(body)


def _as_http_error(error: Exception, host: str, *, answered: bool) -> HttpError:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return UntrustedCertificate(f"the certificate of {host} is not valid for it")
    if isinstance(error, _NOT_SENT):
        return ConnectFailed(f"no connection to {host}")
    if answered:
        return CutBody(f"the answer of {host} broke off")
    return NoAnswer(f"no answer from {host}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def query(params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None) -> list[tuple[str, str]]:
    """A query as text: times in RFC 3339, booleans in lower case, lists repeated, None left out."""
    pairs = params.items() if isinstance(params, Mapping) else (params or ())
    return [
        (name, _text(one))
        for name, value in pairs
        for one in (value if isinstance(value, list | tuple) else (value,))
        if one is not None
    ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            msg = "a time without a zone cannot be sent"
            raise ValueError(msg)
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
