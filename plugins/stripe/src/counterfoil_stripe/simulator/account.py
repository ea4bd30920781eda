"""One simulated Stripe account: the objects of a world, indexed for the API, and the world's changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from counterfoil_stripe.simulator import objects
from counterfoil_stripe.simulator.errors import resource_missing
from counterfoil_stripe.simulator.ids import account_id, stripe_id
from counterfoil_stripe.simulator.listing import Collection, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterfoil.simulation.world import World


class Account:
    """The collections behind the API. `load` replaces the world; what did not change in it keeps its rendered body."""

    def __init__(self, world: World) -> None:
        self.charges = Collection(noun="charge", url="/v1/charges", tags=("customer", "payment_intent"))
        self.payouts = Collection(
            noun="payout", url="/v1/payouts", tags=("status", "destination"), moments=("arrival_date",)
        )
        self.balance_transactions = Collection(
            noun="balance transaction",
            url="/v1/balance_transactions",
            tags=("currency", "payout", "source", "type"),
        )
        self.load(world)

    def load(self, world: World) -> None:
        self.world = world
        self.id = account_id(world.seed)
        self.body = orjson.dumps(objects.account(world))
        self.charges.load(self._charge_rows())
        self.payouts.load(self._payout_rows())
        self.balance_transactions.load(self._transaction_rows())

    def transactions_page(self, query: list[tuple[str, str]]) -> bytes:
        payout = dict(query).get("payout")
        if payout is not None and payout not in self.payouts:
            raise resource_missing("payout", payout, param="payout")
        return self.balance_transactions.page(query)

    def expected(self) -> dict[str, Any]:
        """What a complete copy of this account holds, counted from the world and not from the lists that serve it."""
        world = self.world
        charges: Counter[str] = Counter()
        for payment in world.payments:
            charges[payment.currency.lower()] += objects.minor(payment.amount, payment.currency)
        net: Counter[str] = Counter()
        for entry in world.entries:
            net[entry.currency.lower()] += objects.minor(entry.net, entry.currency)
        paid_out: Counter[str] = Counter()
        for payout in world.payouts:
            paid_out[payout.currency.lower()] += objects.minor(payout.amount, payout.currency)
        return {
            "account": self.id,
            "as_of": objects.unix(world.as_of),
            "charges": {
                "count": len(world.payments),
                "ids": [objects.charge_id(world, payment.id) for payment in world.payments],
                "amount": charges,
            },
            "payouts": {
                "count": len(world.payouts),
                "ids": [objects.payout_id(world, payout.id) for payout in world.payouts],
                "amount": paid_out,
                "status": Counter(payout.status for payout in world.payouts),
            },
            "balance_transactions": {
                "count": len(world.entries),
                "ids": [objects.transaction_id(world, entry.id) for entry in world.entries],
                "net": net,
            },
            # Only reconciled payouts have a final list of members; each list holds the payout's own withdrawal as well.
            "payout_transactions": {
                objects.payout_id(world, payout.id): [
                    objects.transaction_id(world, entry_id) for entry_id in (*payout.member_ids, payout.entry_id)
                ]
                for payout in world.payouts
                if payout.reconciled
            },
        }

    def _charge_rows(self) -> Iterator[Row]:
        world = self.world
        entries = {entry.payment_id: entry.id for entry in world.entries if entry.kind == "payment"}
        for payment in world.payments:
            yield Row(
                id=objects.charge_id(world, payment.id),
                created=objects.unix(payment.created_at),
                sequence=payment.id,
                tags=(
                    ("customer", objects.customer_id(world, payment.customer_id)),
                    ("payment_intent", objects.payment_intent_id(world, payment)),
                ),
                record=payment,
                render=partial(objects.charge, world, payment, entries.get(payment.id)),
            )

    def _payout_rows(self) -> Iterator[Row]:
        world = self.world
        for payout in world.payouts:
            yield Row(
                id=objects.payout_id(world, payout.id),
                created=objects.unix(payout.created_at),
                sequence=payout.id,
                tags=(("status", payout.status), ("destination", stripe_id("ba", world.seed, payout.currency))),
                record=payout,
                render=partial(objects.payout, world, payout),
                moments={"arrival_date": objects.unix(payout.arrival_on)},
            )

    def _transaction_rows(self) -> Iterator[Row]:
        world = self.world
        listed = self._listed_members()
        for entry in world.entries:
            tags = [("currency", entry.currency.lower()), ("type", objects.transaction_type(entry))]
            if source := objects.source_id(world, entry):
                tags.append(("source", source))
            tags += [("payout", objects.payout_id(world, payout_id)) for payout_id in listed[entry.id]]
            yield Row(
                id=objects.transaction_id(world, entry.id),
                created=objects.unix(entry.created_at),
                sequence=entry.id,
                tags=tuple(tags),
                record=entry,
                render=partial(objects.balance_transaction, world, entry),
            )

    def _listed_members(self) -> defaultdict[int, list[int]]:
        """Which payouts' lists an entry appears in.

        As at Stripe, a payout's list holds its own withdrawal beside the members that add up to it. Until reconciliation is
        completed the list is not final: it lacks the younger half of the members.
        """
        listed: defaultdict[int, list[int]] = defaultdict(list)
        for payout in self.world.payouts:
            members = payout.member_ids if payout.reconciled else payout.member_ids[: len(payout.member_ids) // 2]
            for entry_id in (*members, payout.entry_id):
                listed[entry_id].append(payout.id)
        return listed
