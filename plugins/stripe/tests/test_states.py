"""What may still change, and no window shows again, is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from counterfoil.sdk import TimeCursor
from counterfoil_stripe import states
from counterfoil_stripe.connector import Stripe

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_S = 86_400
CHARGE = {"status": "succeeded", "captured": True, "refunded": False}
PAYOUT = {"status": "paid", "automatic": True, "reconciliation_status": "completed"}
TRANSACTION = {"status": "pending", "created": 0, "available_on": 8 * DAY_S}
CASES: list[tuple[Callable[[dict[str, Any]], bool], dict[str, Any], bool]] = [
    (states.is_open_charge, CHARGE, False),
    (states.is_open_charge, {**CHARGE, "status": "pending"}, True),
    (states.is_open_charge, {**CHARGE, "captured": False}, True),
    (states.is_open_charge, {**CHARGE, "captured": False, "refunded": True}, False),
    (states.is_open_charge, {**CHARGE, "status": "failed", "captured": False}, False),
    (states.is_open_payout, PAYOUT, False),
    (states.is_open_payout, {**PAYOUT, "status": "pending"}, True),
    (states.is_open_payout, {**PAYOUT, "status": "in_transit"}, True),
    (states.is_open_payout, {**PAYOUT, "reconciliation_status": "in_progress"}, True),
    (states.is_open_payout, {**PAYOUT, "automatic": False, "reconciliation_status": "not_applicable"}, False),
    (states.is_open_payout, {**PAYOUT, "status": "failed"}, False),
    (states.is_open_transaction, TRANSACTION, True),
    (states.is_open_transaction, {**TRANSACTION, "status": "available"}, False),
    (states.is_open_transaction, {**TRANSACTION, "available_on": 7 * DAY_S}, False),
    *((states.is_open_refund, {"status": status}, True) for status in ("pending", "requires_action")),
    *((states.is_open_refund, {"status": status}, False) for status in ("succeeded", "failed", "canceled")),
    *((states.is_open_dispute, {"status": status}, False) for status in ("won", "lost", "warning_closed", "prevented")),
    *(
        (states.is_open_dispute, {"status": status}, True)
        for status in ("needs_response", "under_review", "warning_needs_response", "appeal_under_review")
    ),
    *((states.is_open_invoice, {"status": status}, True) for status in ("draft", "open")),
    *((states.is_open_invoice, {"status": status}, False) for status in ("paid", "void", "uncollectible")),
    *((states.is_open_payment_intent, {"status": status}, True) for status in ("processing", "requires_capture")),
    *(
        (states.is_open_payment_intent, {"status": status}, False)
        for status in ("succeeded", "canceled", "requires_payment_method")
    ),
]


@pytest.mark.parametrize(("is_open", "payload", "expected"), CASES)
def test_an_object_is_open_while_it_is_under_way(
    is_open: Callable[[dict[str, Any]], bool], payload: dict[str, Any], expected: bool
) -> None:
    assert is_open(payload) is expected


def test_what_becomes_available_within_the_lookback_is_left_to_it() -> None:
    cursor = Stripe.streams["balance_transactions"].cursor
    assert isinstance(cursor, TimeCursor)
    edge = int(cursor.lookback_delta.total_seconds())
    assert not states.is_open_transaction({**TRANSACTION, "available_on": edge})
    assert states.is_open_transaction({**TRANSACTION, "available_on": edge + 1})


def test_every_object_of_a_list_can_be_judged(stripe: Any) -> None:
    for name, stream in Stripe.streams.items():
        if stream.is_open:
            judged = [stream.is_open(each) for each in stripe.get(f"/v1/{name}", limit=100)["data"]]
            assert len(judged) > 0
            assert all(isinstance(each, bool) for each in judged)
