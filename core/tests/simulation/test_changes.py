"""One thing changes, and the books still balance."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from core.tests.simulation.test_world import assert_conserved

from counterfoil.simulation import changes
from counterfoil.simulation.changes import ImpossibleChange
from counterfoil.simulation.world import World

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
Happen = Callable[[World], World]


@pytest.fixture(scope="module")
def world() -> World:
    return World.generate(seed=11, orders=1500, as_of=NOON, days=90)


def captured(world: World) -> int:
    return next(each.id for each in world.payments if each.captured and not each.refunded and not each.disputed)


def payout(world: World, status: str) -> int:
    return next(each.id for each in world.payouts if each.status == status)


def refunded(world: World) -> World:
    return changes.refund(world, captured(world), amount=100, status="pending", at=LATER)


HAPPENINGS: dict[str, Happen] = {
    "a refund": refunded,
    "a refund that arrives": lambda w: changes.finish_refund(refunded(w), len(w.refunds), to="succeeded", at=LATER),
    "a refund that fails": lambda w: changes.finish_refund(refunded(w), len(w.refunds), to="failed", at=LATER),
    "a capture": lambda w: changes.capture(
        w, next(each.id for each in w.payments if each.status == "authorized"), at=LATER
    ),
    "a dispute": lambda w: changes.dispute(w, captured(w), at=LATER),
    "a dispute that is won": lambda w: changes.move_dispute(
        changes.dispute(w, captured(w), at=LATER), len(w.disputes), to="won", at=LATER
    ),
    "a payout that fails on its way": lambda w: changes.move_payout(w, payout(w, "in_transit"), to="failed", at=LATER),
    "a payout that fails after it was paid": lambda w: changes.move_payout(w, payout(w, "paid"), to="failed", at=LATER),
    "a payout that arrives": lambda w: changes.move_payout(w, payout(w, "pending"), to="paid", at=LATER),
}


@pytest.mark.parametrize("happen", HAPPENINGS.values(), ids=HAPPENINGS)
def test_every_balance_is_conserved_whatever_happens(world: World, happen: Happen) -> None:
    later = happen(world)
    assert later != world
    assert later.as_of == LATER
    assert_conserved(later)
    assert {deposit.payout_id for deposit in later.deposits} == {
        each.id for each in later.payouts if each.status == "paid"
    }
    assert happen(world) == later


def test_a_failed_refund_no_longer_counts_on_its_payment(world: World) -> None:
    payment = captured(world)
    pending = refunded(world)
    assert pending.payments[payment].refunded == 100
    failed = changes.finish_refund(pending, len(world.refunds), to="failed", at=LATER)
    assert failed.payments[payment].refunded == 0
    assert sum(entry.net for entry in failed.entries) == sum(entry.net for entry in world.entries)


def test_what_is_captured_pays_the_orders_invoice(world: World) -> None:
    payment = next(each for each in world.payments if each.status == "authorized")
    later = changes.capture(world, payment.id, at=LATER)
    (invoice,) = [each for each in later.invoices if each.order_id == payment.order_id]
    assert (invoice.status, invoice.payment_id, invoice.paid_at) == ("paid", payment.id, LATER)


def test_an_invoice_is_for_its_order_and_a_paid_one_for_its_payment(world: World) -> None:
    assert {each.status for each in world.invoices} == {"draft", "open", "paid", "uncollectible", "void"}
    for invoice in world.invoices:
        order = world.orders[invoice.order_id]
        assert (invoice.amount, invoice.currency, invoice.customer_id) == (
            order.total,
            order.currency,
            order.customer_id,
        )
        if invoice.payment_id is not None:
            payment = world.payments[invoice.payment_id]
            assert (payment.order_id, payment.captured, payment.captured_at) == (
                order.id,
                invoice.amount,
                invoice.paid_at,
            )


IMPOSSIBLE: dict[str, Happen] = {
    "more than is left": lambda w: changes.refund(w, captured(w), amount=10**12, status="succeeded", at=LATER),
    "a capture of what was captured": lambda w: changes.capture(w, captured(w), at=LATER),
    "a second dispute": lambda w: changes.dispute(
        changes.dispute(w, captured(w), at=LATER), payment_id=captured(w), at=LATER
    ),
    "a payout that turns back": lambda w: changes.move_payout(w, payout(w, "paid"), to="in_transit", at=LATER),
    "a payout that fails twice": lambda w: changes.move_payout(w, payout(w, "failed"), to="failed", at=LATER),
    "a customer deleted twice": lambda w: changes.delete_customer(changes.delete_customer(w, 0, at=LATER), 0, at=LATER),
    "an invoice deleted that was sent": lambda w: changes.delete_invoice(
        w, next(each.id for each in w.invoices if each.status == "open"), at=LATER
    ),
    "a paid invoice voided": lambda w: changes.move_invoice(
        w, next(each.id for each in w.invoices if each.status == "paid"), to="void", at=LATER
    ),
}


@pytest.mark.parametrize("happen", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_happen_is_refused(world: World, happen: Happen) -> None:
    with pytest.raises(ImpossibleChange):
        happen(world)
