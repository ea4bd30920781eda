"""A tenant's log, and the sealer's duties done by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.audit.sealing import seal_all

from counterfoil import audit
from counterfoil.audit.sealer import Sealer
from counterfoil.audit.seals import SealKeys
from counterfoil.audit.verification import Extent, Report, verify
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.objects import ObjectStore, open_store


@dataclass(frozen=True, kw_only=True)
class Log:
    """The audit log of one tenant; ``admin`` is who could tamper with it."""

    tenant_id: UUID
    database: Database
    admin: "asyncpg.Connection[Any]"
    sealer: Sealer

    async def write(self, count: int = 1, *, action: str = "core.thing.done") -> None:
        """Events in a transaction of their own."""
        async with self.database.unit_of_work(self.tenant_id) as uow:
            for number in range(count):
                await audit.record(uow, action=action, resource_type="thing", resource_id=number)

    async def seal(self) -> None:
        await seal_all(self.sealer, self.database, self.tenant_id)

    async def write_sealed(self, *counts: int) -> None:
        """Events in as many seals as numbers are given."""
        for count in counts:
            await self.write(count)
            await self.seal()

    async def verify(self, keys: SealKeys | None = None, **extent: Any) -> Report:
        async with self.database.unit_of_work(self.tenant_id) as uow:
            return await verify(uow, keys=keys or self.sealer.keys, store=self.sealer.store, extent=Extent(**extent))

    async def findings(self, **extent: Any) -> list[tuple[str, int | None]]:
        report = await self.verify(**extent)
        return [(finding.code, finding.sequence) for finding in report.findings]

    async def seals(self) -> list[asyncpg.Record]:
        return await self.admin.fetch(
            "SELECT * FROM core.audit_seals WHERE tenant_id = $1 ORDER BY sequence", self.tenant_id
        )

    async def events(self) -> list[asyncpg.Record]:
        return await self.admin.fetch(
            "SELECT * FROM core.audit_events WHERE tenant_id = $1 ORDER BY id", self.tenant_id
        )


@pytest.fixture(scope="session")
def seal_keys(settings: Settings) -> SealKeys:
    return SealKeys.of(settings)


@pytest.fixture(scope="session")
def store(settings: Settings) -> ObjectStore:
    return open_store(settings)


@pytest.fixture
def sealer(database: Database, seal_keys: SealKeys, store: ObjectStore) -> Sealer:
    return Sealer(database=database, keys=seal_keys, store=store)


@pytest.fixture
def log_of(database: Database, admin: "asyncpg.Connection[Any]", sealer: Sealer) -> Callable[[UUID], Log]:
    return lambda tenant_id: Log(tenant_id=tenant_id, database=database, admin=admin, sealer=sealer)


@pytest.fixture
def log(tenant: UUID, log_of: Callable[[UUID], Log]) -> Log:
    return log_of(tenant)
