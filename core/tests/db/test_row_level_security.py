"""Found from the catalogue, not from a list: whatever table exists is secured, and the known holes stay closed."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import driver_url, sqlalchemy_url
from counterfoil.db.roles import APP, OWNER, SYSTEM
from counterfoil.db.secure import GLOBAL_TABLES, SYSTEM_TABLES, VERSION_TABLE, UnsecuredTable, secure
from counterfoil.kit.ids import new_id

Connection: TypeAlias = "asyncpg.Connection[Any]"

# Only a table's owner may make and drop its partitions.
OF_THE_OWNER = {"core.ensure_partitions()", "core.drop_audit_month(date)", "core.drop_old_api_calls(integer)"}
TABLES = """
    SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relispartition AS partition,
           c.relrowsecurity AND c.relforcerowsecurity AS secured,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS tenant_owned
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
    ORDER BY 1, 2
"""


@pytest.fixture
async def as_app(settings: Settings) -> AsyncIterator[Connection]:
    """The application's role on a fresh connection that has never heard of a tenant."""
    connection = await asyncpg.connect(driver_url(settings.database_url.get_secret_value()))
    yield connection
    await connection.close()


async def _tables(admin: Connection) -> list[asyncpg.Record]:
    return [row for row in await admin.fetch(TABLES) if row["name"] != VERSION_TABLE]


async def test_every_table_is_forced_under_row_level_security(admin: Connection) -> None:
    tables = await _tables(admin)
    assert len(tables) >= 10
    assert [f"{row['schema']}.{row['name']}" for row in tables if not row["secured"]] == []


async def test_only_the_listed_tables_have_no_tenant(admin: Connection) -> None:
    without = {f"{row['schema']}.{row['name']}" for row in await _tables(admin) if not row["tenant_owned"]}
    assert without == set(GLOBAL_TABLES)


async def test_every_policy_checks_what_is_written_too(admin: Connection) -> None:
    assert (
        await admin.fetch(
            "SELECT schemaname, tablename, policyname FROM pg_policies WHERE with_check IS NULL OR qual IS NULL"
        )
        == []
    )


async def test_the_policy_that_sees_everything_exists_on_the_listed_tables_only(admin: Connection) -> None:
    rows = await admin.fetch(
        "SELECT schemaname || '.' || tablename AS name, roles FROM pg_policies WHERE qual = 'true'"
    )
    assert {row["name"] for row in rows} == SYSTEM_TABLES
    assert {tuple(row["roles"]) for row in rows} == {(SYSTEM,)}


@pytest.mark.usefixtures("make_rows")
async def test_without_a_tenant_every_tenant_table_the_application_may_read_is_an_error(
    admin: Connection, as_app: Connection
) -> None:
    tried = 0
    for row in await _tables(admin):
        name = f'"{row["schema"]}"."{row["name"]}"'
        if not await admin.fetchval("SELECT has_table_privilege($1, $2, 'SELECT')", APP, name):
            continue
        tried += 1
        with pytest.raises((asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError)):
            await as_app.fetch(f"SELECT * FROM {name}")  # noqa: S608  (names from the catalogue)
    assert tried >= 8


async def test_a_session_that_once_had_a_tenant_is_an_error_again_afterwards(as_app: Connection, tenant: UUID) -> None:
    async with as_app.transaction():
        await as_app.execute(f"SET LOCAL app.current_tenant_id = '{tenant}'")
        assert await as_app.fetchval("SELECT count(*) FROM core.tenants") == 1
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await as_app.fetchval("SELECT count(*) FROM core.tenants")


async def test_a_tenant_sees_and_writes_its_own_rows_only(database: Database, tenant: UUID, other_tenant: UUID) -> None:
    async with database.unit_of_work(tenant) as uow:
        driver = await uow.driver()
        assert await driver.fetchval("SELECT array_agg(id) FROM core.tenants") == [tenant]
        assert await driver.execute("UPDATE core.tenants SET name = 'x' WHERE id = $1", other_tenant) == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await driver.execute(
                "INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_label, action, outcome)"
                " VALUES ($1, $2, now(), 'user', 'x', 'core.x.y', 'ok')",
                other_tenant,
                new_id(),
            )


@pytest.mark.parametrize("privilege", ["TRUNCATE", "REFERENCES", "TRIGGER"])
async def test_the_application_holds_no_privilege_that_ignores_row_level_security(
    admin: Connection, privilege: str
) -> None:
    held = [
        row["name"]
        for row in await _tables(admin)
        if await admin.fetchval(
            "SELECT has_table_privilege($1, $2, $3)", APP, f'"{row["schema"]}"."{row["name"]}"', privilege
        )
    ]
    assert held == []


async def test_the_application_is_nobody_special(admin: Connection) -> None:
    for role in (APP, OWNER, SYSTEM):
        row = await admin.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", role)
        assert row is not None
        assert not any(
            row[flag] for flag in ("rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole", "rolreplication")
        )
    assert (
        await admin.fetch("SELECT FROM pg_class WHERE pg_get_userbyid(relowner) = $1 AND relpersistence <> 't'", APP)
        == []
    )
    assert not await admin.fetchval(
        "SELECT pg_has_role($1, $2, 'MEMBER') OR pg_has_role($1, $3, 'MEMBER')", APP, OWNER, SYSTEM
    )


async def test_audit_events_can_be_added_and_read_and_nothing_else(database: Database, tenant: UUID) -> None:
    for statement in (
        "UPDATE core.audit_events SET reason = 'x'",
        "DELETE FROM core.audit_events",
        "TRUNCATE core.audit_events",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.unit_of_work(tenant) as uow:
                await (await uow.driver()).execute(statement)


async def test_a_partition_cannot_be_read_past_its_parent(admin: Connection, database: Database, tenant: UUID) -> None:
    partitions = [f"core.{row['name']}" for row in await _tables(admin) if row["partition"]]
    assert partitions
    for name in partitions:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.unit_of_work(tenant) as uow:
                await (await uow.driver()).fetch(f"SELECT * FROM {name}")  # noqa: S608  (names from the catalogue)


async def test_password_hashes_are_out_of_reach(database: Database, tenant: UUID) -> None:
    for statement in ("SELECT password_hash FROM core.users", "SELECT * FROM core.refresh_sessions"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.unit_of_work(tenant) as uow:
                await (await uow.driver()).fetch(statement)


async def test_uniques_and_indexes_of_tenant_tables_lead_with_the_tenant(admin: Connection) -> None:
    rows = await admin.fetch("""
        SELECT i.indexrelid::regclass::text AS name, a.attname AS leads
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE n.nspname !~ '^(pg_|information_schema)'
          AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped)
    """)
    assert rows
    # What serves the definer functions works across tenants, and must not be unique: a unique one would be an oracle.
    astray = {row["name"] for row in rows if row["leads"] != "tenant_id"}
    for name in astray:
        unique = await admin.fetchval("SELECT indisunique FROM pg_index WHERE indexrelid = $1::regclass", name)
        table = await admin.fetchval(
            "SELECT coalesce(h.inhparent, i.indrelid)::regclass::text"
            " FROM pg_index i LEFT JOIN pg_inherits h ON h.inhrelid = i.indrelid WHERE indexrelid = $1::regclass",
            name,
        )
        assert not unique, name
        assert table in SYSTEM_TABLES, name


async def test_references_between_tenant_tables_carry_the_tenant(admin: Connection) -> None:
    rows = await admin.fetch("""
        SELECT conname, conrelid::regclass::text AS child, confrelid::regclass::text AS parent,
               (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS columns
        FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
    """)
    assert rows
    for row in rows:
        if row["parent"] not in GLOBAL_TABLES:
            assert "tenant_id" in row["columns"], row["conname"]


async def test_definer_functions_are_pinned_owned_and_granted_by_name(admin: Connection) -> None:
    rows = await admin.fetch("""
        SELECT p.oid::regprocedure::text AS name, p.proconfig AS config, pg_get_userbyid(p.proowner) AS owner,
               has_function_privilege('public', p.oid, 'EXECUTE') AS anybody
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND n.nspname !~ '^(pg_|information_schema)'
    """)
    assert rows
    for row in rows:
        assert any(item.startswith("search_path=pg_catalog") for item in row["config"] or ()), row["name"]
        assert not row["anybody"], row["name"]
        assert row["owner"] == (OWNER if row["name"] in OF_THE_OWNER else SYSTEM), row["name"]


@pytest.mark.parametrize(
    ("ddl", "said"),
    [
        ("CREATE TABLE hole.things (id uuid PRIMARY KEY)", "tenant_id"),
        ("CREATE VIEW hole.things AS SELECT * FROM core.tenants", "security_invoker"),
        ("CREATE MATERIALIZED VIEW hole.things AS SELECT 1 AS tenant_id", "materialized"),
    ],
)
async def test_a_schema_that_would_leak_cannot_be_secured(settings: Settings, ddl: str, said: str) -> None:
    engine = create_async_engine(sqlalchemy_url(settings.database_admin_url.get_secret_value()))
    async with engine.connect() as connection:
        await connection.execute(text("CREATE SCHEMA hole"))
        await connection.execute(text(ddl))
        with pytest.raises(UnsecuredTable, match=said):
            await secure(connection, "hole")
        await connection.rollback()
    await engine.dispose()


@pytest.fixture
async def make_rows(database: Database, tenant: UUID) -> None:
    """Something in the tables: the policy's form may answer no rows at all on an empty one."""
    async with database.unit_of_work(tenant) as uow:
        await (await uow.driver()).execute(
            "INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_label, action, outcome)"
            " VALUES ($1, $2, now(), 'user', 'x', 'core.x.y', 'ok')",
            tenant,
            new_id(),
        )
