"""Orders, payments, refunds and disputes: what happens in the shop between two moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

from counterfoil.simulation import markets
from counterfoil.simulation.markets import MARKETS, Market
from counterfoil.simulation.records import BalanceEntry, Customer, Dispute, Order, OrderLine, Payment, Product, Refund

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from random import Random

    from counterfoil.simulation.records import DisputeStatus, EntryKind, RefundReason, RefundStatus, Snapshot

T = TypeVar("T")

_FIRST_ORDER_NUMBER = 1001
_DECLINE_RATE = 0.04
_RETRY_RATE = 0.6
_REFUND_RATE = 0.06
_SECOND_REFUND_RATE = 0.12
_FULL_REFUND_RATE = 0.55
_DISPUTE_RATE = 0.006
_AUTHORIZED_ONLY_RATE = 0.04
_CAPTURE_WINDOW = timedelta(days=5)
_SETTLEMENT_DELAY_DAYS = 2
_RECENT = timedelta(days=5)


def catalogue() -> tuple[Product, ...]:
    """Every product of the shop: each good in each material, the same in every world."""
    return tuple(
        Product(
            id=position,
            sku=f"TT-{position + 1:03d}",
            title=f"{material} {good}",
            vendor=markets.VENDORS[position % len(markets.VENDORS)],
            category=category,
            price_usd=price * (20 + position // len(markets.GOODS)) // 20,
        )
        for position, (material, (good, category, price)) in enumerate(
            (material, goods) for material in markets.MATERIALS for goods in markets.GOODS
        )
    )


def rounded(value: Decimal, step: int = 1) -> int:
    return int((value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step


class Trading:
    """The books of the shop while they are being written: lists that only grow, and later facts about earlier payments.

    Nothing dated after `horizon` is written: it has not happened yet.
    """

    def __init__(self, rng: Random, *, horizon: datetime, products: tuple[Product, ...]) -> None:
        self._rng = rng
        self._horizon = horizon
        self._products = products
        self._thresholds = list(accumulate(market.weight for market in MARKETS))
        self.customers: list[Customer] = []
        self.orders: list[Order] = []
        self.payments: list[Payment] = []
        self.refunds: list[Refund] = []
        self.disputes: list[Dispute] = []
        self.entries: list[BalanceEntry] = []

    def take_over(self, before: Snapshot) -> None:
        """Go on writing the books of a shop as they are."""
        self.customers += before.customers
        self.orders += before.orders
        self.payments += before.payments
        self.refunds += before.refunds
        self.disputes += before.disputes
        self.entries += before.entries

    def place_order(self, placed_at: datetime) -> None:
        """One order with its payment attempts, and what becomes of the money before the horizon."""
        rng = self._rng
        customer = self._customer(placed_at)
        market = markets.BY_CURRENCY[customer.currency]
        lines = tuple(self._line(market) for _ in range(1 + int(rng.random() * rng.random() * 4)))
        shipping = 0 if rng.random() < 0.3 else market.shipping  # noqa: PLR2004 - three orders in ten ship free
        order = Order(
            id=len(self.orders),
            number=f"#{_FIRST_ORDER_NUMBER + len(self.orders)}",
            customer_id=customer.id,
            country=customer.country,
            currency=market.currency,
            placed_at=placed_at,
            lines=lines,
            subtotal=sum(line.unit_price * line.quantity for line in lines),
            discount=sum(line.discount for line in lines),
            shipping=shipping,
            tax=sum(line.tax for line in lines),
            total=sum(line.total for line in lines) + shipping,
        )
        self.orders.append(order)
        # An order placed in the last seconds is paid at the horizon rather than after it, so that no fresh order lacks its payment.
        attempt_at = min(placed_at + timedelta(seconds=5 + int(rng.random() * 40)), self._horizon)
        if rng.random() < _DECLINE_RATE:
            self._attempt(order, attempt_at, captured=False, decline_code=self._pick(markets.DECLINES))
            if rng.random() > _RETRY_RATE:
                return
            attempt_at = min(attempt_at + timedelta(seconds=30 + int(rng.random() * 300)), self._horizon)
        self._collect(order, market, attempt_at)

    def refund_recent(self, at: datetime) -> None:
        """A full refund of a payment of the last days, chosen at random; none when there is none to refund."""
        candidates = [
            payment
            for payment in self.payments[-500:]
            if payment.captured and not payment.refunded and not payment.disputed and at - payment.created_at < _RECENT
        ]
        if candidates:
            payment = self._pick(candidates)
            self._refund(payment, amount=payment.captured, at=at)

    def charge_monthly_fees(self, first_day: datetime) -> None:
        """What the processor bills for its services on the first of each month until the horizon."""
        at = first_day.replace(day=1, hour=6, minute=0, second=0, microsecond=0)
        while (at := (at + timedelta(days=32)).replace(day=1)) <= self._horizon:
            for currency, fee in markets.MONTHLY_FEE.items():
                self._enter("processor_fee", -fee, currency=currency, at=at)

    def _pick(self, options: Sequence[T]) -> T:
        return options[int(self._rng.random() * len(options))]

    def _customer(self, at: datetime) -> Customer:
        if self.customers and self._rng.random() < 0.6:  # noqa: PLR2004 - six orders in ten are repeat business
            return self._pick(self.customers)
        point = self._rng.random() * self._thresholds[-1]
        market = next(market for market, limit in zip(MARKETS, self._thresholds, strict=True) if point <= limit)
        number = len(self.customers)
        customer = Customer(
            id=number,
            name=f"{self._pick(markets.FIRST_NAMES)} {self._pick(markets.LAST_NAMES)}",
            email=f"customer{number + 1}@example.com",
            country=market.country,
            currency=market.currency,
            created_at=at,
        )
        self.customers.append(customer)
        return customer

    def _line(self, market: Market) -> OrderLine:
        rng = self._rng
        product = self._pick(self._products)
        quantity = 1 + int(rng.random() ** 3 * 4)
        unit_price = rounded(product.price_usd * market.per_usd, market.step)
        gross = unit_price * quantity
        discount = rounded(gross * Decimal("0.15"), market.step) if rng.random() < 0.1 else 0  # noqa: PLR2004 - one line in ten is on offer
        tax = rounded((gross - discount) * market.tax_percent / 100, market.step)
        return OrderLine(
            product_id=product.id,
            quantity=quantity,
            unit_price=unit_price,
            discount=discount,
            tax=tax,
            total=gross - discount + tax,
        )

    def _attempt(self, order: Order, at: datetime, *, captured: bool, decline_code: str | None) -> Payment:
        payment = Payment(
            id=len(self.payments),
            order_id=order.id,
            customer_id=order.customer_id,
            amount=order.total,
            captured=order.total if captured else 0,
            refunded=0,
            currency=order.currency,
            status="failed" if decline_code else "succeeded" if captured else "authorized",
            card_brand=self._pick(markets.CARDS),
            card_last4=f"{int(self._rng.random() * 10_000):04d}",
            created_at=at,
            captured_at=at if captured else None,
            decline_code=decline_code,
            disputed=False,
        )
        self.payments.append(payment)
        return payment

    def _collect(self, order: Order, market: Market, at: datetime) -> None:
        rng = self._rng
        is_recent = at > self._horizon - _CAPTURE_WINDOW
        if is_recent and rng.random() < _AUTHORIZED_ONLY_RATE:
            self._attempt(order, at, captured=False, decline_code=None)
            return
        payment = self._attempt(order, at, captured=True, decline_code=None)
        self._credit(payment, market, at)
        draw = rng.random()
        if draw < _DISPUTE_RATE:
            self._dispute(payment, market)
        elif draw < _DISPUTE_RATE + _REFUND_RATE:
            self._maybe_refund(payment, market)

    def _credit(self, payment: Payment, market: Market, at: datetime) -> None:
        amount, rate = self._settled(payment.amount, market)
        fee = rounded(Decimal(amount * market.fee_basis_points) / 10_000) + markets.FIXED_FEE[market.settlement]
        self._enter(
            "payment",
            amount,
            fee=fee,
            currency=market.settlement,
            at=at,
            delay_days=_SETTLEMENT_DELAY_DAYS,
            exchange_rate=rate,
            payment_id=payment.id,
        )

    def _maybe_refund(self, payment: Payment, market: Market) -> None:
        rng = self._rng
        at = payment.created_at + timedelta(seconds=int(3600 + rng.random() ** 2 * 20 * 86_400))
        if rng.random() < _FULL_REFUND_RATE:
            self._refund(payment, amount=payment.captured, at=at)
            return
        part = rounded(Decimal(payment.captured) * int(10 + rng.random() * 40) / 100, market.step)
        refunded = self._refund(payment, amount=part, at=at)
        if rng.random() < _SECOND_REFUND_RATE:
            self._refund(refunded, amount=part, at=at + timedelta(days=1, seconds=int(rng.random() * 86_400)))

    def _refund(self, payment: Payment, *, amount: int, at: datetime, status: RefundStatus = "succeeded") -> Payment:
        if at > self._horizon or amount <= 0:
            return payment
        market = markets.BY_CURRENCY[payment.currency]
        reasons: tuple[RefundReason, ...] = (
            "requested_by_customer",
            "requested_by_customer",
            "duplicate",
            "fraudulent",
        )
        refund = Refund(
            id=len(self.refunds),
            payment_id=payment.id,
            order_id=payment.order_id,
            amount=amount,
            currency=payment.currency,
            reason=self._pick(reasons),
            created_at=at,
            status=status,
        )
        self.refunds.append(refund)
        settled, rate = self._settled(amount, market)
        self._enter(
            "refund",
            -settled,
            currency=market.settlement,
            at=at,
            exchange_rate=rate,
            payment_id=payment.id,
            refund_id=refund.id,
        )
        self.payments[payment.id] = replace(payment, refunded=payment.refunded + amount)
        return self.payments[payment.id]

    def _dispute(self, payment: Payment, market: Market) -> None:
        rng = self._rng
        opened_at = payment.created_at + timedelta(days=5 + int(rng.random() * 20), seconds=int(rng.random() * 86_400))
        if opened_at > self._horizon:
            return
        closed_at = opened_at + timedelta(days=20 + int(rng.random() * 20))
        is_won = rng.random() < 0.4  # noqa: PLR2004 - the shop wins two disputes in five
        status: DisputeStatus = "needs_response"
        if closed_at <= self._horizon:
            status = "won" if is_won else "lost"
        elif opened_at + timedelta(days=9) <= self._horizon:
            status = "under_review"
        self._open_dispute(
            payment,
            market,
            status=status,
            opened_at=opened_at,
            closed_at=closed_at if closed_at <= self._horizon else None,
        )

    def _open_dispute(
        self,
        payment: Payment,
        market: Market,
        *,
        status: DisputeStatus,
        opened_at: datetime,
        closed_at: datetime | None,
    ) -> None:
        dispute = Dispute(
            id=len(self.disputes),
            payment_id=payment.id,
            order_id=payment.order_id,
            amount=payment.captured,
            currency=payment.currency,
            reason=self._pick(("fraudulent", "product_not_received", "product_unacceptable", "duplicate")),
            status=status,
            opened_at=opened_at,
            evidence_due_at=opened_at + timedelta(days=9),
            closed_at=closed_at,
        )
        self.disputes.append(dispute)
        self.payments[payment.id] = replace(payment, disputed=True)
        settled, rate = self._settled(payment.captured, market)
        enter = partial(
            self._enter,
            currency=market.settlement,
            exchange_rate=rate,
            payment_id=payment.id,
            dispute_id=dispute.id,
        )
        enter("dispute", -settled, fee=markets.DISPUTE_FEE[market.settlement], at=opened_at)
        if status == "won" and closed_at is not None:
            enter("dispute_reversal", settled, at=closed_at)

    def _settled(self, amount: int, market: Market) -> tuple[int, Decimal | None]:
        """The amount in the market's settlement currency, and the rate of the day when it had to be converted."""
        if market.rate is None:
            return amount, None
        rate = (market.rate * Decimal(repr(round(0.98 + self._rng.random() * 0.04, 5)))).quantize(Decimal("0.000001"))
        scale = markets.EXPONENTS[market.settlement] - market.exponent
        return rounded((amount * rate).scaleb(scale)), rate

    def _enter(
        self,
        kind: EntryKind,
        amount: int,
        *,
        currency: str,
        at: datetime,
        fee: int = 0,
        delay_days: int = 1,
        exchange_rate: Decimal | None = None,
        payment_id: int | None = None,
        refund_id: int | None = None,
        dispute_id: int | None = None,
    ) -> None:
        available_on = at.date() + timedelta(days=delay_days)
        self.entries.append(
            BalanceEntry(
                id=len(self.entries),
                kind=kind,
                amount=amount,
                fee=fee,
                net=amount - fee,
                currency=currency,
                created_at=at,
                available_on=available_on,
                status="available" if available_on <= self._horizon.date() else "pending",
                exchange_rate=exchange_rate,
                payment_id=payment_id,
                refund_id=refund_id,
                dispute_id=dispute_id,
            )
        )
