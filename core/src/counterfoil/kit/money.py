"""Money is a Decimal with a currency; floats never touch it.

``CURRENCY_EXPONENTS`` is how amounts are shown (ISO 4217 minor units). What a vendor's integers mean is the vendor's
own table and lives in that vendor's plugin.
"""

from decimal import Decimal

_ZERO = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_FOUR = ("CLF", "UYW")
_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
CURRENCY_EXPONENTS = dict.fromkeys(_ZERO, 0) | dict.fromkeys(_THREE, 3) | dict.fromkeys(_FOUR, 4)
DEFAULT_EXPONENT = 2
_EXACT = 10**27


def from_minor_units(amount: int, exponent: int) -> Decimal:
    """``from_minor_units(1234, 2)`` is ``Decimal("12.34")``: exact for every integer."""
    if -_EXACT <= amount <= _EXACT:
        return Decimal(amount).scaleb(-exponent)
    # Arithmetic keeps 28 digits, what is written down keeps all.
    sign, digits, _ = Decimal(amount).as_tuple()
    return Decimal((sign, digits, -exponent))


def format_amount(amount: Decimal, currency: str | None) -> str:
    """A plain decimal string with at least the currency's places; digits beyond them are kept, never rounded away."""
    places = CURRENCY_EXPONENTS.get(currency, DEFAULT_EXPONENT) if currency else 0
    text = f"{amount:f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    return f"{whole}.{fraction}" if fraction else whole
