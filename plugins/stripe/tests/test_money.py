"""Stripe's integers become exact decimals, by Stripe's own table."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil_stripe.money import amount, exponent

CURRENCIES = ("usd", "eur", "gbp", "jpy", "krw", "kwd", "bhd", "isk", "ugx", "huf", "twd", "mga", "usdc")


@given(st.integers(-(10**17), 10**17), st.sampled_from(CURRENCIES))
def test_an_amount_goes_back_to_the_integer_it_came_from(minor_units: int, currency: str) -> None:
    value = amount(minor_units, currency)
    assert value * 10 ** exponent(currency) == minor_units
    assert -value.as_tuple().exponent == exponent(currency)  # type: ignore[operator]  # never infinite


@given(st.lists(st.integers(-(10**12), 10**12), max_size=50), st.sampled_from(CURRENCIES))
def test_a_sum_of_amounts_is_the_amount_of_the_sum(minor_units: list[int], currency: str) -> None:
    total = sum((amount(each, currency) for each in minor_units), Decimal(0))
    assert total == amount(sum(minor_units), currency)


@pytest.mark.parametrize(
    ("minor_units", "currency", "value"),
    [
        (1050, "usd", "10.50"),
        (-1, "EUR", "-0.01"),
        (500, "jpy", "500"),
        (5120, "kwd", "5.120"),
        (500, "isk", "5.00"),  # special case: written with two decimals that are always 00
        (500, "ugx", "5.00"),  # special case, although it stands on the zero-decimal list too
        (80045, "twd", "800.45"),  # zero-decimal for manual payouts only
        (1000, "huf", "10.00"),
        (500, "mga", "500"),  # two decimals in ISO 4217, none at Stripe
    ],
)
def test_the_currencies_page_of_stripe_is_followed(minor_units: int, currency: str, value: str) -> None:
    assert str(amount(minor_units, currency)) == value
