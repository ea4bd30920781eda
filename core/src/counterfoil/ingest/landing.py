"""All SQL that lands rows: one batch, one transaction, each changed record once.

The known hashes are asked first, so that unchanged records are never shipped; the others travel by COPY into a staging
table and one MERGE per target. A lock per account makes the MERGE safe against another connection to the same account.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.records import UNMAPPED, MappedRow, Origin, RawVersion, RowMapper, UnmappableRecord, rows_of
from counterfoil.plugins.connector import Stream

Driver: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(kw_only=True)
class Counts:
    """What a batch did. ``read`` and ``unchanged`` count records, the others canonical rows."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    unmappable: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A raw record as it stands in the table: which run brought this version, and when."""

    raw: RawVersion
    run_id: UUID
    changed_at: datetime


_LOCK = "SELECT now() FROM (SELECT pg_advisory_xact_lock(hashtextextended($1, 1))) AS locked"
_LAST_CHANGE = "SELECT coalesce(max(change), 0) FROM core.raw_records WHERE connection_id = $1 AND stream = $2"
_KNOWN = "SELECT id, content_hash, observed_at FROM core.raw_records WHERE id = ANY($1::uuid[])"
_RAW_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS stage_raw_records
    (id uuid, change bigint, source_id text, content_hash bytea, payload jsonb, observed_at timestamptz) ON COMMIT DELETE ROWS
"""
_RAW_MERGE = """
    MERGE INTO core.raw_records t USING stage_raw_records s ON t.tenant_id = $1 AND t.id = s.id
    WHEN MATCHED AND s.observed_at >= t.observed_at THEN UPDATE SET
        change = s.change, content_hash = s.content_hash, payload = s.payload, run_id = $4, observed_at = s.observed_at,
        changed_at = now()
    WHEN NOT MATCHED THEN
        INSERT (tenant_id, id, connection_id, stream, change, source_id, content_hash, payload, run_id, observed_at, changed_at)
        VALUES ($1, s.id, $2, $3, s.change, s.source_id, s.content_hash, s.payload, $4, s.observed_at, now())
"""
_FIXED = [
    "tenant_id",
    "id",
    "dedupe_key",
    "source",
    "source_account",
    "connection_id",
    "run_id",
    "raw_id",
    "content_hash",
    "authority",
    "observed_at",
    "synced_at",
]


class Lander:
    """Lands the batches of one stream."""

    def __init__(self, origin: Origin, stream: Stream) -> None:
        self.origin = origin
        self.stream = stream
        self._mappers = {kind: RowMapper(kind, origin) for kind in stream.targets}

    async def land(self, uow: UnitOfWork, versions: Sequence[RawVersion], *, run_id: UUID) -> Counts:
        """Store what is new or changed, raw and canonical."""
        latest = _latest(versions)
        counts = Counts(read=len(latest))
        if not latest:
            return counts
        driver = await uow.driver()
        changed_at = await self.lock(uow)
        known = {row["id"]: row for row in await driver.fetch(_KNOWN, list(latest))}
        changed = [version for version in latest.values() if _is_news(version, known.get(version.id))]
        counts.unchanged = len(latest) - len(changed)
        if not changed:
            return counts
        kept = [Kept(raw=version, run_id=run_id, changed_at=changed_at) for version in changed]
        rows, bad = self._mapped(kept)
        counts.unmappable = [str(error) for error in bad.values()]
        await self._merge_raw(driver, changed, run_id, set(bad))
        await self._land_rows(
            driver, rows, counts, mapped_anew=[v.id for v in changed if v.id in known and v.id not in bad]
        )
        return counts

    async def lock(self, uow: UnitOfWork) -> datetime:
        """Be the only one to land rows of this account until the unit ends; answers the unit's time."""
        at: datetime = await (await uow.driver()).fetchval(_LOCK, self._lock_key())
        return at

    async def rebuild(self, uow: UnitOfWork, kept: Sequence[Kept]) -> Counts:
        """Make the canonical rows of kept raw records again, exactly as landing them made them.

        Take the lock before reading what is kept: otherwise a sync in between makes it old news.
        """
        counts = Counts(read=len(kept))
        driver = await uow.driver()
        rows, bad = self._mapped(kept)
        counts.unmappable = [str(error) for error in bad.values()]
        await self._land_rows(
            driver, rows, counts, mapped_anew=[item.raw.id for item in kept if item.raw.id not in bad]
        )
        counts.unchanged = max(0, len(rows) - counts.inserted - counts.updated)
        return counts

    def _mapped(self, kept: Sequence[Kept]) -> tuple[list[tuple[Kept, MappedRow]], dict[UUID, UnmappableRecord]]:
        rows: list[tuple[Kept, MappedRow]] = []
        bad: dict[UUID, UnmappableRecord] = {}
        for item in kept:
            try:
                rows.extend((item, row) for row in rows_of(self.stream, item.raw, self._mappers.__getitem__))
            except UnmappableRecord as error:
                bad[item.raw.id] = error
        return rows, bad

    async def _merge_raw(self, driver: Driver, changed: Sequence[RawVersion], run_id: UUID, bad: set[UUID]) -> None:
        origin, stream = self.origin, self.stream.name
        last: int = await driver.fetchval(_LAST_CHANGE, origin.connection_id, stream)
        await driver.execute(_RAW_STAGE)
        await driver.copy_records_to_table(
            "stage_raw_records",
            records=[
                (v.id, change, v.source_id, UNMAPPED if v.id in bad else v.content_hash, v.payload_json, v.observed_at)
                for change, v in enumerate(changed, last + 1)
            ],
        )
        await driver.execute(_RAW_MERGE, origin.tenant_id, origin.connection_id, stream, run_id)

    async def _land_rows(
        self, driver: Driver, rows: list[tuple[Kept, MappedRow]], counts: Counts, *, mapped_anew: list[UUID]
    ) -> None:
        for kind, mapper in self._mappers.items():
            mine = [(item, row) for item, row in rows if type(row.row) is kind]
            await self._merge_rows(driver, mapper, mine, counts)
            if mapped_anew:
                counts.deleted += await self._bury(driver, mapper, mapped_anew, [row.id for _, row in mine])

    async def _merge_rows(
        self, driver: Driver, mapper: RowMapper, rows: list[tuple[Kept, MappedRow]], counts: Counts
    ) -> None:
        if not rows:
            return
        stage = f"stage_{mapper.table.name}"
        await driver.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE core.{mapper.table.name}) ON COMMIT DELETE ROWS"
        )
        by_id = {row.id: self._record(item, row) for item, row in rows}
        await driver.copy_records_to_table(stage, records=list(by_id.values()), columns=[*_FIXED, *mapper.columns])
        for action, number in await driver.fetch(_merge_statement(mapper, stage), self.origin.tenant_id):
            if action == "INSERT":
                counts.inserted += number
            else:
                counts.updated += number

    def _record(self, item: Kept, row: MappedRow) -> tuple[Any, ...]:
        origin = self.origin
        return (
            origin.tenant_id,
            row.id,
            row.dedupe_key,
            origin.source,
            origin.account,
            origin.connection_id,
            item.run_id,
            item.raw.id,
            row.content_hash,
            self.stream.authority,
            item.raw.observed_at,
            item.changed_at,
            *row.values,
        )

    async def _bury(self, driver: Driver, mapper: RowMapper, mapped_anew: list[UUID], present: list[UUID]) -> int:
        """Tombstone the rows these records no longer stand for: a record maps to the complete set of its rows.

        A tombstone carries the observation that made it one, so that no older observation brings the row back.
        """
        status: str = await driver.execute(
            f"""
            UPDATE core.{mapper.table.name} t
            SET deleted_at = r.changed_at, run_id = r.run_id, observed_at = r.observed_at, synced_at = r.changed_at
            FROM core.raw_records r
            WHERE t.raw_id = ANY ($1::uuid[]) AND r.id = t.raw_id AND r.observed_at >= t.observed_at
              AND t.deleted_at IS NULL AND NOT t.id = ANY ($2::uuid[])
            """,  # noqa: S608  (our own table name)
            mapped_anew,
            present,
        )
        return int(status.rsplit(" ", 1)[-1])

    def _lock_key(self) -> str:
        return f"{self.origin.tenant_id}|{self.origin.source}|{self.origin.account}"


def _merge_statement(mapper: RowMapper, stage: str) -> str:
    columns = [*_FIXED, *mapper.columns]
    updates = ", ".join(f"{name} = s.{name}" for name in columns if name not in ("tenant_id", "id"))
    return f"""
        WITH merged AS (
            MERGE INTO core.{mapper.table.name} t USING {stage} s ON t.tenant_id = $1 AND t.id = s.id
            WHEN MATCHED
                AND (t.content_hash <> s.content_hash OR t.run_id <> s.run_id OR t.deleted_at IS NOT NULL)
                AND (s.authority > t.authority OR (s.authority = t.authority AND s.observed_at >= t.observed_at))
                THEN UPDATE SET {updates}, deleted_at = NULL
            WHEN NOT MATCHED THEN INSERT ({", ".join(columns)}) VALUES ({", ".join(f"s.{name}" for name in columns)})
            RETURNING merge_action() AS action
        )
        SELECT action, count(*) FROM merged GROUP BY action
    """  # noqa: S608  (names come from our own models)


def _latest(versions: Sequence[RawVersion]) -> dict[UUID, RawVersion]:
    """One version per record: a list may show a record twice when it grows while it is read."""
    latest: dict[UUID, RawVersion] = {}
    for version in versions:
        seen = latest.get(version.id)
        if seen is None or version.observed_at >= seen.observed_at:
            latest[version.id] = version
    return latest


def _is_news(version: RawVersion, known: Any) -> bool:
    if known is None:
        return True
    return bool(known["content_hash"] != version.content_hash and version.observed_at >= known["observed_at"])
