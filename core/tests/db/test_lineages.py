"""Each plugin's schema has a history of its own; a third party's mistake costs nobody else anything."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import driver_url
from counterfoil.embedded.locks import FileLock
from counterfoil.kit.ids import new_id
from counterfoil.plugins.errors import BundledPluginBroken
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.migrate import LineageReport, migrate, quarantine_unmigrated
from counterfoil.testing.plugin import Services
from counterfoil.testing.plugins import installed, write_distribution

Connection: TypeAlias = "asyncpg.Connection[Any]"
Migrate = Callable[..., Awaitable[dict[str, LineageReport]]]

REVISION = """
from alembic import op

revision = "{revision}"
down_revision = {down}

def upgrade():
    op.execute('''{sql}''')
"""
NOTES = "CREATE TABLE notes.notes (tenant_id uuid NOT NULL, id uuid NOT NULL, body text, PRIMARY KEY (tenant_id, id))"
CATALOGUE = """
    SELECT n.nspname, c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity, c.relacl::text, count(a.*)
    FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid LEFT JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2
"""


def plugin(site: Path, name: str, *statements: str, requires: str = "", distribution: str | None = None) -> None:
    """A plugin whose lineage runs one statement per revision."""
    files = {
        f"migrations/versions/{at:04}_x.py": REVISION.format(
            revision=f"{at:04}", down=f'"{at - 1:04}"' if at > 1 else None, sql=sql
        )
        for at, sql in enumerate(statements, start=1)
    }
    manifest = f'name = "{name}"\ntitle = "{name}"\npublisher = "Acme"\napi = 1\nrequires = [{requires}]\n'
    write_distribution(site, name, files, manifest=manifest, package=f"acme_{name}", distribution=distribution)


def moved(settings: Settings, name: str) -> Settings:
    """The same settings with another database."""
    addresses = {
        field: make_url(getattr(settings, field).get_secret_value())
        .set(database=name)
        .render_as_string(hide_password=False)
        for field in ("database_url", "database_admin_url")
    }
    return Settings(**{**settings.model_dump(), **addresses})


@pytest.fixture(scope="module")
async def migrated(services: Services, settings: Settings) -> AsyncIterator[str]:
    """A database with core's schema and those of our own plugins, to be copied; its name."""
    name = f"lineages_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(driver_url(services.admin_url))
    await admin.execute(f'CREATE DATABASE "{name}"')
    with FileLock(services.folder / "roles.lock").held():
        await migrate(moved(settings, name))
    yield name
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
async def fresh(settings: Settings, services: Services, migrated: str) -> AsyncIterator[Settings]:
    """Settings of a database of one's own in which nothing but our own was ever migrated."""
    name = f"lineages_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(driver_url(services.admin_url))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated}"')
    yield moved(settings, name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
async def catalogue(fresh: Settings) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(driver_url(fresh.database_admin_url.get_secret_value()))
    yield connection
    await connection.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def run(fresh: Settings, services: Services, site: Path) -> Migrate:
    """Migrate with what is installed at that moment; the reports by schema."""

    async def run(folder: Path = site) -> dict[str, LineageReport]:
        # Roles belong to the whole cluster: two runs at once would trip over each other.
        with installed(folder), FileLock(services.folder / "roles.lock").held():
            return {report.schema: report for report in await migrate(fresh)}

    return run


@pytest.fixture
def present(site: Path) -> Iterator[Callable[[], PluginManager]]:
    with ExitStack() as stack:

        def load() -> PluginManager:
            stack.enter_context(installed(site))
            return PluginManager.load()

        yield load


async def test_a_plugin_gets_a_secured_schema_of_its_name(
    fresh: Settings, catalogue: Connection, site: Path, run: Migrate
) -> None:
    plugin(site, "notes", NOTES, "CREATE INDEX ON notes.notes (tenant_id, body)")

    reports = await run()

    assert (reports["notes"].status, reports["notes"].before, reports["notes"].after) == ("applied", None, "0002")
    assert await catalogue.fetchval("SELECT version_num FROM notes.alembic_version") == "0002"
    assert await catalogue.fetchval(
        "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = 'notes'"
    )
    database = Database.connect(fresh.database_url.get_secret_value())
    mine, other = new_id(), new_id()
    async with database.unit_of_work(mine) as uow:
        driver = await uow.driver()
        await driver.execute("INSERT INTO notes.notes VALUES ($1, $1, 'mine')", mine)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with driver.transaction():
                await driver.execute("INSERT INTO notes.notes VALUES ($1, $1, 'theirs')", other)
    async with database.unit_of_work(other) as uow:
        assert await (await uow.driver()).fetch("SELECT * FROM notes.notes") == []
    await database.close()


async def test_a_second_run_changes_nothing(catalogue: Connection, site: Path, run: Migrate) -> None:
    plugin(site, "notes", NOTES)
    await run()
    before = await catalogue.fetch(CATALOGUE)

    reports = await run()

    assert [(one.before, one.after) for one in reports.values()] == [(one.after, one.after) for one in reports.values()]
    assert await catalogue.fetch(CATALOGUE) == before


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (
            [NOTES.replace("notes.notes", "bad.notes"), "CREATE TABLE bad.leak (id uuid)"],
            "bad.leak: every table needs tenant_id",
        ),
        ([NOTES.replace("notes.notes", "bad.notes"), "SELECT 1 / 0"], "division by zero"),
        (["CREATE TABLE leak (id uuid)"], "no schema has been selected to create in"),
        (["CREATE TABLE pg_catalog.leak (id uuid)"], "permission denied"),
        (["CREATE MATERIALIZED VIEW bad.sums AS SELECT 1"], "a materialized view ignores row-level security"),
        (["ALTER TABLE core.connections DISABLE ROW LEVEL SECURITY"], "changes things outside its schema"),
        (["CREATE TABLE core.evil (tenant_id uuid NOT NULL)"], "changes things outside its schema"),
        (["ALTER TABLE core.jobs ADD COLUMN evil text"], "changes things outside its schema"),
        (["GRANT TRUNCATE ON core.payments TO counterfoil_app"], "changes things outside its schema"),
        (["CREATE POLICY evil ON core.users USING (true)"], "changes things outside its schema"),
        (["DROP FUNCTION core.ensure_partitions()"], "changes things outside its schema"),
        (["GRANT SELECT (password_hash) ON core.users TO counterfoil_app"], "changes things outside its schema"),
        (["ALTER TABLE core.jobs DROP CONSTRAINT jobs_status_check"], "changes things outside its schema"),
        (["ALTER TABLE core.users ALTER COLUMN email DROP NOT NULL"], "changes things outside its schema"),
        (["GRANT CREATE ON SCHEMA core TO counterfoil_app"], "changes things outside its schema"),
        (["CREATE RULE evil AS ON INSERT TO core.audit_events_default DO INSTEAD NOTHING"], "outside its schema"),
        (
            [NOTES.replace("notes.notes", "bad.notes"), "CREATE POLICY everyone ON bad.notes USING (true)"],
            "policies are never written by hand",
        ),
    ],
    ids=[
        "table without tenant",
        "fails half way",
        "no schema",
        "system catalogue",
        "materialized view",
        "switches protection off in core",
        "table in core",
        "column in core",
        "privilege in core",
        "policy in core",
        "drops a function of core",
        "column privilege in core",
        "drops a constraint of core",
        "drops not null in core",
        "privilege on core's schema",
        "rule in core",
        "a policy that opens its own table",
    ],
)
async def test_a_bad_lineage_leaves_the_database_as_it_was_and_the_others_go_on(
    statements: list[str], reason: str, catalogue: Connection, site: Path, run: Migrate
) -> None:
    before = await catalogue.fetch(CATALOGUE)
    plugin(site, "bad", *statements)

    reports = await run()

    assert reports["bad"].status == "quarantined"
    assert reports["bad"].reason is not None
    assert "its migrations failed and were rolled back" in reports["bad"].reason
    assert reason in reports["bad"].reason
    assert await catalogue.fetch(CATALOGUE) == before
    plugin(site, "notes", NOTES)
    assert (await run())["notes"].status == "applied"


async def test_a_failed_upgrade_keeps_the_version_that_worked(catalogue: Connection, site: Path, run: Migrate) -> None:
    plugin(site, "notes", NOTES)
    await run()
    (site / "acme_notes/migrations/versions/0002_x.py").write_text(
        REVISION.format(revision="0002", down='"0001"', sql="ALTER TABLE notes.notes DROP COLUMN tenant_id")
    )

    reports = await run()

    assert reports["notes"].status == "quarantined"
    assert await catalogue.fetchval("SELECT version_num FROM notes.alembic_version") == "0001"
    assert await catalogue.fetchval("SELECT count(*) FROM notes.notes") == 0


@pytest.mark.parametrize("source", ["not python", "raise SystemExit(3)", "revision = '0001'; down_revision = '0000'"])
async def test_a_lineage_that_cannot_even_be_read_is_quarantined(source: str, site: Path, run: Migrate) -> None:
    plugin(site, "bad", "SELECT 1")
    (site / "acme_bad/migrations/versions/0001_x.py").write_text(source)

    reports = await run()

    assert reports["bad"].status == "quarantined"
    assert reports["core"].status == "applied"


async def test_what_a_plugin_requires_is_migrated_first(site: Path, run: Migrate) -> None:
    plugin(
        site,
        "alpha",
        "CREATE VIEW alpha.seen WITH (security_invoker = true) AS SELECT * FROM zulu.notes",
        requires='"zulu"',
    )
    plugin(site, "zulu", NOTES.replace("notes.notes", "zulu.notes"))

    reports = await run()

    assert list(reports) == ["core", "zulu", "alpha"]
    assert reports["alpha"].status == "applied"


async def test_what_requires_a_failed_plugin_is_not_migrated(catalogue: Connection, site: Path, run: Migrate) -> None:
    plugin(site, "alpha", NOTES.replace("notes.notes", "alpha.notes"), requires='"zulu"')
    plugin(site, "zulu", "SELECT 1 / 0")

    reports = await run()

    assert reports["alpha"].reason == "it requires 'zulu', which is in quarantine"
    assert not await catalogue.fetchval("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'alpha')")


async def test_a_failing_lineage_of_our_own_stops_the_run(site: Path, run: Migrate) -> None:
    plugin(site, "stripe", "SELECT 1 / 0", distribution="counterfoil-stripe")

    with pytest.raises(BundledPluginBroken, match="division by zero"):
        await run()


async def test_uninstalling_a_plugin_breaks_nothing_and_keeps_its_data(
    catalogue: Connection, tmp_path: Path, site: Path, run: Migrate
) -> None:
    plugin(site, "notes", NOTES)
    await run()
    await catalogue.execute("INSERT INTO notes.notes VALUES ($1, $1, 'kept')", new_id())

    without = await run(folder=tmp_path)

    assert "notes" not in without
    assert {report.status for report in without.values()} == {"applied"}
    assert await catalogue.fetchval("SELECT body FROM notes.notes") == "kept"
    assert (await run())["notes"].before == "0001"


async def test_a_process_does_not_run_a_plugin_whose_migrations_are_missing(
    fresh: Settings, site: Path, run: Migrate, present: Callable[[], PluginManager]
) -> None:
    plugin(site, "notes", NOTES)
    plugin(site, "plain")

    plugins = present()
    await quarantine_unmigrated(plugins, fresh)

    notes = plugins.find("notes")
    assert notes is not None
    assert notes.reason == "migrations not applied: the schema is at nothing, the code wants 0001"
    assert {one.name for one in plugins.active} >= {"plain", "stripe"}
    await run()
    plugins = present()
    await quarantine_unmigrated(plugins, fresh)
    assert "notes" in {one.name for one in plugins.active}


async def test_a_process_that_cannot_reach_the_database_blames_no_plugin(
    fresh: Settings, site: Path, present: Callable[[], PluginManager]
) -> None:
    plugin(site, "notes", NOTES)
    plugins = present()
    away = Settings(**{**fresh.model_dump(), "database_url": "postgresql://counterfoil_app@127.0.0.1:9/nothing"})

    with pytest.raises((OSError, DBAPIError)):
        await quarantine_unmigrated(plugins, away)

    assert "notes" in {one.name for one in plugins.active}
