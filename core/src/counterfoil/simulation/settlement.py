"""How the processor pays the balance out: one automatic payout a day and settlement currency, its members decided by date."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from counterfoil.simulation.records import BalanceEntry, BankDeposit, Payout

if TYPE_CHECKING:
    from datetime import date
    from random import Random

    from counterfoil.simulation.records import PayoutStatus

_FAILURE_RATE = 0.012
_BUSINESS_DAYS_TO_BANK = 2
_SATURDAY = 5


def pay_out(entries: list[BalanceEntry], *, as_of: datetime, rng: Random) -> list[Payout]:
    """Pay out whatever became available day by day until `as_of`; extends and amends `entries` in place.

    A day whose sum is not positive is carried into the next one. A failed payout returns its amount to the balance, where the
    next payout carries it. So for every payout the nets of its members sum to its amount.
    """
    due: dict[str, dict[date, list[int]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        due[entry.currency][entry.available_on].append(entry.id)
    payouts: list[Payout] = []
    for currency in sorted(due):
        waiting: list[int] = []
        day = min(due[currency])
        while day <= as_of.date():
            waiting += due[currency].pop(day, [])
            created_at = datetime.combine(day, time(0, 10), tzinfo=UTC) + timedelta(seconds=int(rng.random() * 1200))
            if created_at <= as_of and sum(entries[member].net for member in waiting) > 0:
                payout = _create(entries, waiting, payout_id=len(payouts), created_at=created_at, as_of=as_of, rng=rng)
                payouts.append(payout)
                if payout.failure_entry_id is not None:
                    returned = entries[payout.failure_entry_id]
                    due[currency][returned.available_on].append(returned.id)
                waiting = []
            day += timedelta(days=1)
    return payouts


def deposits_of(payouts: tuple[Payout, ...]) -> tuple[BankDeposit, ...]:
    """What the bank statement shows: one deposit for every payout that arrived."""
    paid = [payout for payout in payouts if payout.status == "paid"]
    return tuple(
        BankDeposit(
            id=position,
            payout_id=payout.id,
            amount=payout.amount,
            currency=payout.currency,
            value_on=payout.arrival_on,
            reference=payout.trace_id,
        )
        for position, payout in enumerate(paid)
    )


def advance(payout: Payout) -> Payout:
    """One step towards the bank: pending is sent, in_transit arrives, and the list of members is final."""
    onward: dict[PayoutStatus, PayoutStatus] = {"pending": "in_transit", "in_transit": "paid"}
    status = onward.get(payout.status, payout.status)
    if status == payout.status and payout.reconciled:
        return payout
    return replace(payout, status=status, reconciled=True)


def _create(
    entries: list[BalanceEntry],
    members: list[int],
    *,
    payout_id: int,
    created_at: datetime,
    as_of: datetime,
    rng: Random,
) -> Payout:
    amount = sum(entries[member].net for member in members)
    currency = entries[members[0]].currency
    arrival_on = _arrival(created_at.date())
    status: PayoutStatus = "paid" if arrival_on <= as_of.date() else "in_transit"
    if created_at.date() == as_of.date():
        status = "pending"
    # A failure is known the day after the missed arrival; only payouts old enough to show it may fail.
    has_failed = rng.random() < _FAILURE_RATE and arrival_on < as_of.date()
    for member in members:
        entries[member] = replace(entries[member], paid_out_in=payout_id)
    entry = BalanceEntry(
        id=len(entries),
        kind="payout",
        amount=-amount,
        fee=0,
        net=-amount,
        currency=currency,
        created_at=created_at,
        available_on=arrival_on,
        status="available" if arrival_on <= as_of.date() else "pending",
        payout_id=payout_id,
    )
    entries.append(entry)
    failure_entry_id = None
    if has_failed:
        failure_entry_id = len(entries)
        entries.append(_returned(entry, entry_id=failure_entry_id, as_of=as_of))
    return Payout(
        id=payout_id,
        amount=amount,
        currency=currency,
        created_at=created_at,
        arrival_on=arrival_on,
        status="failed" if has_failed else status,
        reconciled=created_at.date() < as_of.date() - timedelta(days=1),
        trace_id=f"{int(rng.random() * 10**15):015d}",
        member_ids=tuple(members),
        entry_id=entry.id,
        failure_entry_id=failure_entry_id,
    )


def _returned(withdrawal: BalanceEntry, *, entry_id: int, as_of: datetime) -> BalanceEntry:
    available_on = withdrawal.available_on + timedelta(days=1)
    return replace(
        withdrawal,
        id=entry_id,
        kind="payout_failure",
        amount=-withdrawal.amount,
        net=-withdrawal.net,
        created_at=datetime.combine(withdrawal.available_on, time(9, 30), tzinfo=UTC),
        available_on=available_on,
        status="available" if available_on <= as_of.date() else "pending",
    )


def _arrival(created_on: date) -> date:
    day = created_on
    for _ in range(_BUSINESS_DAYS_TO_BANK):
        day += timedelta(days=1)
        while day.weekday() >= _SATURDAY:
            day += timedelta(days=1)
    return day
