"""From a vendor's record to what is stored: hashes, ids and column values. Pure."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from types import NoneType
from typing import Any, NoReturn
from uuid import UUID

import orjson

from counterfoil.commerce.models import table_of
from counterfoil.kit.ids import derived_id
from counterfoil.plugins.connector import CanonicalRow, Json, Raw, Ref, SourceMalformed, Stream

_HASH_BYTES = 16
_CURRENCY = re.compile(r"^[A-Z]{3,5}$")
_LARGEST = Decimal(10) ** 12
_NUL_ESCAPE = b"\\u0000"
_CLOCK_DIFFERENCE = timedelta(minutes=5)
UNMAPPED = b""
"""The content hash of a record that could not be mapped: never equal to a real one, so the next sight of it tries again."""
DELETED = b"deleted"
"""The content hash of a record that is gone at the vendor: whatever shows it again later brings it back."""


class UnmappableRecord(Exception):
    """A record that does not fit the canonical tables; kept raw, reported, never dropped in silence."""

    def __init__(self, source_id: str, detail: str) -> None:
        super().__init__(f"{source_id}: {detail}")
        self.source_id = source_id


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What every id is derived from."""

    tenant_id: UUID
    connection_id: UUID
    source: str
    account: str

    def raw_id(self, stream: str, source_id: str) -> UUID:
        return derived_id(self._connection, stream, source_id)

    def row_id(self, object_name: str, source_id: str) -> UUID:
        return derived_id(self._account, object_name, source_id)

    def dedupe_prefix(self, object_name: str) -> str:
        """What comes before the vendor's id in a dedupe key."""
        return f"{self.source}:{self.account}:{object_name}:"

    @cached_property
    def _connection(self) -> str:
        return f"{self.tenant_id}|{self.connection_id}"

    @cached_property
    def _account(self) -> str:
        return f"{self.tenant_id}|{self.source}|{self.account}"


@dataclass(kw_only=True, slots=True)
class RawVersion:
    """One observation of one record, ready to be stored.

    ``own_instant`` says that the record came with the instant of its observation, as one out of an event or one that was
    fetched by itself does: such observations may arrive in any order. ``mapped`` is the outcome of a mapping done ahead.
    """

    stream: str
    id: UUID
    source_id: str
    content_hash: bytes
    payload: Json
    payload_json: str
    observed_at: datetime
    own_instant: bool = False
    is_open: bool = False
    deleted: bool = False
    mapped: "list[MappedRow] | UnmappableRecord | None" = None

    @property
    def order(self) -> tuple[datetime, bool, bytes]:
        """Of two observations the greater one holds. Ties are settled by content, so that the order of arrival never matters."""
        return (self.observed_at, self.deleted, self.content_hash)


def raw_version(origin: Origin, stream: Stream, raw: Raw, observed_at: datetime) -> RawVersion:
    """Hash a record and make it storable.

    Args:
        origin: what its id is derived from.
        stream: whose record it is.
        raw: the record.
        observed_at: when the request was sent; a record with an instant of its own keeps that.

    Raises:
        SourceMalformed: the record has no textual id, is nested deeper than anything could store, or has an instant
            without a zone.
    """
    given: Any = raw.source_id
    if not isinstance(given, str) or not given:
        raise SourceMalformed(f"{stream.title}: a record came without an id that is text")
    source_id: str = _storable(given)
    try:
        payload, body = _stored(raw.payload)
        counted = _stored(_without(payload, stream.volatile))[1] if stream.volatile else body
    except RecursionError:
        raise SourceMalformed(f"{stream.title}: the record {source_id} is nested too deeply") from None
    return RawVersion(
        stream=stream.name,
        id=origin.raw_id(stream.name, source_id),
        source_id=source_id,
        content_hash=DELETED if raw.deleted else _digest(counted, stream.version),
        payload=payload,
        payload_json=body.decode(),
        observed_at=observed_at if raw.observed_at is None else _believable(stream, raw.observed_at, observed_at),
        own_instant=raw.observed_at is not None,
        is_open=not raw.deleted and _is_open(stream, payload),
        deleted=raw.deleted,
    )


def _digest(body: bytes, version: int) -> bytes:
    return hashlib.blake2b(body, digest_size=_HASH_BYTES, person=b"raw", salt=version.to_bytes(4, "big")).digest()


def _believable(stream: Stream, instant: datetime, sent_at: datetime) -> datetime:
    if instant.tzinfo is None:
        raise SourceMalformed(f"{stream.title}: the instant of a record has no zone")
    # Clocks differ; but an instant far in the future would keep every later observation out until then.
    return min(instant, sent_at + _CLOCK_DIFFERENCE)


def _is_open(stream: Stream, payload: Json) -> bool:
    if stream.is_open is None:
        return False
    try:
        return bool(stream.is_open(payload))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        # Not of the shape the stream knows: its mapping reports that.
        return False


@dataclass(kw_only=True, slots=True)
class MappedRow:
    """A canonical row's own columns, in the order of ``RowMapper.columns``."""

    kind: type[CanonicalRow]
    id: UUID
    content_hash: bytes
    values: list[Any]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is left to do with the values of a row whose types are right: the places of each sort."""

    references: tuple[int, ...]
    amounts: tuple[int, ...]
    times: tuple[int, ...]


class RowMapper:
    """Turns the rows of one canonical kind into column values that the table will take."""

    def __init__(self, kind: type[CanonicalRow], origin: Origin) -> None:
        self.kind = kind
        self.table = table_of(kind)
        self._origin = origin
        known = self.table.columns
        self._names = [field.name for field in fields(kind)]
        self.columns = [name if name in known else f"{name}_id" for name in self._names]
        self._expected = [(known[name].type.python_type, bool(known[name].nullable)) for name in self.columns]
        self._values_of = attrgetter(*self._names)
        self._currency = self._names.index("currency") if "currency" in self._names else None
        # Rows of a kind come in few combinations of types: each is judged once.
        self._plans: dict[tuple[type[Any], ...], _Plan] = {}

    def map(self, row: CanonicalRow) -> MappedRow:
        """Check every value against its column, so that no row can make the database refuse a whole batch.

        Raises:
            ValueError: naming the field that does not fit.
        """
        values = list(self._values_of(row))
        types = tuple(map(type, values))
        plan = self._plans.get(types) or self._judged(types)
        for at in plan.references:
            values[at] = self._origin.row_id(values[at].object, values[at].source_id)
        for at in plan.amounts:
            if not values[at].is_finite() or abs(values[at]) >= _LARGEST:
                self._refuse(at, f"{values[at]} is out of range for an amount")
        for at in plan.times:
            if values[at].tzinfo is None:
                self._refuse(at, "a time without a zone")
        currency = None if self._currency is None else values[self._currency]
        if self._currency is not None and currency is not None and not _CURRENCY.match(currency):
            self._refuse(self._currency, f"{currency!r} is not a currency code")
        counted = values.copy()
        for at in plan.amounts:
            counted[at] = str(values[at])
        digest = hashlib.blake2b(orjson.dumps(counted, default=str), digest_size=_HASH_BYTES, person=b"row").digest()
        return MappedRow(
            kind=self.kind,
            id=self._origin.row_id(self.kind.object, row.source_id),
            content_hash=digest,
            values=values,
        )

    def _judged(self, types: tuple[type[Any], ...]) -> _Plan:
        for at, (given, (expected, nullable)) in enumerate(zip(types, self._expected, strict=True)):
            if given is NoneType:
                if not nullable:
                    self._refuse(at, "there has to be a value")
                continue
            held = UUID if given is Ref else given
            # bool is an int and datetime a date to Python, not to PostgreSQL.
            if not issubclass(held, expected) or (held is datetime) != (expected is datetime):
                self._refuse(at, f"{given.__name__} where {expected.__name__} belongs")
        plan = _Plan(
            references=tuple(at for at, given in enumerate(types) if given is Ref),
            amounts=tuple(at for at, given in enumerate(types) if issubclass(given, Decimal)),
            times=tuple(at for at, given in enumerate(types) if given is datetime),
        )
        self._plans[types] = plan
        return plan

    def _refuse(self, at: int, finding: str) -> NoReturn:
        msg = f"{self._names[at]}: {finding}"
        raise ValueError(msg)


def rows_of(stream: Stream, raw: RawVersion, mapper: Callable[[type[CanonicalRow]], RowMapper]) -> list[MappedRow]:
    """The canonical rows of one record; none of a deleted one.

    Raises:
        UnmappableRecord: the record is not of the shape the mapping knows.
    """
    if stream.to_rows is None or raw.deleted:
        return []
    try:
        return [mapper(type(row)).map(row) for row in stream.to_rows(raw.payload)]
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise UnmappableRecord(raw.source_id, f"{type(error).__name__}: {error}") from error


def _stored(payload: Json) -> tuple[Json, bytes]:
    """The payload as PostgreSQL can hold it, and its canonical JSON: sorted keys, so equal payloads give equal bytes."""
    try:
        body = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Integers beyond 64 bits, or half a surrogate pair: slower, but nothing is refused.
        payload = _storable(payload)
        return payload, json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if _NUL_ESCAPE not in body:
        return payload, body
    # PostgreSQL's text has no NUL; a visible replacement keeps the record instead of losing the batch.
    payload = _storable(payload)
    return payload, orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)


def _without(payload: Json, paths: Sequence[str]) -> Json:
    trimmed = dict(payload)
    for path in paths:
        head, _, rest = path.partition(".")
        if head not in trimmed:
            continue
        if rest and isinstance(trimmed[head], dict):
            trimmed[head] = _without(trimmed[head], [rest])
        elif not rest:
            del trimmed[head]
    return trimmed


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.encode("utf-8", "replace").decode().replace("\0", "�")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
