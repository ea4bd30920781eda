"""The guard against server-side request forgery: addresses are checked where the connection is made.

A name is resolved once, every address it has must be allowed, and the connection goes to that very address. So a name
that answers differently a second time gains nothing. TLS still verifies the name, not the address.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

import httpcore2
import httpx2

from counterfoil.kit.http.addresses import Reach, reach
from counterfoil.kit.http.errors import BlockedDestination

Resolve = Callable[[str, int], Awaitable[list[str]]]

_ADDRESSES_TRIED = 4
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_CONNECTIONS = 20


async def system_resolve(host: str, port: int) -> list[str]:
    """Every address the system's resolver has for a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, kw_only=True)
class EgressPolicy:
    """Where requests may go. The default: any public host, by https on port 443.

    Args:
        allow_private: also loopback and private addresses, on any port and by http too. The operator's switch.
        allow_plaintext: http to public addresses as well; never for requests that carry credentials.
        hosts: host names that may be reached, ``*.example.com`` for any name below one. None: every host. Private
            addresses are exempt from the list where the operator allows them.
        ports: ports of public addresses.
    """

    allow_private: bool = False
    allow_plaintext: bool = False
    hosts: frozenset[str] | None = None
    ports: frozenset[int] = frozenset({80, 443})

    def names(self, host: str) -> bool:
        """Whether the list of hosts covers this one."""
        if self.hosts is None:
            return True
        host = host.lower().rstrip(".")
        return any(
            host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
            for pattern in (entry.lower() for entry in self.hosts)
        )


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections for one scheme, to allowed addresses only. Unix sockets are refused, as in the base class."""

    def __init__(self, policy: EgressPolicy, *, scheme: str, resolve: Resolve = system_resolve) -> None:
        self._policy = policy
        self._scheme = scheme
        self._resolve = resolve
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the library's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._checked(host, port)
                return await self._first_that_connects(
                    addresses, port, local_address=local_address, socket_options=socket_options
                )
        except TimeoutError as error:
            msg = f"no connection to {host} in time"
            raise httpcore2.ConnectTimeout(msg) from error

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    async def _checked(self, host: str, port: int) -> list[str]:
        addresses = [host] if _is_numeric(host) else await self._lookup(host, port)
        found = {reach(address) for address in addresses}
        if found == {Reach.PRIVATE} and self._policy.allow_private:
            return addresses
        if found != {Reach.PUBLIC}:
            raise BlockedDestination(f"{host} does not lead to a public address")
        if not self._policy.names(host):
            raise BlockedDestination(f"{host} is not one of the hosts this may reach")
        if port not in self._policy.ports:
            raise BlockedDestination(f"port {port} of {host} may not be reached")
        if self._scheme == "http" and not self._policy.allow_plaintext:
            raise BlockedDestination(f"{host} may be reached by https only")
        return addresses

    async def _lookup(self, host: str, port: int) -> list[str]:
        try:
            return await self._resolve(host, port)
        except (socket.gaierror, UnicodeError) as error:
            msg = f"the name {host} is not known"
            raise httpcore2.ConnectError(msg) from error

    async def _first_that_connects(
        self,
        addresses: list[str],
        port: int,
        *,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        failure = httpcore2.ConnectError("the name has no address")
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                return await self._network.connect_tcp(
                    address, port, local_address=local_address, socket_options=socket_options
                )
            except httpcore2.ConnectError as error:
                failure = error
        raise failure


class GuardedTransport(httpx2.AsyncBaseTransport):
    """A transport for any httpx2 client that lets nothing past the policy, redirects included."""

    def __init__(
        self, policy: EgressPolicy, *, resolve: Resolve = system_resolve, tls: ssl.SSLContext | None = None
    ) -> None:
        self._by_scheme = {
            scheme: _transport(GuardedBackend(policy, scheme=scheme, resolve=resolve), tls or default_tls())
            for scheme in _DEFAULT_PORTS
        }

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        transport = self._by_scheme.get(request.url.scheme)
        if transport is None:
            raise BlockedDestination("only http and https addresses are reached")
        if request.url.userinfo:
            raise BlockedDestination("an address with a user name in it is not reached")
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._by_scheme.values():
            await transport.aclose()


@cache
def default_tls() -> ssl.SSLContext:
    """The system's certificate authorities; made once, because reading them takes tens of milliseconds."""
    return httpx2.create_ssl_context(trust_env=False)


def _transport(backend: GuardedBackend, tls: ssl.SSLContext) -> httpx2.AsyncHTTPTransport:
    transport = httpx2.AsyncHTTPTransport(verify=tls, trust_env=False)
    # httpx2 offers no way to pass a network backend; a test fails if this attribute stops being the one in use.
    transport._pool = httpcore2.AsyncConnectionPool(  # noqa: SLF001  (see above)
        ssl_context=tls,
        network_backend=backend,
        max_connections=_MAX_CONNECTIONS,
        max_keepalive_connections=_MAX_CONNECTIONS,
        keepalive_expiry=30.0,
    )
    return transport


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
