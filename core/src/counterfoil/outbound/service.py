"""Looking at what went out."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from counterfoil.db import UnitOfWork
from counterfoil.outbound import repository
from counterfoil.outbound.budget import Standing, standing
from counterfoil.outbound.errors import ApiCallNotFound, BudgetUnknown
from counterfoil.outbound.models import ApiCall


async def page(
    uow: UnitOfWork,
    connection_id: UUID,
    *,
    status: str | None = None,
    job_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: UUID | None = None,
    limit: int,
) -> Sequence[ApiCall]:
    return await repository.page(
        uow, connection_id, status=status, job_id=job_id, since=since, until=until, before=before, limit=limit
    )


async def get(uow: UnitOfWork, connection_id: UUID, call_id: UUID) -> ApiCall:
    """One attempt on record.

    Raises:
        ApiCallNotFound: also for another connection's, and for one whose month is gone.
    """
    call = await repository.find(uow, connection_id, call_id)
    if call is None:
        raise ApiCallNotFound
    return call


async def budget(redis: Redis, key: str, *, rps: float) -> Standing:
    """How an account's shared budget stands.

    Raises:
        BudgetUnknown: Redis does not answer.
    """
    try:
        return await standing(redis, key, rps=rps)
    except (RedisError, OSError) as error:
        raise BudgetUnknown("Every process keeps to the limits by itself meanwhile.") from error
