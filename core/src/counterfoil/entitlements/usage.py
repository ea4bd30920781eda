"""What a tenant uses, counted by day: part of the business transaction, so that what is rolled back was never used."""

from collections.abc import Sequence
from datetime import date

from counterfoil.db import UnitOfWork
from counterfoil.entitlements import repository
from counterfoil.entitlements.models import UsageCounter
from counterfoil.kit.clock import utc_now

ROWS_LANDED, EXPORT_BYTES = "rows_landed", "export_bytes"


async def add(uow: UnitOfWork, metric: str, number: int) -> None:
    """Count today's use. Gather first and add once per transaction: the day's row is locked until it ends."""
    if number > 0:
        await repository.add_usage(uow, metric, day=utc_now().date(), number=number)


async def add_of_month(uow: UnitOfWork, metric: str, number: int) -> int:
    """As ``add``, of at least one; how much it is in this month now, with what others have committed meanwhile."""
    return await repository.add_usage_of_month(uow, metric, day=utc_now().date(), number=number)


async def by_day(uow: UnitOfWork, *, since: date, until: date) -> Sequence[UsageCounter]:
    """Every metric on every day it was used, both days included."""
    return await repository.usage(uow, since=since, until=until)
