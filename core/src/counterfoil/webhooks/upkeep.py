"""What the ticker does for webhooks: receipts whose job has ended without a word of them are closed, and old ones go."""

from uuid import UUID

from counterfoil.audit.seal_repository import audited_tenants
from counterfoil.db.database import Database
from counterfoil.observability import get_logger
from counterfoil.webhooks import repository

_BATCH = 5_000

_log = get_logger(__name__)


async def tidy_receipts(database: Database) -> int:
    """Go through all tenants, each batch a transaction of its own; how many receipts were closed or deleted."""
    async with database.unit_of_work(None) as uow:
        tenants = await audited_tenants(await uow.driver())
    return sum([await _of_tenant(database, tenant_id) for tenant_id in tenants.values()])


async def _of_tenant(database: Database, tenant_id: UUID) -> int:
    async with database.unit_of_work(tenant_id) as uow:
        closed = await repository.close_abandoned(uow)
    gone, deleted = 0, _BATCH
    while deleted == _BATCH:
        async with database.unit_of_work(tenant_id) as uow:
            deleted = await repository.delete_old(uow, limit=_BATCH)
        gone += deleted
    if closed or gone:
        _log.info("webhooks.tidied", tenant_id=str(tenant_id), closed=closed, deleted=gone)
    return closed + gone
