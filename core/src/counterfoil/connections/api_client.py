"""The client a connector gets: relative paths in, JSON out, and every way it can go wrong a typed ``SourceError``."""

import base64
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx2
import orjson

from counterfoil.kit.clock import utc_now
from counterfoil.kit.http import (
    BlockedDestination,
    BodyTooLarge,
    ConnectFailed,
    CutBody,
    HeldBack,
    HttpClient,
    HttpError,
    Limiter,
    Redactor,
    Reply,
    RetryPolicy,
    Unsendable,
    UntrustedCertificate,
    masked_excerpt,
    masked_url,
    query,
    retry_after_s,
)
from counterfoil.kit.ids import new_id
from counterfoil.observability import get_logger
from counterfoil.outbound.log import CallLog, Sent
from counterfoil.plugins.connector import (
    Json,
    SourceError,
    SourceForbidden,
    SourceInvalid,
    SourceMalformed,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
)

Classify = Callable[[int, Any, Mapping[str, str]], SourceError | None]
Cost = Callable[[Any, Mapping[str, str]], Decimal | None]
Authorization = Callable[[], Awaitable[str]]
Params = Mapping[str, Any] | Sequence[tuple[str, Any]] | None

_NO_CONTENT = 204
_BY_STATUS: dict[int, type[SourceError]] = {
    401: SourceUnauthorized,
    403: SourceForbidden,
    408: SourceUnavailable,
    429: SourceRateLimited,
}

# An attempt that was cancelled, or whose answer the connector could not read.
_INTERRUPTED = "interrupted"

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Answered:
    """The latest answered request of one client."""

    client: object
    call_id: UUID | None
    sent_at: datetime


# Per task, because streams and slices that are read side by side share a client.
_answered: ContextVar[_Answered | None] = ContextVar("_answered", default=None)


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One request as it is repeated. ``repeatable``: sending it twice does no harm."""

    method: str
    path: str
    url: str
    params: list[tuple[str, str]]
    headers: dict[str, str]
    content: bytes | None
    repeatable: bool


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """A failed attempt. ``may_retry``: another attempt could succeed; ``untouched``: the vendor surely did nothing."""

    error: SourceError
    may_retry: bool
    untouched: bool
    cause: BaseException | None = None


@dataclass(kw_only=True)
class _Attempt:
    """One attempt as it goes: what will be noted of it, whichever way it ends."""

    call: _Call
    number: int
    id: UUID | None = None
    sent_at: datetime | None = None
    began: float = 0.0
    took_s: float = 0.0
    reply: Reply | None = None
    body: Any = None

    def begin(self) -> None:
        self.id, self.sent_at, self.began = new_id(), utc_now(), time.perf_counter()

    def end(self) -> None:
        self.took_s = time.perf_counter() - self.began


class ApiClient:
    """One vendor's API for one connection. Not for use from several event loops."""

    def __init__(
        self,
        http: HttpClient,
        *,
        base_url: str,
        limiter: Limiter,
        headers: Mapping[str, str] | None = None,
        classify: Classify | None = None,
        cost: Cost | None = None,
        authorization: Authorization | None = None,
        retry: RetryPolicy | None = None,
        redact: Redactor | None = None,
        calls: CallLog | None = None,
    ) -> None:
        """Bind a pool of connections to one vendor.

        Args:
            http: the guarded client; the caller closes it.
            base_url: paths are relative to it.
            limiter: the account's limits.
            headers: sent with every request.
            classify: the vendor's own reading of an error answer, asked before the status code is.
            cost: reads from an answer what the request cost.
            authorization: gives the value of the Authorization header.
            retry: how failures are repeated.
            redact: knows the secrets that no message may repeat.
            calls: where every attempt is noted.
        """
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._limiter = limiter
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._classify = classify
        self._cost = cost
        self._authorization = authorization
        self._retry = retry or RetryPolicy()
        self._redact = redact or Redactor()
        self._calls = calls
        self._latest = _Answered(client=self, call_id=None, sent_at=utc_now())

    @property
    def sent_at(self) -> datetime:
        """When this task's latest answered request was sent; before the first one, when the client was made."""
        return self._answered.sent_at

    @property
    def last_call_id(self) -> UUID | None:
        """The id under which this task's latest answered request is in the log; None before the first one."""
        return self._answered.call_id

    @property
    def _answered(self) -> _Answered:
        own = _answered.get()
        return own if own is not None and own.client is self else self._latest

    async def get(self, path: str, params: Params = None, *, headers: Mapping[str, str] | None = None) -> Json:
        """Read a resource.

        Args:
            path: relative to the base URL, or an absolute address of the same origin, as in links to the next page.
            params: the query; times, booleans and lists are written the way vendors read them, None is left out.
            headers: beside those every request carries.

        Raises:
            SourceError: one of its subclasses, once retrying does not help.
        """
        return await self._perform(self._call("GET", path, params=params, headers=headers, repeatable=True))

    async def post(
        self,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = False,
    ) -> Json:
        """Send a body.

        Args:
            path: as in ``get``.
            json: the body as JSON, or
            form: the body as a form.
            basic: user name and password, in place of the connection's own authorization.
            headers: beside those every request carries.
            idempotent: the request only reads, or carries an idempotency key. Otherwise it is repeated only where the
                vendor surely did nothing: no connection, or a refusal for too many requests.

        Raises:
            SourceError: one of its subclasses, once retrying does not help.
        """
        own = dict(headers or {})
        content: bytes | None = None
        if form is not None:
            content = urlencode(form).encode()
            own["Content-Type"] = "application/x-www-form-urlencoded"
        elif json is not None:
            content = orjson.dumps(json)
            own["Content-Type"] = "application/json"
        if basic is not None:
            self._redact.add(basic[1], ":".join(basic))
            own["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
        return await self._perform(self._call("POST", path, headers=own, content=content, repeatable=idempotent))

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        repeatable: bool,
    ) -> _Call:
        url = self._url(path)
        return _Call(
            method=method,
            path=self._redact(url.path),
            url=str(url),
            params=query(params),
            headers={**self._headers, **(headers or {})},
            content=content,
            repeatable=repeatable,
        )

    def _url(self, path: str) -> httpx2.URL:
        is_link = "://" in path.partition("?")[0]
        try:
            base = httpx2.URL(self._base_url)
            url = httpx2.URL(path if is_link else f"{self._base_url}/{path.lstrip('/')}")
        except httpx2.InvalidURL:
            raise SourceInvalid("the address of the source, or a path or link of it, is not a valid one") from None
        # Another origin would be handed this connection's credentials.
        if (url.scheme, url.host, url.port, url.userinfo) != (base.scheme, base.host, base.port, base.userinfo):
            raise SourceInvalid(f"a link of the source leads away from {base.host}")
        return url

    async def _perform(self, call: _Call) -> Json:
        began, attempt = time.monotonic(), 1
        while True:
            result = await self._attempt(call, attempt)
            if not isinstance(result, _Failure):
                return result
            wait_s = self._wait_s(call, result, attempt, elapsed_s=time.monotonic() - began)
            if wait_s is None:
                raise result.error from result.cause
            _log.info(
                "source.retried", method=call.method, path=call.path, code=result.error.code,
                detail=result.error.detail, attempt=attempt, wait_s=round(wait_s, 3),
            )  # fmt: skip
            await self._retry.sleep(wait_s)
            attempt += 1

    def _wait_s(self, call: _Call, failure: _Failure, attempt: int, *, elapsed_s: float) -> float | None:
        if not failure.may_retry or not (call.repeatable or failure.untouched):
            return None
        return self._retry.wait_s(attempt, elapsed_s=elapsed_s, at_least_s=failure.error.retry_after_s)

    async def _attempt(self, call: _Call, number: int) -> Json | _Failure:
        headers = call.headers
        if self._authorization is not None and "Authorization" not in headers:
            headers = {**headers, "Authorization": await self._authorization()}
        attempt = _Attempt(call=call, number=number)
        result: Json | _Failure | None = None
        try:
            result = await self._sent(attempt, headers)
        except HttpError as error:
            result = self._transport_failure(error)
        finally:
            self._note(attempt, result)
        return result

    async def _sent(self, attempt: _Attempt, headers: Mapping[str, str]) -> Json | _Failure:
        call = attempt.call
        # What this request would not wait for after a refusal of its own, it does not wait for after another's.
        async with self._limiter.slot(longest_hold_s=self._retry.max_elapsed_s):
            attempt.begin()
            try:
                reply = await self._http.request(
                    call.method, call.url, params=call.params, headers=headers, content=call.content
                )
            finally:
                attempt.end()
        attempt.reply = reply
        attempt.body = _parsed(reply.body) if reply.status != _NO_CONTENT else {}
        if httpx2.codes.is_success(reply.status):
            return self._answer(attempt, reply)
        return await self._refusal(attempt, reply)

    def _answer(self, attempt: _Attempt, reply: Reply) -> Json | _Failure:
        call, body = attempt.call, attempt.body
        if not isinstance(body, dict):
            error = SourceMalformed(f"{call.method} {call.path} was answered with something that is no JSON object")
            return self._failure(error, may_retry=True)
        self._latest = _Answered(client=self, call_id=attempt.id, sent_at=reply.sent_at)
        _answered.set(self._latest)
        return body

    async def _refusal(self, attempt: _Attempt, reply: Reply) -> _Failure:
        error = self._classify(reply.status, attempt.body, reply.headers) if self._classify else None
        error = error or _by_status(attempt.call, reply.status)
        if error.retry_after_s is None:
            error.retry_after_s = retry_after_s(reply.headers.get("retry-after"), now=utc_now())
        limited = isinstance(error, SourceRateLimited)
        if limited:
            await self._limiter.refused(error.retry_after_s)
        return self._failure(error, may_retry=error.retryable, untouched=limited)

    def _note(self, attempt: _Attempt, result: Json | _Failure | None) -> None:
        """Put an attempt on record; one that only waited for its turn was none."""
        if self._calls is None or attempt.id is None or attempt.sent_at is None:
            return
        call, reply = attempt.call, attempt.reply
        failed = not isinstance(result, dict)
        self._calls.note(
            Sent(
                id=attempt.id,
                at=attempt.sent_at,
                method=call.method,
                url=masked_url(call.url, call.params, self._redact),
                status=reply.status if reply else None,
                duration_ms=round(attempt.took_s * 1000, 3),
                request_bytes=len(call.content or b""),
                response_bytes=len(reply.body) if reply else None,
                attempt=attempt.number,
                cost=self._cost_of(attempt),
                error_code=(result.error.code if isinstance(result, _Failure) else _INTERRUPTED) if failed else None,
                excerpt=masked_excerpt(reply.body, self._redact) if reply and failed else None,
            )
        )

    def _cost_of(self, attempt: _Attempt) -> Decimal | None:
        if self._cost is None or attempt.reply is None:
            return None
        try:
            return self._cost(attempt.body, attempt.reply.headers)
        except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError):
            # An answer that does not say it the usual way is no reason to fail.
            return None

    def _transport_failure(self, error: HttpError) -> _Failure:
        match error:
            case BlockedDestination() | Unsendable():
                return self._failure(SourceInvalid(str(error)), may_retry=False, cause=error)
            case HeldBack(seconds=seconds):
                limited = SourceRateLimited(str(error), retry_after_s=seconds)
                return self._failure(limited, may_retry=False, cause=error)
            case UntrustedCertificate():
                return self._failure(SourceUnavailable(str(error)), may_retry=False, cause=error)
            case BodyTooLarge():
                return self._failure(SourceMalformed(str(error)), may_retry=False, cause=error)
            case CutBody():
                return self._failure(SourceMalformed(str(error)), may_retry=True, cause=error)
            case _:
                untouched = isinstance(error, ConnectFailed)
                return self._failure(SourceUnavailable(str(error)), may_retry=True, untouched=untouched, cause=error)

    def _failure(
        self, error: SourceError, *, may_retry: bool, untouched: bool = False, cause: BaseException | None = None
    ) -> _Failure:
        # A vendor may well quote the key it refuses.
        error.detail = self._redact(error.detail)
        error.args = (error.detail,)
        return _Failure(error=error, may_retry=may_retry, untouched=untouched, cause=cause)


def _by_status(call: _Call, status: int) -> SourceError:
    what = f"{call.method} {call.path} was answered with status {status}"
    if httpx2.codes.is_redirect(status):
        return SourceInvalid(f"{what}: redirects are not followed")
    fallback = SourceUnavailable if httpx2.codes.is_server_error(status) else SourceInvalid
    return _BY_STATUS.get(status, fallback)(what)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
