"""What happened in a world, as Stripe's events tell it: each thing in the state it was in at that moment."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from counterfoil_stripe.simulator import billing, objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from counterfoil.simulation.records import BalanceEntry, Customer, Dispute, Invoice, Payment, Payout, Refund
    from counterfoil.simulation.world import World

Draw = "Callable[[], dict[str, Any]]"
_ON_ITS_WAY_AFTER = timedelta(hours=12)
_RECONCILED_AFTER = timedelta(days=1)
_REVIEWED_AFTER = timedelta(days=9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """Something that happened at one moment. `was` draws the object before it, where it changed."""

    type: str
    at: datetime
    object_id: str
    draw: Callable[[], dict[str, Any]]
    was: Callable[[], dict[str, Any]] | None = None


@dataclass
class Index:
    """A world's entries and payments by what they belong to."""

    world: World
    charged: dict[int, int] = field(default_factory=dict)
    of_refund: defaultdict[int, list[BalanceEntry]] = field(default_factory=lambda: defaultdict(list))
    of_dispute: defaultdict[int, list[BalanceEntry]] = field(default_factory=lambda: defaultdict(list))
    latest_payment: dict[int, Payment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.world.entries:
            if entry.kind == "payment" and entry.payment_id is not None:
                self.charged[entry.payment_id] = entry.id
            elif entry.refund_id is not None:
                self.of_refund[entry.refund_id].append(entry)
            elif entry.dispute_id is not None:
                self.of_dispute[entry.dispute_id].append(entry)
        for payment in self.world.payments:
            self.latest_payment[payment.order_id] = payment

    def charge(self, payment: Payment) -> Callable[[], dict[str, Any]]:
        return partial(objects.charge, self.world, payment, self.charged.get(payment.id))

    def intent(self, order_id: int, payment: Payment | None) -> Callable[[], dict[str, Any]]:
        return partial(billing.payment_intent, self.world, self.world.orders[order_id], payment)

    def refund(self, refund: Refund) -> Callable[[], dict[str, Any]]:
        return partial(billing.refund, self.world, refund, self.of_refund[refund.id])

    def dispute(self, dispute: Dispute) -> Callable[[], dict[str, Any]]:
        entries = self.of_dispute[dispute.id]
        return partial(billing.dispute, self.world, dispute, entries if dispute.closed_at else entries[:1])

    def payout(self, payout: Payout) -> Callable[[], dict[str, Any]]:
        return partial(objects.payout, self.world, payout)

    def invoice(self, invoice: Invoice) -> Callable[[], dict[str, Any]]:
        return partial(billing.invoice, self.world, invoice)

    def customer(self, customer: Customer) -> Callable[[], dict[str, Any]]:
        return partial(billing.customer, self.world, customer)


def happened(index: Index, *, since: datetime, known: World | None = None) -> Iterator[Occurrence]:
    """All that happened in the world from `since` on, to things that are not in `known`; in no particular order."""
    world = index.world
    customers = world.customers[len(known.customers) if known else 0 :]
    payments = world.payments[len(known.payments) if known else 0 :]
    refunds = world.refunds[len(known.refunds) if known else 0 :]
    disputes = world.disputes[len(known.disputes) if known else 0 :]
    payouts = world.payouts[len(known.payouts) if known else 0 :]
    invoices = world.invoices[len(known.invoices) if known else 0 :]
    stories: Iterable[Iterator[Occurrence]] = (
        (_of_customer(index, each) for each in customers),
        *(_of_payment(index, each) for each in payments),
        _of_refunds(index, refunds),
        *(_of_dispute(index, each) for each in disputes),
        *(_of_payout(index, each) for each in payouts),
        *(_of_invoice(index, each) for each in invoices),
    )
    for story in stories:
        for occurrence in story:
            at = min(occurrence.at, world.as_of)
            if at >= since:
                yield occurrence if at == occurrence.at else replace(occurrence, at=at)


def _of_customer(index: Index, customer: Customer) -> Occurrence:
    return Occurrence(
        type="customer.created",
        at=customer.created_at,
        object_id=objects.customer_id(index.world, customer.id),
        draw=index.customer(customer),
    )


def _of_payment(index: Index, payment: Payment) -> Iterator[Occurrence]:
    world, at = index.world, payment.created_at
    order = world.orders[payment.order_id]
    intent, charge = objects.payment_intent_id(world, order.id), objects.charge_id(world, payment.id)
    fresh = replace(payment, refunded=0, disputed=False)
    outcome = {
        "failed": "payment_intent.payment_failed",
        "authorized": "payment_intent.amount_capturable_updated",
        "succeeded": "payment_intent.succeeded",
    }[payment.status]
    if world.payments[payment.id - 1].order_id != order.id or payment.id == 0:
        yield Occurrence(
            type="payment_intent.created", at=order.placed_at, object_id=intent, draw=index.intent(order.id, None)
        )
    charged = "charge.failed" if payment.status == "failed" else "charge.succeeded"
    yield Occurrence(type=charged, at=at, object_id=charge, draw=index.charge(fresh))
    yield Occurrence(type=outcome, at=at, object_id=intent, draw=index.intent(order.id, payment))


def _of_refunds(index: Index, refunds: Iterable[Refund]) -> Iterator[Occurrence]:
    """Each refund, and its charge with what had been refunded by then."""
    world = index.world
    refunded: defaultdict[int, int] = defaultdict(int)
    fresh = {refund.id for refund in refunds}
    for refund in world.refunds:
        if refund.status != "failed":
            refunded[refund.payment_id] += refund.amount
        if refund.id not in fresh:
            continue
        payment = replace(world.payments[refund.payment_id], refunded=refunded[refund.payment_id])
        yield Occurrence(
            type="refund.created",
            at=refund.created_at,
            object_id=objects.refund_id(world, refund.id),
            draw=index.refund(refund),
        )
        yield Occurrence(
            type="charge.refunded",
            at=refund.created_at,
            object_id=objects.charge_id(world, payment.id),
            draw=index.charge(payment),
        )


def _of_dispute(index: Index, dispute: Dispute) -> Iterator[Occurrence]:
    world = index.world
    object_id = objects.dispute_id(world, dispute.id)
    payment = world.payments[dispute.payment_id]
    opened = replace(dispute, status="needs_response", closed_at=None)
    yield Occurrence(
        type="charge.dispute.created", at=dispute.opened_at, object_id=object_id, draw=index.dispute(opened)
    )
    yield Occurrence(
        type="charge.updated",
        at=dispute.opened_at,
        object_id=objects.charge_id(world, payment.id),
        draw=index.charge(payment),
    )
    if dispute.status == "under_review":
        reviewed_at = dispute.opened_at + _REVIEWED_AFTER
        yield Occurrence(
            type="charge.dispute.updated", at=reviewed_at, object_id=object_id, draw=index.dispute(dispute)
        )
    if dispute.closed_at:
        yield Occurrence(
            type="charge.dispute.closed", at=dispute.closed_at, object_id=object_id, draw=index.dispute(dispute)
        )


def _of_payout(index: Index, payout: Payout) -> Iterator[Occurrence]:
    world = index.world
    arrived_at = datetime.combine(payout.arrival_on, time(9), tzinfo=payout.created_at.tzinfo)
    states = [
        (
            payout.created_at,
            "payout.created",
            replace(payout, status="pending", reconciled=False, failure_entry_id=None),
        )
    ]
    if payout.status != "pending":
        sent = replace(states[0][2], status="in_transit")
        states.append((payout.created_at + _ON_ITS_WAY_AFTER, "payout.updated", sent))
    if payout.reconciled:
        final = replace(states[-1][2], reconciled=True)
        states.append((payout.created_at + _RECONCILED_AFTER, "payout.reconciliation_completed", final))
    if payout.status in {"paid", "failed"}:
        states.append((arrived_at, "payout.paid", replace(states[-1][2], status="paid")))
    if payout.failure_entry_id is not None:
        states.append((world.entries[payout.failure_entry_id].created_at, "payout.failed", payout))
    for at, kind, state in states:
        yield Occurrence(type=kind, at=at, object_id=objects.payout_id(world, payout.id), draw=index.payout(state))


def _of_invoice(index: Index, invoice: Invoice) -> Iterator[Occurrence]:
    object_id = objects.invoice_id(index.world, invoice.id)
    draft = replace(invoice, status="draft", payment_id=None, finalized_at=None, paid_at=None, closed_at=None)
    sent = replace(draft, status="open", finalized_at=invoice.finalized_at)
    closing = {"paid": "invoice.paid", "void": "invoice.voided", "uncollectible": "invoice.marked_uncollectible"}
    states = [(invoice.created_at, "invoice.created", draft)]
    if invoice.finalized_at:
        states.append((invoice.finalized_at, "invoice.finalized", sent))
    if (closed_at := invoice.paid_at or invoice.closed_at) and invoice.status in closing:
        states.append((closed_at, closing[invoice.status], invoice))
    for at, kind, state in states:
        yield Occurrence(type=kind, at=at, object_id=object_id, draw=index.invoice(state))
