"""More Stripe objects rendered from a world: customers, payment intents, refunds, disputes and invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from counterfoil_stripe.simulator import objects
from counterfoil_stripe.simulator.objects import minor, unix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterfoil.simulation.records import BalanceEntry, Customer, Dispute, Invoice, Order, Payment, Refund
    from counterfoil.simulation.world import World


def customer(world: World, record: Customer) -> dict[str, Any]:
    return {
        "id": objects.customer_id(world, record.id),
        "object": "customer",
        "address": {
            "city": None,
            "country": record.country,
            "line1": None,
            "line2": None,
            "postal_code": None,
            "state": None,
        },
        "balance": 0,
        "created": unix(record.created_at),
        "currency": record.currency.lower(),
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": record.email,
        "invoice_prefix": f"TT{record.id:06d}",
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": record.name,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def deleted_customer(object_id: str) -> dict[str, Any]:
    """What Stripe still says of a customer that was deleted."""
    return {"id": object_id, "object": "customer", "deleted": True}


def payment_intent(world: World, order: Order, latest: Payment | None) -> dict[str, Any]:
    """The intent to pay for an order, after its latest attempt; before the first there is none."""
    amount = minor(order.total, order.currency)
    is_held = latest is not None and latest.status == "authorized"
    is_paid = latest is not None and latest.status == "succeeded"
    declined = latest if latest is not None and latest.decline_code else None
    error = {
        "code": "card_declined",
        "decline_code": declined.decline_code,
        "message": "Your card was declined.",
        "type": "card_error",
    } if declined else None  # fmt: skip
    return {
        "id": objects.payment_intent_id(world, order.id),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": amount if is_held else 0,
        "amount_received": amount if is_paid else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": unix(order.placed_at),
        "currency": order.currency.lower(),
        "customer": objects.customer_id(world, order.customer_id),
        "customer_account": None,
        "description": f"Order {order.number}",
        "last_payment_error": error,
        "latest_charge": objects.charge_id(world, latest.id) if latest else None,
        "livemode": False,
        "metadata": {"order_number": order.number},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if is_paid else "requires_capture" if is_held else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def refund(world: World, record: Refund, entries: Sequence[BalanceEntry]) -> dict[str, Any]:
    """`entries` are those of the refund: the money it took, and the money that came back if it failed."""
    taken = {entry.kind: objects.transaction_id(world, entry.id) for entry in entries}
    has_failed = record.status == "failed"
    card = {
        "reference": f"{7_400_000_000 + record.id:023d}" if record.status == "succeeded" else None,
        "reference_status": "available" if record.status == "succeeded" else "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    return {
        "id": objects.refund_id(world, record.id),
        "object": "refund",
        "amount": minor(record.amount, record.currency),
        "balance_transaction": taken.get("refund"),
        "charge": objects.charge_id(world, record.payment_id),
        "created": unix(record.created_at),
        "currency": record.currency.lower(),
        "destination_details": {"card": card, "type": "card"},
        "failure_balance_transaction": taken.get("refund_failure"),
        "failure_reason": "expired_or_canceled_card" if has_failed else None,
        "metadata": {},
        "payment_intent": objects.payment_intent_id(world, record.order_id),
        "pending_reason": "processing" if record.status == "pending" else None,
        "reason": record.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": record.status,
        "transfer_reversal": None,
    }


def dispute(world: World, record: Dispute, entries: Sequence[BalanceEntry]) -> dict[str, Any]:
    """`entries` are those of the dispute: what it took, and what came back when it was won."""
    is_answered = record.status != "needs_response"
    return {
        "id": objects.dispute_id(world, record.id),
        "object": "dispute",
        "amount": minor(record.amount, record.currency),
        "balance_transactions": [objects.balance_transaction(world, entry) for entry in entries],
        "charge": objects.charge_id(world, record.payment_id),
        "created": unix(record.opened_at),
        "currency": record.currency.lower(),
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": unix(record.evidence_due_at),
            "has_evidence": is_answered,
            "past_due": False,
            "submission_count": int(is_answered),
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": None,
        "payment_intent": objects.payment_intent_id(world, record.order_id),
        "payment_method_details": {"card": {"brand": "visa", "case_type": "chargeback"}, "type": "card"},
        "reason": record.reason,
        "status": record.status,
    }


def invoice(world: World, record: Invoice) -> dict[str, Any]:
    amount = minor(record.amount, record.currency)
    paid = amount if record.status == "paid" else 0
    customer_record = world.customers[record.customer_id]
    is_voided = record.status == "void"
    closed_at = unix(record.closed_at) if record.closed_at else None
    return {
        "id": objects.invoice_id(world, record.id),
        "object": "invoice",
        "account_country": "US",
        "amount_due": amount,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_remaining": amount - paid,
        "amount_shipping": 0,
        "attempted": record.payment_id is not None,
        "auto_advance": False,
        "billing_reason": "manual",
        "collection_method": "send_invoice",
        "created": unix(record.created_at),
        "currency": record.currency.lower(),
        "custom_fields": None,
        "customer": objects.customer_id(world, record.customer_id),
        "customer_account": None,
        "customer_email": customer_record.email,
        "customer_name": customer_record.name,
        "description": f"Order {world.orders[record.order_id].number}",
        "due_date": unix(record.due_at),
        "ending_balance": None if record.status == "draft" else 0,
        "footer": None,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {"order_number": world.orders[record.order_id].number},
        "number": None if record.status == "draft" else record.number,
        "on_behalf_of": None,
        "parent": None,
        "period_end": unix(record.created_at),
        "period_start": unix(record.created_at),
        "receipt_number": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": record.status,
        "status_transitions": {
            "finalized_at": unix(record.finalized_at) if record.finalized_at else None,
            "marked_uncollectible_at": closed_at if record.status == "uncollectible" else None,
            "paid_at": unix(record.paid_at) if record.paid_at else None,
            "voided_at": closed_at if is_voided else None,
        },
        "subtotal": amount,
        "test_clock": None,
        "total": amount,
        "webhooks_delivered_at": None,
    }
