"""What a connector is: settings, how to sign in, how to check, and streams of two halves.

The first half of a stream does the talking and yields raw records; the second is pure and turns one raw record into the
complete set of canonical rows it stands for. Everything else (cursors, retries, dedupe, upsert, lineage) is the engine's.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, get_args

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
    """One record as the vendor sent it."""

    source_id: str
    payload: Json


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

    Durations are written ``"3h"`` or ``"31d"``. Without ``max_window`` a back-fill is one window.
    """

    lookback: str = "0s"
    max_window: str | None = None

    @property
    def lookback_delta(self) -> timedelta:
        return duration(self.lookback)

    @property
    def max_window_delta(self) -> timedelta | None:
        return duration(self.max_window) if self.max_window else None


@dataclass(frozen=True, kw_only=True)
class ParentCursor:
    """One window per record of another stream that is new or changed since last time."""

    stream: str


Pages = Callable[[Any, Any, Window], AsyncIterator[Page]]
ToRows = Callable[[Json], Sequence[CanonicalRow]]


@dataclass(kw_only=True)
class Stream:
    """A stream's declaration and its two halves. Made by ``@stream``; ``@<name>.rows`` adds the second half.

    ``version`` is the mapping's: a bump maps every kept raw record again. ``authority`` decides between two streams that
    describe the same canonical row: the higher replaces the lower, never the other way round. ``volatile`` names
    dotted paths that change on every read and say nothing; they do not count as a change.
    """

    name: str
    title: str
    cursor: TimeCursor | ParentCursor
    targets: Sequence[type[CanonicalRow]]
    version: int = 1
    authority: int = 0
    volatile: Sequence[str] = ()
    pages: Pages
    to_rows: ToRows | None = field(default=None)

    def rows(self, function: ToRows) -> "staticmethod[[Json], Sequence[CanonicalRow]]":
        self.to_rows = function
        return staticmethod(function)


def stream(
    name: str,
    *,
    cursor: TimeCursor | ParentCursor,
    targets: Sequence[type[CanonicalRow]],
    title: str = "",
    version: int = 1,
    authority: int = 0,
    volatile: Sequence[str] = (),
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
    streams: ClassVar[dict[str, Stream]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [value for value in vars(cls).values() if isinstance(value, Stream)]
        cls.streams = {**cls.streams, **{declared.name: declared for declared in own}}

    def base_url_for(self, settings: Any) -> str:  # noqa: ARG002  (subclasses read it)
        """The API's origin for these settings."""
        return self.base_url

    async def authorize(self, http: HttpClient, settings: Any) -> Bearer:
        """Turn the settings into an access token.

        Raises:
            SourceUnauthorized: the credentials are refused.
        """
        raise NotImplementedError

    async def check(self, ctx: ConnectorContext) -> Account:
        """Prove the credentials with one cheap call and say whose account it is."""
        raise NotImplementedError

    def classify(self, status: int, body: Any, headers: Mapping[str, str]) -> SourceError | None:  # noqa: ARG002  (subclasses read them)
        """The vendor's own reading of an error answer; None leaves it to the status code."""
        return None
