"""API keys: which account they open, and what a restricted one may read."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from counterfoil_stripe.simulator.errors import HELP, StripeError, forbidden, masked, unauthorized

if TYPE_CHECKING:
    from starlette.datastructures import Headers

# The word a restricted key says it with, and the permission Stripe's error message names.
PERMISSIONS = {
    "account": "rak_accounts_kyc_basic_read",
    "balance_transactions": "rak_balance_transaction_source_read",
    "charges": "rak_charge_read",
    "customers": "rak_customer_read",
    "disputes": "rak_dispute_read",
    "events": "rak_event_read",
    "invoices": "rak_invoice_read",
    "payment_intents": "rak_payment_intent_read",
    "payouts": "rak_payout_read",
    "refunds": "rak_charge_read",
}
_WORDS = {
    "account": {"account"},
    "balance": {"balance_transactions"},
    "charges": {"charges", "refunds"},
    "customers": {"customers"},
    "disputes": {"disputes"},
    "events": {"events"},
    "intents": {"payment_intents"},
    "invoices": {"invoices"},
    "payouts": {"payouts"},
}
_SECRET = "sk_test_"  # noqa: S105 - the public prefix of every secret key
_RESTRICTED = "rk_test_"


def key_of(headers: Headers) -> str:
    """The API key a request carries, as Bearer token or as the user name of Basic authentication; empty if none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(value).decode().partition(":")[0]
        except ValueError:
            return ""
    return ""


def authorize(key: str, *, account: str, resource: str) -> None:
    """Let the key read the resource, or raise Stripe's 401 or 403."""
    if not key:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
            "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or "
            f"{HELP}"
        )
    if key.endswith("_expired"):
        raise expired(key)
    if key in {f"{_SECRET}demo", _SECRET + account.removeprefix("acct_")}:
        return
    words = key.removeprefix(_RESTRICTED).split("_") if key.startswith(_RESTRICTED) else []
    if not words or not set(words) <= set(_WORDS):
        raise unauthorized(f"Invalid API Key provided: {masked(key)}")
    if not any(resource in _WORDS[word] for word in words):
        raise forbidden(key, account, PERMISSIONS[resource])


def expired(key: str) -> StripeError:
    return unauthorized(f"Expired API Key provided: {masked(key)}", code="api_key_expired")
