from uuid import UUID

import pytest
from core.tests.ingest.scripted import Bench
from core.tests.ingest.wide import WideBench
from sqlalchemy import insert

from counterfoil.connections.models import Connection
from counterfoil.db import Database
from counterfoil.kit.ids import new_id


@pytest.fixture
async def bench(database: Database, tenant: UUID) -> Bench:
    connection_id = new_id()
    async with database.unit_of_work(tenant) as uow:
        await uow.session.execute(
            insert(Connection).values(
                tenant_id=tenant, id=connection_id, kind="scripted", plugin="scripted", label="s", auth_kind="api_key"
            )
        )
    return Bench(database=database, tenant_id=tenant, connection_id=connection_id)


@pytest.fixture
async def wide(bench: Bench) -> WideBench:
    return WideBench(bench=bench)
