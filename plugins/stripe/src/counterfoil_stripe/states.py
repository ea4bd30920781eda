"""Which Stripe objects may still change although no list of new ones will show them again: each run fetches those once more.

Pure, from the payload alone. What an event tells of reliably and may take for ever is left to the event: a refund of an old
charge, or a payment intent that was abandoned at the checkout, of which an account gathers thousands.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

Json = dict[str, Any]

BALANCE_LOOKBACK = "7d"
_BALANCE_LOOKBACK_S = timedelta(days=7).total_seconds()


def is_open_charge(charge: Json) -> bool:
    """Being paid, or authorized and neither captured nor released."""
    is_authorized = charge["status"] == "succeeded" and not charge["captured"] and not charge["refunded"]
    return charge["status"] == "pending" or is_authorized


def is_open_payment_intent(intent: Json) -> bool:
    return intent["status"] in {"processing", "requires_capture"}


def is_open_refund(refund: Json) -> bool:
    return refund["status"] in {"pending", "requires_action"}


def is_open_dispute(dispute: Json) -> bool:
    return dispute["status"] not in {"won", "lost", "warning_closed", "prevented"}


def is_open_invoice(invoice: Json) -> bool:
    return invoice["status"] in {"draft", "open"}


def is_open_payout(payout: Json) -> bool:
    """On its way, or its list of members is not final yet."""
    is_gathering = payout["automatic"] and payout["reconciliation_status"] == "in_progress"
    return payout["status"] in {"pending", "in_transit"} or is_gathering


def is_open_transaction(transaction: Json) -> bool:
    """Becomes available later than the look-back reads it again."""
    held_s = transaction["available_on"] - transaction["created"]
    return bool(transaction["status"] == "pending" and held_s > _BALANCE_LOOKBACK_S)
