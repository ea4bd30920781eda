"""Stripe's integers as exact decimals.

The exponents are Stripe's, not ISO 4217's (docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies"
and "Special cases"): ISK and UGX have no minor unit in life but are written with two decimals that are always 00, MGA has one
in ISO and none at Stripe. UGX stands on the page's zero-decimal list as well; its special case is what the API does.
HUF and TWD are zero-decimal for the amounts a manual payout may have, and still written with two decimals.
"""

from decimal import Decimal

from counterfoil.sdk import from_minor_units

_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMAL = "bhd jod kwd omr tnd"
_EXPONENTS = dict.fromkeys(_ZERO_DECIMAL.split(), 0) | dict.fromkeys(_THREE_DECIMAL.split(), 3)
_TWO_DECIMAL = 2


def exponent(currency: str) -> int:
    """How many decimals Stripe's integers of this currency carry; the code in any case."""
    return _EXPONENTS.get(currency.lower(), _TWO_DECIMAL)


def amount(minor_units: int, currency: str) -> Decimal:
    """The amount in the currency itself: `amount(1050, "usd")` is 10.50, `amount(1050, "jpy")` is 1050."""
    return from_minor_units(minor_units, exponent(currency))
