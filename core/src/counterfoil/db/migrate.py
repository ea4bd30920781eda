"""Runs lineages: core first, then one per plugin, each with its own schema and version table."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

import counterfoil_migrations
from counterfoil.db.confine import SchemaTrespass, outside
from counterfoil.db.database import sqlalchemy_url
from counterfoil.db.roles import OWNER, SYSTEM, ensure_roles
from counterfoil.db.secure import VERSION_TABLE, secure

_LOCK = 4_840_271
REQUIRED_POSTGRES = 18


class DatabaseTooOld(Exception):
    """The server is older than the oldest PostgreSQL we support."""


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """One schema's history: its name, which is the schema's too, and the folder of its revisions."""

    schema: str
    versions: Path


@dataclass(frozen=True, kw_only=True)
class LineageReport:
    schema: str
    before: str | None
    after: str | None


CORE = Lineage(schema="core", versions=Path(counterfoil_migrations.__file__).parent / "core" / "versions")


async def run_lineages(*, admin_url: str, app_url: str, lineages: list[Lineage]) -> list[LineageReport]:
    """Bring roles and schemas up to date, one transaction per lineage; a second run changes nothing.

    Raises:
        DatabaseTooOld: below PostgreSQL 18.
        SchemaTrespass: a lineage reached outside its schema.
        UnsecuredTable: a lineage made a table that would leak.
    """
    engine = create_async_engine(sqlalchemy_url(admin_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await _prepare(connection, app_url)
        return [await _run(engine, lineage) for lineage in lineages]
    finally:
        await engine.dispose()


async def current_revisions(*, admin_url: str, lineages: list[Lineage]) -> list[LineageReport]:
    """What is applied (``before``) and what the code wants (``after``), without changing anything."""
    engine = create_async_engine(sqlalchemy_url(admin_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return [
                LineageReport(schema=lineage.schema, before=await _revision(connection, lineage), after=_head(lineage))
                for lineage in lineages
            ]
    finally:
        await engine.dispose()


async def _prepare(connection: AsyncConnection, app_url: str) -> None:
    await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one()) // 10_000
    if version < REQUIRED_POSTGRES:
        msg = f"PostgreSQL {REQUIRED_POSTGRES} or newer is needed, this is {version}"
        raise DatabaseTooOld(msg)
    await ensure_roles(connection, app_url=app_url)
    await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))


async def _run(engine: AsyncEngine, lineage: Lineage) -> LineageReport:
    async with engine.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        await connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
        await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{lineage.schema}" AUTHORIZATION {OWNER}'))
        before = await _revision(connection, lineage)
        # A function's new owner must be able to create in its schema at that moment, and at no other.
        await connection.execute(text(f'GRANT USAGE, CREATE ON SCHEMA "{lineage.schema}" TO {SYSTEM}'))
        surroundings = await outside(connection, lineage.schema)
        await connection.run_sync(_upgrade, lineage)
        await secure(connection, lineage.schema)
        if await outside(connection, lineage.schema) != surroundings:
            msg = f"the lineage of {lineage.schema} changes things outside its schema"
            raise SchemaTrespass(msg)
        await connection.execute(text(f'REVOKE CREATE ON SCHEMA "{lineage.schema}" FROM {SYSTEM}'))
        return LineageReport(schema=lineage.schema, before=before, after=await _revision(connection, lineage))


def _upgrade(connection: Connection, lineage: Lineage) -> None:
    config = _config(lineage)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _revision(connection: AsyncConnection, lineage: Lineage) -> str | None:
    table = f'"{lineage.schema}"."{VERSION_TABLE}"'
    if (await connection.execute(text("SELECT to_regclass(:table)"), {"table": table})).scalar_one() is None:
        return None
    revision: str | None = (await connection.execute(text(f"SELECT version_num FROM {table}"))).scalar_one_or_none()  # noqa: S608  (our own schema name)
    return revision


def _head(lineage: Lineage) -> str | None:
    return ScriptDirectory.from_config(_config(lineage)).get_current_head()


def _config(lineage: Lineage) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(counterfoil_migrations.__file__).parent))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(lineage.versions))
    config.attributes["schema"] = lineage.schema
    config.attributes["version_table"] = VERSION_TABLE
    return config
