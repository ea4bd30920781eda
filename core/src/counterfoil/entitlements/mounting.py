"""Mounts a plugin's routes behind the question whether the tenant may use the plugin."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from counterfoil.db import Database
from counterfoil.entitlements.gates import signed_in
from counterfoil.entitlements.service import require_plugin
from counterfoil.identity.deps import AnyCredential
from counterfoil.plugins.errors import Rejected
from counterfoil.plugins.manager import PluginManager
from counterfoil.web import provided
from counterfoil.web.idempotency import honouring_keys

_PATH = re.compile(r"^/api/v1/[a-z0-9][a-z0-9_-]*(/|$)")


def mount_plugin_routes(app: FastAPI, plugin: str, routers: Sequence[APIRouter]) -> None:
    """Include the routers under their own prefixes; a tenant that may not use the plugin gets 403 from every route.

    Only what can be guarded is mounted, and as it is now: routes that a plugin adds later and a router's start-up handlers
    are left out. Call it after core's own routes are in, so that they are seen to be taken.

    Raises:
        Rejected: a route is outside ``/api/v1/<word>``, already taken, or of a kind that runs no dependencies.
    """
    taken = {(known.path, method) for known in iter_route_contexts(app.routes) for method in known.methods or ()}
    routes = [route for router in routers for route in router.routes]
    for route in routes:
        if not isinstance(route, APIRoute):
            raise Rejected(f"plugin {plugin!r}: {route!r} cannot be guarded; return routers of plain API routes")
        if not _PATH.match(route.path):
            raise Rejected(f"plugin {plugin!r}: the route {route.path} has to begin with /api/v1/ and a word")
        if any((route.path, method) in taken for method in route.methods or ()):
            raise Rejected(f"plugin {plugin!r}: the route {route.path} is already taken")
    app.include_router(honouring_keys(APIRouter(routes=routes)), dependencies=[Depends(_guard(plugin))])


def _guard(plugin: str) -> Callable[..., Awaitable[None]]:
    async def guard(
        credential: AnyCredential,
        database: Annotated[Database, Depends(provided(Database))],
        plugins: Annotated[PluginManager, Depends(provided(PluginManager))],
    ) -> None:
        # Closed before the route opens its own, as in `gates`.
        async with signed_in(credential, database) as scope:
            await require_plugin(scope.uow, plugin, plugins=plugins)

    return guard
