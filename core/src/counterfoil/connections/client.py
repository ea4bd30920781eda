"""What a connector works with: its settings and a client that is signed in, limited, retried and guarded."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from counterfoil.connections.api_client import ApiClient
from counterfoil.db import Database
from counterfoil.kit import cache
from counterfoil.kit.http import Bounds, EgressPolicy, HttpClient, Limiter, RateLimiter, Redactor, RetryPolicy
from counterfoil.outbound.budget import SharedLimiter
from counterfoil.outbound.log import CallLog
from counterfoil.plugins.connector import Account, Connector, RateLimit, Settings

_LONGEST_MARGIN_S = 60.0
_MARGIN = 0.1


class Owner(Protocol):
    """The connection that requests are sent for."""

    @property
    def id(self) -> UUID: ...
    @property
    def tenant_id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def budget_key(self) -> str: ...
    @property
    def database(self) -> Database: ...
    @property
    def redis_url(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class ConnectorContext:
    """Handed to ``check`` and to every stream. ``account`` is None until the connection was checked once."""

    http: ApiClient
    settings: Any
    account: Account | None = None


class SignIn:
    """Asks the connector for an access token, and again shortly before it runs out."""

    def __init__(self, connector: Connector, settings: Settings, http: ApiClient, redact: Redactor) -> None:
        self._connector = connector
        self._settings = settings
        self._http = http
        self._redact = redact
        self._lock = asyncio.Lock()
        self._header = ""
        self._good_until = 0.0

    async def header(self) -> str:
        """The value of the Authorization header."""
        async with self._lock:
            if not self._header or time.monotonic() >= self._good_until:
                began = time.monotonic()
                bearer = await self._connector.authorize(self._http, self._settings)
                self._redact.add(bearer.token)
                self._header = f"Bearer {bearer.token}"
                self._good_until = began + _good_for_s(bearer.ttl_s)
            return self._header


def _good_for_s(ttl_s: float | None) -> float:
    return float("inf") if ttl_s is None else ttl_s - min(_LONGEST_MARGIN_S, ttl_s * _MARGIN)


def budget_key(tenant_id: UUID, kind: str, *, account: str | None, connection_id: UUID) -> str:
    """Names the budget of an account at a vendor; while the account is unknown, of the connection alone."""
    subject = f"account:{account}" if account is not None else f"connection:{connection_id}"
    return hashlib.blake2b(f"{tenant_id}\0{kind}\0{subject}".encode(), digest_size=16).hexdigest()


@asynccontextmanager
async def outbound(owner: Owner, *, limits: RateLimit) -> AsyncIterator[tuple[Limiter, CallLog]]:
    """The limits a connection shares with its account's others, and the log of what it sends."""
    async with AsyncExitStack() as stack:
        calls = CallLog(owner.database, tenant_id=owner.tenant_id, connection_id=owner.id, kind=owner.kind)
        await stack.enter_async_context(calls)
        redis = cache.connect(owner.redis_url)
        stack.push_async_callback(redis.aclose)
        limiter = SharedLimiter(
            redis, key=owner.budget_key, member=str(owner.id), rps=limits.rps, concurrency=limits.concurrency
        )
        yield await stack.enter_async_context(limiter), calls


@asynccontextmanager
async def connector_context(
    connector: Connector,
    settings: Settings,
    *,
    allow_private: bool,
    hosts: Iterable[str] | None,
    account: Account | None = None,
    retry: RetryPolicy | None = None,
    bounds: Bounds | None = None,
    limiter: Limiter | None = None,
    calls: CallLog | None = None,
) -> AsyncIterator[ConnectorContext]:
    """Open a context for one connection; its network connections close with it.

    Args:
        connector: whose API it is.
        settings: an instance of the connector's own model, secrets included.
        allow_private: the operator lets connectors reach loopback and private addresses.
        hosts: host names the plugin's manifest lists; None for any.
        account: the vendor's account, where it is known already.
        retry: how failures are repeated; the default suits a job, not a person who waits.
        bounds: time and size of one request.
        limiter: the account's limits; by default those of the connector, kept to by this context alone.
        calls: where every attempt at a request is noted.
    """
    redact = Redactor(secret_values(settings))
    limits = connector.limits_for(settings)
    turns = limiter or RateLimiter(rps=limits.rps, concurrency=limits.concurrency)
    policy = EgressPolicy(allow_private=allow_private, hosts=None if hosts is None else frozenset(hosts))
    async with HttpClient(policy, bounds=bounds) as http:

        def client(sign_in: SignIn | None) -> ApiClient:
            return ApiClient(
                http,
                base_url=connector.base_url_for(settings),
                limiter=turns,
                headers=connector.headers,
                classify=connector.classify,
                cost=connector.cost,
                authorization=sign_in.header if sign_in else None,
                retry=retry,
                redact=redact,
                calls=calls,
            )

        sign_in = SignIn(connector, settings, client(None), redact)
        yield ConnectorContext(http=client(sign_in), settings=settings, account=account)


def secret_values(settings: Settings) -> list[str]:
    """The secrets of an instance, in the clear."""
    found = (getattr(settings, name) for name in settings.secret_fields())
    return [secret.get_secret_value() for secret in found if secret is not None]
