"""SQL for packs: the snapshot they are made from, what goes into them, and the rows that tell of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Table, and_, delete, exists, func, insert, or_, select
from sqlalchemy.orm import aliased

from counterfoil.commerce.models import RECORDS
from counterfoil.connections.models import Connection
from counterfoil.db.database import Database, UnitOfWork
from counterfoil.evidence.models import EvidencePack
from counterfoil.ingest.models import StreamRun
from counterfoil.jobs.models import UNFINISHED, Job
from counterfoil.kit import context
from counterfoil.objects.models import StoredObject
from counterfoil.tenancy.models import Tenant

Driver: TypeAlias = "asyncpg.Connection[Any]"

CANONICAL: tuple[Table, ...] = tuple(
    sorted((record.__table__ for record in RECORDS), key=lambda table: str(table.name))  # type: ignore[attr-defined]  # mapped classes have one
)

# Transactions of a batch are over long before that: what lies further back landed before the run began.
_SLACK = timedelta(hours=1)
# Up to so many records are named one by one, and found by index; for more a whole table is read.
_FEW_RECORDS = 5_000

RAW = """
    SELECT json_build_object(
        'id', id, 'stream', stream, 'source_id', source_id, 'change', change, 'run_id', run_id,
        'observed_at', observed_at, 'changed_at', changed_at,
        'content_hash', encode(content_hash, 'hex'), 'payload', payload
    )
    FROM core.raw_records
    WHERE connection_id = $1 AND stream = $2 AND change > $3 AND run_id = ANY ($4::uuid[])
    ORDER BY change, id
"""
_OF_JOB = "(e.correlation_id = $1 OR (e.resource_type = 'job' AND e.resource_id = $2))"
# To the byte what was hashed for their seals.
AUDIT = f"SELECT core.audit_line(e) FROM core.audit_events e WHERE {_OF_JOB} ORDER BY e.id"  # noqa: S608  (a constant)
REQUESTS = "SELECT row_to_json(c) FROM core.api_calls c WHERE c.job_id = $1 ORDER BY c.id"


@asynccontextmanager
async def snapshot(database: Database, tenant_id: UUID) -> AsyncIterator[Driver]:
    """Everything a tenant has, as of one instant; other transactions are neither seen nor held up."""
    with context.bound(context.current_tenant_id, tenant_id):
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            await connection.exec_driver_sql("SELECT set_config('statement_timeout', '0', true)")
            # Text that does not depend on a server's settings.
            await connection.exec_driver_sql("SELECT set_config('timezone', 'UTC', true)")
            await connection.exec_driver_sql("SELECT set_config('datestyle', 'ISO, YMD', true)")
            raw = await connection.get_raw_connection()
            yield cast("Driver", raw.driver_connection)


async def instant(driver: Driver) -> Any:
    return await driver.fetchval("SELECT now()")


# -- what some runs landed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """The records that carry the id of some runs, counted by stream, and where they are to be found.

    Args:
        connection_id: whose runs they are.
        run_ids: the runs.
        after: by stream of the connection, the last change that surely came before the runs.
        records: by stream, those of the runs; only streams that have some.
        near: everything that landed since the runs began, by id, or None where that is too much to name.
    """

    connection_id: UUID
    run_ids: list[UUID]
    after: dict[str, int]
    records: dict[str, int]
    near: list[UUID] | None

    def raw(self, stream: str) -> tuple[str, tuple[Any, ...]]:
        """The query of a stream's records, in the order they landed."""
        return RAW, (self.connection_id, stream, self.after.get(stream, 0), self.run_ids)

    def canonical(self, table: Table) -> tuple[str, tuple[Any, ...]]:
        """The query of the rows of a table, in the order of their ids."""
        columns = ", ".join(
            f"""encode("{column.name}", 'hex') AS "{column.name}\""""
            if column.type.python_type is bytes
            else f'"{column.name}"'
            for column in table.columns
            if column.name != "tenant_id" and column.computed is None
        )
        where, arguments = self._where()
        return f"SELECT {columns} FROM {table.fullname} {where} ORDER BY id", arguments  # noqa: S608  (names of our own models)

    def counting(self, table: Table) -> tuple[str, tuple[Any, ...]]:
        where, arguments = self._where()
        return f"SELECT count(*) FROM {table.fullname} {where}", arguments  # noqa: S608  (names of our own models)

    def _where(self) -> tuple[str, tuple[Any, ...]]:
        where = "WHERE connection_id = $1 AND run_id = ANY ($2::uuid[])"
        if self.near is None:
            return where, (self.connection_id, self.run_ids)
        # A record never goes back in the order of changes: wherever it is now, it is not before its run.
        return f"{where} AND raw_id = ANY ($3::uuid[])", (self.connection_id, self.run_ids, self.near)


_STREAMS = """
    WITH RECURSIVE named AS (
        (SELECT stream FROM core.raw_records WHERE connection_id = $1 ORDER BY stream LIMIT 1)
        UNION ALL
        SELECT (
            SELECT r.stream FROM core.raw_records r
            WHERE r.connection_id = $1 AND r.stream > named.stream ORDER BY r.stream LIMIT 1
        )
        FROM named WHERE named.stream IS NOT NULL
    )
    SELECT stream, coalesce((
        SELECT r.change FROM core.raw_records r
        WHERE r.connection_id = $1 AND r.stream = named.stream AND r.changed_at < $2 ORDER BY r.change DESC LIMIT 1
    ), 0) AS change
    FROM named WHERE stream IS NOT NULL
"""
_RECORDS = """
    SELECT count(*) FROM core.raw_records
    WHERE connection_id = $1 AND stream = $2 AND change > $3 AND run_id = ANY ($4::uuid[])
"""
_NEAR = "SELECT id FROM core.raw_records WHERE connection_id = $1 AND stream = $2 AND change > $3 LIMIT $4"


async def holdings(driver: Driver, connection_id: UUID, run_ids: list[UUID], *, since: datetime) -> Holdings:
    """What some runs hold now; ``since`` is when the first of them began.

    The streams are those of the records: a run also lands what it is told of other streams than its own.
    """
    found = await driver.fetch(_STREAMS, connection_id, since - _SLACK)
    after: dict[str, int] = {row["stream"]: row["change"] for row in found}
    records: dict[str, int] = {}
    near: list[UUID] = []
    for stream, change in after.items():
        if count := await driver.fetchval(_RECORDS, connection_id, stream, change, run_ids):
            records[stream] = count
        if len(near) <= _FEW_RECORDS:
            rows = await driver.fetch(_NEAR, connection_id, stream, change, _FEW_RECORDS + 1 - len(near))
            near += [row["id"] for row in rows]
    return Holdings(
        connection_id=connection_id,
        run_ids=run_ids,
        after=after,
        records=records,
        near=near if len(near) <= _FEW_RECORDS else None,
    )


async def count_rows(driver: Driver, held: Holdings) -> int:
    """The canonical rows of some runs, tombstones among them."""
    counted = 0
    for table in CANONICAL:
        query, arguments = held.counting(table)
        counted += await driver.fetchval(query, *arguments)
    return counted


# -- the audit events of a job, and their seals ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SealedEvent:
    """Where an event is in the order of seals; without a sequence it is in none yet."""

    id: UUID
    epoch: int
    transaction_id: int
    sequence: int | None


_COVERING = """
    SELECT s.sequence FROM core.audit_seals s
    WHERE s.tenant_id = e.tenant_id AND s.epoch = e.epoch
      AND s.from_xid <= e.transaction_id AND s.to_xid > e.transaction_id
    ORDER BY s.to_xid LIMIT 1
"""
_SEALED = f"""
    SELECT e.id, e.epoch, e.transaction_id, ({_COVERING}) AS sequence
    FROM core.audit_events e WHERE {_OF_JOB} ORDER BY e.id
"""  # noqa: S608  (constants)
_WAITING = f"SELECT EXISTS (SELECT FROM core.audit_events e WHERE {_OF_JOB} AND NOT EXISTS ({_COVERING}))"  # noqa: S608  (constants)


async def sealed_events(driver: Driver, correlation_id: UUID, job_id: UUID) -> list[SealedEvent]:
    """The events that ``AUDIT`` gives, in its order."""
    rows = await driver.fetch(_SEALED, correlation_id, str(job_id))
    return [SealedEvent(**row) for row in rows]


async def awaits_seal(uow: UnitOfWork, correlation_id: UUID, job_id: UUID) -> bool:
    """Whether some event of the job is in no seal yet."""
    waiting: bool = await (await uow.driver()).fetchval(_WAITING, correlation_id, str(job_id))
    return waiting


# -- jobs, runs and packs ------------------------------------------------------------------------------------------------


async def tenant(uow: UnitOfWork) -> Tenant:
    return (await uow.session.scalars(select(Tenant).where(Tenant.id == uow.tenant))).one()


async def runs_of(uow: UnitOfWork, job_id: UUID) -> Sequence[StreamRun]:
    """The runs of a job that asked the vendor: a replay's rows stay those of the runs that read them."""
    query = select(StreamRun).where(StreamRun.job_id == job_id, StreamRun.mode != "replay")
    return (await uow.session.scalars(query.order_by(StreamRun.stream, StreamRun.id))).all()


# Changed rows, records that were stored (those without canonical rows too), or a reading that was not to the end.
_IS_NEWS = or_(
    StreamRun.rows_inserted + StreamRun.rows_updated + StreamRun.rows_deleted > 0,
    StreamRun.rows_read > StreamRun.rows_unchanged,
    and_(StreamRun.status != "succeeded", StreamRun.rows_read > 0),
)


async def has_news(uow: UnitOfWork, job_id: UUID) -> bool:
    """Whether a sync landed something, or read something and not all of it."""
    query = select(exists().where(StreamRun.job_id == job_id, StreamRun.mode != "replay", _IS_NEWS))
    return bool(await uow.session.scalar(query))


async def unproven(uow: UnitOfWork, *, of_kind: str, by_kind: str, since: datetime, until: datetime) -> Sequence[Job]:
    """Syncs with news that ended in a time and for whose packs nobody has asked."""
    attempt = aliased(Job)
    query = select(Job).where(
        Job.kind == of_kind,
        Job.status.not_in(UNFINISHED),
        # By its index; no sync waits or runs for longer.
        Job.created_at >= since - timedelta(days=2),
        Job.finished_at >= since,
        Job.finished_at < until,
        exists().where(StreamRun.job_id == Job.id, StreamRun.mode != "replay", _IS_NEWS),
        ~exists().where(attempt.kind == by_kind, attempt.subject_id == Job.id),
        ~exists().where(EvidencePack.job_id == Job.id),
    )
    return (await uow.session.scalars(query.order_by(Job.finished_at))).all()


async def connection(uow: UnitOfWork, connection_id: UUID) -> Connection:
    return (await uow.session.scalars(select(Connection).where(Connection.id == connection_id))).one()


async def pack_of(uow: UnitOfWork, job_id: UUID) -> EvidencePack | None:
    found: EvidencePack | None = await uow.session.scalar(select(EvidencePack).where(EvidencePack.job_id == job_id))
    return found


async def add_pack(uow: UnitOfWork, values: dict[str, Any]) -> EvidencePack:
    statement = insert(EvidencePack).values(tenant_id=uow.tenant, **values).returning(EvidencePack)
    return (await uow.session.scalars(statement)).one()


async def expired_packs(uow: UnitOfWork, *, limit: int) -> Sequence[EvidencePack]:
    """Packs whose retention is over by the database's clock, the longest over first."""
    query = (
        select(EvidencePack)
        .join(StoredObject, StoredObject.id == EvidencePack.object_id)
        .where(StoredObject.retention_until <= func.now())
        .order_by(StoredObject.retention_until)
        .limit(limit)
    )
    return (await uow.session.scalars(query)).all()


async def delete_pack(uow: UnitOfWork, pack_id: UUID) -> None:
    await uow.session.execute(delete(EvidencePack).where(EvidencePack.id == pack_id))


async def latest_attempt(uow: UnitOfWork, job_id: UUID, *, kind: str) -> Job | None:
    """The newest job that was to make this one's pack."""
    query = select(Job).where(Job.kind == kind, Job.subject_id == job_id)
    found: Job | None = await uow.session.scalar(query.order_by(Job.created_at.desc()).limit(1))
    return found
