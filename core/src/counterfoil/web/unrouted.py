"""What no route answers: a wrong method is told which ones there are, an unknown address of the API is a problem, the rest is the web app's."""

import re
from collections.abc import Sequence
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
        # Pages and their files come by here too: only where a route begins alike are all of them tried.
        first = path.split("/", 2)[1]
        found = {method for pattern, methods in self._known.get(first, ()) if pattern.match(path) for method in methods}
        return sorted(found)

    @cached_property
    def _known(self) -> dict[str, list[tuple[re.Pattern[str], set[str]]]]:
        """Patterns and methods of the routes, by the first segment of their paths; made once, when all of them are there."""
        known: dict[str, list[tuple[re.Pattern[str], set[str]]]] = {}
        for context in iter_route_contexts(self._routes):
            if context.methods and context.path:
                pattern, _, _ = compile_path(context.path)
                known.setdefault(context.path.split("/", 2)[1], []).append((pattern, set(context.methods)))
        return known
