"""A finished sync of a signed-in tenant, and packs of it made by the job that makes them in production."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from core.tests.audit.sealing import seal_all
from core.tests.evidence.packs import Pack
from core.tests.ingest.scripted import T0, Bench, things
from core.tests.ingest.wide import WideBench
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import insert

from counterfoil.audit.sealer import Sealer
from counterfoil.audit.seals import SealKeys
from counterfoil.config import Settings
from counterfoil.connections.models import Connection
from counterfoil.db import Database
from counterfoil.evidence.tasks import EVIDENCE, followed_by_evidence
from counterfoil.ingest.tasks import SYNC, SyncParams
from counterfoil.jobs import repository, service
from counterfoil.jobs.attempt import Attempt, Claim
from counterfoil.jobs.context import JobContext
from counterfoil.jobs.models import Job
from counterfoil.jobs.runner import JobRunner
from counterfoil.kit.ids import new_id
from counterfoil.kit.provided import Provided
from counterfoil.objects import ObjectStore
from counterfoil.plugins.records import Outcome, Task
from counterfoil.testing.plugin import SignedIn


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="allow")


@dataclass(kw_only=True)
class Desk:
    """Syncs a scripted vendor and asks for evidence, as one tenant."""

    session: SignedIn
    database: Database
    provided: Provided
    bench: Bench

    async def sync(self, *streams: str, now: datetime = T0, vendor: Bench | WideBench | None = None) -> UUID:
        """A sync through the job machinery; its id."""
        bench = vendor or self.bench

        async def run(job: JobContext, _params: _Nothing) -> Outcome:
            return await bench.sync(*streams, now=now, job=job)  # type: ignore[arg-type]  # it is what a job is here

        task = followed_by_evidence(Task(name=SYNC.name, title=SYNC.title, params=_Nothing, run=run))
        async with self.database.unit_of_work(self.session.tenant_id) as uow:
            params = SyncParams(connection_id=self.bench.connection_id)
            job = await service.enqueue(uow, SYNC, params, title="Sync s")
        await self.run(job.id, task)
        return job.id

    async def seal(self) -> None:
        """What the ticker does every second."""
        provided = self.provided
        store = provided[ObjectStore]  # type: ignore[type-abstract]  # provided under the protocol
        sealer = Sealer(database=self.database, keys=provided[SealKeys], store=store)
        await seal_all(sealer, self.database, self.session.tenant_id)

    async def run(self, job_id: UUID, task: Task = EVIDENCE) -> Job:
        """Let a worker have the job."""
        tenant_id = self.session.tenant_id
        row = await repository.claim_now(self.database, tenant_id, job_id, owner="test", lease_s=30)
        assert row is not None
        runner = JobRunner(database=self.database, provided=self.provided, lease_s=30, tasks={task.name: task})
        await runner.execute(Attempt(Claim(tenant_id=tenant_id, job_id=job_id, row=row)))
        async with self.database.unit_of_work(tenant_id) as uow:
            return await service.get(uow, job_id)

    async def evidence(self, job_id: UUID) -> Pack:
        """Ask for the pack, let it be made, and download it."""
        path = f"/api/v1/jobs/{job_id}/evidence"
        asked = await self.session.client.post(path)
        assert asked.status_code == 202, asked.text
        await self.seal()
        done = await self.run(UUID(asked.json()["job_id"]))
        assert done.status == "succeeded", done.error
        answer = await self.session.client.get(f"{path}/download")
        assert answer.status_code == 200, answer.text
        key = (await self.session.client.get("/api/v1/evidence/key")).json()
        return Pack(content=answer.content, public_key=key["public_key"], public_key_pem=key["public_key_pem"])


@pytest.fixture
async def desk(signed_in: SignedIn, database: Database, app: FastAPI, settings: Settings) -> Desk:
    connection_id = new_id()
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        await uow.session.execute(
            insert(Connection).values(
                tenant_id=signed_in.tenant_id, id=connection_id, kind="scripted", plugin="scripted", label="s",
                auth_kind="api_key", external_account_id="acct_s", external_account_label="Shop",
            )
        )  # fmt: skip
    bench = Bench(database=database, tenant_id=signed_in.tenant_id, connection_id=connection_id)
    # Most tests ask for the pack themselves.
    quiet = settings.model_copy(update={"evidence_auto": False})
    return Desk(session=signed_in, database=database, provided=with_settings(app.state.provided, quiet), bench=bench)


def with_settings(provided: Provided, settings: Settings) -> Provided:
    """The same things with other settings."""
    other = Provided()
    other.__dict__.update({name: dict(things) for name, things in provided.__dict__.items()})
    other.add(settings)
    return other


def awkward_things() -> dict[str, Any]:
    """Records with everything that JSON lines, CSV and COPY could stumble over."""
    odd = ['"', "\\", "a\nb", "\r\n", "\t", "\\.", "\\N", "", "é ☃ 😀", "\x01\x02", "=1+1", "\u2028", "{}", "a,b"]
    return {
        **things(20, parts=["a", "b"]),
        **{
            f"o{at:02}": {"id": f"o{at:02}", "amount": "-1.5", "status": text or "x", "odd": text}
            for at, text in enumerate(odd)
        },
    }


@pytest.fixture
async def pack(desk: Desk) -> Pack:
    desk.bench.world.things = awkward_things()
    return await desk.evidence(await desk.sync("things"))
