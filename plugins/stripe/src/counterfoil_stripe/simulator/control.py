"""The control of the simulation: what tests, the demo and checkers call beside the API. Not part of Stripe's protocol.

PUT    /_simulator/faults        a JSON list of `Fault`; replaces those in force
GET    /_simulator/faults        the faults in force
DELETE /_simulator/faults        none
POST   /_simulator/world/append  {"orders": n, "at": unix seconds or null}; new activity up to `at` (null: now)
POST   /_simulator/world/settle  payouts move one step towards the bank, their reconciliation completes
GET    /_simulator/stats         requests per path, answers per status, the most requests in one second
DELETE /_simulator/stats         counts from zero
GET    /_simulator/expected      what a complete copy of the account holds: ids, counts and sums per object
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from counterfoil_stripe.simulator.faults import Fault

if TYPE_CHECKING:
    from starlette.requests import Request

    from counterfoil_stripe.simulator.account import Account
    from counterfoil_stripe.simulator.faults import Faults

_FAULTS = TypeAdapter(list[Fault])


class Append(BaseModel):
    """New activity: how many orders, and up to which moment."""

    model_config = ConfigDict(extra="forbid")

    orders: int = Field(ge=1, le=100_000)
    at: int | None = None


class Traffic:
    """What the API was asked, and how it answered."""

    def __init__(self) -> None:
        self._number = 0
        self.reset()

    def reset(self) -> None:
        self._requests: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._second = 0
        self._in_second = 0
        self._busiest = 0

    def count(self, path: str) -> int:
        """Count a request; its number since the start, for the Request-Id."""
        parts = path.split("/", maxsplit=3)
        self._requests["/".join(parts[:3]) + ("/{id}" if len(parts) > 3 else "")] += 1  # noqa: PLR2004 - /v1/charges/ch_...
        second = int(time.monotonic())
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        self._busiest = max(self._busiest, self._in_second)
        self._number += 1
        return self._number

    def answered(self, status: int) -> None:
        self._statuses[str(status)] += 1

    def summary(self) -> dict[str, Any]:
        return {
            "total": self._requests.total(),
            "requests": dict(sorted(self._requests.items())),
            "statuses": dict(sorted(self._statuses.items())),
            "busiest_second": self._busiest,
        }


class Control:
    """The handlers of /_simulator."""

    def __init__(self, account: Account, faults: Faults, traffic: Traffic) -> None:
        self._account = account
        self._faults = faults
        self._traffic = traffic

    def routes(self) -> list[Route]:
        return [
            Route("/_simulator/faults", self.faults, methods=["GET", "PUT", "DELETE"]),
            Route("/_simulator/world/append", self.append, methods=["POST"]),
            Route("/_simulator/world/settle", self.settle, methods=["POST"]),
            Route("/_simulator/stats", self.stats, methods=["GET", "DELETE"]),
            Route("/_simulator/expected", self.expected, methods=["GET"]),
        ]

    async def faults(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self._faults.replace(_FAULTS.validate_json(await request.body()))
            except ValidationError as error:
                return _unprocessable(error)
        elif request.method == "DELETE":
            self._faults.replace([])
        return _json(_FAULTS.dump_python(self._faults.current()))

    async def append(self, request: Request) -> Response:
        try:
            order = Append.model_validate_json(await request.body())
        except ValidationError as error:
            return _unprocessable(error)
        at = datetime.now(UTC) if order.at is None else datetime.fromtimestamp(order.at, UTC)
        self._account.load(self._account.world.append(orders=order.orders, at=at))
        return self._totals()

    async def settle(self, _: Request) -> Response:
        self._account.load(self._account.world.settle())
        return self._totals()

    async def stats(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._traffic.reset()
        return _json(self._traffic.summary())

    async def expected(self, _: Request) -> Response:
        return _json(self._account.expected())

    def _totals(self) -> Response:
        world = self._account.world
        return _json(
            {
                "as_of": int(world.as_of.timestamp()),
                "charges": len(world.payments),
                "payouts": len(world.payouts),
                "balance_transactions": len(world.entries),
            }
        )


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


def _unprocessable(error: ValidationError) -> Response:
    return JSONResponse({"errors": error.errors(include_url=False, include_context=False)}, status_code=422)
