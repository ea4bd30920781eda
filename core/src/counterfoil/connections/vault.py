"""A tenant's data keys: made on first use in the tenant's own unit of work, wrapped by the operator's master keys."""

from dataclasses import dataclass

from counterfoil.connections import repository
from counterfoil.db import UnitOfWork
from counterfoil.kit.clock import utc_now
from counterfoil.kit.sealing import CannotOpen, DataKey, MasterKeys, Place, key_version


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A sealed value, and the version of the tenant's data key it is under."""

    blob: bytes
    key_version: int


async def seal(uow: UnitOfWork, keys: MasterKeys, value: bytes, place: Place) -> Sealed:
    """Seal a value under the tenant's newest data key.

    Raises:
        CannotOpen: none of the master keys opens that data key.
    """
    key = await _newest(uow, keys)
    return Sealed(blob=key.seal(value, place), key_version=key.version)


async def open_sealed(uow: UnitOfWork, keys: MasterKeys, sealed: bytes, place: Place) -> bytes:
    """The value, under whichever of the tenant's data keys it was sealed.

    Raises:
        CannotOpen: the key is gone or locked away, or the value was not sealed for this place.
    """
    version = key_version(sealed)
    row = await repository.data_key(uow, version=version)
    if row is None:
        raise CannotOpen("the data key it was sealed under is gone")
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
    row = await repository.data_key(uow)
    if row is None:
        made = DataKey.generate()
        # Another transaction may be making the first key too: whichever commits first is the one both use.
        row = await repository.add_data_key(
            uow, version=made.version, wrapped=keys.wrap(made.secret), master_key_id=keys.current_id
        )
    return DataKey(version=row.version, secret=keys.unwrap(row.wrapped))
