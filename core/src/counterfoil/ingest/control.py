"""What the stream engine is given: the job it runs in, and the connection it reads."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.records import Origin
from counterfoil.plugins.connector import Connector, ConnectorContext, SourceError

LogLevel = Literal["debug", "info", "warning", "error"]


class JobControl(Protocol):
    """The job a stream runs in. Every unit of work begins by proving that the job is still ours."""

    @property
    def job_id(self) -> UUID: ...

    def tries_again(self, error: SourceError) -> bool:
        """Whether the job is tried again later when this error ends the attempt; otherwise it ends for good."""

    def unit_of_work(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    async def progress(
        self,
        uow: UnitOfWork,
        *,
        done: int,
        total: int | None = None,
        message: str = "",
        data: Mapping[str, Any] | None = None,
        advanced: bool | None = None,
    ) -> None: ...

    async def log(
        self, uow: UnitOfWork, level: LogLevel, message: str, data: Mapping[str, Any] | None = None
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Source:
    """A connection, opened: what to read and whose it is."""

    connector: Connector
    context: ConnectorContext
    origin: Origin

    @property
    def connection_id(self) -> UUID:
        return self.origin.connection_id
