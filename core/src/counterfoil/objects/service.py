"""The index of objects: what a tenant has in the store. Audit events about them are their owners' to write.

An object is written first and indexed in the business transaction, so the index never names what is not there; what a
rolled-back transaction leaves behind is swept up a day later.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from counterfoil.db.database import Database, UnitOfWork
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import NotFound
from counterfoil.kit.ids import id_at, new_id
from counterfoil.objects import repository
from counterfoil.objects.errors import ObjectDamaged, ObjectRetained
from counterfoil.objects.models import StoredObject
from counterfoil.objects.store import ObjectMissing, ObjectStore, Readable

# What is indexed here, and swept when it is not. Others keep objects of their own under other names.
Purpose = Literal["evidence", "artifact"]
PURPOSES: tuple[str, ...] = get_args(Purpose)
ORPHAN_AFTER = timedelta(days=1)
_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Written:
    """An object that is in the store and in no index yet."""

    key: str
    purpose: Purpose
    sha256: str
    size: int


async def write(store: ObjectStore, tenant_id: UUID, content: Readable, *, purpose: Purpose) -> Written:
    """Put a file into the store under a new key, before the transaction that indexes it: an upload may take its time."""
    object_id = new_id()
    now = utc_now()
    key = f"{tenant_id}/{purpose}/{now:%Y}/{now:%m}/{object_id}"
    counted = _Counted(content)
    await store.put(key, counted)
    return Written(key=key, purpose=purpose, sha256=counted.digest.hexdigest(), size=counted.size)


async def index(
    uow: UnitOfWork, written: Written, *, media_type: str, retention_until: datetime | None = None
) -> StoredObject:
    """Make a written object the tenant's.

    Args:
        uow: the business transaction.
        written: from ``write``, for the same tenant.
        media_type: what it is served as.
        retention_until: before then it cannot be deleted.
    """
    return await repository.add(
        uow,
        {
            "id": UUID(written.key.rpartition("/")[2]),
            "key": written.key,
            "sha256": written.sha256,
            "size": written.size,
            "media_type": media_type,
            "purpose": written.purpose,
            "retention_until": retention_until,
            "created_by": context.current_actor.get().label,
        },
    )


async def get(uow: UnitOfWork, object_id: UUID) -> StoredObject:
    """One object of this tenant.

    Raises:
        NotFound: also for another tenant's.
    """
    found = await repository.get(uow, object_id)
    if found is None:
        raise NotFound("There is no such object.")
    return found


async def read(store: ObjectStore, stored: StoredObject) -> AsyncIterator[bytes]:
    """The object in chunks. The last one is held back until all of them are what was stored.

    Raises:
        ObjectDamaged: they are not, or the object is gone.
    """
    digest, held = hashlib.sha256(), b""
    try:
        async for chunk in store.read(stored.key):
            digest.update(chunk)
            if held:
                yield held
            held = chunk
    except ObjectMissing:
        raise ObjectDamaged(f"The object {stored.id} is gone from the store.") from None
    if digest.hexdigest() != stored.sha256:
        raise ObjectDamaged(f"The object {stored.id} has been changed in the store.")
    yield held


async def delete(uow: UnitOfWork, object_id: UUID) -> None:
    """Take an object out of the index; its bytes go with the next sweep, after this has been committed.

    Raises:
        NotFound: also for another tenant's.
        ObjectRetained: its time has not come.
    """
    stored = await get(uow, object_id)
    if not await repository.delete_expired(uow, object_id):
        raise ObjectRetained(f"It is kept until {stored.retention_until:%Y-%m-%d}.")


async def sweep_orphans(
    database: Database, store: ObjectStore, tenant_ids: Iterable[UUID], *, after: timedelta = ORPHAN_AFTER
) -> int:
    """Delete the tenants' objects that the index has not known for that long; how many there were. A duty of the ticker's."""
    before = utc_now() - after
    newest = id_at(int(before.timestamp() * 1000))
    swept = 0
    for tenant_id in tenant_ids:
        for purpose in PURPOSES:
            old = [key for key in await store.keys(f"{tenant_id}/{purpose}/") if _is_older(key, newest)]
            for start in range(0, len(old), _BATCH):
                swept += await _sweep(database, store, tenant_id, old[start : start + _BATCH])
        swept += await store.drop_unfinished(f"{tenant_id}/", before=before)
    return swept


async def _sweep(database: Database, store: ObjectStore, tenant_id: UUID, keys: Sequence[str]) -> int:
    async with database.unit_of_work(tenant_id) as uow:
        orphans = set(keys) - await repository.known_among(uow, keys)
    for key in sorted(orphans):
        await store.delete(key)
    return len(orphans)


def _is_older(key: str, newest: UUID) -> bool:
    """By the time in its id; what is no key of ours is nobody's to sweep."""
    try:
        _tenant, _purpose, _year, _month, object_id = key.split("/")
        return UUID(object_id) < newest
    except ValueError:
        return False


class _Counted:
    """A file that knows what was read from it."""

    def __init__(self, content: Readable) -> None:
        self._content = content
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        chunk = self._content.read(size)
        self.digest.update(chunk)
        self.size += len(chunk)
        return chunk
