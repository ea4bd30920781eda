"""Stripe objects as canonical rows. Pure: the same payload always gives the same rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from counterfoil.sdk import CanonicalRow, Payment, Payout, PayoutLine, Ref, from_unix
from counterfoil_stripe.money import amount

Json = dict[str, Any]

# Where the connector notes which payout's list a balance transaction came from: the object itself does not say.
PAYOUT = "counterfoil_payout"

# By reporting category (docs.stripe.com/reports/reporting-categories), which groups the fifty or so types by meaning. What is not
# named here is an adjustment. So is a payout that came back: it is a member of the payout that carries its money next.
_KINDS = {
    "charge": "charge",
    "charge_failure": "charge",
    "connect_collection_transfer": "transfer",
    "connect_reserved_funds": "reserve",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
    "fee": "fee",
    "network_cost": "fee",
    "partial_capture_reversal": "refund",
    "payout": "payout",
    "refund": "refund",
    "refund_failure": "refund",
    "risk_reserved_funds": "reserve",
    "tax": "fee",
    "topup": "transfer",
    "topup_reversal": "transfer",
    "transfer": "transfer",
    "transfer_reversal": "transfer",
}
_PAYMENTS = ("ch_", "py_")
_REFUNDS = ("re_", "pyr_")
_DISPUTES = ("du_", "dp_")


def of_charge(charge: Json) -> list[CanonicalRow]:
    currency = charge["currency"]
    created_at = from_unix(charge["created"])
    method = charge["payment_method_details"] or {}
    # A charge does not say when it was captured. Captured at once, it was when it was made; `capture_before` marks one that was not.
    is_captured_at_once = charge["captured"] and "capture_before" not in (method.get("card") or {})
    return [
        Payment(
            source_id=charge["id"],
            source_created_at=created_at,
            amount=amount(charge["amount"], currency),
            amount_captured=amount(charge["amount_captured"], currency),
            amount_refunded=amount(charge["amount_refunded"], currency),
            currency=currency.upper(),
            status=_payment_status(charge),
            method=method.get("type"),
            gateway="stripe",
            captured_at=created_at if is_captured_at_once else None,
            customer_ref=charge["customer"],
            description=charge["description"],
        )
    ]


def of_payout(payout: Json) -> list[CanonicalRow]:
    currency = payout["currency"]
    return [
        Payout(
            source_id=payout["id"],
            source_created_at=from_unix(payout["created"]),
            amount=amount(payout["amount"], currency),
            currency=currency.upper(),
            status=payout["status"],
            arrival_date=_day(payout["arrival_date"]),
            method=payout["method"],
            automatic=payout["automatic"],
            reconciliation_status=payout["reconciliation_status"],
            bank_reference=payout["statement_descriptor"],
            trace_id=(payout["trace_id"] or {}).get("value"),
        )
    ]


def of_balance_transaction(transaction: Json) -> list[CanonicalRow]:
    """One line. A payout's own withdrawal belongs to no payout: the lines of a payout are its members, and their nets its amount."""
    currency = transaction["currency"]
    kind = _KINDS.get(transaction["reporting_category"], "adjustment")
    payout = None if kind == "payout" else transaction.get(PAYOUT)
    rate = transaction["exchange_rate"]
    source = transaction["source"]
    return [
        PayoutLine(
            source_id=transaction["id"],
            source_created_at=from_unix(transaction["created"]),
            kind=kind,
            reporting_category=transaction["reporting_category"],
            gross=amount(transaction["amount"], currency),
            fee=amount(transaction["fee"], currency),
            net=amount(transaction["net"], currency),
            currency=currency.upper(),
            status=transaction["status"],
            description=transaction["description"],
            available_on=_day(transaction["available_on"]),
            exchange_rate=None if rate is None else Decimal(str(rate)),
            payout=Ref("payout", payout) if payout else None,
            payment=_reference("payment", source, _PAYMENTS),
            refund=_reference("refund", source, _REFUNDS),
            dispute=_reference("dispute", source, _DISPUTES),
        )
    ]


def _payment_status(charge: Json) -> str:
    """Stripe's own, except that a successful charge nobody captured is an authorization, or one that was released."""
    if charge["status"] != "succeeded" or charge["captured"]:
        return str(charge["status"])
    return "canceled" if charge["refunded"] else "authorized"


def _reference(target: str, source: str | None, prefixes: tuple[str, ...]) -> Ref | None:
    return Ref(target, source) if source and source.startswith(prefixes) else None


def _day(at: int) -> date:
    """Stripe writes days as midnight UTC."""
    return datetime.fromtimestamp(at, UTC).date()
