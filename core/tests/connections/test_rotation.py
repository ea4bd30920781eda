"""Keys are rotated while credentials are read, written and checked, and nobody notices."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from cryptography.fernet import Fernet

from counterfoil.config import Settings
from counterfoil.connections import repository, rotation, service, vault
from counterfoil.connections.vault import SEALED_COLUMNS
from counterfoil.db import Database, UnitOfWork
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.context import Actor
from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import CannotOpen, DataKey, MasterKeys, Place, key_version
from counterfoil.plugins.manager import PluginManager

from .vendor import FakeVendor

# Bytes that are no secret under a tenant's data key: digests and signatures, and the data keys themselves.
NOT_SEALED = {"core.tenant_keys.wrapped", "core.audit_seals.root"}
NOT_SEALED_NAMES = ("hash", "sha256", "signature")


def fernet_key() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture(scope="module")
def plugins() -> PluginManager:
    return PluginManager.load()


@dataclass(frozen=True, kw_only=True)
class Vault:
    """A tenant's connections and keys."""

    database: Database
    tenant: UUID
    settings: Settings
    plugins: PluginManager
    vendor: FakeVendor
    admin: "asyncpg.Connection[Any]"

    @property
    def keys(self) -> MasterKeys:
        return MasterKeys.parse(self.settings.master_keys.get_secret_value())

    async def make(self, key: str) -> UUID:
        async with self.database.unit_of_work(self.tenant) as uow:
            made = await service.create(
                uow, kind="stripe", label=str(new_id()), settings={"api_base": self.vendor.base},
                credentials={"api_key": key}, plugins=self.plugins, configuration=self.settings,
            )  # fmt: skip
            return made.id

    async def read(self, connection_id: UUID) -> str:
        async with self.database.unit_of_work(self.tenant) as uow:
            opened = await service.open_connection(
                uow, connection_id, plugins=self.plugins, configuration=self.settings
            )
        key: str = opened.settings.api_key.get_secret_value()  # type: ignore[attr-defined]  # the connector's own
        return key

    async def write(self, connection_id: UUID, key: str) -> None:
        async with self.database.unit_of_work(self.tenant) as uow:
            await service.update(
                uow, connection_id, credentials={"api_key": key}, plugins=self.plugins, configuration=self.settings
            )

    async def rotate(self) -> rotation.Rotated | None:
        return await rotation.rotate(self.database, self.tenant, self.keys)

    async def versions(self) -> tuple[list[int], set[int], set[int]]:
        """Of the tenant's keys, of the rows, and of the sealed values themselves."""
        keys = await self.admin.fetch(
            "SELECT version FROM core.tenant_keys WHERE tenant_id = $1 ORDER BY 1", self.tenant
        )
        rows = await self.admin.fetch(
            "SELECT key_version, credentials FROM core.connections WHERE tenant_id = $1", self.tenant
        )
        return (
            [row["version"] for row in keys],
            {row["key_version"] for row in rows},
            {key_version(row["credentials"]) for row in rows},
        )


@pytest.fixture
def mine(  # noqa: PLR0917  (fixtures)
    database: Database,
    tenant: UUID,
    settings: Settings,
    plugins: PluginManager,
    vendor: FakeVendor,
    admin: "asyncpg.Connection[Any]",
) -> Vault:
    return Vault(database=database, tenant=tenant, settings=settings, plugins=plugins, vendor=vendor, admin=admin)


async def test_every_value_is_sealed_under_a_new_data_key_and_the_old_one_is_gone(mine: Vault) -> None:
    made = {await mine.make(f"rk_test_{number:016}"): f"rk_test_{number:016}" for number in range(7)}
    operator = Actor(kind="operator", id=None, label="olga@console")
    with context.bound(context.current_actor, operator):
        rotated = await mine.rotate()
    assert rotated == rotation.Rotated(version=2, resealed=7, dropped=1)
    assert await mine.versions() == ([2], {2}, {2})
    for connection_id, key in made.items():
        assert await mine.read(connection_id) == key
    events = await mine.admin.fetch(
        "SELECT action, actor_kind, actor_label FROM core.audit_events WHERE tenant_id = $1 AND resource_type = 'data_key' ORDER BY id",
        mine.tenant,
    )
    assert [tuple(event) for event in events] == [
        ("core.data_key.created", "operator", "olga@console"),
        ("core.data_key.rotated", "operator", "olga@console"),
    ]


async def test_a_rotation_that_broke_off_is_gone_on_with_instead_of_begun_again(mine: Vault) -> None:
    for number in range(3):
        await mine.make(f"rk_test_{number:016}")
    keys = mine.keys
    async with mine.database.unit_of_work(mine.tenant) as uow:
        await repository.add_data_key(
            uow, version=2, wrapped=keys.wrap(DataKey.generate(version=2).secret), master_key_id=keys.current_id
        )
    async with mine.database.unit_of_work(mine.tenant) as uow:
        [(row_id, sealed)] = await repository.sealed_before(
            uow, table="core.connections", column="credentials", version=2, limit=1
        )
        place = vault.CREDENTIALS.place(mine.tenant, row_id)
        anew = await vault.seal(uow, keys, await vault.open_sealed(uow, keys, sealed, place), place)
        await repository.put_sealed(
            uow, table="core.connections", column="credentials", row_id=row_id, sealed=anew.blob, version=2
        )
    assert await mine.versions() == ([1, 2], {1, 2}, {1, 2})
    rotated = await mine.rotate()
    assert rotated == rotation.Rotated(version=2, resealed=2, dropped=1)
    assert await mine.versions() == ([2], {2}, {2})


async def test_a_tenant_without_secrets_and_one_with_a_young_key_are_left_alone(mine: Vault) -> None:
    keys = mine.keys
    assert await mine.rotate() is None
    await mine.make("rk_test_0000000000000000")
    assert await rotation.rotate(mine.database, mine.tenant, keys, made_before=utc_now() - timedelta(days=1)) is None


async def test_a_key_is_not_dropped_while_somebody_seals_under_it(mine: Vault) -> None:
    await mine.make("rk_test_0000000000000000")
    sealed, go_on = asyncio.Event(), asyncio.Event()
    connection_id = new_id()

    async def slow_writer() -> None:
        async with mine.database.unit_of_work(mine.tenant) as uow:
            place = vault.CREDENTIALS.place(mine.tenant, connection_id)
            value = await vault.seal(uow, mine.keys, b'{"api_key": "rk_test_late000000000"}', place)
            sealed.set()
            await go_on.wait()
            await (await uow.driver()).execute(
                """INSERT INTO core.connections (tenant_id, id, kind, plugin, label, auth_kind, credentials, key_version, settings)
                   VALUES ($1, $2, 'stripe', 'stripe', 'late', 'api_key', $3, $4, '{"api_base": "http://127.0.0.1:1"}')""",
                mine.tenant, connection_id, value.blob, value.key_version,
            )  # fmt: skip

    writing = asyncio.create_task(slow_writer())
    await sealed.wait()
    rotating = asyncio.create_task(mine.rotate())
    await asyncio.sleep(0.5)
    assert not rotating.done()
    go_on.set()
    await writing
    await rotating
    assert await mine.versions() == ([2], {2}, {2})
    assert await mine.read(connection_id) == "rk_test_late000000000"


async def test_reads_writes_and_checks_never_fail_while_keys_are_rotated_again_and_again(mine: Vault) -> None:
    ids = [await mine.make(f"rk_test_{number:016}") for number in range(6)]
    until = time.monotonic() + 4
    done = {"read": 0, "written": 0, "checked": 0}

    @asynccontextmanager
    async def unit_of_work() -> AsyncIterator[UnitOfWork]:
        async with mine.database.unit_of_work(mine.tenant) as uow:
            yield uow

    async def reading(number: int) -> None:
        while time.monotonic() < until:
            assert (await mine.read(ids[number])).startswith("rk_test_")
            done["read"] += 1

    async def writing(number: int) -> None:
        while time.monotonic() < until:
            key = f"rk_test_{done['written']:016}"
            await mine.write(ids[number], key)
            assert await mine.read(ids[number]) == key
            done["written"] += 1

    async def checking(number: int) -> None:
        while time.monotonic() < until:
            checked = await service.check(unit_of_work, ids[number], plugins=mine.plugins, configuration=mine.settings)
            assert checked.error is None
            done["checked"] += 1

    async def rotating() -> int:
        count = 0
        while time.monotonic() < until:
            await rotation.rewrap(mine.database, mine.tenant, mine.keys)
            assert await mine.rotate() is not None
            count += 1
        return count

    others = asyncio.gather(reading(0), reading(1), writing(2), writing(3), checking(4), checking(5))
    count = await rotating()
    await others
    assert count >= 3
    assert min(done.values()) >= 5, done
    assert await mine.versions() == ([count + 1], {count + 1}, {count + 1})


async def test_a_value_sealed_anew_stays_bound_to_its_place(mine: Vault) -> None:
    one, other = await mine.make("rk_test_0000000000000000"), await mine.make("rk_test_1111111111111111")
    await mine.rotate()
    blob = await mine.admin.fetchval(
        "SELECT credentials FROM core.connections WHERE tenant_id = $1 AND id = $2", mine.tenant, one
    )
    places = [
        vault.CREDENTIALS.place(mine.tenant, other),
        vault.CREDENTIALS.place(new_id(), one),
        Place(tenant_id=mine.tenant, table="core.connections", column="settings", row_id=one),
        Place(tenant_id=mine.tenant, table="core.tenant_keys", column="credentials", row_id=one),
    ]
    async with mine.database.unit_of_work(mine.tenant) as uow:
        assert await vault.open_sealed(uow, mine.keys, blob, vault.CREDENTIALS.place(mine.tenant, one))
        for place in places:
            with pytest.raises(CannotOpen):
                await vault.open_sealed(uow, mine.keys, blob, place)


async def test_master_keys_can_be_told_apart_by_who_hangs_on_them(mine: Vault) -> None:
    await mine.make("rk_test_0000000000000000")
    old = mine.settings.master_keys.get_secret_value()
    keys = MasterKeys.parse(f"{fernet_key()},{old}")
    assert await rotation.master_keys_in_use(mine.database, mine.tenant) == {keys.ids[1]}
    assert await rotation.rewrap(mine.database, mine.tenant, keys) == 1
    assert await rotation.master_keys_in_use(mine.database, mine.tenant) == {keys.current_id}


async def test_every_sealed_column_is_known_to_the_rotation(admin: "asyncpg.Connection[Any]") -> None:
    rows = await admin.fetch("""
        SELECT table_schema || '.' || table_name AS name, array_agg(column_name::text) AS columns
        FROM information_schema.columns
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND (data_type = 'bytea' OR column_name = 'key_version')
        GROUP BY 1
    """)
    columns = {row["name"]: set(row["columns"]) for row in rows}
    assert {name for name, held in columns.items() if "key_version" in held} == {each.table for each in SEALED_COLUMNS}
    found = {
        f"{name}.{column}"
        for name, held in columns.items()
        for column in held - {"key_version"}
        if not column.endswith(NOT_SEALED_NAMES)
    }
    # Whoever adds bytes says here that they are no sealed value, or tells the rotation of them.
    assert found - NOT_SEALED == {f"{each.table}.{each.column}" for each in SEALED_COLUMNS}


async def test_nothing_is_sealed_for_a_place_that_no_rotation_looks_at(mine: Vault) -> None:
    place = Place(tenant_id=mine.tenant, table="core.connections", column="settings", row_id=new_id())
    async with mine.database.unit_of_work(mine.tenant) as uow:
        with pytest.raises(ValueError, match=r"connections\.settings"):
            await vault.seal(uow, mine.keys, b"secret", place)
