"""Stripe objects of the API version `versions.API_VERSION`, rendered from the records of a world."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from counterfoil.simulation.markets import SHOP_NAME
from counterfoil_stripe.simulator.ids import account_id, stripe_id

if TYPE_CHECKING:
    from datetime import date

    from counterfoil.simulation.records import BalanceEntry, EntryKind, Payment, Payout
    from counterfoil.simulation.world import World

# docs.stripe.com/currencies, special cases: ISK is written with two decimals that are always 00. Kept apart from the connector's
# own table on purpose: a mistake there must not cancel itself out here.
_MINOR_UNIT_FACTOR = {"ISK": 100}

_TYPES: dict[EntryKind, tuple[str, str]] = {
    "payment": ("charge", "charge"),
    "refund": ("refund", "refund"),
    "refund_failure": ("refund_failure", "refund_failure"),
    "dispute": ("adjustment", "dispute"),
    "dispute_reversal": ("adjustment", "dispute_reversal"),
    "processor_fee": ("stripe_fee", "fee"),
    "payout": ("payout", "payout"),
    "payout_failure": ("payout_failure", "payout_reversal"),
}


def minor(amount: int, currency: str) -> int:
    return amount * _MINOR_UNIT_FACTOR.get(currency, 1)


def unix(at: datetime | date) -> int:
    moment = at if isinstance(at, datetime) else datetime.combine(at, time(), tzinfo=UTC)
    return int(moment.timestamp())


def account(world: World) -> dict[str, Any]:
    opened_at = world.orders[0].placed_at if world.orders else world.as_of
    return {
        "id": account_id(world.seed),
        "object": "account",
        "business_profile": {
            "mcc": "5719",
            "name": SHOP_NAME,
            "support_email": None,
            "url": "https://tern-and-thistle.example",
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": unix(opened_at),
        "default_currency": "usd",
        "details_submitted": True,
        "email": "finance@tern-and-thistle.example",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "dashboard": {"display_name": SHOP_NAME, "timezone": "Etc/UTC"},
            "payouts": {
                "debit_negative_balances": True,
                "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": None,
            },
        },
        "type": "standard",
    }


def charge_id(world: World, payment_id: int) -> str:
    return stripe_id("ch", world.seed, payment_id)


def customer_id(world: World, number: int) -> str:
    return stripe_id("cus", world.seed, number)[:18]


def payment_intent_id(world: World, order_id: int) -> str:
    """Every attempt to pay for an order belongs to one intent."""
    return stripe_id("pi", world.seed, order_id)


def refund_id(world: World, number: int) -> str:
    return stripe_id("re", world.seed, number)


def dispute_id(world: World, number: int) -> str:
    return stripe_id("du", world.seed, number)


def invoice_id(world: World, number: int) -> str:
    return stripe_id("in", world.seed, number)


def payout_id(world: World, number: int) -> str:
    return stripe_id("po", world.seed, number)


def transaction_id(world: World, entry_id: int) -> str:
    return stripe_id("txn", world.seed, entry_id)


def charge(world: World, payment: Payment, entry_id: int | None) -> dict[str, Any]:
    order = world.orders[payment.order_id]
    customer = world.customers[payment.customer_id]
    card = stripe_id("pm", world.seed, f"{payment.customer_id}-{payment.card_last4}")
    is_paid = payment.status != "failed"
    capture_before = {"capture_before": unix(payment.created_at) + 7 * 86_400} if payment.status == "authorized" else {}
    decline_message = "Your card was declined." if payment.decline_code else None
    outcome = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if is_paid else "declined_by_network",
        "reason": payment.decline_code,
        "risk_level": "normal",
        "risk_score": payment.id % 60,
        "seller_message": "Payment complete."
        if is_paid
        else "The bank did not return any further details with this decline.",
        "type": "authorized" if is_paid else "issuer_declined",
    }
    return {
        "id": charge_id(world, payment.id),
        "object": "charge",
        "amount": minor(payment.amount, payment.currency),
        "amount_captured": minor(payment.captured, payment.currency),
        "amount_refunded": minor(payment.refunded, payment.currency),
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None if entry_id is None else transaction_id(world, entry_id),
        "billing_details": {
            "address": {
                "city": None,
                "country": customer.country,
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "email": customer.email,
            "name": customer.name,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "TERN AND THISTLE",
        "captured": payment.captured > 0,
        "created": unix(payment.created_at),
        "currency": payment.currency.lower(),
        "customer": customer_id(world, customer.id),
        "description": f"Order {order.number}",
        "destination": None,
        "dispute": None,
        "disputed": payment.disputed,
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if payment.decline_code else None,
        "failure_message": decline_message,
        "fraud_details": {},
        "livemode": False,
        "metadata": {"order_number": order.number},
        "on_behalf_of": None,
        "order": None,
        "outcome": outcome,
        "paid": is_paid,
        "payment_intent": payment_intent_id(world, payment.order_id),
        "payment_method": card,
        "payment_method_details": {
            "card": {
                "amount_authorized": minor(payment.amount, payment.currency) if is_paid else None,
                "brand": payment.card_brand,
                **capture_before,
                "country": customer.country,
                "exp_month": 1 + payment.customer_id % 12,
                "exp_year": 2028 + payment.customer_id % 4,
                "fingerprint": stripe_id("fp", world.seed, card)[3:19],
                "funding": "credit",
                "last4": payment.card_last4,
                "network": payment.card_brand,
                "three_d_secure": None,
                "wallet": None,
            },
            "type": "card",
        },
        "radar_options": {},
        "receipt_email": customer.email,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": payment.captured > 0 and payment.refunded == payment.captured,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if is_paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def balance_transaction(world: World, entry: BalanceEntry) -> dict[str, Any]:
    kind, category = _TYPES[entry.kind]
    currency = entry.currency.lower()
    fee = minor(entry.fee, entry.currency)
    fee_description = "Dispute fee" if entry.kind == "dispute" else "Stripe processing fees"
    fee_details = [
        {"amount": fee, "application": None, "currency": currency, "description": fee_description, "type": "stripe_fee"}
    ]
    return {
        "id": transaction_id(world, entry.id),
        "object": "balance_transaction",
        "amount": minor(entry.amount, entry.currency),
        "available_on": unix(entry.available_on),
        "balance_type": "payments",
        "created": unix(entry.created_at),
        "currency": currency,
        "description": _description(world, entry),
        "exchange_rate": None if entry.exchange_rate is None else float(entry.exchange_rate),
        "fee": fee,
        "fee_details": fee_details if fee else [],
        "net": minor(entry.net, entry.currency),
        "reporting_category": category,
        "source": source_id(world, entry),
        "status": entry.status,
        "type": kind,
    }


def transaction_type(entry: BalanceEntry) -> str:
    return _TYPES[entry.kind][0]


def source_id(world: World, entry: BalanceEntry) -> str | None:
    """The object that moved the balance: what `source` names."""
    if entry.payout_id is not None:
        return payout_id(world, entry.payout_id)
    if entry.refund_id is not None:
        return refund_id(world, entry.refund_id)
    if entry.dispute_id is not None:
        return dispute_id(world, entry.dispute_id)
    return None if entry.payment_id is None else charge_id(world, entry.payment_id)


def payout(world: World, record: Payout) -> dict[str, Any]:
    has_failed = record.status == "failed"
    failure_entry = record.failure_entry_id
    has_trace = record.status in {"paid", "failed"}
    return {
        "id": payout_id(world, record.id),
        "object": "payout",
        "amount": minor(record.amount, record.currency),
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": unix(record.arrival_on),
        "automatic": True,
        "balance_transaction": transaction_id(world, record.entry_id),
        "created": unix(record.created_at),
        "currency": record.currency.lower(),
        "description": "STRIPE PAYOUT",
        "destination": stripe_id("ba", world.seed, record.currency),
        "failure_balance_transaction": None if failure_entry is None else transaction_id(world, failure_entry),
        "failure_code": "could_not_process" if has_failed else None,
        "failure_message": "The bank could not process this payout." if has_failed else None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed" if record.reconciled else "in_progress",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": record.status,
        "trace_id": {"status": "supported", "value": record.trace_id}
        if has_trace
        else {"status": "pending", "value": None},
        "type": "bank_account",
    }


def _description(world: World, entry: BalanceEntry) -> str | None:
    if entry.kind == "processor_fee":
        return f"Radar for Fraud Teams ({entry.created_at:%B %Y})"
    if entry.payout_id is not None:
        return "STRIPE PAYOUT" if entry.kind == "payout" else "STRIPE PAYOUT FAILURE"
    if entry.payment_id is None:
        return None
    order = world.orders[world.payments[entry.payment_id].order_id]
    if entry.refund_id is not None:
        what = "REFUND FOR CHARGE" if entry.kind == "refund" else "REFUND FAILURE"
        return f"{what} (Order {order.number})"
    return f"Order {order.number}"
