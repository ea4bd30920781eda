"""From a vendor's record to what is stored: hashes, ids and column values. Pure."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from counterfoil.commerce.models import table_of
from counterfoil.kit.ids import derived_id
from counterfoil.plugins.connector import CanonicalRow, Json, Raw, Ref, SourceMalformed, Stream

_HASH_BYTES = 16
_CURRENCY = re.compile(r"^[A-Z]{3,5}$")
_LARGEST = Decimal(10) ** 12
_NUL_ESCAPE = b"\\u0000"
UNMAPPED = b""
"""The content hash of a record that could not be mapped: never equal to a real one, so the next sight of it tries again."""


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
        return derived_id(str(self.tenant_id), str(self.connection_id), stream, source_id)

    def row_id(self, object_name: str, source_id: str) -> UUID:
        return derived_id(str(self.tenant_id), self.source, self.account, object_name, source_id)

    def dedupe_key(self, object_name: str, source_id: str) -> str:
        return f"{self.source}:{self.account}:{object_name}:{source_id}"


@dataclass(frozen=True, kw_only=True)
class RawVersion:
    """One observation of one record, ready to be stored."""

    id: UUID
    source_id: str
    content_hash: bytes
    payload: Json
    payload_json: str
    observed_at: datetime


def raw_version(origin: Origin, stream: Stream, raw: Raw, observed_at: datetime) -> RawVersion:
    """Hash a record and make it storable.

    Raises:
        SourceMalformed: the record has no textual id, or is nested deeper than anything could store.
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
    digest = hashlib.blake2b(counted, digest_size=_HASH_BYTES, person=b"raw", salt=stream.version.to_bytes(4, "big"))
    return RawVersion(
        id=origin.raw_id(stream.name, source_id),
        source_id=source_id,
        content_hash=digest.digest(),
        payload=payload,
        payload_json=body.decode(),
        observed_at=observed_at,
    )


@dataclass(frozen=True, kw_only=True)
class MappedRow:
    """A canonical row's own columns, in the order of ``RowMapper.columns``."""

    id: UUID
    dedupe_key: str
    content_hash: bytes
    raw: RawVersion
    row: CanonicalRow
    values: tuple[Any, ...]


class RowMapper:
    """Turns the rows of one canonical kind into column values that the table will take."""

    def __init__(self, kind: type[CanonicalRow], origin: Origin) -> None:
        self.kind = kind
        self.table = table_of(kind)
        self._origin = origin
        known = self.table.columns
        self._names = [field.name for field in fields(kind)]
        self.columns = [name if name in known else f"{name}_id" for name in self._names]
        self._types = [(known[name].type.python_type, bool(known[name].nullable)) for name in self.columns]

    def map(self, raw: RawVersion, row: CanonicalRow) -> MappedRow:
        """Check every value against its column, so that no row can make the database refuse a whole batch.

        Raises:
            ValueError: naming the field that does not fit.
        """
        values = tuple(
            self._value(name, getattr(row, name), *expected)
            for name, expected in zip(self._names, self._types, strict=True)
        )
        currency = getattr(row, "currency", None)
        if currency is not None and not _CURRENCY.match(currency):
            msg = f"currency: {currency!r} is not a currency code"
            raise ValueError(msg)
        digest = hashlib.blake2b(orjson.dumps(values, default=str), digest_size=_HASH_BYTES, person=b"row").digest()
        return MappedRow(
            id=self._origin.row_id(self.kind.object, row.source_id),
            dedupe_key=self._origin.dedupe_key(self.kind.object, row.source_id),
            content_hash=digest,
            raw=raw,
            row=row,
            values=values,
        )

    def _value(self, name: str, value: Any, expected: type[Any], nullable: bool) -> Any:
        if value is None:
            if nullable:
                return None
            msg = f"{name}: there has to be a value"
            raise ValueError(msg)
        if isinstance(value, Ref):
            value = self._origin.row_id(value.object, value.source_id)
        # bool is an int and datetime a date to Python, not to PostgreSQL.
        if not isinstance(value, expected) or (type(value) is datetime) != (expected is datetime):
            msg = f"{name}: {type(value).__name__} where {expected.__name__} belongs"
            raise ValueError(msg)
        if isinstance(value, Decimal) and (not value.is_finite() or abs(value) >= _LARGEST):
            msg = f"{name}: {value} is out of range for an amount"
            raise ValueError(msg)
        if isinstance(value, datetime) and value.tzinfo is None:
            msg = f"{name}: a time without a zone"
            raise ValueError(msg)
        return value


def rows_of(stream: Stream, raw: RawVersion, mapper: Callable[[type[CanonicalRow]], RowMapper]) -> list[MappedRow]:
    """The canonical rows of one record.

    Raises:
        UnmappableRecord: the record is not of the shape the mapping knows.
    """
    if stream.to_rows is None:
        return []
    try:
        rows: Sequence[CanonicalRow] = stream.to_rows(raw.payload)
        return [mapper(type(row)).map(raw, row) for row in rows]
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
        return value.encode("utf-8", "replace").decode().replace("\0", "�")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
