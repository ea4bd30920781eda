from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.money import format_amount, from_minor_units

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**11), max_value=10**11)


@given(amount=st.integers(-(10**15), 10**15), exponent=st.integers(0, 6))
def test_minor_units_are_exact(amount: int, exponent: int) -> None:
    assert from_minor_units(amount, exponent) * 10**exponent == amount


@given(amount=amounts, currency=st.sampled_from(["USD", "JPY", "KWD", "USDC", None]))
def test_formatting_never_changes_the_value(amount: Decimal, currency: str | None) -> None:
    assert Decimal(format_amount(amount, currency)) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12.340000", "USD", "12.34"),
        ("12.000000", "USD", "12.00"),
        ("1234.000000", "JPY", "1234"),
        ("1.500000", "KWD", "1.500"),
        ("0.000000", "USD", "0.00"),
        ("-0.500000", "EUR", "-0.50"),
        ("1.234567", "USD", "1.234567"),
        ("1.5", "JPY", "1.5"),
    ],
)
def test_amounts_show_the_places_of_their_currency(amount: str, currency: str, text: str) -> None:
    assert format_amount(Decimal(amount), currency) == text
