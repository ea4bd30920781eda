"""Rotating keys while everything runs: master keys by re-wrapping data keys, data keys by sealing every value anew.

Each step is a short unit of work of one tenant, and what is done shows in the rows themselves, so a rotation that broke off
goes on where it stopped.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from counterfoil import audit
from counterfoil.connections import repository, vault
from counterfoil.connections.vault import SEALED_COLUMNS, SealedColumn
from counterfoil.db import Database, UnitOfWork
from counterfoil.db.database import is_passing
from counterfoil.kit.sealing import DataKey, MasterKeys

RESOURCE = "data_key"
_BATCH = 100
_PAUSE_S = 0.2
_PATIENCE_S = 30.0


class StillInUse(Exception):
    """Somebody holds values under an old data key and does not let go: it stays, and the next run goes on."""


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """What became of one tenant's data keys: the version in force, how many values were sealed anew, how many keys went."""

    version: int
    resealed: int
    dropped: int


async def tenants(database: Database) -> Sequence[tuple[UUID, str]]:
    """Every tenant's id and slug."""
    async with database.unit_of_work(None) as uow:
        return await repository.tenants_for_operator(uow)


async def master_keys_in_use(database: Database, tenant_id: UUID) -> set[str]:
    """Ids of the master keys that the tenant's data keys are wrapped by."""
    async with database.unit_of_work(tenant_id) as uow:
        return await repository.master_key_ids(uow)


async def rewrap(database: Database, tenant_id: UUID, keys: MasterKeys) -> int:
    """Put the tenant's data keys under the first master key; how many moved.

    Raises:
        CannotOpen: none of the master keys opens one of them.
    """
    async with database.unit_of_work(tenant_id) as uow:
        moved = await vault.rewrap(uow, keys)
        if moved:
            payload = {"count": moved, "master_key_id": keys.current_id}
            await audit.record(uow, action="core.data_key.rewrapped", resource_type=RESOURCE, payload=payload)
    return moved


async def rotate(
    database: Database, tenant_id: UUID, keys: MasterKeys, *, made_before: datetime | None = None
) -> Rotated | None:
    """Give the tenant a new data key, seal every value under it, and drop the old ones.

    Args:
        database: as the application role.
        tenant_id: whose keys.
        keys: the master keys.
        made_before: leave a tenant alone whose newest key is not older than that.

    Returns:
        None for a tenant that has no key yet, or a new one.

    Raises:
        CannotOpen: none of the master keys opens a data key, or a value does not open.
        StillInUse: somebody held on to values for too long.
    """
    async with database.unit_of_work(tenant_id) as uow:
        version = await _begin(uow, keys, made_before=made_before)
    if version is None:
        return None
    resealed = 0
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        for column in SEALED_COLUMNS:
            while count := await _reseal(database, tenant_id, keys, column, version):
                resealed += count
        dropped = await _dropped(database, tenant_id, version, resealed=resealed)
        if dropped is not None:
            return Rotated(version=version, resealed=resealed, dropped=dropped)
        if time.monotonic() > deadline:
            raise StillInUse(f"values under older data keys than version {version} are in use")
        await asyncio.sleep(_PAUSE_S)


async def _begin(uow: UnitOfWork, keys: MasterKeys, *, made_before: datetime | None) -> int | None:
    rows = await repository.all_data_keys(uow)
    if not rows:
        return None
    newest = rows[-1]
    if len(rows) > 1:
        # A rotation broke off here.
        return newest.version
    if made_before is not None and newest.created_at >= made_before:
        return None
    made = DataKey.generate(version=newest.version + 1)
    await repository.add_data_key(
        uow, version=made.version, wrapped=keys.wrap(made.secret), master_key_id=keys.current_id
    )
    await audit.record(uow, action="core.data_key.created", resource_type=RESOURCE, resource_id=made.version)
    return made.version


async def _reseal(database: Database, tenant_id: UUID, keys: MasterKeys, column: SealedColumn, version: int) -> int:
    """Seal a batch of values under the new key; how many there were."""
    names = {"table": column.table, "column": column.column}
    async with database.unit_of_work(tenant_id) as uow:
        found = await repository.sealed_before(uow, **names, version=version, limit=_BATCH)
        for row_id, sealed in found:
            place = column.place(tenant_id, row_id)
            # The newest key is the new one: nobody else makes any while there are two.
            anew = await vault.seal(uow, keys, await vault.open_sealed(uow, keys, sealed, place), place)
            await repository.put_sealed(uow, **names, row_id=row_id, sealed=anew.blob, version=anew.key_version)
    return len(found)


async def _dropped(database: Database, tenant_id: UUID, version: int, *, resealed: int) -> int | None:
    try:
        async with database.unit_of_work(tenant_id) as uow:
            return await _drop_unused(uow, version, resealed=resealed)
    except DBAPIError as error:
        # Whoever seals under an old key takes long to commit.
        if not is_passing(error):
            raise
        return None


async def _drop_unused(uow: UnitOfWork, version: int, *, resealed: int) -> int | None:
    """Drop the keys before this version, unless a value still needs one of them: None then."""
    # Whoever is sealing under one of them has the key locked until that value is committed, and with it visible below.
    old = await repository.old_data_keys(uow, before=version)
    for column in SEALED_COLUMNS:
        if await repository.count_sealed_before(uow, table=column.table, column=column.column, version=version):
            return None
    for row in old:
        await repository.delete_data_key(uow, row)
    payload = {"version": version, "resealed": resealed, "dropped": [row.version for row in old]}
    await audit.record(
        uow, action="core.data_key.rotated", resource_type=RESOURCE, resource_id=version, payload=payload
    )
    return len(old)
