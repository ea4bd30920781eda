"""Where the shop of the simulated world sells, what it sells, and to whom: the constants of the story."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

SHOP_NAME = "Tern & Thistle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Market:
    """A country the shop sells to.

    `per_usd` is the price level in minor units of `currency` per US cent; every price, tax and refund is a multiple of `step`.
    Sales in a currency the shop holds no balance in are converted to `settlement` at about `rate`.
    """

    country: str
    weight: float
    currency: str
    exponent: int
    step: int
    per_usd: Decimal
    tax_percent: Decimal
    shipping: int
    settlement: str
    rate: Decimal | None
    fee_basis_points: int


MARKETS = (
    Market(
        country="US", weight=0.50, currency="USD", exponent=2, step=1, per_usd=Decimal(1), tax_percent=Decimal("7.25"),
        shipping=695, settlement="USD", rate=None, fee_basis_points=290,
    ),
    Market(
        country="DE", weight=0.22, currency="EUR", exponent=2, step=1, per_usd=Decimal("0.91"), tax_percent=Decimal(19),
        shipping=490, settlement="EUR", rate=None, fee_basis_points=150,
    ),
    Market(
        country="GB", weight=0.12, currency="GBP", exponent=2, step=1, per_usd=Decimal("0.78"), tax_percent=Decimal(20),
        shipping=395, settlement="GBP", rate=None, fee_basis_points=150,
    ),
    Market(
        country="JP", weight=0.09, currency="JPY", exponent=0, step=1, per_usd=Decimal("1.5"), tax_percent=Decimal(10),
        shipping=800, settlement="JPY", rate=None, fee_basis_points=360,
    ),
    Market(
        country="KW", weight=0.05, currency="KWD", exponent=3, step=10, per_usd=Decimal("3.1"), tax_percent=Decimal(0),
        shipping=2500, settlement="USD", rate=Decimal("3.254"), fee_basis_points=540,
    ),
    Market(
        country="IS", weight=0.02, currency="ISK", exponent=0, step=1, per_usd=Decimal("1.38"), tax_percent=Decimal(24),
        shipping=990, settlement="EUR", rate=Decimal("0.0066"), fee_basis_points=525,
    ),
)  # fmt: skip
BY_CURRENCY = {market.currency: market for market in MARKETS}

EXPONENTS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3, "ISK": 0}
FIXED_FEE = {"USD": 30, "EUR": 25, "GBP": 20, "JPY": 40}
DISPUTE_FEE = {"USD": 1500, "EUR": 2000, "GBP": 2000, "JPY": 1300}
MONTHLY_FEE = {"USD": 4900, "EUR": 2500}

CARDS = ("visa", "visa", "visa", "mastercard", "mastercard", "amex")
DECLINES = ("insufficient_funds", "generic_decline", "do_not_honor", "expired_card")

FIRST_NAMES = (
    "Ada", "Amélie", "Björn", "Carlos", "Chiara", "Dina", "Emeka", "Fatima", "Grace", "Hana", "Ingrid", "Jónas", "Kenji", "Lina",
    "Małgorzata", "Noah", "Olu", "Priya", "Quinn", "Rosa", "Søren", "Tomoko", "Uma", "Viktor", "Wen", "Yusuf", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Al-Sabah", "Andersen", "Bianchi", "Chen", "Dubois", "Eriksen", "Fischer", "García", "Hughes", "Ito", "Jónsdóttir", "Kowalska",
    "Lopez", "Müller", "Nakamura", "O'Brien", "Okafor", "Patel", "Quist", "Rossi", "Smith", "Tanaka", "Ueda", "Wagner", "Young",
)  # fmt: skip
MATERIALS = ("Linen", "Merino", "Oak", "Stoneware", "Brass", "Recycled", "Beeswax", "Cedar")
GOODS = (
    ("Apron", "Kitchen", 4200), ("Blanket", "Home", 12900), ("Candle", "Home", 2600), ("Mug", "Kitchen", 1800),
    ("Notebook", "Paper", 1450), ("Serving Board", "Kitchen", 5900), ("Tote", "Bags", 3400), ("Wall Hook", "Home", 1200),
)  # fmt: skip
VENDORS = ("Tern & Thistle", "Harbour Works", "North Loom")
