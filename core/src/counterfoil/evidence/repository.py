"""SQL for packs: the snapshot they are made from, what goes into them, and the rows that tell of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Table, insert, select

from counterfoil.connections.models import Connection
from counterfoil.db.database import Database, UnitOfWork
from counterfoil.evidence.models import EvidencePack
from counterfoil.ingest.models import StreamRun
from counterfoil.jobs.models import Job
from counterfoil.kit import context
from counterfoil.tenancy.models import Tenant

Driver: TypeAlias = "asyncpg.Connection[Any]"

RAW = """
    SELECT json_build_object(
        'id', id, 'stream', stream, 'source_id', source_id, 'change', change, 'run_id', run_id,
        'observed_at', observed_at, 'changed_at', changed_at,
        'content_hash', encode(content_hash, 'hex'), 'payload', payload
    )
    FROM core.raw_records
    WHERE connection_id = $1 AND stream = $2 AND run_id = ANY ($3::uuid[])
    ORDER BY change, id
"""
AUDIT = """
    SELECT json_build_object(
        'id', id, 'occurred_at', occurred_at, 'actor_kind', actor_kind, 'actor_id', actor_id, 'actor_label', actor_label,
        'action', action, 'resource_type', resource_type, 'resource_id', resource_id, 'outcome', outcome, 'reason', reason,
        'correlation_id', correlation_id, 'job_id', job_id, 'payload', payload
    )
    FROM core.audit_events
    WHERE correlation_id = $1 OR (resource_type = 'job' AND resource_id = $2)
    ORDER BY id
"""
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


def canonical_rows(table: Table) -> str:
    """The rows of a canonical table that some runs wrote, in the order of their ids."""
    columns = ", ".join(
        f"""encode("{column.name}", 'hex') AS "{column.name}\""""
        if column.type.python_type is bytes
        else f'"{column.name}"'
        for column in table.columns
        if column.name != "tenant_id"
    )
    return (
        f"SELECT {columns} FROM {table.fullname}"  # noqa: S608  (names of our own models)
        " WHERE connection_id = $1 AND run_id = ANY ($2::uuid[]) ORDER BY id"
    )


async def instant(driver: Driver) -> Any:
    return await driver.fetchval("SELECT now()")


async def tenant(uow: UnitOfWork) -> Tenant:
    return (await uow.session.scalars(select(Tenant).where(Tenant.id == uow.tenant))).one()


async def runs_of(uow: UnitOfWork, job_id: UUID) -> Sequence[StreamRun]:
    """The runs of a job that asked the vendor: a replay's rows stay those of the runs that read them."""
    query = select(StreamRun).where(StreamRun.job_id == job_id, StreamRun.mode != "replay")
    return (await uow.session.scalars(query.order_by(StreamRun.stream, StreamRun.id))).all()


async def connection(uow: UnitOfWork, connection_id: UUID) -> Connection:
    return (await uow.session.scalars(select(Connection).where(Connection.id == connection_id))).one()


async def pack_of(uow: UnitOfWork, job_id: UUID) -> EvidencePack | None:
    found: EvidencePack | None = await uow.session.scalar(select(EvidencePack).where(EvidencePack.job_id == job_id))
    return found


async def add_pack(uow: UnitOfWork, values: dict[str, Any]) -> EvidencePack:
    statement = insert(EvidencePack).values(tenant_id=uow.tenant, **values).returning(EvidencePack)
    return (await uow.session.scalars(statement)).one()


async def latest_attempt(uow: UnitOfWork, job_id: UUID, *, kind: str) -> Job | None:
    """The newest job that was to make this one's pack."""
    query = select(Job).where(Job.kind == kind, Job.subject_id == job_id)
    found: Job | None = await uow.session.scalar(query.order_by(Job.created_at.desc()).limit(1))
    return found
