"""The sealer: chains what was written since last time, and writes the newest links where the database has no say."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from counterfoil.audit import anchors, merkle
from counterfoil.audit import seal_repository as repository
from counterfoil.audit.seal_repository import Window
from counterfoil.audit.seals import FIRST_PREVIOUS, Seal, SealKeys
from counterfoil.db.database import Database
from counterfoil.kit.clock import utc_now
from counterfoil.objects import ObjectStore
from counterfoil.observability import get_logger

WINDOW_EVENTS = 50_000
LATE_AFTER = timedelta(seconds=60)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sealer:
    """What the ticker does for the audit log. One at a time: a second could do no harm, but would fail on the first's rows."""

    database: Database
    keys: SealKeys
    store: ObjectStore
    window_events: int = field(default=WINDOW_EVENTS)

    async def seal(self) -> int:
        """Seal every event whose transaction is surely over; how many seals were made."""
        made = 0
        while window := await self._next_window():
            for tenant_id in window.tenant_ids:
                made += await self._seal_tenant(tenant_id, window)
            # Last, so that whoever comes after a crash finds the window again; tenants sealed already are passed by.
            async with self.database.unit_of_work(None) as uow:
                await repository.advance_window(await uow.driver(), window)
        return made

    async def anchor(self) -> int:
        """Write the newest seal of each tenant to the object store; how many were written."""
        async with self.database.unit_of_work(None) as uow:
            tenant_ids = await repository.unanchored_tenants(await uow.driver())
        return sum([await self._anchor_tenant(tenant_id) for tenant_id in tenant_ids])

    async def watch(self) -> int:
        """Warn when events wait too long for their seal: the sealer is behind, or a transaction does not end."""
        async with self.database.unit_of_work(None) as uow:
            oldest = await repository.oldest_unsealed(await uow.driver())
        if oldest is None or (age := utc_now() - oldest) < LATE_AFTER:
            return 0
        _log.warning("audit.unsealed", oldest_age_s=round(age.total_seconds()), oldest_at=oldest.isoformat())
        return 1

    async def _next_window(self) -> Window | None:
        async with self.database.unit_of_work(None) as uow:
            return await repository.next_window(await uow.driver(), batch=self.window_events)

    async def _seal_tenant(self, tenant_id: UUID, window: Window) -> int:
        async with self.database.unit_of_work(tenant_id) as uow:
            driver = await uow.driver()
            previous = await repository.newest_seal(driver)
            is_same_epoch = previous is not None and previous.epoch == window.epoch
            sealed_until = previous.to_xid if previous and is_same_epoch else 0
            # Events of the window only, though the seal claims everything since the one before: what was slipped in behind
            # the sealer's back is not made good, it breaks this seal.
            low = max(sealed_until, window.from_xid)
            digests = await repository.digests(driver, epoch=window.epoch, from_xid=low, to_xid=window.to_xid)
            if not digests:
                return 0
            root = await asyncio.to_thread(merkle.root, digests)
            seal = Seal(
                tenant_id=tenant_id,
                sequence=previous.sequence + 1 if previous else 1,
                epoch=window.epoch,
                from_xid=sealed_until,
                to_xid=window.to_xid,
                event_count=len(digests),
                root=root,
                previous_hash=previous.hash if previous else FIRST_PREVIOUS,
                key_id=self.keys.signing.key_id,
                sealed_at=_not_before(previous),
            )
            await repository.add_seal(uow, self.keys.sign(seal))
        return 1

    async def _anchor_tenant(self, tenant_id: UUID) -> int:
        async with self.database.unit_of_work(tenant_id) as uow:
            seal = await repository.newest_seal(await uow.driver())
        if seal is None or seal.anchor_key is not None:
            return 0
        key = anchors.key_of(seal)
        if not await anchors.write(self.store, seal):
            _log.error("audit.anchor_differs", tenant_id=str(tenant_id), sequence=seal.sequence, anchor_key=key)
            return 0
        async with self.database.unit_of_work(tenant_id) as uow:
            await repository.set_anchor(uow, sequence=seal.sequence, anchor_key=key)
        return 1


def _not_before(previous: Seal | None) -> datetime:
    """Now; never before the seal before, whatever the clocks of two machines say."""
    now = utc_now()
    return max(now, previous.sealed_at) if previous else now
