"""The world is a fixed story: coherent to the last minor unit, and the same for the same seed."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.simulation.markets import BY_CURRENCY
from counterfoil.simulation.world import World

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return World.generate(seed=11, orders=1500, as_of=NOON, days=90)


worlds = st.builds(
    World.generate,
    seed=st.integers(0, 2**32),
    orders=st.integers(0, 120),
    as_of=st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    days=st.integers(1, 60),
)


def assert_conserved(world: World) -> None:
    """Every sum that must hold, for every currency."""
    assert all(entry.net == entry.amount - entry.fee for entry in world.entries)
    for payout in world.payouts:
        members = [world.entries[member] for member in payout.member_ids]
        assert payout.amount == sum(member.net for member in members) > 0
        assert {member.currency for member in members} == {payout.currency}
        assert {member.paid_out_in for member in members} == {payout.id}
        assert all(member.created_at < payout.created_at for member in members)
        assert world.entries[payout.entry_id].net == -payout.amount
    times_paid_out = Counter(member for payout in world.payouts for member in payout.member_ids)
    assert set(times_paid_out.values()) <= {1}
    held: dict[str, int] = defaultdict(int)
    unpaid: dict[str, int] = defaultdict(int)
    for entry in world.entries:
        held[entry.currency] += entry.net
        unpaid[entry.currency] += entry.net if entry.paid_out_in is None and entry.kind != "payout" else 0
    assert held == unpaid


@given(worlds)
@settings(max_examples=60, deadline=None)
def test_every_balance_is_conserved_whatever_the_seed(world: World) -> None:
    assert_conserved(world)
    assert_conserved(world.append(orders=7, at=world.as_of + timedelta(minutes=5)))
    assert_conserved(world.settle().settle())


@given(worlds)
@settings(max_examples=30, deadline=None)
def test_nothing_happens_after_the_moment_the_world_ends(world: World) -> None:
    moments = [order.placed_at for order in world.orders]
    moments += [payment.created_at for payment in world.payments]
    moments += [refund.created_at for refund in world.refunds]
    moments += [entry.created_at for entry in world.entries]
    moments += [payout.created_at for payout in world.payouts]
    assert all(moment <= world.as_of for moment in moments)


def test_the_same_seed_tells_the_same_story_and_another_seed_another(world: World) -> None:
    assert World.generate(seed=11, orders=1500, as_of=NOON, days=90) == world
    assert World.generate(seed=12, orders=1500, as_of=NOON, days=90).orders != world.orders


def test_an_id_is_the_position_in_its_table(world: World) -> None:
    for table in (
        world.products,
        world.customers,
        world.orders,
        world.payments,
        world.refunds,
        world.entries,
        world.payouts,
    ):
        assert [record.id for record in table] == list(range(len(table)))


def test_an_order_adds_up_from_its_lines(world: World) -> None:
    for order in world.orders:
        assert order.subtotal == sum(line.unit_price * line.quantity for line in order.lines)
        assert order.total == order.subtotal - order.discount + order.tax + order.shipping > 0


def test_refunds_never_exceed_what_was_captured_and_are_noted_on_the_payment(world: World) -> None:
    refunded: Counter[int] = Counter()
    for refund in world.refunds:
        refunded[refund.payment_id] += refund.amount
    for payment in world.payments:
        assert payment.refunded == refunded[payment.id] <= payment.captured <= payment.amount


def test_the_story_has_every_kind_of_money_and_every_kind_of_trouble(world: World) -> None:
    assert {order.currency for order in world.orders} == set(BY_CURRENCY)
    assert {BY_CURRENCY[currency].exponent for currency in {order.currency for order in world.orders}} == {0, 2, 3}
    assert {payment.status for payment in world.payments} == {"succeeded", "failed", "authorized"}
    assert {entry.kind for entry in world.entries} == {
        "payment",
        "refund",
        "dispute",
        "dispute_reversal",
        "processor_fee",
        "payout",
        "payout_failure",
    }
    assert {payout.status for payout in world.payouts} == {"paid", "failed", "in_transit", "pending"}
    assert any(entry.exchange_rate for entry in world.entries)
    assert any(0 < payment.refunded < payment.captured for payment in world.payments)


def test_three_decimal_amounts_end_in_zero_as_card_networks_demand(world: World) -> None:
    amounts = [payment.amount for payment in world.payments if payment.currency == "KWD"]
    amounts += [refund.amount for refund in world.refunds if refund.currency == "KWD"]
    assert amounts
    assert all(amount % 10 == 0 for amount in amounts)


def test_a_failed_payout_returns_its_money_which_a_later_payout_carries(world: World) -> None:
    failed = [payout for payout in world.payouts if payout.failure_entry_id is not None]
    assert failed
    for payout in failed:
        returned = world.entries[payout.failure_entry_id or 0]
        assert (payout.status, returned.net) == ("failed", payout.amount)
        carrier = returned.paid_out_in
        assert carrier is None or world.payouts[carrier].created_at > payout.created_at


def test_a_bank_deposit_exists_for_every_payout_that_arrived_and_for_no_other(world: World) -> None:
    paid = {payout.id: payout.amount for payout in world.payouts if payout.status == "paid"}
    assert {deposit.payout_id: deposit.amount for deposit in world.deposits} == paid


def test_appending_keeps_all_that_was_and_adds_only_newer_things(world: World) -> None:
    later = world.append(orders=25, at=NOON + timedelta(minutes=10))
    assert later.orders[: len(world.orders)] == world.orders
    assert later.entries[: len(world.entries)] == world.entries
    assert len(later.orders) == len(world.orders) + 25
    assert all(order.placed_at >= NOON for order in later.orders[len(world.orders) :])
    assert all(entry.created_at >= NOON for entry in later.entries[len(world.entries) :])
    assert {payment.order_id for payment in later.payments} >= {order.id for order in later.orders[len(world.orders) :]}


def test_appending_refunds_a_payment_of_the_last_days(world: World) -> None:
    later = world.append(orders=10, at=NOON + timedelta(minutes=10))
    changed = [new for old, new in zip(world.payments, later.payments, strict=False) if old != new]
    assert changed
    assert all(payment.refunded == payment.captured for payment in changed)
    assert all(NOON - payment.created_at < timedelta(days=6) for payment in changed)


def test_appending_is_as_reproducible_as_the_beginning(world: World) -> None:
    at = NOON + timedelta(minutes=10)
    assert world.append(orders=5, at=at) == world.append(orders=5, at=at)


def test_appending_before_the_end_of_the_world_does_not_turn_time_back(world: World) -> None:
    assert world.append(orders=1, at=NOON - timedelta(days=1)).as_of == NOON


def test_settling_moves_each_payout_one_step_and_completes_its_reconciliation(world: World) -> None:
    settled = world.settle()
    onward = {"pending": "in_transit", "in_transit": "paid", "paid": "paid", "failed": "failed"}
    assert [payout.status for payout in settled.payouts] == [onward[payout.status] for payout in world.payouts]
    assert all(payout.reconciled for payout in settled.payouts)
    assert not all(payout.reconciled for payout in world.payouts)
    assert len(settled.deposits) > len(world.deposits)


def test_twenty_thousand_orders_are_told_within_seconds() -> None:
    began = perf_counter()
    world = World.generate(seed=1, orders=20_000, as_of=NOON, days=180)
    assert len(world.orders) == 20_000
    # Three seconds on a quiet machine; the margin is for a shared one.
    assert perf_counter() - began < 10
