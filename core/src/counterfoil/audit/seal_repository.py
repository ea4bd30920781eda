"""The SQL of seals, of what they are checked against, and of archives."""

import itertools
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import insert, select, update

from counterfoil.audit.merkle import DIGEST_BYTES
from counterfoil.audit.models import AuditArchive, AuditSeal
from counterfoil.audit.seals import Seal
from counterfoil.db.database import UnitOfWork

Driver: TypeAlias = "asyncpg.Connection[Any]"

_READ_AHEAD = 10_000
_MOST_XID = 2**63 - 1
_MAX_STRAYS = 10

# --- sealing ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Window:
    """Transactions that are over, from ``from_xid`` up to and without ``to_xid``, and who has events from them."""

    epoch: int
    from_xid: int
    to_xid: int
    tenant_ids: list[UUID]


@dataclass(frozen=True, kw_only=True)
class EpochState:
    """How far an epoch is sealed, over all tenants."""

    epoch: int
    number: int
    sealed_until: int
    is_current: bool


async def next_window(driver: Driver, *, batch: int) -> Window | None:
    """What to seal next, about as many events as the batch; None when there is nothing."""
    row = await driver.fetchrow(
        "SELECT window_epoch AS epoch, from_xid, to_xid, tenant_ids FROM core.audit_window($1)", batch
    )
    return Window(**row) if row else None


async def advance_window(driver: Driver, window: Window) -> None:
    await driver.execute("SELECT core.advance_audit_window($1, $2)", window.epoch, window.to_xid)


async def epochs(driver: Driver) -> list[EpochState]:
    rows = await driver.fetch("SELECT epoch, number, sealed_until, is_current FROM core.audit_epochs()")
    return [EpochState(**row) for row in rows]


async def oldest_unsealed(driver: Driver) -> datetime | None:
    """When the oldest event happened that no tenant's seal holds yet."""
    found: datetime | None = await driver.fetchval("SELECT core.oldest_unsealed_event()")
    return found


async def unanchored_tenants(driver: Driver) -> list[UUID]:
    rows = await driver.fetch("SELECT tenant_id FROM core.unanchored_tenants() AS tenant_id")
    return [row["tenant_id"] for row in rows]


async def audited_tenants(driver: Driver) -> dict[str, UUID]:
    """Every tenant by its slug."""
    rows = await driver.fetch("SELECT slug, tenant_id FROM core.audited_tenants()")
    return {row["slug"]: row["tenant_id"] for row in rows}


# Hashed before they are sorted: what is sorted is small then.
_HASHED = """
    SELECT transaction_id, id, sha256(convert_to(core.audit_line(e), 'UTF8')) AS digest
    FROM core.audit_events e WHERE epoch = $1 AND transaction_id >= $2 AND transaction_id < $3 OFFSET 0
"""
_DIGESTS = f"SELECT string_agg(digest, '' ORDER BY transaction_id, id) FROM ({_HASHED}) hashed"  # noqa: S608  (constants)


async def digests(driver: Driver, *, epoch: int, from_xid: int, to_xid: int) -> list[bytes]:
    """The hashes of this tenant's events in a window, in the order a seal takes them."""
    joined: bytes = await driver.fetchval(_DIGESTS, epoch, from_xid, to_xid) or b""
    return [joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES)]


_SEAL = """
    SELECT tenant_id, sequence, epoch, from_xid, to_xid, event_count, root, previous_hash, hash, key_id, signature,
           sealed_at, anchor_key
    FROM core.audit_seals
"""


async def newest_seal(driver: Driver, *, before: int = _MOST_XID) -> Seal | None:
    """This tenant's newest seal, or its newest below a sequence."""
    row = await driver.fetchrow(f"{_SEAL} WHERE sequence < $1 ORDER BY sequence DESC LIMIT 1", before)
    return Seal(**row) if row else None


_ADD_SEAL = insert(AuditSeal.__table__)  # type: ignore[arg-type]  # as above


async def add_seal(uow: UnitOfWork, seal: Seal) -> None:
    await uow.session.execute(_ADD_SEAL, vars(seal))


async def set_anchor(uow: UnitOfWork, *, sequence: int, anchor_key: str) -> None:
    await uow.session.execute(update(AuditSeal).where(AuditSeal.sequence == sequence).values(anchor_key=anchor_key))


# --- verifying ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SealRange:
    """The seals to look at; ``is_whole`` when there are no others."""

    first: int
    last: int
    is_whole: bool


_RANGE = """
    WITH chosen AS (
        SELECT sequence, sum(event_count) OVER newest AS events, row_number() OVER newest AS place
        FROM (
            SELECT sequence, event_count FROM core.audit_seals
            WHERE ($1::timestamptz IS NULL OR sealed_at >= $1) AND ($2::timestamptz IS NULL OR sealed_at < $2)
            ORDER BY sequence DESC LIMIT $3
        ) newest_seals
        WINDOW newest AS (ORDER BY sequence DESC)
    )
    SELECT min(sequence) AS first, max(sequence) AS last,
           min(sequence) = (SELECT min(sequence) FROM core.audit_seals)
           AND max(sequence) = (SELECT max(sequence) FROM core.audit_seals) AS is_whole
    FROM chosen WHERE place = 1 OR events <= $4
"""


async def seal_range(
    driver: Driver, *, since: datetime | None, until: datetime | None, max_seals: int, max_events: int
) -> SealRange | None:
    """The newest seals of a time range, no more of them and of their events than given, but one at least."""
    row = await driver.fetchrow(_RANGE, since, until, max_seals, max_events)
    return SealRange(**row) if row and row["first"] is not None else None


async def seals(driver: Driver, *, first: int, last: int) -> AsyncIterator[Seal]:
    """Seals in order. The transaction has to stay open."""
    query = f"{_SEAL} WHERE sequence BETWEEN $1 AND $2 ORDER BY sequence"
    async for row in driver.cursor(query, first, last, prefetch=_READ_AHEAD):
        yield Seal(**row)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Some seals of one epoch that follow each other, and the window they cover together."""

    epoch: int
    low: int
    high: int


_STRETCHES = """
    SELECT epoch, min(from_xid) AS low, max(to_xid) AS high FROM (
        SELECT sequence, epoch, from_xid, to_xid, div(sum(event_count) OVER (ORDER BY sequence) - 1, $3::bigint) AS part
        FROM core.audit_seals WHERE sequence BETWEEN $1 AND $2
    ) parted
    GROUP BY epoch, part ORDER BY min(sequence)
"""


async def stretches(driver: Driver, *, first: int, last: int) -> list[Stretch]:
    """A range of seals in pieces of a size to read at once, in the chain's order."""
    rows = await driver.fetch(_STRETCHES, first, last, _READ_AHEAD)
    return [Stretch(**row) for row in rows]


_LEAVES = f"""
    SELECT string_agg(int8send(transaction_id) || uuid_send(id) || digest, '' ORDER BY transaction_id, id)
    FROM ({_HASHED}) hashed
"""  # noqa: S608  (constants)
_LEAF = struct.Struct(f">q16s{DIGEST_BYTES}s")


async def leaves(driver: Driver, stretch: Stretch) -> Iterator[tuple[int, bytes, bytes]]:
    """Transaction, id and hash of this tenant's events in a stretch, in the order of seals."""
    packed: bytes | None = await driver.fetchval(_LEAVES, stretch.epoch, stretch.low, stretch.high)
    return _LEAF.iter_unpack(packed or b"")


async def anchored(driver: Driver, *, first: int, last: int) -> dict[int, tuple[str, date]]:
    """The anchors that seals say they have, each with its day."""
    rows = await driver.fetch(
        "SELECT sequence, anchor_key, (sealed_at AT TIME ZONE 'UTC')::date AS day FROM core.audit_seals"
        " WHERE sequence BETWEEN $1 AND $2 AND anchor_key IS NOT NULL",
        first,
        last,
    )
    return {row["sequence"]: (row["anchor_key"], row["day"]) for row in rows}


async def take_time(driver: Driver) -> None:
    """Reading months of events takes longer than a request may, and files are read in between."""
    await driver.execute("SET LOCAL statement_timeout = '1h'; SET LOCAL idle_in_transaction_session_timeout = '1h'")


_STRAYS = "SELECT id FROM core.audit_events WHERE epoch = $1 AND transaction_id >= $2 AND transaction_id < $3 ORDER BY id LIMIT $4"
_STRAYS_OF_NO_EPOCH = "SELECT id FROM core.audit_events WHERE epoch > $1 AND epoch < $2 ORDER BY id LIMIT $3"
_SEALED_UP_TO = "SELECT epoch, max(to_xid) AS to_xid FROM core.audit_seals GROUP BY epoch"


async def strays(driver: Driver, known: Sequence[EpochState]) -> list[UUID]:
    """Events that should be in a seal by now and are in none: the sealer has passed by there."""
    sealed = {row["epoch"]: row["to_xid"] for row in await driver.fetch(_SEALED_UP_TO)}
    found: list[asyncpg.Record] = []
    for epoch in known:
        low = sealed.get(epoch.epoch, 0)
        found += await driver.fetch(_STRAYS, epoch.epoch, low, epoch.sealed_until, _MAX_STRAYS)
    bounds = [-_MOST_XID, *sorted(epoch.epoch for epoch in known), _MOST_XID]
    for low, high in itertools.pairwise(bounds):
        found += await driver.fetch(_STRAYS_OF_NO_EPOCH, low, high, _MAX_STRAYS)
    return [row["id"] for row in found[:_MAX_STRAYS]]


@dataclass(frozen=True, kw_only=True)
class Unsealed:
    count: int
    oldest_at: datetime | None


async def unsealed(driver: Driver, current: EpochState | None, *, most: int) -> Unsealed:
    """This tenant's events after its newest seal, counted up to a bound."""
    if current is None:
        return Unsealed(count=0, oldest_at=None)
    row = await driver.fetchrow(
        """
        SELECT count(*) AS count, min(occurred_at) AS oldest_at FROM (
            SELECT occurred_at FROM core.audit_events
            WHERE epoch = $1 AND transaction_id >= greatest(
                $2, (SELECT max(to_xid) FROM core.audit_seals WHERE epoch = $1)
            )
            ORDER BY transaction_id LIMIT $3
        ) waiting
        """,
        current.epoch,
        current.sealed_until,
        most,
    )
    return Unsealed(**row) if row else Unsealed(count=0, oldest_at=None)


# --- archives -------------------------------------------------------------------------------------------------------------


async def archives(uow: UnitOfWork) -> Sequence[AuditArchive]:
    """This tenant's archives, oldest month first."""
    return (await uow.session.scalars(select(AuditArchive).order_by(AuditArchive.month))).all()


async def months(driver: Driver) -> list[date]:
    """The months that have a partition, oldest first."""
    rows = await driver.fetch("""
        SELECT to_date(right(c.relname, 6), 'YYYYMM') AS month FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'core.audit_events'::regclass AND c.relname ~ '^audit_events_[0-9]{6}$' ORDER BY 1
    """)
    return [row["month"] for row in rows]


async def unarchived_tenants(driver: Driver, month: date) -> list[UUID]:
    rows = await driver.fetch("SELECT tenant_id FROM core.audit_month_tenants($1) WHERE NOT is_archived", month)
    return [row["tenant_id"] for row in rows]


async def drop_month(driver: Driver, month: date) -> None:
    await driver.execute("SELECT core.drop_audit_month($1)", month)


async def purged_archives(driver: Driver) -> list[tuple[UUID, UUID]]:
    """Archives whose month is gone from the database while its tenant's log does not say so yet."""
    rows = await driver.fetch("SELECT tenant_id, archive_id FROM core.purged_audit_archives()")
    return [(row["tenant_id"], row["archive_id"]) for row in rows]


async def mark_purged(uow: UnitOfWork, archive_id: UUID, *, at: datetime) -> AuditArchive | None:
    """The archive, or None when somebody else has marked it."""
    statement = update(AuditArchive).where(AuditArchive.id == archive_id, AuditArchive.purged_at.is_(None))
    marked: AuditArchive | None = await uow.session.scalar(statement.values(purged_at=at).returning(AuditArchive))
    return marked


@dataclass(frozen=True, kw_only=True)
class MonthSpan:
    """A tenant's events of one month: how many, in which seals, and how many of them are in none."""

    event_count: int
    first_sequence: int | None
    last_sequence: int | None
    unsealed: int


_SPAN = """
    SELECT count(*) AS event_count, min(s.sequence) AS first_sequence, max(s.sequence) AS last_sequence,
           count(*) FILTER (WHERE s.sequence IS NULL) AS unsealed
    FROM core.audit_events e
    LEFT JOIN LATERAL (
        SELECT s.sequence, s.from_xid FROM core.audit_seals s
        WHERE s.tenant_id = e.tenant_id AND s.epoch = e.epoch AND s.to_xid > e.transaction_id ORDER BY s.to_xid LIMIT 1
    ) s ON s.from_xid <= e.transaction_id
    WHERE e.id >= $1 AND e.id < $2
"""


async def month_span(driver: Driver, *, low: UUID, high: UUID) -> MonthSpan:
    row = await driver.fetchrow(_SPAN, low, high)
    if row is None:  # an aggregate without GROUP BY always answers
        raise RuntimeError
    return MonthSpan(**row)


_LINES = """
    SELECT core.audit_line(e) AS line FROM core.audit_events e
    WHERE id >= $1 AND id < $2 AND epoch = $3 ORDER BY transaction_id, id
"""


async def event_lines(driver: Driver, *, low: UUID, high: UUID, epoch_order: Sequence[int]) -> AsyncIterator[str]:
    """The events between two ids as they are hashed, epoch by epoch, in the order of seals."""
    for epoch in epoch_order:
        async for row in driver.cursor(_LINES, low, high, epoch, prefetch=_READ_AHEAD):
            yield row["line"]
