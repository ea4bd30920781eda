"""The index of objects: whose they are, how long they stay, and what is swept up."""

import hashlib
import io
import os
import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from counterfoil.db import Database
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import id_at, new_id
from counterfoil.objects import DirectoryStore, service
from counterfoil.objects.errors import ObjectDamaged, ObjectRetained
from counterfoil.objects.models import StoredObject


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path)


async def stored(
    database: Database, store: DirectoryStore, tenant_id: UUID, body: bytes = b"body", *, days: int | None = None
) -> StoredObject:
    until = utc_now() + timedelta(days=days) if days is not None else None
    written = await service.write(store, tenant_id, io.BytesIO(body), purpose="evidence")
    async with database.unit_of_work(tenant_id) as uow:
        return await service.index(uow, written, media_type="text/plain", retention_until=until)


async def test_an_object_is_known_by_its_hash_and_a_key_of_our_making(
    database: Database, store: DirectoryStore, tenant: UUID
) -> None:
    made = await stored(database, store, tenant, b"x" * 600_000)
    assert re.fullmatch(rf"{tenant}/evidence/20\d\d/[01]\d/{made.id}", made.key)
    assert (made.size, made.sha256) == (600_000, hashlib.sha256(b"x" * 600_000).hexdigest())
    assert (made.created_by, made.media_type) == ("system", "text/plain")
    assert b"".join([chunk async for chunk in service.read(store, made)]) == b"x" * 600_000


async def test_an_object_is_its_tenants_alone(
    database: Database, store: DirectoryStore, tenant: UUID, other_tenant: UUID
) -> None:
    made = await stored(database, store, tenant)
    async with database.unit_of_work(tenant) as uow:
        assert (await service.get(uow, made.id)).key == made.key
    for look in (service.get, service.delete):
        async with database.unit_of_work(other_tenant) as uow:
            with pytest.raises(NotFound):
                await look(uow, made.id)


async def test_a_key_of_another_tenant_is_never_indexed(
    database: Database, store: DirectoryStore, tenant: UUID, other_tenant: UUID
) -> None:
    written = await service.write(store, other_tenant, io.BytesIO(b""), purpose="evidence")
    with pytest.raises(Exception, match="objects_key_check"):
        async with database.unit_of_work(tenant) as uow:
            await service.index(uow, written, media_type="text/plain")


@pytest.mark.parametrize("body", [b"", b"other", b"bodybody"])
async def test_what_was_changed_in_the_store_is_not_read(
    database: Database, store: DirectoryStore, tenant: UUID, tmp_path: Path, body: bytes
) -> None:
    made = await stored(database, store, tenant)
    (tmp_path / made.key).write_bytes(body)
    with pytest.raises(ObjectDamaged):
        _ = [chunk async for chunk in service.read(store, made)]


async def test_an_object_stays_until_its_time_has_come(database: Database, store: DirectoryStore, tenant: UUID) -> None:
    kept, over, free = [await stored(database, store, tenant, days=days) for days in (1, 0, None)]
    with pytest.raises(ObjectRetained, match=f"{kept.retention_until:%Y-%m-%d}"):
        async with database.unit_of_work(tenant) as uow:
            await service.delete(uow, kept.id)
    for made in (over, free):
        async with database.unit_of_work(tenant) as uow:
            await service.delete(uow, made.id)
        async with database.unit_of_work(tenant) as uow:
            with pytest.raises(NotFound):
                await service.get(uow, made.id)
    async with database.unit_of_work(tenant) as uow:
        assert (await service.get(uow, kept.id)).id == kept.id


async def test_nobody_shortens_the_time_afterwards(database: Database, store: DirectoryStore, tenant: UUID) -> None:
    await stored(database, store, tenant, days=1)
    for column in ("retention_until = now()", "sha256 = sha256", "key = key"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.unit_of_work(tenant) as uow:
                await (await uow.driver()).execute(f"UPDATE core.objects SET {column}")  # noqa: S608  (literals above)


async def test_the_sweep_takes_what_no_index_has_known_for_a_day_and_nothing_else(
    database: Database, store: DirectoryStore, tenant: UUID, other_tenant: UUID
) -> None:
    known = await stored(database, store, tenant)
    days_ago = id_at(int((utc_now() - timedelta(days=2)).timestamp() * 1000), 1)
    orphans = {f"{owner}/evidence/2026/01/{days_ago}" for owner in (tenant, other_tenant)}
    kept = {
        known.key,
        f"{tenant}/evidence/2026/01/{new_id()}",
        f"{tenant}/anchors/2026/01/{days_ago}",
        f"{tenant}/evidence/{days_ago}",
        f"doctor/probe/{days_ago}",
        "nobody/evidence/2026/01/x",
    }
    for key in (orphans | kept) - {known.key}:
        await store.put(key, io.BytesIO(b"x"))
    old = await _aged(database, store, tenant)

    assert await service.sweep_orphans(database, store, [tenant, other_tenant]) == len(orphans)

    assert set(await store.keys("")) == kept | {old}
    async with database.unit_of_work(tenant) as uow:
        await service.delete(uow, UUID(old.rpartition("/")[2]))
    assert await service.sweep_orphans(database, store, [tenant, other_tenant]) == 1
    assert set(await store.keys("")) == kept


async def test_the_sweep_takes_what_uploads_that_were_cut_off_left(
    database: Database, store: DirectoryStore, tenant: UUID, tmp_path: Path
) -> None:
    known = await stored(database, store, tenant)
    folder = (tmp_path / known.key).parent
    old, young = folder / ".part-old", folder / ".part-young"
    for path in (old, young):
        path.write_bytes(b"half")
    two_days_ago = (utc_now() - timedelta(days=2)).timestamp()
    os.utime(old, (two_days_ago, two_days_ago))
    assert await service.sweep_orphans(database, store, [tenant]) == 1
    assert (old.exists(), young.exists()) == (False, True)


async def _aged(database: Database, store: DirectoryStore, tenant_id: UUID) -> str:
    """An indexed object of two days ago."""
    object_id = id_at(int((utc_now() - timedelta(days=2)).timestamp() * 1000), 2)
    key = f"{tenant_id}/evidence/2026/01/{object_id}"
    await store.put(key, io.BytesIO(b""))
    async with database.unit_of_work(tenant_id) as uow:
        await service.index(
            uow, service.Written(key=key, purpose="evidence", sha256="0" * 64, size=0), media_type="text/plain"
        )
    return key
