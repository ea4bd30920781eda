"""Sealing to the end, in a database where other tests have transactions too."""

import asyncio
import time
from uuid import UUID

from counterfoil.audit.sealer import Sealer
from counterfoil.db import Database

_UNSEALED = """
    SELECT count(*) FROM core.audit_events e WHERE tenant_id = $1 AND NOT EXISTS (
        SELECT FROM core.audit_seals s WHERE s.tenant_id = e.tenant_id AND s.epoch = e.epoch
          AND s.from_xid <= e.transaction_id AND s.to_xid > e.transaction_id)
"""


async def seal_all(sealer: Sealer, database: Database, tenant_id: UUID) -> None:
    """Until every committed event of the tenant is sealed; transactions of other tests may hold that up for a moment."""
    deadline = time.monotonic() + 30
    while True:
        await sealer.seal()
        async with database.unit_of_work(tenant_id) as uow:
            waiting = await (await uow.driver()).fetchval(_UNSEALED, tenant_id)
        if not waiting:
            return
        assert time.monotonic() < deadline, f"{waiting} events stay unsealed"
        await asyncio.sleep(0.05)
