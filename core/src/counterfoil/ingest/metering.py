"""Counts what a job lands towards the month's rows, and notices when they are used up."""

from counterfoil.db.database import UnitOfWork
from counterfoil.entitlements import usage
from counterfoil.entitlements.plans import ROWS_PER_MONTH
from counterfoil.entitlements.quotas import limit_of, require_quota


class RowMeter:
    """Counts in the transaction that lands the rows: what is rolled back never landed.

    The quota is asked for once per attempt; where there is none, counting is all that is done. A batch may go over it, the
    next one may not: whoever lands asks first whether the meter ``is_full``.
    """

    def __init__(self) -> None:
        self.is_full = False
        self._limit: int | None = None
        self._is_known = False

    async def count(self, uow: UnitOfWork, rows: int) -> None:
        """Once per transaction, and last: the day's row is locked until it ends."""
        if not rows:
            return
        if not self._is_known:
            self._limit, self._is_known = await limit_of(uow, ROWS_PER_MONTH), True
        if self._limit is None:
            await usage.add(uow, usage.ROWS_LANDED, rows)
        else:
            self.is_full = await usage.add_of_month(uow, usage.ROWS_LANDED, rows) >= self._limit

    async def require_room(self, uow: UnitOfWork) -> None:
        """Look once more: there may be more by now.

        Raises:
            QuotaExceeded: there is not.
        """
        await require_quota(uow, ROWS_PER_MONTH)
        self.is_full = self._is_known = False
