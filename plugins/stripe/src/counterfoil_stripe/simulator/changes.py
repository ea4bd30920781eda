"""The changes that can be ordered of one of Stripe's objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from counterfoil.simulation import changes as happenings
from counterfoil.simulation.changes import ImpossibleChange
from counterfoil.simulation.world import World
from counterfoil_stripe.simulator import objects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from counterfoil.simulation.records import (
        Customer,
        Dispute,
        DisputeStatus,
        Invoice,
        InvoiceStatus,
        Payment,
        Payout,
        PayoutStatus,
        Refund,
        RefundStatus,
    )

S = TypeVar("S")

_REFUNDING: Mapping[str, RefundStatus] = {"refunded": "succeeded", "refund_pending": "pending"}
_REFUNDS: Mapping[str, RefundStatus] = {"succeeded": "succeeded", "failed": "failed"}
_DISPUTES: Mapping[str, DisputeStatus] = {"under_review": "under_review", "won": "won", "lost": "lost"}
_PAYOUTS: Mapping[str, PayoutStatus] = {"in_transit": "in_transit", "paid": "paid", "failed": "failed"}
_INVOICES: Mapping[str, InvoiceStatus] = {
    "open": "open",
    "paid": "paid",
    "void": "void",
    "uncollectible": "uncollectible",
}


def changed(world: World, object_id: str, *, to: str, amount: int | None, at: datetime) -> World:
    """The world after the change that is ordered of one of Stripe's objects.

    Raises:
        ImpossibleChange: there is no such object, or this cannot happen to it.
    """
    tables: dict[str, tuple[Sequence[Any], Callable[[World, int], str]]] = {
        "ch": (world.payments, objects.charge_id),
        "re": (world.refunds, objects.refund_id),
        "du": (world.disputes, objects.dispute_id),
        "po": (world.payouts, objects.payout_id),
        "in": (world.invoices, objects.invoice_id),
        "cus": (world.customers, objects.customer_id),
    }
    prefix = object_id.partition("_")[0]
    records, id_of = tables.get(prefix, ((), objects.charge_id))
    record = next((each for each in records if id_of(world, each.id) == object_id), None)
    if record is None:
        raise ImpossibleChange(f"there is no {object_id} that could change")
    return _CHANGES[prefix](world, record, to, amount, at)


def _change_charge(world: World, payment: Payment, to: str, amount: int | None, at: datetime) -> World:
    if to == "captured":
        return happenings.capture(world, payment.id, at=at)
    if to == "disputed":
        return happenings.dispute(world, payment.id, at=at)
    status = _only(_REFUNDING, to)
    left = payment.captured - payment.refunded
    part = left if amount is None else amount // objects.minor(1, payment.currency)
    return happenings.refund(world, payment.id, amount=part, status=status, at=at)


def _change_refund(world: World, refund: Refund, to: str, _amount: int | None, at: datetime) -> World:
    return happenings.finish_refund(world, refund.id, to=_only(_REFUNDS, to), at=at)


def _change_dispute(world: World, dispute: Dispute, to: str, _amount: int | None, at: datetime) -> World:
    status = _only(_DISPUTES, to)
    return happenings.move_dispute(world, dispute.id, to=status, at=at)


def _change_payout(world: World, payout: Payout, to: str, _amount: int | None, at: datetime) -> World:
    if to == "reconciled":
        return happenings.reconcile_payout(world, payout.id, at=at)
    status = _only(_PAYOUTS, to)
    return happenings.move_payout(world, payout.id, to=status, at=at)


def _change_invoice(world: World, invoice: Invoice, to: str, _amount: int | None, at: datetime) -> World:
    if to == "deleted":
        return happenings.delete_invoice(world, invoice.id, at=at)
    status = _only(_INVOICES, to)
    return happenings.move_invoice(world, invoice.id, to=status, at=at)


def _change_customer(world: World, customer: Customer, to: str, _amount: int | None, at: datetime) -> World:
    if to == "deleted":
        return happenings.delete_customer(world, customer.id, at=at)
    _only({"renamed": "renamed"}, to)
    return happenings.rename_customer(world, customer.id, email=f"new.{customer.email}", at=at)


def _only(known: Mapping[str, S], to: str) -> S:
    if to not in known:
        raise ImpossibleChange(f"this object cannot become {to!r}, only {', '.join(known)}")
    return known[to]


_CHANGES: dict[str, Callable[[World, Any, str, int | None, datetime], World]] = {
    "ch": _change_charge,
    "re": _change_refund,
    "du": _change_dispute,
    "po": _change_payout,
    "in": _change_invoice,
    "cus": _change_customer,
}
