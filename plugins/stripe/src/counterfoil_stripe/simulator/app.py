"""The ASGI application: Stripe's read API under /v1, the control of the simulation under /_simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from counterfoil_stripe.simulator import keys
from counterfoil_stripe.simulator.account import Account
from counterfoil_stripe.simulator.control import Control, Traffic
from counterfoil_stripe.simulator.errors import StripeError, invalid_request, unknown_parameters, unknown_url
from counterfoil_stripe.simulator.faults import Faults
from counterfoil_stripe.simulator.ids import stripe_id
from counterfoil_stripe.simulator.limits import Limiter
from counterfoil_stripe.simulator.versions import API_VERSION, SPOKEN, older

if TYPE_CHECKING:
    from starlette.requests import Request

    from counterfoil.simulation.world import World
    from counterfoil_stripe.simulator.faults import Fault

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def create_app(world: World) -> Starlette:
    """One simulated Stripe account. The application keeps its state in memory: a restart tells the same world afresh."""
    account, faults, limiter, traffic = Account(world), Faults(), Limiter(), Traffic()
    api = Api(account, faults, limiter, traffic)
    app = Starlette(
        routes=[
            Route("/v1/{path:path}", api.serve, methods=_METHODS),
            *Control(account, faults, limiter, traffic).routes(),
        ]
    )
    # Stripe answers 404 to a trailing slash; a redirect would hide a client's mistake.
    app.router.redirect_slashes = False
    return app


class Api:
    """Stripe's side of the protocol."""

    def __init__(self, account: Account, faults: Faults, limiter: Limiter, traffic: Traffic) -> None:
        self._account = account
        self._faults = faults
        self._limiter = limiter
        self._traffic = traffic

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        number = self._traffic.count(path)
        headers = {
            "Request-Id": stripe_id("req", self._account.world.seed, number)[:18],
            "Stripe-Version": request.headers.get("stripe-version", API_VERSION),
            "Cache-Control": "no-cache, no-store",
        }
        try:
            self._limiter.enter("/".join(path.split("/", maxsplit=3)[:3]))
        except StripeError as refused:
            response = _refusal(refused, headers)
        else:
            try:
                response = await self._response(request, headers)
            finally:
                self._limiter.leave()
        self._traffic.answered(response.status_code)
        return response

    async def _response(self, request: Request, headers: dict[str, str]) -> Response:
        fault = self._faults.next_for(request.url.path)
        try:
            body = self._answer(request, fault)
        except StripeError as error:
            return _refusal(error, headers)
        response = Response(body, headers=headers, media_type="application/json")
        return await fault.bend(response) if fault else response

    def _answer(self, request: Request, fault: Fault | None) -> bytes:
        path = request.url.path
        key = keys.key_of(request.headers)
        resource, _, object_id = path.removeprefix("/v1/").partition("/")
        permission = keys.PERMISSIONS.get(resource)
        is_object_path = bool(object_id) and "/" not in object_id and resource != "account"
        if request.method != "GET" or permission is None or not (path == f"/v1/{resource}" or is_object_path):
            raise unknown_url(request.method, path)
        if fault and (error := fault.error(key=key, account=self._account.id, permission=permission)):
            raise error
        keys.authorize(key, account=self._account.id, resource=resource)
        version = request.headers.get("stripe-version", API_VERSION)
        if version not in SPOKEN:
            raise invalid_request(f"Invalid Stripe API version: {version}")
        body = self._body(resource, object_id, request.query_params.multi_items())
        # An event keeps the shape it was written in, whatever version is asked for.
        is_as_written = version == API_VERSION or resource in {"account", "events"}
        return body if is_as_written else orjson.dumps(older(orjson.loads(body)))

    def _body(self, resource: str, object_id: str, query: list[tuple[str, str]]) -> bytes:
        if query and (object_id or resource == "account"):
            raise unknown_parameters([name for name, _ in query])
        if resource == "account":
            return self._account.body
        return self._account.get(resource, object_id) if object_id else self._account.page(resource, query)


def _refusal(error: StripeError, headers: dict[str, str]) -> Response:
    return Response(
        orjson.dumps(error.body(headers["Request-Id"])),
        status_code=error.status,
        headers={**headers, **error.headers},
        media_type="application/json",
    )
