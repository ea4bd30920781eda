"""Tenants' data keys in the database."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from cryptography.fernet import Fernet

from counterfoil.connections import vault
from counterfoil.db import Database
from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import CannotOpen, MasterKeys, Place


def place(tenant_id: UUID) -> Place:
    return Place(tenant_id=tenant_id, table="core.connections", column="credentials", row_id=new_id())


def fernet_key() -> str:
    return Fernet.generate_key().decode()


async def test_the_first_use_makes_the_tenants_key_and_later_ones_share_it(
    database: Database, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    keys = MasterKeys([fernet_key()])
    here = place(tenant)
    async with database.unit_of_work(tenant) as uow:
        first = await vault.seal(uow, keys, b"one", here)
    async with database.unit_of_work(tenant) as uow:
        second = await vault.seal(uow, keys, b"two", here)
        assert await vault.open_sealed(uow, keys, first.blob, here) == b"one"
        assert await vault.open_sealed(uow, keys, second.blob, here) == b"two"
    assert first.key_version == second.key_version == 1
    assert await admin.fetchval("SELECT count(*) FROM core.tenant_keys WHERE tenant_id = $1", tenant) == 1


async def test_two_first_uses_at_once_agree_on_one_key(database: Database, tenant: UUID) -> None:
    keys = MasterKeys([fernet_key()])
    here = place(tenant)

    async def seal(value: bytes) -> bytes:
        async with database.unit_of_work(tenant) as uow:
            sealed = await vault.seal(uow, keys, value, here)
            await asyncio.sleep(0.05)
            return sealed.blob

    values = [b"one", b"two", b"three", b"four"]
    sealed = await asyncio.gather(*(seal(value) for value in values))
    async with database.unit_of_work(tenant) as uow:
        assert [await vault.open_sealed(uow, keys, blob, here) for blob in sealed] == values


async def test_a_key_whose_transaction_rolls_back_was_never_there(database: Database, tenant: UUID) -> None:
    keys = MasterKeys([fernet_key()])
    here = place(tenant)
    async with database.unit_of_work(tenant) as uow:
        lost = await vault.seal(uow, keys, b"lost", here)
        await uow.session.rollback()
    async with database.unit_of_work(tenant) as uow:
        with pytest.raises(CannotOpen):
            await vault.open_sealed(uow, keys, lost.blob, here)


async def test_a_value_and_its_key_copied_to_another_tenant_stay_closed(
    database: Database, tenant: UUID, other_tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    keys = MasterKeys([fernet_key()])
    here = place(tenant)
    async with database.unit_of_work(tenant) as uow:
        sealed = await vault.seal(uow, keys, b"secret", here)
    await admin.execute(
        """INSERT INTO core.tenant_keys (tenant_id, id, version, wrapped, master_key_id)
           SELECT $1, id, version, wrapped, master_key_id FROM core.tenant_keys WHERE tenant_id = $2""",
        other_tenant,
        tenant,
    )
    there = Place(tenant_id=other_tenant, table=here.table, column=here.column, row_id=here.row_id)
    async with database.unit_of_work(other_tenant) as uow:
        with pytest.raises(CannotOpen):
            await vault.open_sealed(uow, keys, sealed.blob, there)


async def test_a_tenant_sees_no_other_tenants_key(database: Database, tenant: UUID, other_tenant: UUID) -> None:
    keys = MasterKeys([fernet_key()])
    here = place(tenant)
    async with database.unit_of_work(tenant) as uow:
        sealed = await vault.seal(uow, keys, b"secret", here)
    async with database.unit_of_work(other_tenant) as uow:
        with pytest.raises(CannotOpen, match="is gone"):
            await vault.open_sealed(uow, keys, sealed.blob, here)


async def test_rotating_master_keys_rewraps_the_data_key_and_leaves_values_alone(
    database: Database, tenant: UUID
) -> None:
    old, new = fernet_key(), fernet_key()
    here = place(tenant)
    async with database.unit_of_work(tenant) as uow:
        sealed = await vault.seal(uow, MasterKeys([old]), b"secret", here)

    async with database.unit_of_work(tenant) as uow:
        with pytest.raises(CannotOpen):
            await vault.open_sealed(uow, MasterKeys([new]), sealed.blob, here)
        with pytest.raises(CannotOpen):
            await vault.seal(uow, MasterKeys([new]), b"secret", here)

    async with database.unit_of_work(tenant) as uow:
        assert await vault.rewrap(uow, MasterKeys([new, old])) == 1
    async with database.unit_of_work(tenant) as uow:
        assert await vault.rewrap(uow, MasterKeys([new, old])) == 0
        assert await vault.open_sealed(uow, MasterKeys([new]), sealed.blob, here) == b"secret"
        with pytest.raises(CannotOpen):
            await vault.open_sealed(uow, MasterKeys([old]), sealed.blob, here)


async def test_dropping_the_data_key_shreds_what_it_sealed(
    database: Database, tenant: UUID, admin: "asyncpg.Connection[Any]"
) -> None:
    keys = MasterKeys([fernet_key()])
    here = place(tenant)
    async with database.unit_of_work(tenant) as uow:
        sealed = await vault.seal(uow, keys, b"secret", here)
    await admin.execute("DELETE FROM core.tenant_keys WHERE tenant_id = $1", tenant)
    async with database.unit_of_work(tenant) as uow:
        with pytest.raises(CannotOpen):
            await vault.open_sealed(uow, keys, sealed.blob, here)
