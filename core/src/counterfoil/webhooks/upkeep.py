"""What the ticker does for webhooks: receipts are kept for a while, then they go."""

from uuid import UUID

from counterfoil.audit.seal_repository import audited_tenants
from counterfoil.db.database import Database
from counterfoil.observability import get_logger
from counterfoil.webhooks import repository

_BATCH = 5_000

_log = get_logger(__name__)


async def delete_old_receipts(database: Database) -> int:
    """Go through all tenants, each batch a transaction of its own; how many receipts went."""
    async with database.unit_of_work(None) as uow:
        tenants = await audited_tenants(await uow.driver())
    gone = sum([await _of_tenant(database, tenant_id) for tenant_id in tenants.values()])
    if gone:
        _log.info("webhooks.receipts_deleted", count=gone)
    return gone


async def _of_tenant(database: Database, tenant_id: UUID) -> int:
    gone, deleted = 0, _BATCH
    while deleted == _BATCH:
        async with database.unit_of_work(tenant_id) as uow:
            deleted = await repository.delete_old(uow, limit=_BATCH)
        gone += deleted
    return gone
