"""The control of the simulation: what tests, the demo and checkers call beside the API. Not part of Stripe's protocol.

PUT    /_simulator/faults        a JSON list of `Fault`; replaces those in force
GET    /_simulator/faults        the faults in force
DELETE /_simulator/faults        none
POST   /_simulator/world/append  {"orders": n, "at": unix seconds or null}; new activity up to `at` (null: now)
POST   /_simulator/world/settle  payouts move one step towards the bank, their reconciliation completes
POST   /_simulator/world/change  {"object": id, "to": what, "amount": minor units or null, "at": as above}; see `Change`
POST   /_simulator/clock         {"advance_s": n}; time passes in which nothing happens
PUT    /_simulator/events        `EventSettings`: how late events appear, and which are of an older version
PUT    /_simulator/limits        `Limits` in force from now on; none at the start
POST   /_simulator/webhooks      `Delivery`: the newest events are sent to an address; answers what became of each
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

from counterfoil.simulation.changes import ImpossibleChange
from counterfoil_stripe.simulator.changes import changed
from counterfoil_stripe.simulator.deliveries import Delivery, deliver
from counterfoil_stripe.simulator.eventlog import EventSettings
from counterfoil_stripe.simulator.faults import Fault
from counterfoil_stripe.simulator.limits import Limits

if TYPE_CHECKING:
    from starlette.requests import Request

    from counterfoil_stripe.simulator.account import Account
    from counterfoil_stripe.simulator.faults import Faults
    from counterfoil_stripe.simulator.limits import Limiter

_FAULTS = TypeAdapter(list[Fault])


class Append(BaseModel):
    """New activity: how many orders, and up to which moment."""

    model_config = ConfigDict(extra="forbid")

    orders: int = Field(ge=1, le=100_000)
    at: int | None = None


class Change(BaseModel):
    """What happens to one object.

    A charge is `captured`, `disputed`, `refunded` (`amount` in minor units; all that is left without) or `refund_pending`; a
    refund `succeeded` or `failed`; a dispute `under_review`, `won` or `lost`; a payout `in_transit`, `paid`, `failed` or
    `reconciled`; an invoice `open`, `paid`, `void`, `uncollectible` or `deleted`; a customer `renamed` or `deleted`.
    """

    model_config = ConfigDict(extra="forbid")

    object: str
    to: str
    amount: int | None = Field(default=None, ge=1)
    at: int | None = None


class Passing(BaseModel):
    """Time that passes."""

    model_config = ConfigDict(extra="forbid")

    advance_s: float = Field(ge=0)


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

    def __init__(self, account: Account, faults: Faults, limiter: Limiter, traffic: Traffic) -> None:
        self._account = account
        self._faults = faults
        self._limiter = limiter
        self._traffic = traffic

    def routes(self) -> list[Route]:
        return [
            Route("/_simulator/faults", self.faults, methods=["GET", "PUT", "DELETE"]),
            Route("/_simulator/world/append", self.append, methods=["POST"]),
            Route("/_simulator/world/settle", self.settle, methods=["POST"]),
            Route("/_simulator/world/change", self.change, methods=["POST"]),
            Route("/_simulator/clock", self.clock, methods=["POST"]),
            Route("/_simulator/events", self.events, methods=["PUT"]),
            Route("/_simulator/limits", self.limits, methods=["PUT"]),
            Route("/_simulator/webhooks", self.webhooks, methods=["POST"]),
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
        self._account.load(self._account.world.append(orders=order.orders, at=_moment(order.at)))
        return self._totals()

    async def change(self, request: Request) -> Response:
        try:
            order = Change.model_validate_json(await request.body())
            world = changed(self._account.world, order.object, to=order.to, amount=order.amount, at=_moment(order.at))
        except ValidationError as error:
            return _unprocessable(error)
        except ImpossibleChange as error:
            return JSONResponse({"errors": [{"msg": str(error)}]}, status_code=422)
        self._account.load(world)
        return self._totals()

    async def clock(self, request: Request) -> Response:
        try:
            self._account.advance(Passing.model_validate_json(await request.body()).advance_s)
        except ValidationError as error:
            return _unprocessable(error)
        return _json({"now": self._account.now()})

    async def events(self, request: Request) -> Response:
        try:
            self._account.events.configure(EventSettings.model_validate_json(await request.body()))
        except ValidationError as error:
            return _unprocessable(error)
        return _json(self._account.events.settings.model_dump())

    async def limits(self, request: Request) -> Response:
        try:
            self._limiter.limits = Limits.model_validate_json(await request.body())
        except ValidationError as error:
            return _unprocessable(error)
        return _json(self._limiter.limits.model_dump())

    async def webhooks(self, request: Request) -> Response:
        try:
            order = Delivery.model_validate_json(await request.body())
        except ValidationError as error:
            return _unprocessable(error)
        return _json(await deliver(order, self._account.events.latest(order.count)))

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


def _moment(at: int | None) -> datetime:
    return datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)


def _unprocessable(error: ValidationError) -> Response:
    return JSONResponse({"errors": error.errors(include_url=False, include_context=False)}, status_code=422)
