"""What no route answers: a wrong method is told which ones there are, an unknown address of the API is a problem, the rest is the web app's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from counterfoil.kit.errors import MethodNotAllowed, NotFound

_API = "/api"


class Unrouted:
    """ASGI application behind all routes, mounted at ``/``.

    It has to stand in for the framework's own answer to a wrong method, which a mount at ``/`` takes the place of.
    """

    def __init__(self, routes: Sequence[BaseRoute], *, ui: ASGIApp | None = None) -> None:
        """Args: ``routes`` of the application, this one's mount among them or not; ``ui`` for what is none of the API's."""
        self._routes = routes
        self._ui = ui

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        methods = self._methods(scope["path"])
        if methods:
            raise MethodNotAllowed(f"{' and '.join(methods)} can be sent here.", headers={"Allow": ", ".join(methods)})
        if self._ui is None or scope["path"] == _API or scope["path"].startswith(f"{_API}/"):
            raise NotFound("There is no such route.")
        await self._ui(scope, receive, send)

    def _methods(self, path: str) -> list[str]:
        """Those of the routes that lead here, or of the more exact ones: no id is called `providers`."""
        # Pages and their files come by here too: only where a route begins alike are all of them tried.
        leading = [route for route in self._known.get(_first_word(path), ()) if route.pattern.match(path)]
        fewest = min((route.parameters for route in leading), default=0)
        return sorted({method for route in leading if route.parameters == fewest for method in route.methods})

    @cached_property
    def _known(self) -> dict[str, list["_Known"]]:
        """The routes by the first word of their paths; made once, when all of them are there."""
        known: dict[str, list[_Known]] = {}
        for context in iter_route_contexts(self._routes):
            if context.methods and context.path:
                pattern, _, convertors = compile_path(context.path)
                route = _Known(pattern=pattern, parameters=len(convertors), methods=frozenset(context.methods))
                known.setdefault(_first_word(context.path), []).append(route)
        return known


@dataclass(frozen=True, kw_only=True)
class _Known:
    pattern: re.Pattern[str]
    parameters: int
    methods: frozenset[str]


def _first_word(path: str) -> str:
    return path.split("/", 2)[1]
