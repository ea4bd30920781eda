"""All SQL that lands rows: one batch, one transaction, each changed record once.

The known hashes are asked first, so that unchanged records are never shipped; the others travel by COPY into a staging
table and one MERGE per target. A lock per account makes that safe against another connection to the same account.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, TypeAlias
from uuid import UUID

import asyncpg

from counterfoil.db.database import UnitOfWork
from counterfoil.ingest.records import UNMAPPED, MappedRow, Origin, RawVersion, RowMapper, UnmappableRecord, rows_of
from counterfoil.plugins.connector import Stream

Driver: TypeAlias = "asyncpg.Connection[Any]"


@dataclass(kw_only=True)
class Counts:
    """What a batch did. ``read`` and ``unchanged`` count records, the others canonical rows; ``news`` are the records stored."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    unmappable: list[str] = field(default_factory=list)
    news: list[RawVersion] = field(default_factory=list)

    def plus(self, other: Self) -> Self:
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})


@dataclass(kw_only=True, slots=True)
class Kept:
    """A raw record as it stands in the table: which run brought this version, and when."""

    raw: RawVersion
    run_id: UUID
    changed_at: datetime


# What is known of records before a batch lands, by id.
Known: TypeAlias = Mapping[UUID, "asyncpg.Record"]

# A plan that was made for an empty table is kept, and a first sync would read the whole table for every batch: planned anew,
# each batch gets a plan for the table as it is by now. Its rows are mostly cached, so looking them up costs what reading on does.
_LOCK = """
    SELECT now() FROM (
        SELECT pg_advisory_xact_lock(hashtextextended($1, 1)), set_config('plan_cache_mode', 'force_custom_plan', true),
               set_config('random_page_cost', '1.1', true)
    ) AS locked
"""
_LAST_CHANGE = "SELECT coalesce(max(change), 0) FROM core.raw_records WHERE connection_id = $1 AND stream = $2"
_KNOWN = """
    SELECT id, content_hash, coalesce(seen_at, observed_at) AS seen_at, deleted_at IS NOT NULL AS deleted, is_open
    FROM core.raw_records WHERE id = ANY ($1::uuid[])
"""
# Emptied before each use too: one transaction may land records of several streams.
_RAW_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS stage_raw_records
    (id uuid, change bigint, source_id text, content_hash bytea, payload jsonb, observed_at timestamptz,
     is_open boolean, deleted boolean, is_new boolean) ON COMMIT DELETE ROWS;
    DELETE FROM stage_raw_records
"""
_RAW_INSERT = """
    INSERT INTO core.raw_records (tenant_id, id, connection_id, stream, change, source_id, content_hash, payload, run_id,
                                  observed_at, changed_at, is_open, deleted_at)
    SELECT $1, id, $2, $3, change, source_id, content_hash, payload, $4,
           observed_at, now(), is_open, CASE WHEN deleted THEN now() END
    FROM stage_raw_records WHERE is_new
"""
_RAW_UPDATE = """
    UPDATE core.raw_records t SET
        change = s.change, content_hash = s.content_hash, run_id = $2, observed_at = s.observed_at, seen_at = NULL,
        changed_at = now(), is_open = s.is_open, deleted_at = CASE WHEN s.deleted THEN now() END,
        payload = CASE WHEN s.deleted THEN t.payload ELSE s.payload END
    FROM stage_raw_records s WHERE t.tenant_id = $1 AND t.id = s.id AND NOT s.is_new
"""
_SIGHTINGS = """
    UPDATE core.raw_records t
    SET seen_at = greatest(coalesce(t.seen_at, t.observed_at), s.seen_at), is_open = s.is_open,
        seen_run = coalesce($5, t.seen_run)
    FROM unnest($2::uuid[], $3::timestamptz[], $4::boolean[]) AS s (id, seen_at, is_open)
    WHERE t.tenant_id = $1 AND t.id = s.id
"""
_OPENNESS = """
    UPDATE core.raw_records SET is_open = id = ANY ($3::uuid[])
    WHERE tenant_id = $1 AND id = ANY ($2::uuid[]) AND is_open <> (id = ANY ($3::uuid[]))
"""
# What differs from row to row is shipped, what a whole batch has in common is not.
_SHIPPED = ["id", "run_id", "raw_id", "content_hash", "observed_at", "synced_at"]
_COMMON = {
    "tenant_id": "$1",
    "source": "$2",
    "source_account": "$3",
    "connection_id": "$4",
    "authority": "$5",
    "dedupe_key": "$6 || s.source_id",
}


class Lander:
    """Lands the batches of one stream.

    ``expects_news`` is what the latest batch taught: mostly new records are worth mapping while the batch before lands,
    mostly known ones are not.
    """

    def __init__(self, origin: Origin, stream: Stream) -> None:
        self.origin = origin
        self.stream = stream
        self.expects_news = False
        self._mappers = {kind: RowMapper(kind, origin) for kind in stream.targets}

    def map_ahead(self, version: RawVersion) -> None:
        """Do a record's mapping now; what does not fit is reported when it lands."""
        try:
            version.mapped = rows_of(self.stream, version, self._mappers.__getitem__)
        except UnmappableRecord as error:
            version.mapped = error

    async def land(
        self, uow: UnitOfWork, versions: Sequence[RawVersion], *, run_id: UUID, remember: bool = False
    ) -> Counts:
        """Store what is new or changed, raw and canonical.

        Args:
            uow: the batch's transaction.
            versions: observations, in any order.
            run_id: which run brings them.
            remember: write down of every record that it was seen, also of those found unchanged.
        """
        latest = _latest(versions)
        counts = Counts(read=len(latest))
        if not latest:
            return counts
        driver = await uow.driver()
        changed_at = await self.lock(uow)
        known = {row["id"]: row for row in await driver.fetch(_KNOWN, list(latest))}
        changed, noted = _sorted_out(latest.values(), known, remember=remember)
        counts.unchanged = len(latest) - len(changed)
        self.expects_news = 2 * len(changed) > len(latest)
        if noted:
            await self._note_sightings(driver, noted, known, shown_to=run_id if remember else None)
        if not changed:
            return counts
        counts.news = changed
        kept = [Kept(raw=version, run_id=run_id, changed_at=changed_at) for version in changed]
        rows, bad = self._mapped(kept)
        counts.unmappable = [str(error) for error in bad.values()]
        await self._store_raw(driver, changed, known, run_id=run_id, bad=bad)
        mapped_anew = [version.id for version in changed if version.id in known and version.id not in bad]
        await self._land_rows(driver, rows, counts, mapped_anew=mapped_anew)
        return counts

    async def lock(self, uow: UnitOfWork) -> datetime:
        """Be the only one to land rows of this account until the unit ends; answers the unit's time."""
        origin = self.origin
        key = f"{origin.tenant_id}|{origin.source}|{origin.account}"
        at: datetime = await (await uow.driver()).fetchval(_LOCK, key)
        return at

    async def rebuild(self, uow: UnitOfWork, kept: Sequence[Kept]) -> Counts:
        """Make the canonical rows of kept raw records again, exactly as landing them made them.

        Take the lock before reading what is kept: otherwise a sync in between makes it old news.
        """
        counts = Counts(read=len(kept))
        driver = await uow.driver()
        rows, bad = self._mapped(kept)
        counts.unmappable = [str(error) for error in bad.values()]
        mapped_anew = [item.raw.id for item in kept if item.raw.id not in bad]
        await self._land_rows(driver, rows, counts, mapped_anew=mapped_anew)
        still_open = [item.raw.id for item in kept if item.raw.is_open]
        await driver.execute(_OPENNESS, self.origin.tenant_id, [item.raw.id for item in kept], still_open)
        counts.unchanged = max(0, len(rows) - counts.inserted - counts.updated)
        return counts

    def _mapped(self, kept: Sequence[Kept]) -> tuple[list[tuple[Kept, MappedRow]], dict[UUID, UnmappableRecord]]:
        rows: list[tuple[Kept, MappedRow]] = []
        bad: dict[UUID, UnmappableRecord] = {}
        for item in kept:
            if item.raw.mapped is None:
                self.map_ahead(item.raw)
            if isinstance(item.raw.mapped, UnmappableRecord):
                bad[item.raw.id] = item.raw.mapped
            else:
                rows.extend((item, row) for row in item.raw.mapped or ())
        return rows, bad

    async def _note_sightings(
        self, driver: Driver, noted: Sequence[RawVersion], known: Known, *, shown_to: UUID | None
    ) -> None:
        """Remember that records were seen, where an older observation may still come or somebody looks for the unseen."""
        ids, instants = [version.id for version in noted], [version.observed_at for version in noted]
        # What is older than what is known says nothing of today.
        is_open = [
            version.is_open
            if version.content_hash == known[version.id]["content_hash"]
            else known[version.id]["is_open"]
            for version in noted
        ]
        await driver.execute(_SIGHTINGS, self.origin.tenant_id, ids, instants, is_open, shown_to)

    async def _store_raw(
        self,
        driver: Driver,
        changed: Sequence[RawVersion],
        known: Known,
        *,
        run_id: UUID,
        bad: Mapping[UUID, UnmappableRecord],
    ) -> None:
        origin, stream = self.origin, self.stream.name
        last: int = await driver.fetchval(_LAST_CHANGE, origin.connection_id, stream)
        await driver.execute(_RAW_STAGE)
        await driver.copy_records_to_table(
            "stage_raw_records",
            records=[
                (
                    version.id,
                    change,
                    version.source_id,
                    UNMAPPED if version.id in bad else version.content_hash,
                    version.payload_json,
                    version.observed_at,
                    version.is_open,
                    version.deleted,
                    version.id not in known,
                )
                for change, version in enumerate(changed, last + 1)
            ],
        )
        # Under the lock nobody else adds any: what was not known is surely new.
        await driver.execute(_RAW_INSERT, origin.tenant_id, origin.connection_id, stream, run_id)
        if any(version.id in known for version in changed):
            await driver.execute(_RAW_UPDATE, origin.tenant_id, run_id)

    async def _land_rows(
        self, driver: Driver, rows: list[tuple[Kept, MappedRow]], counts: Counts, *, mapped_anew: list[UUID]
    ) -> None:
        for kind, mapper in self._mappers.items():
            mine = [(item, row) for item, row in rows if row.kind is kind]
            await self._merge_rows(driver, mapper, mine, counts)
            if mapped_anew:
                counts.deleted += await _bury(driver, mapper, mapped_anew, [row.id for _, row in mine])

    async def _merge_rows(
        self, driver: Driver, mapper: RowMapper, rows: list[tuple[Kept, MappedRow]], counts: Counts
    ) -> None:
        if not rows:
            return
        origin, stage = self.origin, f"stage_{mapper.table.name}"
        shipped = [*_SHIPPED, *mapper.columns]
        await driver.execute(
            f"""
            CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS
            AS SELECT {", ".join(shipped)} FROM core.{mapper.table.name} WITH NO DATA;
            DELETE FROM {stage}
            """  # noqa: S608  (names come from our own models)
        )
        by_id = {row.id: (item, row) for item, row in rows}
        records = [
            (row.id, item.run_id, item.raw.id, row.content_hash, item.raw.observed_at, item.changed_at, *row.values)
            for item, row in by_id.values()
        ]
        await driver.copy_records_to_table(stage, records=records, columns=shipped)
        common = (origin.tenant_id, origin.source, origin.account, origin.connection_id, self.stream.authority)
        merged = await driver.fetch(_merge_statement(mapper, stage), *common, origin.dedupe_prefix(mapper.kind.object))
        for action, number in merged:
            if action == "INSERT":
                counts.inserted += number
            else:
                counts.updated += number


def _merge_statement(mapper: RowMapper, stage: str) -> str:
    values = _COMMON | {name: f"s.{name}" for name in (*_SHIPPED, *mapper.columns)}
    updates = ", ".join(f"{name} = {value}" for name, value in values.items() if name not in ("tenant_id", "id"))
    return f"""
        WITH merged AS (
            MERGE INTO core.{mapper.table.name} t USING {stage} s ON t.tenant_id = $1 AND t.id = s.id
            WHEN MATCHED
                AND (t.content_hash <> s.content_hash OR t.run_id <> s.run_id OR t.deleted_at IS NOT NULL)
                AND ($5 > t.authority
                     OR ($5 = t.authority AND (s.observed_at, s.raw_id) >= (t.observed_at, t.raw_id)))
                THEN UPDATE SET {updates}, deleted_at = NULL
            WHEN NOT MATCHED THEN INSERT ({", ".join(values)}) VALUES ({", ".join(values.values())})
            RETURNING merge_action() AS action
        )
        SELECT action, count(*) FROM merged GROUP BY action
    """  # noqa: S608  (names come from our own models)


async def _bury(driver: Driver, mapper: RowMapper, mapped_anew: list[UUID], present: list[UUID]) -> int:
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


class Landers:
    """The landers of a connection's streams: a batch may hold records of several."""

    def __init__(self, origin: Origin, streams: Mapping[str, Stream]) -> None:
        self.origin = origin
        self._streams = streams
        self._landers: dict[str, Lander] = {}

    def of(self, stream: str) -> Lander:
        if stream not in self._landers:
            self._landers[stream] = Lander(self.origin, self._streams[stream])
        return self._landers[stream]

    async def land(
        self, uow: UnitOfWork, versions: Sequence[RawVersion], *, run_id: UUID, remember: bool = False
    ) -> dict[str, Counts]:
        """Land each record in its stream; what it did, by stream."""
        by_stream: dict[str, list[RawVersion]] = {}
        for version in versions:
            by_stream.setdefault(version.stream, []).append(version)
        return {
            name: await self.of(name).land(uow, found, run_id=run_id, remember=remember)
            for name, found in by_stream.items()
        }


def _latest(versions: Sequence[RawVersion]) -> dict[UUID, RawVersion]:
    """One version per record: a list may show a record twice when it grows while it is read."""
    latest: dict[UUID, RawVersion] = {}
    for version in versions:
        seen = latest.get(version.id)
        if seen is None or version.order >= seen.order:
            latest[version.id] = version
    return latest


def _sorted_out(
    versions: Iterable[RawVersion], known: Known, *, remember: bool
) -> tuple[list[RawVersion], list[RawVersion]]:
    """The observations that are news, and those of the others that have to be remembered.

    A list that shows a record as it is known is not: for records that are not open nothing is written then.
    """
    news, noted = [], []
    for version in versions:
        before = known.get(version.id)
        if before is None:
            news.append(version)
        elif before["content_hash"] == version.content_hash:
            raced = version.own_instant or version.is_open or before["is_open"]
            if remember or (raced and version.observed_at > before["seen_at"]):
                noted.append(version)
        elif version.order > (before["seen_at"], before["deleted"], before["content_hash"]):
            news.append(version)
        elif remember:
            noted.append(version)
    return news, noted
