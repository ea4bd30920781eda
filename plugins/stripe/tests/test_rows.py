"""Every Stripe object becomes the right canonical rows."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.sdk import Customer, Dispute, Fee, Invoice, Payment, Payout, PayoutLine, Ref, Refund
from counterfoil.simulation.world import World
from counterfoil_stripe import rows
from counterfoil_stripe.money import amount
from counterfoil_stripe.simulator import billing, objects

CREATED = 1_763_640_000
CREATED_AT = datetime(2025, 11, 20, 12, tzinfo=UTC)


def charge(**changes: Any) -> dict[str, Any]:
    return {
        "id": "ch_1",
        "created": CREATED,
        "amount": 1050,
        "amount_captured": 1050,
        "amount_refunded": 0,
        "captured": True,
        "currency": "usd",
        "customer": "cus_1",
        "description": "Order #1001",
        "payment_method_details": {"type": "card", "card": {"brand": "visa"}},
        "refunded": False,
        "status": "succeeded",
        **changes,
    }


def payout(**changes: Any) -> dict[str, Any]:
    return {
        "id": "po_1",
        "created": CREATED,
        "amount": 99_950,
        "arrival_date": 1_763_769_600,
        "automatic": True,
        "currency": "eur",
        "method": "standard",
        "reconciliation_status": "completed",
        "statement_descriptor": None,
        "status": "paid",
        "trace_id": {"status": "supported", "value": "012345678901234"},
        **changes,
    }


def transaction(**changes: Any) -> dict[str, Any]:
    return {
        "id": "txn_1",
        "created": CREATED,
        "amount": 1050,
        "available_on": 1_763_769_600,
        "currency": "usd",
        "description": "Order #1001",
        "exchange_rate": None,
        "fee": 61,
        "fee_details": [],
        "net": 989,
        "reporting_category": "charge",
        "source": "ch_1",
        "status": "available",
        "type": "charge",
        **changes,
    }


def payment_of(**changes: Any) -> Payment:
    (row,) = rows.of_charge(charge(**changes))
    assert isinstance(row, Payment)
    return row


def line_of(**changes: Any) -> PayoutLine:
    (row,) = rows.of_balance_transaction(transaction(**changes))
    assert isinstance(row, PayoutLine)
    return row


def test_a_charge_becomes_a_payment() -> None:
    assert payment_of() == Payment(
        source_id="ch_1",
        source_created_at=CREATED_AT,
        amount=Decimal("10.50"),
        amount_captured=Decimal("10.50"),
        amount_refunded=Decimal("0.00"),
        currency="USD",
        status="succeeded",
        method="card",
        gateway="stripe",
        captured_at=CREATED_AT,
        customer_ref="cus_1",
        description="Order #1001",
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "succeeded"),
        ({"amount_refunded": 1050, "refunded": True}, "succeeded"),
        ({"captured": False, "amount_captured": 0}, "authorized"),
        ({"captured": False, "amount_captured": 0, "amount_refunded": 1050, "refunded": True}, "canceled"),
        ({"captured": False, "status": "failed"}, "failed"),
        ({"captured": True, "status": "pending"}, "pending"),
    ],
)
def test_a_payment_is_authorized_while_nobody_captured_it(changes: dict[str, Any], status: str) -> None:
    assert payment_of(**changes).status == status


def test_the_moment_of_capture_is_not_guessed_for_a_charge_captured_later() -> None:
    held = {"type": "card", "card": {"capture_before": CREATED + 600_000}}
    assert payment_of(payment_method_details=held).captured_at is None
    assert payment_of(captured=False, amount_captured=0).captured_at is None


def test_a_charge_without_method_or_customer_still_becomes_a_payment() -> None:
    row = payment_of(payment_method_details=None, customer=None, description=None)
    assert (row.method, row.customer_ref, row.description) == (None, None, None)


def test_a_payout_becomes_a_payout() -> None:
    assert rows.of_payout(payout()) == [
        Payout(
            source_id="po_1",
            source_created_at=CREATED_AT,
            amount=Decimal("999.50"),
            currency="EUR",
            status="paid",
            arrival_date=date(2025, 11, 22),
            method="standard",
            automatic=True,
            reconciliation_status="completed",
            trace_id="012345678901234",
        )
    ]


def test_a_payout_without_trace_id_has_none() -> None:
    (row,) = rows.of_payout(payout(trace_id=None))
    assert isinstance(row, Payout)
    assert row.trace_id is None


def test_a_balance_transaction_becomes_a_line_that_refers_to_its_payment() -> None:
    assert line_of() == PayoutLine(
        source_id="txn_1",
        source_created_at=CREATED_AT,
        kind="charge",
        reporting_category="charge",
        gross=Decimal("10.50"),
        fee=Decimal("0.61"),
        net=Decimal("9.89"),
        currency="USD",
        status="available",
        description="Order #1001",
        available_on=date(2025, 11, 22),
        payment=Ref("payment", "ch_1"),
    )


@pytest.mark.parametrize(
    ("source", "field", "target"),
    [
        ("ch_1", "payment", "payment"),
        ("py_1", "payment", "payment"),
        ("re_1", "refund", "refund"),
        ("pyr_1", "refund", "refund"),
        ("du_1", "dispute", "dispute"),
        ("dp_1", "dispute", "dispute"),
    ],
)
def test_a_line_refers_to_the_object_that_moved_the_balance(source: str, field: str, target: str) -> None:
    line = line_of(source=source)
    found = {name: getattr(line, name) for name in ("payment", "refund", "dispute") if getattr(line, name)}
    assert found == {field: Ref(target, source)}


@pytest.mark.parametrize("source", [None, "po_1", "tr_1", "tu_1"])
def test_a_line_of_something_else_refers_to_nothing(source: str | None) -> None:
    line = line_of(source=source)
    assert (line.payment, line.refund, line.dispute) == (None, None, None)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("charge", "charge"),
        ("refund", "refund"),
        ("refund_failure", "refund"),
        ("dispute", "dispute"),
        ("dispute_reversal", "dispute"),
        ("fee", "fee"),
        ("risk_reserved_funds", "reserve"),
        ("transfer", "transfer"),
        ("payout", "payout"),
        ("payout_reversal", "adjustment"),
        ("other_adjustment", "adjustment"),
        ("a_category_of_tomorrow", "adjustment"),
    ],
)
def test_the_kind_of_a_line_follows_its_reporting_category(category: str, kind: str) -> None:
    assert line_of(reporting_category=category).kind == kind


def test_a_converted_line_keeps_the_rate_as_written() -> None:
    assert line_of(exchange_rate=3.20519).exchange_rate == Decimal("3.20519")


def test_a_line_knows_its_payout_only_from_that_payouts_own_list() -> None:
    assert line_of().payout is None
    assert line_of(**{rows.PAYOUT: "po_1"}).payout == Ref("payout", "po_1")


def test_the_withdrawal_of_a_payout_is_none_of_its_own_lines() -> None:
    withdrawal = line_of(reporting_category="payout", type="payout", source="po_1", **{rows.PAYOUT: "po_1"})
    assert (withdrawal.kind, withdrawal.payout) == ("payout", None)


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**9), st.sampled_from(["usd", "jpy", "kwd", "isk"]))
def test_net_is_gross_minus_fee_to_the_last_digit(gross: int, fee: int, currency: str) -> None:
    line = line_of(amount=gross, fee=fee, net=gross - fee, currency=currency)
    assert line.net == line.gross - line.fee == amount(gross - fee, currency)
    assert line.currency == currency.upper()


def test_mapped_amounts_are_those_of_the_world_in_every_currency(world: World) -> None:
    exponents = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3, "ISK": 0}
    seen = set()
    for payment in world.payments:
        (row,) = rows.of_charge(objects.charge(world, payment, None))
        assert isinstance(row, Payment)
        assert row.amount == Decimal(payment.amount).scaleb(-exponents[payment.currency])
        assert row.currency == payment.currency
        seen.add(payment.currency)
    assert seen == set(exponents)


def test_a_line_brings_the_parts_of_its_fee() -> None:
    details = [
        {"amount": 50, "application": None, "currency": "usd", "description": "Processing", "type": "stripe_fee"},
        {"amount": 11, "application": None, "currency": "usd", "description": "VAT", "type": "tax"},
    ]
    line, *fees = rows.of_balance_transaction(transaction(fee_details=details))
    common = {"source_created_at": CREATED_AT, "currency": "USD", "payout_line": Ref("payout_line", "txn_1")}
    assert fees == [
        Fee(source_id="txn_1_fee_1", kind="stripe_fee", amount=Decimal("0.50"), description="Processing", **common),  # type: ignore[arg-type]  # a dict of several types
        Fee(source_id="txn_1_fee_2", kind="tax", amount=Decimal("0.11"), description="VAT", **common),  # type: ignore[arg-type]  # as above
    ]
    assert isinstance(line, PayoutLine)
    assert line.fee == Decimal("0.61")


def test_the_parts_of_a_fee_sum_to_it_everywhere(world: World) -> None:
    for entry in world.entries:
        line, *fees = rows.of_balance_transaction(objects.balance_transaction(world, entry))
        assert isinstance(line, PayoutLine)
        assert sum((fee.amount for fee in fees if isinstance(fee, Fee)), Decimal(0)) == line.fee


def test_a_customer_becomes_a_customer() -> None:
    customer = {
        "id": "cus_1",
        "created": CREATED,
        "email": "ada@example.com",
        "name": "Ada",
        "phone": None,
        "address": {"country": "IS"},
        "tax_exempt": "reverse",
        "currency": "isk",
    }
    expected = Customer(
        source_id="cus_1",
        source_created_at=CREATED_AT,
        email="ada@example.com",
        name="Ada",
        country="IS",
        tax_exempt=False,
        currency="ISK",
    )
    assert rows.of_customer(customer) == [expected]
    assert rows.of_customer({"id": "cus_2", "created": CREATED, "tax_exempt": "exempt", "address": None}) == [
        Customer(source_id="cus_2", source_created_at=CREATED_AT, tax_exempt=True)
    ]


def refund(**changes: Any) -> dict[str, Any]:
    card = {"reference": "74000000001", "reference_status": "available", "type": "refund"}
    return {
        "id": "re_1",
        "created": CREATED,
        "amount": 500,
        "currency": "usd",
        "charge": "ch_1",
        "reason": "duplicate",
        "status": "succeeded",
        "destination_details": {"card": card, "type": "card"},
        **changes,
    }


def test_a_refund_becomes_a_refund_of_its_payment() -> None:
    assert rows.of_refund(refund()) == [
        Refund(
            source_id="re_1",
            source_created_at=CREATED_AT,
            amount=Decimal("5.00"),
            currency="USD",
            status="succeeded",
            reason="duplicate",
            refunded_at=CREATED_AT,
            reference="74000000001",
            payment=Ref("payment", "ch_1"),
        )
    ]


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_came_to_nothing_was_never_refunded(status: str) -> None:
    (row,) = rows.of_refund(refund(status=status, failure_reason="lost_or_stolen_card", destination_details=None))
    assert isinstance(row, Refund)
    assert (row.refunded_at, row.failure_reason, row.reference) == (None, "lost_or_stolen_card", None)


def test_a_dispute_becomes_a_dispute_of_its_payment() -> None:
    dispute = {
        "id": "du_1",
        "created": CREATED,
        "amount": 1050,
        "currency": "kwd",
        "charge": "ch_1",
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_details": {"due_by": CREATED + 86_400},
    }
    expected = Dispute(
        source_id="du_1",
        source_created_at=CREATED_AT,
        amount=Decimal("1.050"),
        currency="KWD",
        status="needs_response",
        reason="fraudulent",
        evidence_due_at=datetime(2025, 11, 21, 12, tzinfo=UTC),
        payment=Ref("payment", "ch_1"),
    )
    assert rows.of_dispute(dispute) == [expected]
    (row,) = rows.of_dispute({**dispute, "evidence_details": {"due_by": None}})
    assert isinstance(row, Dispute)
    assert row.evidence_due_at is None


def test_an_invoice_becomes_an_invoice_of_its_customer(world: World) -> None:
    record = next(each for each in world.invoices if each.status == "paid" and each.currency == "USD")
    body = billing.invoice(world, record)
    assert rows.of_invoice(body) == [
        Invoice(
            source_id=body["id"],
            source_created_at=record.created_at,
            total=Decimal(record.amount) / 100,
            amount_due=Decimal(record.amount) / 100,
            amount_paid=Decimal(record.amount) / 100,
            amount_remaining=Decimal(0),
            currency="USD",
            status="paid",
            number=record.number,
            due_at=record.due_at,
            paid_at=record.paid_at,
            period_start=record.created_at,
            period_end=record.created_at,
            description=body["description"],
            customer=Ref("customer", body["customer"]),
        )
    ]


def test_a_draft_invoice_has_neither_number_nor_payment(world: World) -> None:
    record = next(each for each in world.invoices if each.status == "draft")
    (row,) = rows.of_invoice({**billing.invoice(world, record), "customer": None, "due_date": None})
    assert isinstance(row, Invoice)
    assert (row.number, row.paid_at, row.customer, row.due_at, row.amount_paid) == (None, None, None, None, Decimal(0))
