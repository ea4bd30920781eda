"""Faults a test can order: what goes wrong, on which requests, how often."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from counterfoil_stripe.simulator.errors import StripeError, forbidden, rate_limited, unavailable
from counterfoil_stripe.simulator.keys import expired

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

FaultKind = Literal[
    "status_401",
    "status_403",
    "status_429",
    "status_500",
    "cut_page",
    "wrong_length",
    "malformed",
    "truncated",
    "html",
    "slow",
]
LimitReason = Literal[
    "global-rate", "global-concurrency", "endpoint-rate", "endpoint-concurrency", "resource-specific", "lock_timeout"
]

_LENGTH_ERROR = 100
_PAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


class Fault(BaseModel):
    """One fault. Of the requests whose path starts with `match`, the first `after` pass and the next `times` meet it (all: null).

    `reason` shapes a 429; `delay_s` is how long a `slow` answer waits before it is sent whole. `cut_page` announces all and sends
    half, `wrong_length` announces more than all; `malformed` and `truncated` are no JSON, `html` is a page of some proxy, and all
    three are complete.
    """

    model_config = ConfigDict(extra="forbid")

    match: str = Field(pattern="^/v1/")
    kind: FaultKind
    times: int | None = Field(default=None, ge=1)
    after: int = Field(default=0, ge=0)
    reason: LimitReason = "global-rate"
    delay_s: float = Field(default=1.0, ge=0, le=300)

    def error(self, *, key: str, account: str, permission: str) -> StripeError | None:
        """The error that answers instead of the API; none for faults of the transport."""
        match self.kind:
            case "status_401":
                return expired(key)
            case "status_403":
                return forbidden(key, account, permission)
            case "status_429":
                return rate_limited(self.reason)
            case "status_500":
                return unavailable()
            case _:
                return None

    async def bend(self, response: Response) -> Response:
        """The answer of the API as this fault delivers it."""
        match self.kind:
            case "cut_page":
                return CutResponse(response.body, headers=dict(response.headers))
            case "wrong_length":
                announced = len(response.body) + _LENGTH_ERROR
                headers = {**response.headers, "content-length": str(announced)}
                return CutResponse(response.body, headers=headers, sent=len(response.body))
            case "malformed":
                return _instead(response, bytes(response.body)[:-1] + b',"data":')
            case "truncated":
                return _instead(response, bytes(response.body)[: len(response.body) // 2])
            case "html":
                return Response(_PAGE, media_type="text/html")
            case "slow":
                await asyncio.sleep(self.delay_s)
        return response


class Faults:
    """The faults in force, in the order given; the first that applies to a request is the one it meets."""

    def __init__(self) -> None:
        self._pending: list[tuple[Fault, _Count]] = []

    def replace(self, faults: list[Fault]) -> None:
        self._pending = [(fault, _Count()) for fault in faults]

    def current(self) -> list[Fault]:
        return [fault for fault, _ in self._pending]

    def next_for(self, path: str) -> Fault | None:
        for fault, count in self._pending:
            if not path.startswith(fault.match):
                continue
            if fault.times is not None and count.met >= fault.times:
                continue
            count.seen += 1
            if count.seen > fault.after:
                count.met += 1
                return fault
        return None


def _instead(response: Response, body: bytes) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(body, headers=headers)


class CutResponse(Response):
    """Sends less than the headers announce (by default half), and leaves the connection to be closed by the server."""

    def __init__(self, body: bytes | memoryview, *, headers: dict[str, str], sent: int | None = None) -> None:
        super().__init__(bytes(body), headers=headers)
        self._sent = len(body) // 2 if sent is None else sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body)[: self._sent], "more_body": True})


class _Count:
    def __init__(self) -> None:
        self.seen = 0
        self.met = 0
