"""A tenant's data keys: made on first use in the tenant's own unit of work, wrapped by the operator's master keys."""

from dataclasses import dataclass
from uuid import UUID

from counterfoil.connections import repository
from counterfoil.db import UnitOfWork
from counterfoil.kit.clock import utc_now
from counterfoil.kit.sealing import CannotOpen, DataKey, MasterKeys, Place, key_version


@dataclass(frozen=True, kw_only=True)
class SealedColumn:
    """A column of sealed values. Its table has an ``id``, and beside the value the ``key_version`` it is under."""

    table: str
    column: str

    def place(self, tenant_id: UUID, row_id: UUID) -> Place:
        return Place(tenant_id=tenant_id, table=self.table, column=self.column, row_id=row_id)


CREDENTIALS = SealedColumn(table="core.connections", column="credentials")
_ANSWERS = SealedColumn(table="core.idempotency_keys", column="body")
# Every one there is: a rotation of data keys seals these anew, and nothing is ever sealed for anywhere else. Named, not
# imported, so that any feature's can stand here.
SEALED_COLUMNS = (CREDENTIALS, _ANSWERS)


class KeyGone(CannotOpen):
    """The data key was dropped: the value has been sealed anew since it was read, or its tenant was shredded."""


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A sealed value, and the version of the tenant's data key it is under."""

    blob: bytes
    key_version: int


async def seal(uow: UnitOfWork, keys: MasterKeys, value: bytes, place: Place) -> Sealed:
    """Seal a value under the tenant's newest data key.

    Raises:
        CannotOpen: none of the master keys opens that data key.
        ValueError: the place is none of ``SEALED_COLUMNS``, and the value would be lost with the data key.
    """
    if SealedColumn(table=place.table, column=place.column) not in SEALED_COLUMNS:
        raise ValueError(f"no rotation would find {place.table}.{place.column}")
    key = await _newest(uow, keys)
    return Sealed(blob=key.seal(value, place), key_version=key.version)


async def open_sealed(uow: UnitOfWork, keys: MasterKeys, sealed: bytes, place: Place) -> bytes:
    """The value, under whichever of the tenant's data keys it was sealed.

    Raises:
        KeyGone: there is no such key any more.
        CannotOpen: it is locked away, or the value was not sealed for this place.
    """
    version = key_version(sealed)
    row = await repository.data_key(uow, version=version)
    if row is None:
        raise KeyGone("the data key it was sealed under is gone")
    return DataKey(version=version, secret=keys.unwrap(row.wrapped)).open(sealed, place)


async def rewrap(uow: UnitOfWork, keys: MasterKeys) -> int:
    """Put the tenant's data keys under the first master key; sealed values stay as they are. Returns how many moved.

    Raises:
        CannotOpen: none of the master keys opens one of them.
    """
    rows = await repository.data_keys_not_under(uow, master_key_id=keys.current_id)
    for row in rows:
        row.wrapped = keys.rewrap(row.wrapped)
        row.master_key_id = keys.current_id
        row.rewrapped_at = utc_now()
    await uow.session.flush()
    return len(rows)


async def _newest(uow: UnitOfWork, keys: MasterKeys) -> DataKey:
    # Held until the value that is sealed under it is committed: a rotation must not drop the key before.
    row = await repository.data_key(uow, hold=True)
    if row is None:
        # A rotation may have dropped it while we waited for it; there is a newer one then.
        row = await repository.data_key(uow, hold=True)
    if row is None:
        made = DataKey.generate()
        # Another transaction may be making the first key too: whichever commits first is the one both use.
        row = await repository.add_data_key(
            uow, version=made.version, wrapped=keys.wrap(made.secret), master_key_id=keys.current_id
        )
    return DataKey(version=row.version, secret=keys.unwrap(row.wrapped))
