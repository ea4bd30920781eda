"""`/webhooks/{kind}/{connection_id}`, which vendors call, and what a connection has received."""

import asyncio
import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from redis.asyncio import Redis
from starlette.requests import Request

from counterfoil.config import Settings
from counterfoil.connections import service as connections
from counterfoil.connections.errors import ConnectionNotFound, CredentialsUnreadable, UnknownConnector
from counterfoil.db import Database
from counterfoil.kit.ratelimit import RateLimiter
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Scope, require
from counterfoil.web import Listing, encode_cursor, provided
from counterfoil.web.limits import ApiLimits
from counterfoil.web.pagination import id_of, listing
from counterfoil.web.problems import problem_responses
from counterfoil.webhooks import limits, repository
from counterfoil.webhooks.errors import NoSuchWebhook, SignatureRefused, WebhookUnreadable
from counterfoil.webhooks.schemas import ReceiptOut, ReceivedOut, WebhooksOut
from counterfoil.webhooks.service import Receiver, secret_is_set
from counterfoil.webhooks.tasks import REFRESH

router = APIRouter(tags=["webhooks"])

Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]
Configuration = Annotated[Settings, Depends(provided(Settings))]

# Longer than it takes to find out any of the reasons: none can be told from another by the time it took.
_NOTHING_HERE_S = 0.1


async def receiver(
    database: Annotated[Database, Depends(provided(Database))],
    plugins: Plugins,
    configuration: Configuration,
    redis: Annotated[Redis, Depends(provided(Redis))],
) -> Receiver:
    return Receiver(
        database=database,
        plugins=plugins,
        configuration=configuration,
        limiter=RateLimiter(redis),
        refresh=REFRESH,
    )


@router.post(
    "/webhooks/{kind}/{connection_id}",
    operation_id="receiveWebhook",
    responses=problem_responses(
        SignatureRefused, WebhookUnreadable, NoSuchWebhook, 413, 415, 422, 429, 503, CredentialsUnreadable
    ),
)
async def receive_webhook(
    *,
    kind: str,
    connection_id: UUID,
    request: Request,
    api_limits: Annotated[ApiLimits, Depends(provided(ApiLimits))],
    receiver: Annotated[Receiver, Depends(receiver)],
) -> ReceivedOut:
    """For vendors. The body is proven by their signature; what it is about is then fetched from their API by a job."""
    began = time.monotonic()
    await limits.count(api_limits, request, connection_id)
    body = await request.body()
    try:
        await receiver.receive(kind, connection_id, dict(request.headers), body)
    except NoSuchWebhook:
        await asyncio.sleep(max(0.0, began + _NOTHING_HERE_S - time.monotonic()))
        raise
    return ReceivedOut()


@router.get(
    "/api/v1/connections/{connection_id}/webhooks",
    operation_id="listWebhooks",
    responses=problem_responses(403, ConnectionNotFound, UnknownConnector, CredentialsUnreadable),
)
async def list_webhooks(
    connection_id: UUID,
    scope: Annotated[Scope, require("connections.read")],
    plugins: Plugins,
    configuration: Configuration,
    page: Annotated[Listing, Depends(listing)],
) -> WebhooksOut:
    """The address to register with the vendor, whether signatures can be checked, and the receipts, newest first."""
    opened = await connections.open_connection(scope.uow, connection_id, plugins=plugins, configuration=configuration)
    supported = opened.connector.has_webhooks
    found = await repository.page(scope.uow, connection_id, before=id_of(page.cursor), limit=page.limit + 1)
    return WebhooksOut(
        supported=supported,
        url=f"{configuration.origin}/webhooks/{opened.kind}/{connection_id}" if supported else None,
        secret_set=secret_is_set(opened),
        items=[ReceiptOut.of(receipt) for receipt in found[: page.limit]],
        next_cursor=encode_cursor(str(found[page.limit - 1].id)) if len(found) > page.limit else None,
    )
