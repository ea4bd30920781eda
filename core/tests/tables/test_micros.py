"""Comparing millionths says the same as comparing amounts."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.tables.micros import amount_of, equal_to, rounded_down, rounded_up

LARGEST = 10**18 - 1
# As stored: six places, twelve digits before them.
micros = st.integers(-LARGEST, LARGEST)
# As asked for: any number of places and digits, and often right beside a stored amount.
anything = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
beside = st.builds(
    lambda number, off: amount_of(number) + Decimal(off).scaleb(-8),
    st.integers(-(10**9), 10**9),
    st.integers(-200, 200),
)


@pytest.mark.parametrize(
    ("compare", "bound"),
    [
        (operator.gt, rounded_down),
        (operator.le, rounded_down),
        (operator.ge, rounded_up),
        (operator.lt, rounded_up),
        (operator.eq, equal_to),
    ],
)
@given(stored=st.one_of(micros, st.integers(-(10**9), 10**9)), asked=st.one_of(anything, beside))
def test_a_bound_in_millionths_lets_the_same_amounts_through(
    compare: Callable[[Any, Any], bool], bound: Callable[[Decimal], int | None], stored: int, asked: Decimal
) -> None:
    assert compare(stored, bound(asked)) == compare(amount_of(stored), asked)


@given(stored=micros)
def test_an_amount_is_exactly_its_millionths(stored: int) -> None:
    assert equal_to(amount_of(stored)) == rounded_up(amount_of(stored)) == rounded_down(amount_of(stored)) == stored


@pytest.mark.parametrize("sign", [1, -1])
def test_what_no_bigint_holds_is_beyond_every_amount(sign: int) -> None:
    bound = rounded_up(sign * Decimal(10) ** 99)
    assert abs(bound) < 2**63
    assert bound == sign * 10**18
