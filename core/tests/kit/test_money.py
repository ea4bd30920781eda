from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from counterfoil.kit.money import CURRENCY_EXPONENTS, DEFAULT_EXPONENT, format_amount, from_minor_units

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**11), max_value=10**11)


@given(amount=st.integers(-(10**15), 10**15) | st.integers(), exponent=st.integers(0, 6))
@example(amount=10**40 + 1, exponent=2)
@example(amount=-(10**27) - 1, exponent=3)
@example(amount=-1, exponent=4)
def test_minor_units_are_exact(amount: int, exponent: int) -> None:
    value = from_minor_units(amount, exponent)
    # Counted in whole numbers: a decimal's own arithmetic would round what it is to prove.
    assert Fraction(value) * 10**exponent == amount
    assert value.as_tuple().exponent == -exponent


@given(
    amount=st.integers(-(10**15), 10**15) | st.integers(),
    currency=st.sampled_from([*CURRENCY_EXPONENTS, "USD", "EUR", "CHF", "MGA"]),
)
def test_an_amount_is_written_and_read_back_to_the_minor_unit_in_every_currency(amount: int, currency: str) -> None:
    exponent = CURRENCY_EXPONENTS.get(currency, DEFAULT_EXPONENT)
    text = format_amount(from_minor_units(amount, exponent), currency)
    assert Fraction(text) * 10**exponent == amount
    _, _, fraction = text.partition(".")
    assert len(fraction) == exponent


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
        ("1.500000", "CLF", "1.5000"),
        ("0.000000", "USD", "0.00"),
        ("-0.500000", "EUR", "-0.50"),
        ("1.234567", "USD", "1.234567"),
        ("1.5", "JPY", "1.5"),
    ],
)
def test_amounts_show_the_places_of_their_currency(amount: str, currency: str, text: str) -> None:
    assert format_amount(Decimal(amount), currency) == text
