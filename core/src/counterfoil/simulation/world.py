"""The commerce world: everything that happened in one shop, generated from a seed, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from random import Random
from typing import TYPE_CHECKING

from counterfoil.simulation.billing import bill
from counterfoil.simulation.records import Snapshot
from counterfoil.simulation.settlement import advance, deposits_of, pay_out
from counterfoil.simulation.trading import Trading, catalogue

if TYPE_CHECKING:
    from datetime import datetime

_APPEND_SPAN = timedelta(minutes=10)
_ORDERS_PER_REFUND = 10


@dataclass(frozen=True, kw_only=True)
class World(Snapshot):
    """One shop up to the moment `as_of`. Immutable: what happens next is a new world that shares every unchanged record.

    Simulators derive their vendor's ids from `seed` and the records' ids, so the same world always speaks of the same objects.
    """

    @classmethod
    def generate(cls, *, seed: int, orders: int, as_of: datetime, days: int) -> World:
        """A shop that took `orders` orders in the `days` days before `as_of`, more of them lately than at the start."""
        as_of = as_of.astimezone(UTC).replace(microsecond=0)
        rng = Random(f"counterfoil world {seed}")  # noqa: S311 - reproducible fiction, not a secret
        opened_at = as_of - timedelta(days=days)
        trading = Trading(rng, horizon=as_of, products=catalogue())
        span_s = int((as_of - opened_at).total_seconds())
        for offset_s in sorted(int(rng.random() ** 0.8 * span_s) for _ in range(orders)):
            trading.place_order(opened_at + timedelta(seconds=offset_s))
        trading.charge_monthly_fees(opened_at)
        payouts = tuple(pay_out(trading.entries, as_of=as_of, rng=rng))
        return cls(
            seed=seed,
            as_of=as_of,
            products=catalogue(),
            customers=tuple(trading.customers),
            orders=tuple(trading.orders),
            payments=tuple(trading.payments),
            refunds=tuple(trading.refunds),
            disputes=tuple(trading.disputes),
            entries=tuple(trading.entries),
            payouts=payouts,
            invoices=bill(trading.orders, trading.payments, seed=seed, as_of=as_of),
            deposits=deposits_of(payouts),
        )

    def append(self, *, orders: int, at: datetime) -> World:
        """New orders in the minutes before `at` (never before `as_of`), and a refund of an older payment for every tenth."""
        at = max(at.astimezone(UTC).replace(microsecond=0), self.as_of)
        rng = Random(f"counterfoil world {self.seed} after {len(self.orders)} orders")  # noqa: S311 - as above
        trading = Trading(rng, horizon=at, products=self.products)
        trading.take_over(self)
        for _ in range(-(-orders // _ORDERS_PER_REFUND)):
            trading.refund_recent(at)
        start = max(self.as_of, at - _APPEND_SPAN)
        span_s = int((at - start).total_seconds())
        for offset_s in sorted(int(rng.random() * span_s) for _ in range(orders)):
            trading.place_order(start + timedelta(seconds=offset_s))
        return self.after(trading, at)

    def after(self, trading: Trading, at: datetime) -> World:
        """The world with these books, at this moment; new orders get their invoices."""
        fresh = bill(
            trading.orders, trading.payments, seed=self.seed, as_of=at, billed=self.orders, so_far=self.invoices
        )
        return replace(
            self,
            as_of=at,
            customers=tuple(trading.customers),
            orders=tuple(trading.orders),
            payments=tuple(trading.payments),
            refunds=tuple(trading.refunds),
            disputes=tuple(trading.disputes),
            entries=tuple(trading.entries),
            invoices=(*self.invoices, *fresh),
        )

    def settle(self) -> World:
        """A day at the bank: pending payouts are sent, those in transit arrive, and every payout's reconciliation completes."""
        payouts = tuple(advance(payout) for payout in self.payouts)
        arrived = {payout.id for payout in payouts if payout.status == "paid"}
        entries = tuple(
            replace(entry, status="available")
            if entry.kind == "payout" and entry.status == "pending" and entry.payout_id in arrived
            else entry
            for entry in self.entries
        )
        return replace(self, entries=entries, payouts=payouts, deposits=deposits_of(payouts))
