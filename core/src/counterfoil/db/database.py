"""One database, and the unit of work: one transaction for one tenant."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar, cast
from uuid import UUID

import asyncpg
from anyio import CancelScope
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from counterfoil.db.connection import TenantConnection
from counterfoil.kit import context
from counterfoil.kit.errors import Unavailable

T = TypeVar("T")

_RETRY_PAUSE_S = 0.1
_GONE = (
    ConnectionError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    # A pooled connection that is in the middle of something nobody waits for any more: its server was cut off just then.
    asyncpg.InternalClientError,
)
# Somebody else's lock, a deadlock, a serialization failure, no connection, no disk or no memory left: the same work may well go
# through later.
_CROWDED = ("55P03", "40P01", "40001", "53300", "53100", "53200")


class DatabaseUnavailable(Unavailable):
    status, code, title = 503, "database_unavailable", "The database does not answer"


@dataclass(kw_only=True)
class UnitOfWork:
    """One open transaction. Feature code never commits: whoever opened the unit does, by leaving the block.

    ``database`` is for what has to outlive this unit, such as the log of requests that were really sent: a rolled back
    unit must not take it along.
    """

    session: AsyncSession
    tenant_id: UUID | None
    database: "Database"

    async def driver(self) -> "asyncpg.Connection[Any]":
        """The asyncpg connection of this same transaction, for COPY and hot reads."""
        connection = await self.session.connection()
        raw = await connection.get_raw_connection()
        return cast("asyncpg.Connection[Any]", raw.driver_connection)

    @property
    def tenant(self) -> UUID:
        """The tenant, where there has to be one."""
        if self.tenant_id is None:
            msg = "this unit of work has no tenant"
            raise RuntimeError(msg)
        return self.tenant_id


class Database:
    """A pool of connections as the application role."""

    def __init__(self, engine: AsyncEngine, *, url: str, patience_s: float) -> None:
        self.engine = engine
        self.url = url
        self._patience_s = patience_s

    @classmethod
    def connect(
        cls, url: str, *, pool_size: int = 10, patience_s: float = 2.0, server_settings: dict[str, str] | None = None
    ) -> Self:
        """Make the pool; nothing is opened yet.

        Args:
            url: ``postgresql://`` or ``postgresql+asyncpg://``, as the application role.
            pool_size: connections this process keeps.
            patience_s: how long opening a unit of work outlasts a database that is away (restart, fail-over).
            server_settings: PostgreSQL settings of each connection, such as time-outs for jobs.
        """
        url = sqlalchemy_url(url)
        engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_recycle=1800,
            # Parameters may be secrets, and an error that shows them ends up in a log.
            hide_parameters=True,
            connect_args={
                "connection_class": TenantConnection,
                "server_settings": {"application_name": "counterfoil", **(server_settings or {})},
            },
        )
        return cls(engine, url=url, patience_s=patience_s)

    @asynccontextmanager
    async def unit_of_work(self, tenant_id: UUID | None) -> AsyncIterator[UnitOfWork]:
        """Open a transaction for one tenant; commit at the end of the block, roll back on any error.

        ``None`` means no tenant: every tenant table raises then, and only the definer functions answer.
        """
        with context.bound(context.current_tenant_id, tenant_id):
            session = await self._patiently(self._begin)
            try:
                yield UnitOfWork(session=session, tenant_id=tenant_id, database=self)
                await session.commit()
            finally:
                # A server's task group cancels again and again: the connection would be lost to the pool.
                with CancelScope(shield=True):
                    await session.close()

    async def call(self, query: str, *arguments: Any) -> "asyncpg.Record | None":
        """Run one statement as a transaction of its own, in one round trip; its first row.

        For functions that bind the tenant themselves: this binds none.
        """

        async def once() -> "asyncpg.Record | None":
            async with self.engine.connect() as connection:
                raw = await connection.get_raw_connection()
                try:
                    return await cast("asyncpg.Connection[Any]", raw.driver_connection).fetchrow(query, *arguments)
                except _GONE:
                    # Nobody but us knows that this connection is of no use any more.
                    await connection.invalidate()
                    raise

        return await self._patiently(once)

    async def _begin(self) -> AsyncSession:
        session = AsyncSession(self.engine, expire_on_commit=False)
        try:
            await _begin_now(await session.connection())
        except BaseException:
            await session.close()
            raise
        return session

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do what may find the database away, and outlast that for a while."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return await work()
            except (DBAPIError, PoolTimeoutError, asyncpg.PostgresError, OSError, *_GONE) as error:
                # Little but connecting happens there, so any error of the operating system's is about that.
                if not isinstance(error, OSError) and not is_passing(error):
                    raise
                if time.monotonic() > deadline:
                    raise DatabaseUnavailable("Try again in a moment.", headers={"Retry-After": "5"}) from error
                await asyncio.sleep(_RETRY_PAUSE_S)

    async def close(self) -> None:
        await self.engine.dispose()


async def _begin_now(connection: AsyncConnection) -> None:
    """Send BEGIN.

    The dialect would with the first statement, but here the tenant is surely bound, and a statement just for this would be
    a round trip more.
    """
    adapted: Any = (await connection.get_raw_connection()).dbapi_connection
    try:
        await adapted._start_transaction()  # noqa: SLF001  (there is no public way to begin without a statement)
    except BaseException as error:
        # Nobody but us knows that this connection is of no use any more.
        await connection.invalidate()
        if isinstance(error, Exception) and error.__cause__ is not None:
            raise error.__cause__ from error
        raise


def is_disconnect(error: BaseException) -> bool:
    """Whether the database went away."""
    if isinstance(error, DBAPIError):
        # SQLAlchemy does not tell a server that starts or stops from other errors; the driver's own error does.
        cause = error.orig.__cause__ if error.orig is not None else None
        gone = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return gone or isinstance(cause, _GONE)
    return isinstance(error, (DatabaseUnavailable, *_GONE))


def is_passing(error: BaseException) -> bool:
    """Whether the same work may go through later: the database went away, or was too busy with others."""
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    return is_disconnect(error) or isinstance(error, PoolTimeoutError) or state in _CROWDED


def sqlalchemy_url(url: str) -> str:
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    return url


def driver_url(url: str) -> str:
    """The same address as asyncpg itself reads it."""
    return sqlalchemy_url(url).replace("postgresql+asyncpg://", "postgresql://", 1)
