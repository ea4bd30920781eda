"""What a connector works with: its settings and a client that is signed in, limited, retried and guarded."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from counterfoil.connections.api_client import ApiClient, Redactor
from counterfoil.kit.http import Bounds, EgressPolicy, HttpClient, RateLimiter, RetryPolicy
from counterfoil.plugins.connector import Account, Connector, Settings

_LONGEST_MARGIN_S = 60.0
_MARGIN = 0.1


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
    """
    redact = Redactor(secret_values(settings))
    limiter = RateLimiter(rps=connector.limits.rps, concurrency=connector.limits.concurrency)
    policy = EgressPolicy(allow_private=allow_private, hosts=None if hosts is None else frozenset(hosts))
    async with HttpClient(policy, bounds=bounds) as http:

        def client(sign_in: SignIn | None) -> ApiClient:
            return ApiClient(
                http,
                base_url=connector.base_url_for(settings),
                limiter=limiter,
                headers=connector.headers,
                classify=connector.classify,
                authorization=sign_in.header if sign_in else None,
                retry=retry,
                redact=redact,
            )

        sign_in = SignIn(connector, settings, client(None), redact)
        yield ConnectorContext(http=client(sign_in), settings=settings, account=account)


def secret_values(settings: Settings) -> list[str]:
    """The secrets of an instance, in the clear."""
    found = (getattr(settings, name) for name in settings.secret_fields())
    return [secret.get_secret_value() for secret in found if secret is not None]
