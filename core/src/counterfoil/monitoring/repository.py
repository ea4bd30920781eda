"""The SQL of figures that no process counts by itself: they are read from the database when they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from counterfoil.audit import seal_repository
from counterfoil.db.database import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Jobs of one queue in one state, and how long the oldest has been in it."""

    queue: str
    status: str
    jobs: int
    oldest_s: float


async def backlog(uow: UnitOfWork) -> Sequence[Backlog]:
    rows = await (await uow.driver()).fetch("SELECT queue, status, jobs, oldest_s FROM core.job_backlog()")
    return [Backlog(**row) for row in rows]


async def oldest_unsealed(uow: UnitOfWork) -> datetime | None:
    return await seal_repository.oldest_unsealed(await uow.driver())
