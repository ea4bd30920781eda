"""Units of work, and which failures pass."""

import asyncio
import struct
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import DatabaseUnavailable, is_disconnect, is_passing, sqlalchemy_url
from counterfoil.kit import context


async def test_a_unit_commits_at_its_end_and_rolls_back_on_an_error(database: Database, tenant: UUID) -> None:
    async with database.unit_of_work(tenant) as uow:
        await uow.session.execute(text("UPDATE core.tenants SET name = 'kept'"))
    with pytest.raises(ZeroDivisionError):
        async with database.unit_of_work(tenant) as uow:
            await uow.session.execute(text("UPDATE core.tenants SET name = 'lost'"))
            raise ZeroDivisionError
    async with database.unit_of_work(tenant) as uow:
        assert (await uow.session.execute(text("SELECT name FROM core.tenants"))).scalar_one() == "kept"


async def test_the_tenant_belongs_to_the_unit_and_to_nothing_after_it(
    database: Database, tenant: UUID, other_tenant: UUID
) -> None:
    async def seen(wanted: UUID) -> list[UUID]:
        async with database.unit_of_work(wanted) as uow:
            await asyncio.sleep(0.01)
            assert context.current_tenant_id.get() == wanted
            found: list[UUID] = list((await uow.session.execute(text("SELECT id FROM core.tenants"))).scalars())
            return found

    wanted = [tenant, other_tenant] * 10
    assert await asyncio.gather(*map(seen, wanted)) == [[one] for one in wanted]
    assert context.current_tenant_id.get() is None


async def test_a_connection_that_died_in_the_pool_is_replaced_unnoticed(
    settings: Settings, admin: "asyncpg.Connection[asyncpg.Record]", tenant: UUID
) -> None:
    database = Database.connect(settings.database_url.get_secret_value(), pool_size=1)
    async with database.unit_of_work(tenant) as uow:
        pid = (await uow.session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    await asyncio.sleep(0.1)
    async with database.unit_of_work(tenant) as uow:
        assert (await uow.session.execute(text("SELECT pg_backend_pid()"))).scalar_one() != pid
    await database.close()


async def test_a_database_that_stays_away_is_a_problem_with_a_code(tenant: UUID) -> None:
    database = Database.connect("postgresql://nobody:x@127.0.0.1:9/none", patience_s=0.3)
    with pytest.raises(DatabaseUnavailable) as caught:
        async with database.unit_of_work(tenant):
            pytest.fail("there is no database")
    assert (caught.value.status, caught.value.code) == (503, "database_unavailable")
    assert is_passing(caught.value)
    await database.close()


async def test_a_database_that_is_only_starting_is_waited_for_and_then_is_a_problem_with_a_code(tenant: UUID) -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fields = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
        writer.write(b"E" + struct.pack("!I", len(fields) + 4) + fields)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database.connect(f"postgresql://nobody:x@127.0.0.1:{port}/none?ssl=disable", patience_s=0.3)
    with pytest.raises(DatabaseUnavailable) as caught:
        async with database.unit_of_work(tenant):
            pytest.fail("there is no database")
    assert isinstance(caught.value.__cause__, DBAPIError)
    assert is_disconnect(caught.value.__cause__)
    await database.close()
    server.close()


def test_a_connection_that_was_cut_off_in_the_middle_of_something_is_one_that_went_away() -> None:
    stuck = asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")
    assert is_disconnect(stuck)
    assert is_passing(stuck)


async def test_a_full_disk_passes(database: Database) -> None:
    with pytest.raises(DBAPIError) as full:
        async with database.unit_of_work(None) as uow:
            await uow.session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"))
    assert is_passing(full.value)
    assert not is_disconnect(full.value)


async def test_somebody_elses_lock_passes_and_a_wrong_statement_does_not(database: Database, tenant: UUID) -> None:
    async with database.unit_of_work(tenant) as holder:
        await holder.session.execute(text("SELECT pg_advisory_xact_lock(42)"))
        with pytest.raises(DBAPIError) as busy:
            async with database.unit_of_work(tenant) as uow:
                await uow.session.execute(text("SET LOCAL lock_timeout = '50ms'"))
                await uow.session.execute(text("SELECT pg_advisory_xact_lock(42)"))
    with pytest.raises(DBAPIError) as wrong:
        async with database.unit_of_work(tenant) as uow:
            await uow.session.execute(text("SELECT nonsense"))
    assert (is_passing(busy.value), is_passing(wrong.value)) == (True, False)
    assert not is_disconnect(busy.value)
    assert not is_passing(FileNotFoundError("a plugin's own file"))


async def test_an_error_of_the_database_never_shows_what_was_sent(database: Database, tenant: UUID) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.unit_of_work(tenant) as uow:
            await uow.session.execute(text("SELECT CAST(:secret AS uuid)"), {"secret": "hunter2"})
    assert "hunter2" not in str(caught.value).partition("\n")[2]


def test_addresses_are_taken_in_either_spelling() -> None:
    for url in ("postgresql://u:p@h/d", "postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"):
        assert sqlalchemy_url(url) == "postgresql+asyncpg://u:p@h/d"
