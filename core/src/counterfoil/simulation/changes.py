"""What may happen to one thing that is there already: a world, and the world in which it has happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from random import Random
from typing import TYPE_CHECKING, TypeVar

from counterfoil.simulation import markets
from counterfoil.simulation.records import BalanceEntry
from counterfoil.simulation.settlement import deposits_of
from counterfoil.simulation.trading import Trading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from counterfoil.simulation.records import DisputeStatus, InvoiceStatus, Payout, PayoutStatus, RefundStatus
    from counterfoil.simulation.world import World

T = TypeVar("T")

_CLOSED_DISPUTES = {"won", "lost"}
_PAYOUT_STEPS = {
    "in_transit": {"pending"},
    "paid": {"pending", "in_transit"},
    "failed": {"pending", "in_transit", "paid"},
}
_INVOICE_STEPS = {
    "open": {"draft"},
    "paid": {"open", "uncollectible"},
    "uncollectible": {"open"},
    "void": {"open", "uncollectible"},
}


class ImpossibleChange(ValueError):
    """The thing is not in a state from which this can happen."""


class Books(Trading):
    """The books of a world, open for one entry about something older."""

    def __init__(self, world: World, at: datetime) -> None:
        rng = Random(f"counterfoil world {world.seed} change after {len(world.entries)} entries at {at}")  # noqa: S311 - reproducible fiction
        super().__init__(rng, horizon=at, products=world.products)
        self.take_over(world)

    def refund(self, payment_id: int, *, amount: int, at: datetime, status: RefundStatus) -> None:
        payment = self.payments[payment_id]
        if not 0 < amount <= payment.captured - payment.refunded:
            raise ImpossibleChange("there is not so much left to refund")
        self._refund(payment, amount=amount, at=at, status=status)

    def finish_refund(self, refund_id: int, *, to: RefundStatus, at: datetime) -> None:
        """A pending refund arrives, or any refund comes back: its money returns to the balance and to the payment."""
        refund = self.refunds[refund_id]
        if to == "pending" or refund.status in {to, "failed"}:
            raise ImpossibleChange(f"a {refund.status} refund does not become {to}")
        self.refunds[refund_id] = replace(refund, status=to)
        if to == "failed":
            taken = next(entry for entry in self.entries if entry.kind == "refund" and entry.refund_id == refund_id)
            self._enter(
                "refund_failure",
                -taken.amount,
                currency=taken.currency,
                at=at,
                exchange_rate=taken.exchange_rate,
                payment_id=refund.payment_id,
                refund_id=refund_id,
            )
            payment = self.payments[refund.payment_id]
            self.payments[payment.id] = replace(payment, refunded=payment.refunded - refund.amount)

    def capture(self, payment_id: int, *, at: datetime) -> None:
        payment = self.payments[payment_id]
        if payment.status != "authorized":
            raise ImpossibleChange(f"a {payment.status} payment cannot be captured")
        captured = replace(payment, status="succeeded", captured=payment.amount, captured_at=at)
        self.payments[payment_id] = captured
        self._credit(captured, markets.BY_CURRENCY[payment.currency], at)

    def dispute(self, payment_id: int, *, at: datetime) -> None:
        payment = self.payments[payment_id]
        if not payment.captured or payment.disputed:
            raise ImpossibleChange("only a captured payment can be disputed, and once")
        market = markets.BY_CURRENCY[payment.currency]
        self._open_dispute(payment, market, status="needs_response", opened_at=at, closed_at=None)

    def move_dispute(self, dispute_id: int, *, to: DisputeStatus, at: datetime) -> None:
        dispute = self.disputes[dispute_id]
        if dispute.status in {to, *_CLOSED_DISPUTES} or to == "needs_response":
            raise ImpossibleChange(f"a dispute that is {dispute.status} does not become {to}")
        is_closed = to in _CLOSED_DISPUTES
        self.disputes[dispute_id] = replace(dispute, status=to, closed_at=at if is_closed else None)
        if to == "won":
            taken = next(entry for entry in self.entries if entry.kind == "dispute" and entry.dispute_id == dispute_id)
            self._enter(
                "dispute_reversal",
                -taken.amount,
                currency=taken.currency,
                at=at,
                exchange_rate=taken.exchange_rate,
                payment_id=dispute.payment_id,
                dispute_id=dispute_id,
            )


def refund(world: World, payment_id: int, *, amount: int, status: RefundStatus, at: datetime) -> World:
    """Money goes back for a payment of any age."""
    at, books = _opened(world, at)
    books.refund(payment_id, amount=amount, at=at, status=status)
    return world.after(books, at)


def finish_refund(world: World, refund_id: int, *, to: RefundStatus, at: datetime) -> World:
    at, books = _opened(world, at)
    books.finish_refund(refund_id, to=to, at=at)
    return world.after(books, at)


def capture(world: World, payment_id: int, *, at: datetime) -> World:
    """What was authorized is taken, and pays the order's invoice."""
    at, books = _opened(world, at)
    books.capture(payment_id, at=at)
    order_id = world.payments[payment_id].order_id
    invoices = tuple(
        replace(invoice, status="paid", paid_at=at, payment_id=payment_id)
        if invoice.order_id == order_id and invoice.status == "open"
        else invoice
        for invoice in world.invoices
    )
    return replace(world.after(books, at), invoices=invoices)


def dispute(world: World, payment_id: int, *, at: datetime) -> World:
    at, books = _opened(world, at)
    books.dispute(payment_id, at=at)
    return world.after(books, at)


def move_dispute(world: World, dispute_id: int, *, to: DisputeStatus, at: datetime) -> World:
    at, books = _opened(world, at)
    books.move_dispute(dispute_id, to=to, at=at)
    return world.after(books, at)


def move_payout(world: World, payout_id: int, *, to: PayoutStatus, at: datetime) -> World:
    """A payout takes a step. A failed one, also after it was paid, returns its amount to the balance."""
    payout = world.payouts[payout_id]
    if payout.status not in _PAYOUT_STEPS.get(to, ()):
        raise ImpossibleChange(f"a {payout.status} payout does not become {to}")
    at = _not_before(world, at)
    entries = list(world.entries)
    moved = replace(payout, status=to)
    if to == "paid":
        entries[payout.entry_id] = replace(entries[payout.entry_id], status="available")
    if to == "failed":
        moved = replace(moved, failure_entry_id=len(entries))
        entries.append(_returned(payout, entry_id=len(entries), at=at))
    payouts = _with(world.payouts, payout_id, moved)
    return replace(world, as_of=at, entries=tuple(entries), payouts=payouts, deposits=deposits_of(payouts))


def reconcile_payout(world: World, payout_id: int, *, at: datetime) -> World:
    payout = replace(world.payouts[payout_id], reconciled=True)
    return replace(world, as_of=_not_before(world, at), payouts=_with(world.payouts, payout_id, payout))


def delete_customer(world: World, customer_id: int, *, at: datetime) -> World:
    customer = world.customers[customer_id]
    if customer.deleted_at:
        raise ImpossibleChange("the customer is deleted already")
    at = _not_before(world, at)
    return replace(world, as_of=at, customers=_with(world.customers, customer_id, replace(customer, deleted_at=at)))


def rename_customer(world: World, customer_id: int, *, email: str, at: datetime) -> World:
    customer = replace(world.customers[customer_id], email=email)
    return replace(world, as_of=_not_before(world, at), customers=_with(world.customers, customer_id, customer))


def move_invoice(world: World, invoice_id: int, *, to: InvoiceStatus, at: datetime) -> World:
    """A draft is sent, an open invoice is paid elsewhere, voided or given up."""
    invoice = world.invoices[invoice_id]
    if invoice.deleted_at or invoice.status not in _INVOICE_STEPS.get(to, ()):
        raise ImpossibleChange(f"a {invoice.status} invoice does not become {to}")
    at = _not_before(world, at)
    moved = replace(
        invoice,
        status=to,
        finalized_at=at if to == "open" else invoice.finalized_at,
        paid_at=at if to == "paid" else None,
        closed_at=at if to in {"uncollectible", "void"} else None,
    )
    return replace(world, as_of=at, invoices=_with(world.invoices, invoice_id, moved))


def delete_invoice(world: World, invoice_id: int, *, at: datetime) -> World:
    invoice = world.invoices[invoice_id]
    if invoice.deleted_at or invoice.status != "draft":
        raise ImpossibleChange("only a draft can be deleted")
    at = _not_before(world, at)
    return replace(world, as_of=at, invoices=_with(world.invoices, invoice_id, replace(invoice, deleted_at=at)))


def _opened(world: World, at: datetime) -> tuple[datetime, Books]:
    at = _not_before(world, at)
    return at, Books(world, at)


def _not_before(world: World, at: datetime) -> datetime:
    return max(at.astimezone(UTC).replace(microsecond=0), world.as_of)


def _with(records: Sequence[T], position: int, record: T) -> tuple[T, ...]:
    return (*records[:position], record, *records[position + 1 :])


def _returned(payout: Payout, *, entry_id: int, at: datetime) -> BalanceEntry:
    return BalanceEntry(
        id=entry_id,
        kind="payout_failure",
        amount=payout.amount,
        fee=0,
        net=payout.amount,
        currency=payout.currency,
        created_at=at,
        available_on=at.date() + timedelta(days=1),
        status="pending",
        payout_id=payout.id,
    )
