"""One simulated Stripe account: the objects of a world, indexed for the API, and the world's changes."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from counterfoil_stripe.simulator import billing, objects
from counterfoil_stripe.simulator.differences import news
from counterfoil_stripe.simulator.errors import resource_missing
from counterfoil_stripe.simulator.eventlog import KEPT_S, EventLog
from counterfoil_stripe.simulator.history import Index, happened
from counterfoil_stripe.simulator.ids import account_id, stripe_id
from counterfoil_stripe.simulator.listing import Collection, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterfoil.simulation.world import World


class Account:
    """The collections behind the API, by the last part of their address.

    `load` replaces the world: what did not change in it keeps its rendered body, and what did becomes events. The account's
    clock starts at the world's last moment and runs on from there.
    """

    def __init__(self, world: World) -> None:
        self.charges = Collection(noun="charge", url="/v1/charges", tags=("customer", "payment_intent"))
        self.payment_intents = Collection(noun="payment_intent", url="/v1/payment_intents", tags=("customer",))
        self.refunds = Collection(noun="refund", url="/v1/refunds", tags=("charge", "payment_intent"))
        self.disputes = Collection(noun="dispute", url="/v1/disputes", tags=("charge", "payment_intent"))
        self.invoices = Collection(
            noun="invoice", url="/v1/invoices", tags=("customer", "status"), moments=("due_date",)
        )
        self.customers = Collection(noun="customer", url="/v1/customers", tags=("email",))
        self.payouts = Collection(
            noun="payout", url="/v1/payouts", tags=("status", "destination"), moments=("arrival_date",)
        )
        self.balance_transactions = Collection(
            noun="balance transaction",
            url="/v1/balance_transactions",
            tags=("currency", "payout", "source", "type"),
        )
        self.events = EventLog(seed=world.seed, now=self.now)
        self.collections: dict[str, Collection] = {
            name: value for name, value in vars(self).items() if isinstance(value, Collection)
        }
        self._ahead_s = 0.0
        self._index: Index | None = None
        self.load(world)

    def load(self, world: World) -> None:
        before, self._index = self._index, Index(world)
        self.world = world
        self.id = account_id(world.seed)
        self._told_at = time.monotonic()
        self.body = orjson.dumps(objects.account(world))
        self.charges.load(self._charge_rows())
        self.payment_intents.load(self._intent_rows(self._index))
        self.refunds.load(self._refund_rows(self._index))
        self.disputes.load(self._dispute_rows(self._index))
        self.invoices.load(self._invoice_rows())
        self.customers.load(self._customer_rows())
        self.payouts.load(self._payout_rows())
        self.balance_transactions.load(self._transaction_rows())
        if before is None:
            self.events.write(happened(self._index, since=world.as_of - timedelta(seconds=KEPT_S)))
        else:
            self.events.write(news(before, self._index))

    def now(self) -> float:
        """The account's time, in unix seconds."""
        return self.world.as_of.timestamp() + self._ahead_s + time.monotonic() - self._told_at

    def advance(self, seconds: float) -> None:
        """Let time pass in which nothing happens."""
        self._ahead_s += seconds

    def get(self, resource: str, object_id: str) -> bytes:
        """One object; a deleted customer is still there, as a stub."""
        if resource == "customers" and object_id not in self.customers:
            for customer in self.world.customers:
                if customer.deleted_at and objects.customer_id(self.world, customer.id) == object_id:
                    return orjson.dumps(billing.deleted_customer(object_id))
        return self.collections[resource].get(object_id)

    def page(self, resource: str, query: list[tuple[str, str]]) -> bytes:
        if resource == "balance_transactions":
            return self.transactions_page(query)
        return self.collections[resource].page(query)

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
        fees: Counter[str] = Counter()
        for entry in world.entries:
            fees[entry.currency.lower()] += objects.minor(entry.fee, entry.currency)
        customers = [customer for customer in world.customers if not customer.deleted_at]
        invoices = [invoice for invoice in world.invoices if not invoice.deleted_at]
        return {
            "account": self.id,
            "as_of": objects.unix(world.as_of),
            "payment_intents": {
                "count": len(world.orders),
                "ids": [objects.payment_intent_id(world, order.id) for order in world.orders],
            },
            "refunds": {
                "count": len(world.refunds),
                "ids": [objects.refund_id(world, refund.id) for refund in world.refunds],
                "status": Counter(refund.status for refund in world.refunds),
            },
            "disputes": {
                "count": len(world.disputes),
                "ids": [objects.dispute_id(world, dispute.id) for dispute in world.disputes],
                "status": Counter(dispute.status for dispute in world.disputes),
            },
            "invoices": {
                "count": len(invoices),
                "ids": [objects.invoice_id(world, invoice.id) for invoice in invoices],
                "status": Counter(invoice.status for invoice in invoices),
            },
            "customers": {
                "count": len(customers),
                "ids": [objects.customer_id(world, customer.id) for customer in customers],
            },
            "fees": {"count": sum(1 for entry in world.entries if entry.fee), "amount": fees},
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
                    ("payment_intent", objects.payment_intent_id(world, payment.order_id)),
                ),
                record=payment,
                render=partial(objects.charge, world, payment, entries.get(payment.id)),
            )

    def _intent_rows(self, index: Index) -> Iterator[Row]:
        world = self.world
        for order in world.orders:
            latest = index.latest_payment.get(order.id)
            yield Row(
                id=objects.payment_intent_id(world, order.id),
                created=objects.unix(order.placed_at),
                sequence=order.id,
                tags=(("customer", objects.customer_id(world, order.customer_id)),),
                record=latest,
                render=index.intent(order.id, latest),
            )

    def _refund_rows(self, index: Index) -> Iterator[Row]:
        world = self.world
        for refund in world.refunds:
            yield Row(
                id=objects.refund_id(world, refund.id),
                created=objects.unix(refund.created_at),
                sequence=refund.id,
                tags=(
                    ("charge", objects.charge_id(world, refund.payment_id)),
                    ("payment_intent", objects.payment_intent_id(world, refund.order_id)),
                ),
                record=refund,
                render=index.refund(refund),
            )

    def _dispute_rows(self, index: Index) -> Iterator[Row]:
        world = self.world
        for dispute in world.disputes:
            yield Row(
                id=objects.dispute_id(world, dispute.id),
                created=objects.unix(dispute.opened_at),
                sequence=dispute.id,
                tags=(
                    ("charge", objects.charge_id(world, dispute.payment_id)),
                    ("payment_intent", objects.payment_intent_id(world, dispute.order_id)),
                ),
                record=dispute,
                render=index.dispute(dispute),
            )

    def _invoice_rows(self) -> Iterator[Row]:
        world = self.world
        for invoice in world.invoices:
            if not invoice.deleted_at:
                yield Row(
                    id=objects.invoice_id(world, invoice.id),
                    created=objects.unix(invoice.created_at),
                    sequence=invoice.id,
                    tags=(("customer", objects.customer_id(world, invoice.customer_id)), ("status", invoice.status)),
                    record=invoice,
                    render=partial(billing.invoice, world, invoice),
                    moments={"due_date": objects.unix(invoice.due_at)},
                )

    def _customer_rows(self) -> Iterator[Row]:
        world = self.world
        for customer in world.customers:
            if not customer.deleted_at:
                yield Row(
                    id=objects.customer_id(world, customer.id),
                    created=objects.unix(customer.created_at),
                    sequence=customer.id,
                    tags=(("email", customer.email),),
                    record=customer,
                    render=partial(billing.customer, world, customer),
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
