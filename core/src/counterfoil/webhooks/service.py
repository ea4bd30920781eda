"""Receiving webhooks: find the tenant, prove the signature, keep a receipt, and see that a job asks the vendor."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from redis.exceptions import RedisError

from counterfoil import audit
from counterfoil.config import Settings as Configuration
from counterfoil.connections import service as connections
from counterfoil.connections.errors import ConnectionNotFound, InvalidSettings, UnknownConnector
from counterfoil.connections.service import RESOURCE, OpenConnection
from counterfoil.db import Database, UnitOfWork
from counterfoil.entitlements.service import require_work
from counterfoil.jobs import service as jobs
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.context import Actor
from counterfoil.kit.errors import EntitlementRequired, PluginDisabled
from counterfoil.kit.ids import new_id
from counterfoil.kit.ratelimit import Rate, RateLimiter
from counterfoil.observability import get_logger
from counterfoil.plugins.connector import Connector, SignatureInvalid, WebhookEvent
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Task
from counterfoil.webhooks import repository
from counterfoil.webhooks.errors import NoSuchWebhook, SignatureRefused, WebhookUnreadable

SECRET = "webhook_secret"  # noqa: S105  (the name of a setting)
MOST_HINTS = 200
LONGEST_TEXT = 255
# Anybody can send nonsense to a known address; a few lines in the trail say that as well as thousands.
_REFUSALS_ON_RECORD = Rate(burst=5, interval_ms=600_000)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """What receiving a webhook takes; ``refresh`` is the kind of job that asks the vendor."""

    database: Database
    plugins: PluginManager
    configuration: Configuration
    limiter: RateLimiter
    refresh: Task

    async def receive(self, kind: str, connection_id: UUID, headers: Mapping[str, str], body: bytes) -> None:
        """Take in one delivery.

        Where no job could fetch what it hints at (the plan has ended, the month's rows are used up), nothing listens: the
        vendor tries for a while, and nothing is written meanwhile.

        Raises:
            NoSuchWebhook: nothing listens at that address.
            SignatureRefused: the vendor did not sign this, or too long ago.
            WebhookUnreadable: it did, but what it says cannot be read.
        """
        async with self.database.unit_of_work(None) as uow:
            target = await repository.target(uow, kind=kind, connection_id=connection_id)
        if target is None:
            raise NoSuchWebhook
        actor = Actor(kind="system", id=None, label=f"{kind} webhook")
        with context.bound(context.current_actor, actor), context.bound(context.current_tenant_id, target.tenant_id):
            async with self.database.unit_of_work(target.tenant_id) as uow:
                connection = await self._listening(uow, connection_id, target.plugin)
            try:
                event = _proven(connection, headers, body)
            except SignatureInvalid as refusal:
                await self._record_refusal(target.tenant_id, connection_id, refusal)
                raise SignatureRefused(str(refusal)) from refusal
            async with self.database.unit_of_work(target.tenant_id) as uow:
                await self._keep(uow, connection, event, body)

    async def _listening(self, uow: UnitOfWork, connection_id: UUID, plugin: str) -> OpenConnection:
        try:
            connection = await connections.open_connection(
                uow, connection_id, plugins=self.plugins, configuration=self.configuration
            )
            # Last: a quota is locked from here to the end of the transaction.
            await require_work(uow, plugin, plugins=self.plugins)
        except (PluginDisabled, EntitlementRequired, ConnectionNotFound, UnknownConnector, InvalidSettings) as error:
            raise NoSuchWebhook from error
        if not connection.connector.has_webhooks:
            raise NoSuchWebhook
        return connection

    async def _keep(self, uow: UnitOfWork, connection: OpenConnection, event: WebhookEvent, body: bytes) -> None:
        """The receipt and its job, unless the event is on record already."""
        receipt_id, hints = new_id(), _hints(connection.connector, event)
        is_new = await repository.add(
            uow,
            {
                "id": receipt_id,
                "connection_id": connection.id,
                "kind": connection.kind,
                "event_id": event.id,
                "event_type": event.type,
                "event_created_at": event.created_at,
                "body_hash": hashlib.sha256(body).digest(),
                "hints": hints,
                # With nothing to ask for there is nothing left to do.
                "handled_at": None if hints else utc_now(),
            },
        )
        if not is_new:
            return
        payload = {"event_id": event.id, "event_type": event.type, "hints": len(hints)}
        await audit.record(
            uow, action="core.webhook.received", resource_type=RESOURCE, resource_id=connection.id, payload=payload
        )
        if hints:
            await self._see_to_a_job(uow, connection, receipt_id)

    async def _see_to_a_job(self, uow: UnitOfWork, connection: OpenConnection, receipt_id: UUID) -> None:
        """Have the receipt handled: by a job that waits already, or a new one beside any that runs."""
        job_id = await repository.waiting_job(uow, connection.id)
        if job_id is None:
            params = self.refresh.params(connection_id=connection.id)
            title = f"Refresh {connection.label}"
            job = await jobs.enqueue(uow, self.refresh, params, title=title, subject=("webhook_receipt", receipt_id))
            job_id = job.id
            await repository.close_surplus(uow, connection.id)
        await repository.assign(uow, receipt_id, job_id)

    async def _record_refusal(self, tenant_id: UUID, connection_id: UUID, refusal: SignatureInvalid) -> None:
        _log.warning("webhook.refused", connection_id=str(connection_id), reason=str(refusal))
        try:
            wait_s = await self.limiter.take("webhook_refused", str(connection_id), rate=_REFUSALS_ON_RECORD)
        except (RedisError, OSError):
            # Unbounded writing by strangers would be worse than a gap.
            return
        if wait_s > 0:
            return
        async with self.database.unit_of_work(tenant_id) as uow:
            await audit.record(
                uow,
                action="core.webhook.refused",
                resource_type=RESOURCE,
                resource_id=connection_id,
                outcome="denied",
                reason=SignatureRefused.code,
                payload={"detail": str(refusal)},
            )


def secret_is_set(connection: OpenConnection) -> bool:
    """Whether the credentials hold what signatures are checked with; never which."""
    return bool(getattr(connection.settings, SECRET, None))


def _proven(connection: OpenConnection, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
    try:
        event = connection.connector.verify(connection.settings, headers, body, now=utc_now())
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        _log.warning("webhook.unreadable", kind=connection.kind, error=type(error).__name__)
        raise WebhookUnreadable from error
    for value in (event.id, event.type):
        if not _is_storable(value):
            raise WebhookUnreadable
    return event


def _hints(connector: Connector, event: WebhookEvent) -> list[dict[str, str]]:
    """What can be fetched of what the event is about."""
    found = {
        (hint.stream, hint.source_id): None
        for hint in event.hints
        if _can_fetch(connector, hint.stream) and _is_storable(hint.source_id)
    }
    return [{"stream": stream, "source_id": source_id} for stream, source_id in list(found)[:MOST_HINTS]]


def _can_fetch(connector: Connector, stream: str) -> bool:
    known: Any = connector.streams.get(stream)
    return known is not None and known.fetch_one is not None


def _is_storable(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


class RefreshParams(BaseModel):
    """Which connection: the receipts say what to fetch, so that those that come while a job waits are its too."""

    model_config = ConfigDict(extra="forbid")

    connection_id: UUID
