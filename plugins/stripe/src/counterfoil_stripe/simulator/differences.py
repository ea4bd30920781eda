"""What is different between a world and the one after it, as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from counterfoil_stripe.simulator import objects
from counterfoil_stripe.simulator.history import Index, Occurrence, happened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterfoil.simulation.records import Customer, Invoice, Payment, Payout, Refund

T = TypeVar("T")

_PAYOUT_EVENTS = {"paid": "payout.paid", "failed": "payout.failed"}
_INVOICE_EVENTS = {
    "open": "invoice.finalized",
    "paid": "invoice.paid",
    "void": "invoice.voided",
    "uncollectible": "invoice.marked_uncollectible",
}


def news(before: Index, after: Index) -> Iterator[Occurrence]:
    """Everything that is new or different in the later world. What changed, changed at its last moment."""
    yield from happened(after, since=before.world.as_of, known=before.world)
    old, new = before.world, after.world
    for was, now in _changed(old.payments, new.payments):
        yield from _of_payment(before, after, was, now)
    for refund_was, refund in _changed(old.refunds, new.refunds):
        yield from _of_refund(before, after, refund_was, refund)
    for dispute_was, dispute in _changed(old.disputes, new.disputes):
        yield Occurrence(
            type="charge.dispute.closed" if dispute.closed_at else "charge.dispute.updated",
            at=new.as_of,
            object_id=objects.dispute_id(new, dispute.id),
            draw=after.dispute(dispute),
            was=before.dispute(dispute_was),
        )
    for payout_was, payout in _changed(old.payouts, new.payouts):
        yield from _of_payout(before, after, payout_was, payout)
    for customer_was, customer in _changed(old.customers, new.customers):
        yield _of_customer(before, after, customer_was, customer)
    for invoice_was, invoice in _changed(old.invoices, new.invoices):
        yield _of_invoice(before, after, invoice_was, invoice)


def _changed(old: Sequence[T], new: Sequence[T]) -> Iterator[tuple[T, T]]:
    return ((was, now) for was, now in zip(old, new, strict=False) if was is not now)


def _of_payment(before: Index, after: Index, was: Payment, now: Payment) -> Iterator[Occurrence]:
    world = after.world
    kind = "charge.updated"
    if now.refunded > was.refunded:
        kind = "charge.refunded"
    elif now.captured > was.captured:
        kind = "charge.captured"
        yield Occurrence(
            type="payment_intent.succeeded",
            at=world.as_of,
            object_id=objects.payment_intent_id(world, now.order_id),
            draw=after.intent(now.order_id, now),
            was=before.intent(was.order_id, was),
        )
    yield Occurrence(
        type=kind,
        at=world.as_of,
        object_id=objects.charge_id(world, now.id),
        draw=after.charge(now),
        was=before.charge(was),
    )


def _of_refund(before: Index, after: Index, was: Refund, now: Refund) -> Iterator[Occurrence]:
    kinds = ["refund.updated", "charge.refund.updated"] + ["refund.failed"] * (now.status == "failed")
    for kind in kinds:
        yield Occurrence(
            type=kind,
            at=after.world.as_of,
            object_id=objects.refund_id(after.world, now.id),
            draw=after.refund(now),
            was=before.refund(was),
        )


def _of_payout(before: Index, after: Index, was: Payout, now: Payout) -> Iterator[Occurrence]:
    kinds = []
    if now.status != was.status:
        kinds.append(_PAYOUT_EVENTS.get(now.status, "payout.updated"))
    if now.reconciled and not was.reconciled:
        kinds.append("payout.reconciliation_completed")
    for kind in kinds:
        yield Occurrence(
            type=kind,
            at=after.world.as_of,
            object_id=objects.payout_id(after.world, now.id),
            draw=after.payout(now),
            was=before.payout(was),
        )


def _of_customer(before: Index, after: Index, was: Customer, now: Customer) -> Occurrence:
    return Occurrence(
        type="customer.deleted" if now.deleted_at else "customer.updated",
        at=after.world.as_of,
        object_id=objects.customer_id(after.world, now.id),
        draw=after.customer(now),
        was=None if now.deleted_at else before.customer(was),
    )


def _of_invoice(before: Index, after: Index, was: Invoice, now: Invoice) -> Occurrence:
    return Occurrence(
        type="invoice.deleted" if now.deleted_at else _INVOICE_EVENTS.get(now.status, "invoice.updated"),
        at=after.world.as_of,
        object_id=objects.invoice_id(after.world, now.id),
        draw=after.invoice(now),
        was=None if now.deleted_at else before.invoice(was),
    )
