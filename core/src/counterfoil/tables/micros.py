"""Amounts as whole numbers of millionths, by which an index has them in order.

A stored amount has six places, so it is such a number exactly. What it is compared with may have any number of places: then
the nearest whole number on the right side says the same of every stored amount.
"""

import math
from decimal import Decimal
from fractions import Fraction

_PER_UNIT = 10**6
# No stored amount reaches this, and a bigint holds it.
_BEYOND = 10**18


def rounded_up(amount: Decimal) -> int:
    """An amount is at least this many millionths just when it is at least the one given."""
    return _held(math.ceil(_exactly(amount)))


def rounded_down(amount: Decimal) -> int:
    """An amount is at most this many millionths just when it is at most the one given."""
    return _held(math.floor(_exactly(amount)))


def equal_to(amount: Decimal) -> int | None:
    """The amount in millionths; None where it has more places, so that no stored one is equal to it."""
    exact = _exactly(amount)
    return _held(exact.numerator) if exact.denominator == 1 else None


def amount_of(micros: int) -> Decimal:
    return Decimal(micros).scaleb(-6)


def _exactly(amount: Decimal) -> Fraction:
    return Fraction(amount) * _PER_UNIT


def _held(number: int) -> int:
    return max(-_BEYOND, min(_BEYOND, number))
