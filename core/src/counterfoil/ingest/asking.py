"""Asking the connector for more than one thing at a time, and for one record by itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from counterfoil.ingest.control import Source
from counterfoil.ingest.parallel import each
from counterfoil.ingest.records import RawVersion, raw_version
from counterfoil.kit.clock import utc_now
from counterfoil.observability import get_logger
from counterfoil.plugins.connector import (
    ConnectorContext,
    HttpClient,
    Json,
    Raw,
    SourceError,
    SourceMalformed,
    Stream,
)

_log = get_logger(__name__)


class OwnClock:
    """A client that knows when its own requests were sent, whoever else shares the one behind it.

    Waiting for a turn counts as sent already: too early an instant is safe, one too late is not.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._sent_at: datetime | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._http, name)

    @property
    def sent_at(self) -> datetime:
        return self._sent_at or self._http.sent_at

    async def get(self, path: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None) -> Json:
        asked_at = utc_now()
        answer = await self._http.get(path, params)
        self._sent_at = asked_at
        return answer

    async def post(self, path: str, **parts: Any) -> Json:
        asked_at = utc_now()
        answer = await self._http.post(path, **parts)
        self._sent_at = asked_at
        return answer


class _Aside:
    """The context of one of several that ask at the same time."""

    def __init__(self, context: ConnectorContext) -> None:
        self._context = context
        self.http: Any = OwnClock(context.http)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def aside(context: ConnectorContext) -> Any:
    """The same context, with a clock of its own."""
    return _Aside(context)


@contextmanager
def understood(stream: Stream) -> Iterator[None]:
    """Turn what a connector raises when it reads a field that is not there into what it means.

    Raises:
        SourceMalformed: the answer is not the vendor's usual one.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        _log.warning("stream.unreadable", stream=stream.name, error=f"{type(error).__name__}: {error}")
        raise SourceMalformed(
            f"{stream.title}: an answer of the source is not what its protocol promises ({type(error).__name__})"
        ) from error


def bound(source: Source, wanted: int) -> int:
    """How many may ask at the same time."""
    return max(1, min(wanted, source.connector.limits_for(source.context.settings).concurrency))


async def fetch(source: Source, stream: Stream, source_ids: Sequence[str]) -> dict[str, RawVersion | SourceError]:
    """Read records one by one, as many at a time as the account allows: what came of each.

    One that is gone comes back as deleted.
    """

    async def one(source_id: str) -> RawVersion:
        return await _fetch_one(source, stream, source_id)

    outcomes = await each(source_ids, one, at_once=bound(source, len(source_ids)))
    found: dict[str, RawVersion | SourceError] = {}
    for source_id, outcome in zip(source_ids, outcomes, strict=True):
        if not isinstance(outcome, RawVersion | SourceError):
            raise outcome
        found[source_id] = outcome
    return found


async def _fetch_one(source: Source, stream: Stream, source_id: str) -> RawVersion:
    if stream.fetch_one is None:
        msg = f"{stream.name} cannot fetch one record"
        raise TypeError(msg)
    context = aside(source.context)
    with understood(stream):
        found = await stream.fetch_one(source.connector, context, source_id)
        raw = Raw(source_id, {}, deleted=True) if found is None else found
        owner = owner_of(source, stream, raw)
        sent_at = context.http.sent_at
        return raw_version(source.origin, owner, replace(raw, observed_at=raw.observed_at or sent_at), sent_at)


def owner_of(source: Source, stream: Stream, raw: Raw) -> Stream:
    """The stream whose record it is.

    Raises:
        SourceMalformed: the connector has no such stream.
    """
    if raw.stream is None:
        return stream
    owner = source.connector.streams.get(raw.stream)
    if owner is None:
        raise SourceMalformed(f"{stream.title} tells of {raw.stream!r}, which the connector does not have")
    return owner
