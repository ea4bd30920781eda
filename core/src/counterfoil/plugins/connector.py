"""What a connector is: settings, how to sign in, how to check, and streams of two halves.

The first half of a stream does the talking and yields raw records; the second is pure and turns one raw record into the
complete set of canonical rows it stands for. Everything else (cursors, retries, dedupe, upsert, lineage) is the engine's.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, SecretStr

from counterfoil.kit.clock import duration

Secret = SecretStr
Json = dict[str, Any]


class Settings(BaseModel):
    """A connector's settings. ``Secret`` fields travel as ``credentials`` and are stored sealed, the others as ``settings``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def secret_fields(cls) -> frozenset[str]:
        return frozenset(
            name
            for name, info in cls.model_fields.items()
            if info.annotation is SecretStr or SecretStr in get_args(info.annotation)
        )


class SourceError(Exception):
    """The vendor's API did not give what was asked. ``code`` is stable; ``detail`` may be shown and holds no secret."""

    code: ClassVar[str] = "source_error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        # Vendors are quoted, and what they send may hold characters that no column, log line or page should get.
        detail = " ".join("".join(one if one.isprintable() else " " for one in detail).split())
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class SourceUnauthorized(SourceError):
    """The credentials are not accepted (any more)."""

    code = "source_unauthorized"


class SourceForbidden(SourceError):
    """The credentials are good but may not read this."""

    code = "source_forbidden"


class SourceInvalid(SourceError):
    """The vendor refuses the request itself."""

    code = "source_invalid_request"


class SourceRateLimited(SourceError):
    """Still over the vendor's limit after every retry."""

    code = "source_rate_limited"
    retryable = True


class SourceUnavailable(SourceError):
    """No answer, or a server error, after every retry."""

    code = "source_unavailable"
    retryable = True


class SourceMalformed(SourceError):
    """An answer that was cut short or is not what the protocol promises."""

    code = "source_malformed"
    retryable = True


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """What one account allows: requests per second, and requests at the same time."""

    rps: float
    concurrency: int = 4


@dataclass(frozen=True)
class Bearer:
    """An access token for the Authorization header; ``ttl_s`` says when to ask again, in seconds."""

    token: str
    ttl_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Account:
    """The vendor's account behind a connection. ``id`` becomes part of every row's identity and never changes."""

    id: str
    label: str = ""
    livemode: bool | None = None


class HttpClient(Protocol):
    """The outbound client a connector gets: signed in, limited, retried, guarded and logged.

    Paths are relative to the connector's base URL. Each call returns the parsed JSON body or raises a ``SourceError``.
    """

    @property
    def sent_at(self) -> datetime:
        """When the latest request was sent: the instant the answer is surely not older than."""

    @property
    def last_call_id(self) -> UUID | None:
        """Under which id the latest answered request is on record."""

    async def get(self, path: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None) -> Json: ...

    async def post(
        self,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
    ) -> Json: ...


class ConnectorContext(Protocol):
    """What a stream works with."""

    @property
    def http(self) -> HttpClient: ...

    @property
    def settings(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Window:
    """One stretch of a stream. ``until`` is fixed for the whole window, whatever happens while it is read.

    ``since`` is None at the very beginning. ``resume`` is what the last committed page said, or None at the window's
    start. ``parent`` is the parent record's payload in a stream with a ``ParentCursor``.
    """

    since: datetime | None = None
    until: datetime | None = None
    resume: Any = None
    parent: Json | None = None


@dataclass(frozen=True)
class Raw:
    """One record as the vendor sent it.

    ``stream`` names another stream of the connector whose record this is, as an event tells of a charge; by default it is
    the stream that read it. ``observed_at`` is the instant its content was true, where that is not the request's own, as
    with an event. A ``deleted`` record is gone at the vendor: its rows become tombstones, its last payload is kept.
    """

    source_id: str
    payload: Json
    stream: str | None = None
    observed_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A record the vendor says has changed. Only ever a reason to fetch it: what a webhook's body says is not landed."""

    stream: str
    source_id: str


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """A webhook whose signature held. ``id`` is the vendor's and the same in every delivery of the same event."""

    id: str
    type: str
    created_at: datetime | None = None
    hints: Sequence[Hint] = ()


class SignatureInvalid(Exception):
    """A webhook that the vendor did not sign, or signed too long ago. The message may be shown and holds no secret."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Raw records that arrived together. ``resume`` lets a later run continue after this page; JSON, or None.

    ``expected`` is the vendor's own count for the window, where it gives one: kept as evidence against what landed.
    """

    records: Sequence[Raw]
    resume: Any = None
    expected: int | None = None


@dataclass(frozen=True)
class Ref:
    """A reference to another canonical row of the same source and account; turned into its deterministic id."""

    object: str
    source_id: str


@dataclass(frozen=True, kw_only=True)
class CanonicalRow:
    """Base of the canonical rows. ``source_id`` is the vendor's id of the thing the row stands for."""

    object: ClassVar[str]

    source_id: str
    source_created_at: datetime | None = None
    source_updated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TimeCursor:
    """Windows of time. Each run reads again from ``lookback`` before the last one's end, to catch late edits.

    Durations are written ``"3h"`` or ``"31d"``. Without ``max_window`` a back-fill is one window. ``lag`` is how far
    behind the present a window ends, for a source that shows things late. ``horizon`` is how long the source keeps what
    the stream reads: a stream that was not read for longer has missed something, and every stream it tells of is read in
    full again. ``slices`` is how many windows of a back-fill may be read side by side; it takes ``Connector.earliest``.
    """

    lookback: str = "0s"
    max_window: str | None = None
    lag: str = "0s"
    horizon: str | None = None
    slices: int = 1

    @property
    def lookback_delta(self) -> timedelta:
        return duration(self.lookback)

    @property
    def max_window_delta(self) -> timedelta | None:
        return duration(self.max_window) if self.max_window else None

    @property
    def lag_delta(self) -> timedelta:
        return duration(self.lag)

    @property
    def horizon_delta(self) -> timedelta | None:
        return duration(self.horizon) if self.horizon else None


@dataclass(frozen=True, kw_only=True)
class ParentCursor:
    """One window per record of another stream that is new or changed since last time."""

    stream: str


Pages = Callable[[Any, Any, Window], AsyncIterator[Page]]
ToRows = Callable[[Json], Sequence[CanonicalRow]]
IsOpen = Callable[[Json], bool]
FetchOne = Callable[[Any, Any, str], Awaitable[Raw | None]]


@dataclass(kw_only=True)
class Stream:
    """A stream's declaration and its two halves. Made by ``@stream``; ``@<name>.rows`` adds the second half.

    ``@<name>.fetch`` adds ``async (self, ctx, source_id) -> Raw | None``, which reads one record, None when the vendor no
    longer has it: webhooks and re-checks need it. ``@<name>.open`` adds a pure ``(payload) -> bool``: whether the record
    may still change although no window will show it again, as a payout under way; each run fetches those once more.

    ``version`` is the mapping's: a bump maps every kept raw record again. ``authority`` decides between two streams that
    describe the same canonical row: the higher replaces the lower, never the other way round. ``volatile`` names
    dotted paths that change on every read and say nothing; they do not count as a change. ``tells_of`` names the streams
    whose records this one brings or whose changes it tells of: what they miss when its cursor's horizon has passed.
    """

    name: str
    title: str
    cursor: TimeCursor | ParentCursor
    targets: Sequence[type[CanonicalRow]]
    version: int = 1
    authority: int = 0
    volatile: Sequence[str] = ()
    tells_of: Sequence[str] = ()
    pages: Pages
    to_rows: ToRows | None = field(default=None)
    is_open: IsOpen | None = field(default=None)
    fetch_one: FetchOne | None = field(default=None)

    def rows(self, function: ToRows) -> "staticmethod[[Json], Sequence[CanonicalRow]]":
        self.to_rows = function
        return staticmethod(function)

    def open(self, function: IsOpen) -> "staticmethod[[Json], bool]":
        self.is_open = function
        return staticmethod(function)

    def fetch(self, function: FetchOne) -> FetchOne:
        self.fetch_one = function
        return function


def stream(
    name: str,
    *,
    cursor: TimeCursor | ParentCursor,
    targets: Sequence[type[CanonicalRow]],
    title: str = "",
    version: int = 1,
    authority: int = 0,
    volatile: Sequence[str] = (),
    tells_of: Sequence[str] = (),
) -> Callable[[Pages], Stream]:
    """Declare the decorated async generator ``(self, ctx, window)`` as a stream of the connector."""

    def declare(pages: Pages) -> Stream:
        return Stream(
            name=name,
            title=title or name.replace("_", " ").capitalize(),
            cursor=cursor,
            targets=tuple(targets),
            version=version,
            authority=authority,
            volatile=tuple(volatile),
            tells_of=tuple(tells_of),
            pages=pages,
        )

    return declare


class Connector:
    """A source of commerce data. Subclass it, declare the class attributes, write ``authorize``, ``check`` and streams."""

    kind: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str] = ""
    base_url: ClassVar[str]
    settings: ClassVar[type[Settings]]
    limits: ClassVar[RateLimit] = RateLimit(rps=10, concurrency=4)
    headers: ClassVar[Mapping[str, str]] = {}
    auth_kind: ClassVar[str] = "api_key"
    has_webhooks: ClassVar[bool] = False
    streams: ClassVar[dict[str, Stream]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = [
            value for base in reversed(cls.__mro__) for value in vars(base).values() if isinstance(value, Stream)
        ]
        cls.streams = {stream.name: stream for stream in declared}

    def base_url_for(self, settings: Any) -> str:  # noqa: ARG002  (subclasses read it)
        """The API's origin for these settings."""
        return self.base_url

    def limits_for(self, settings: Any) -> RateLimit:  # noqa: ARG002  (subclasses read it)
        """What the account behind these settings allows; shared by every connection to the same account."""
        return self.limits

    async def authorize(self, http: HttpClient, settings: Any) -> Bearer:
        """Turn the settings into an access token.

        Raises:
            SourceUnauthorized: the credentials are refused.
        """
        raise NotImplementedError

    async def check(self, ctx: ConnectorContext) -> Account:
        """Prove the credentials with one cheap call and say whose account it is."""
        raise NotImplementedError

    async def earliest(self, ctx: ConnectorContext) -> datetime | None:  # noqa: ARG002  (subclasses read it)
        """An instant before which the account holds nothing, so that a back-fill can be cut into slices; None if unknown."""
        return None

    def verify(self, settings: Any, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        """Prove that the vendor sent a webhook, and say what it is about. Header names are lower case.

        Raises:
            SignatureInvalid: it did not, or too long ago.
        """
        raise NotImplementedError

    def cost(self, body: Any, headers: Mapping[str, str]) -> Decimal | None:  # noqa: ARG002  (subclasses read them)
        """What a request cost, in the vendor's own units, where its answer says so; kept in the log of requests."""
        return None

    def classify(self, status: int, body: Any, headers: Mapping[str, str]) -> SourceError | None:  # noqa: ARG002  (subclasses read them)
        """The vendor's own reading of an error answer; None leaves it to the status code."""
        return None
