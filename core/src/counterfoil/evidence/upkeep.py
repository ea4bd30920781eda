"""What the ticker does for evidence: packs whose time is over go, and syncs that were cut off get theirs."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from counterfoil.audit.seal_repository import audited_tenants
from counterfoil.db.database import Database
from counterfoil.evidence import repository, service
from counterfoil.ingest.service import SYNC_KIND
from counterfoil.kit.clock import utc_now
from counterfoil.observability import get_logger
from counterfoil.plugins.records import Task

_BATCH = 100
# What ended just now may still be on its way; what ended longer ago was looked at before.
_YOUNGEST, _OLDEST = timedelta(minutes=1), timedelta(days=1)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """Goes through all tenants, each batch a transaction of its own.

    Args:
        database: where everything is.
        task: makes packs; None where syncs get none by themselves.
        batch: most packs that one transaction deletes.
    """

    database: Database
    task: Task | None
    batch: int = _BATCH

    async def run(self) -> int:
        """How many packs were deleted, and how many asked for."""
        done = 0
        for tenant_id in await self._tenants():
            done += await self.expire(tenant_id)
            done += await self.catch_up(tenant_id)
        return done

    async def expire(self, tenant_id: UUID) -> int:
        """Delete a tenant's packs whose retention is over; their bytes go with the next sweep of the store."""
        gone, deleted = 0, self.batch
        while deleted == self.batch:
            async with self.database.unit_of_work(tenant_id) as uow:
                deleted = await service.delete_expired(uow, limit=self.batch)
            gone += deleted
        if gone:
            _log.info("evidence.expired", tenant_id=str(tenant_id), count=gone)
        return gone

    async def catch_up(self, tenant_id: UUID) -> int:
        """Ask for the packs of syncs that were cancelled, or whose workers died: nobody was left there to ask."""
        if self.task is None:
            return 0
        now = utc_now()
        async with self.database.unit_of_work(tenant_id) as uow:
            found = await repository.unproven(
                uow, of_kind=SYNC_KIND, by_kind=self.task.name, since=now - _OLDEST, until=now - _YOUNGEST
            )
            for job in found:
                await service.ask(uow, self.task, job)
        return len(found)

    async def _tenants(self) -> list[UUID]:
        async with self.database.unit_of_work(None) as uow:
            return list((await audited_tenants(await uow.driver())).values())
