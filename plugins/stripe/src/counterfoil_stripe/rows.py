"""Stripe objects as canonical rows. Pure: the same payload always gives the same rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from counterfoil.sdk import (
    CanonicalRow,
    Customer,
    Dispute,
    Fee,
    Invoice,
    Payment,
    Payout,
    PayoutLine,
    Ref,
    Refund,
    from_unix,
)
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


def of_customer(customer: Json) -> list[CanonicalRow]:
    currency = customer.get("currency")
    return [
        Customer(
            source_id=customer["id"],
            source_created_at=from_unix(customer["created"]),
            email=customer.get("email"),
            name=customer.get("name"),
            phone=customer.get("phone"),
            country=(customer.get("address") or {}).get("country"),
            tax_exempt=customer.get("tax_exempt") == "exempt",
            currency=currency.upper() if currency else None,
        )
    ]


def of_refund(refund: Json) -> list[CanonicalRow]:
    currency = refund["currency"]
    created_at = from_unix(refund["created"])
    came_to_nothing = refund["status"] in {"failed", "canceled"}
    destination = refund.get("destination_details") or {}
    return [
        Refund(
            source_id=refund["id"],
            source_created_at=created_at,
            amount=amount(refund["amount"], currency),
            currency=currency.upper(),
            status=refund["status"],
            reason=refund["reason"],
            failure_reason=refund.get("failure_reason"),
            refunded_at=None if came_to_nothing else created_at,
            reference=(destination.get(destination.get("type")) or {}).get("reference"),
            payment=_reference("payment", refund["charge"], _PAYMENTS),
        )
    ]


def of_dispute(dispute: Json) -> list[CanonicalRow]:
    currency = dispute["currency"]
    return [
        Dispute(
            source_id=dispute["id"],
            source_created_at=from_unix(dispute["created"]),
            amount=amount(dispute["amount"], currency),
            currency=currency.upper(),
            status=dispute["status"],
            reason=dispute["reason"],
            evidence_due_at=_moment(dispute["evidence_details"]["due_by"]),
            payment=_reference("payment", dispute["charge"], _PAYMENTS),
        )
    ]


def of_invoice(invoice: Json) -> list[CanonicalRow]:
    currency = invoice["currency"]
    return [
        Invoice(
            source_id=invoice["id"],
            source_created_at=from_unix(invoice["created"]),
            total=amount(invoice["total"], currency),
            amount_due=amount(invoice["amount_due"], currency),
            amount_paid=amount(invoice["amount_paid"], currency),
            amount_remaining=amount(invoice["amount_remaining"], currency),
            currency=currency.upper(),
            status=invoice["status"],
            number=invoice["number"],
            due_at=_moment(invoice["due_date"]),
            paid_at=_moment(invoice["status_transitions"]["paid_at"]),
            period_start=from_unix(invoice["period_start"]),
            period_end=from_unix(invoice["period_end"]),
            description=invoice["description"],
            customer=Ref("customer", invoice["customer"]) if invoice["customer"] else None,
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
    """One line, and one row for each part of its fee.

    A payout's own withdrawal belongs to no payout: the lines of a payout are its members, and their nets its amount.
    """
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
        ),
        *_fees(transaction),
    ]


def _fees(transaction: Json) -> list[CanonicalRow]:
    """The parts have no id at Stripe; their order does not change, since a balance transaction never does."""
    return [
        Fee(
            source_id=f"{transaction['id']}_fee_{number}",
            source_created_at=from_unix(transaction["created"]),
            kind=detail["type"],
            amount=amount(detail["amount"], detail["currency"]),
            currency=detail["currency"].upper(),
            payout_line=Ref("payout_line", transaction["id"]),
            description=detail["description"],
        )
        for number, detail in enumerate(transaction["fee_details"], start=1)
    ]


def _payment_status(charge: Json) -> str:
    """Stripe's own, except that a successful charge nobody captured is an authorization, or one that was released."""
    if charge["status"] != "succeeded" or charge["captured"]:
        return str(charge["status"])
    return "canceled" if charge["refunded"] else "authorized"


def _reference(target: str, source: str | None, prefixes: tuple[str, ...]) -> Ref | None:
    return Ref(target, source) if source and source.startswith(prefixes) else None


def _moment(at: int | None) -> datetime | None:
    return None if at is None else from_unix(at)


def _day(at: int) -> date:
    """Stripe writes days as midnight UTC."""
    return datetime.fromtimestamp(at, UTC).date()
