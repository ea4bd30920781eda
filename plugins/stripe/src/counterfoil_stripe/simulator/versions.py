"""Objects as older API versions wrote them (docs.stripe.com/upgrades), for `Stripe-Version` and for the events of an old account."""

from __future__ import annotations

from typing import Any

API_VERSION = "2026-10-28.endive"
OLDER_VERSION = "2019-02-19"
SPOKEN = (API_VERSION, OLDER_VERSION)

Json = dict[str, Any]


def older(body: Json) -> Json:
    """The object, or the list of them, in the shape of `OLDER_VERSION`."""
    if body.get("object") == "list":
        return {**body, "data": [older(each) for each in body["data"]]}
    change = _CHANGES.get(body.get("object", ""))
    return change(dict(body)) if change and "deleted" not in body else body


def _charge(charge: Json) -> Json:
    # Until 2022-11-15 a charge carried its refunds. The list is always empty here: nobody reads it.
    charge["refunds"] = {"object": "list", "data": [], "has_more": False, "url": f"/v1/charges/{charge['id']}/refunds"}
    return charge


def _payment_intent(intent: Json) -> Json:
    # Until 2022-11-15 an intent carried its charges instead of naming the latest.
    charges = [{"id": intent["latest_charge"], "object": "charge"}] if intent["latest_charge"] else []
    del intent["latest_charge"]
    intent["charges"] = {
        "object": "list",
        "data": charges,
        "has_more": False,
        "url": f"/v1/charges?payment_intent={intent['id']}",
    }
    return intent


def _customer(customer: Json) -> Json:
    # Until 2019-10-17 the balance had another name.
    customer["account_balance"] = customer.pop("balance")
    del customer["tax_exempt"]
    return customer


def _invoice(invoice: Json) -> Json:
    # Until 2019-03-14 an invoice had a date and no creation; until 2025-03-31 it said whether it was paid.
    invoice["date"] = invoice.pop("created")
    invoice["finalized_at"] = invoice.pop("status_transitions")["finalized_at"]
    invoice["paid"] = invoice["status"] == "paid"
    return invoice


_CHANGES = {"charge": _charge, "payment_intent": _payment_intent, "customer": _customer, "invoice": _invoice}
