"""HTTP/1.1 as uvicorn speaks it, with what it leaves open: a bound for heads and trailers, and problems for what is no HTTP."""

from asyncio import TimerHandle, Transport
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from counterfoil.kit import context
from counterfoil.kit.errors import Problem
from counterfoil.kit.ids import new_id
from counterfoil.web.problems import HeadersTooLarge, MalformedRequest, RequestTimeout, problem_response
from counterfoil.web.security import DEFAULT_HEADERS, SECURITY_HEADERS

# The parser keeps what belongs to no body until it is whole, however long that gets: all headers, a trailer, a chunk's extension.
MOST_BYTES_BESIDE_BODY = 64 * 1024
HEAD_TIMEOUT_S = 20.0


_TOO_LARGE = HeadersTooLarge(f"At most {MOST_BYTES_BESIDE_BODY} bytes are accepted.")


class BoundedHttp(HttpToolsProtocol):
    """One connection. What it refuses never becomes a request: the answer is written here, and the connection ends."""

    head_timeout_s = HEAD_TIMEOUT_S

    _beside_body = 0
    _has_begun = False
    _head_is_too_large = False
    _head_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_timeout_s, self._took_too_long)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = True
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > MOST_BYTES_BESIDE_BODY and not self.transport.is_closing():
            self._refuse(_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        self._refuse(_TOO_LARGE if self._head_is_too_large else MalformedRequest(msg))

    def on_message_begin(self) -> None:
        self._stop_timer()
        self._head_timer = self.loop.call_later(self.head_timeout_s, self._took_too_long)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._beside_body = 0
        self._stop_timer()
        # It may have come in one piece, with a body behind it.
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self._head_is_too_large = size > MOST_BYTES_BESIDE_BODY
        if self._head_is_too_large:
            raise _TOO_LARGE  # the parser's way to stop
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._beside_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside_body = 0
        super().on_message_complete()

    def _took_too_long(self) -> None:
        if self._has_begun:
            self._refuse(RequestTimeout(f"It has to be here within {self.head_timeout_s:g} seconds."))
        else:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, problem: Problem) -> None:
        # Into an answer that has begun nothing else can be written.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_as_bytes(problem))
        self.transport.close()


def _as_bytes(problem: Problem) -> bytes:
    correlation_id = new_id()
    with context.bound(context.current_correlation_id, correlation_id):
        answer = problem_response(problem)
    headers = dict(answer.headers) | SECURITY_HEADERS | DEFAULT_HEADERS
    headers |= {"X-Correlation-ID": str(correlation_id), "Connection": "close"}
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + bytes(answer.body)
