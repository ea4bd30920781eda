"""Invoices: who asked for one, and what became of it. Drawn from the orders alone, so that billing changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from counterfoil.simulation.records import Invoice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from counterfoil.simulation.records import Order, Payment

_BILLED_RATE = 0.12
_TERMS = timedelta(days=30)
_PRIME = 2_654_435_761
# What becomes of a bill nobody paid: where its draw lies between 0 and 1.
_UNSENT, _STILL_ASKED, _FORGIVEN = 0.2, 0.4, 0.8


def bill(
    orders: Sequence[Order],
    payments: Sequence[Payment],
    *,
    seed: int,
    as_of: datetime,
    billed: Sequence[Order] = (),
    so_far: Sequence[Invoice] = (),
) -> tuple[Invoice, ...]:
    """Invoices for the orders after `billed`: some that were paid, and every one whose payment did not succeed."""
    latest = {payment.order_id: payment for payment in payments if payment.order_id >= len(billed)}
    invoices: list[Invoice] = []
    for order in orders[len(billed) :]:
        payment = latest[order.id]
        draw = (order.id + 1) * _PRIME % 2**32 / 2**32
        if payment.status == "succeeded" and (draw + seed * 0.618) % 1 > _BILLED_RATE:
            continue
        invoices.append(_invoice(len(so_far) + len(invoices), order, payment, draw=draw, as_of=as_of))
    return tuple(invoices)


def _invoice(number: int, order: Order, payment: Payment, *, draw: float, as_of: datetime) -> Invoice:
    draft = Invoice(
        id=number,
        number=f"TT-{number + 1:05d}",
        order_id=order.id,
        customer_id=order.customer_id,
        amount=order.total,
        currency=order.currency,
        status="draft",
        created_at=order.placed_at,
        due_at=order.placed_at + _TERMS,
    )
    if payment.status == "failed" and draw < _UNSENT:
        return draft
    sent = replace(draft, status="open", finalized_at=order.placed_at)
    if payment.status == "succeeded":
        return replace(sent, status="paid", payment_id=payment.id, paid_at=payment.captured_at)
    if sent.due_at > as_of or draw < _STILL_ASKED:
        return sent
    return replace(sent, status="void" if draw > _FORGIVEN else "uncollectible", closed_at=sent.due_at)
