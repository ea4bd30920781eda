"""Slices of a back-fill, read in any order and killed anywhere, still cover all time exactly."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.ingest.positions import (
    SLICES_PER_READER,
    Position,
    Tally,
    after_window,
    at,
    frontier,
    high_mark,
    in_words,
    is_at_start,
    is_finished,
    is_pending,
    next_window,
    next_window_of_slice,
    sliced,
    slices_of,
    start_of,
    with_slice,
    within,
)
from counterfoil.plugins.connector import Page, Raw, TimeCursor, Window

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def plan(cursor: TimeCursor, *, span: timedelta, lag: timedelta = timedelta()) -> Position:
    return sliced(start_of(cursor), cursor, earliest=T0, now=T0 + span + lag)


@given(
    seed=st.integers(0, 2**32),
    span=st.integers(1, 10**7),
    slices=st.integers(1, 6),
    longest=st.none() | st.integers(10**5, 10**7),
    lag=st.integers(0, 1000),
)
def test_any_interleaving_and_any_kill_covers_all_time_exactly(
    seed: int, span: int, slices: int, longest: int | None, lag: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (chance, not secrecy)
    cursor = TimeCursor(slices=slices, max_window=f"{longest}s" if longest else None, lag=f"{lag}s")
    end = T0 + timedelta(seconds=span)
    committed = plan(cursor, span=timedelta(seconds=span), lag=timedelta(seconds=lag))
    live = committed
    covered: list[Window] = []
    for _ in range(2000):
        if not slices_of(live):
            break
        open_slices = [at for at, part in enumerate(slices_of(live)) if not is_finished(part)]
        at = chance.choice(open_slices)
        part = slices_of(live)[at]
        window = next_window_of_slice(part, cursor)
        assert window is not None
        if chance.random() < 0.5:
            # A page of the window landed.
            tally = Tally.of(part).after(Page(records=[Raw("a", {})]))
            live = with_slice(live, at, within(part, window, "page", tally))
        else:
            covered.append(window)
            live = with_slice(live, at, after_window(part, window))
        if chance.random() < 0.5:
            committed = live
        elif chance.random() < 0.1:
            # Killed: what was not committed is forgotten, also by whoever counts here.
            live = committed
            covered = [one for one in covered if _is_in(one, committed)]
    else:
        return
    assert high_mark(live) == end.isoformat()
    assert not is_pending(live)
    assert next_window(live, cursor, end + timedelta(seconds=lag)) is None
    stretches = sorted({(one.since, one.until) for one in covered}, key=lambda bounds: str(bounds[0]))
    reached: Any = T0
    for since, until in stretches:
        assert since == reached
        reached = until
    assert reached == end


def _is_in(window: Window, position: Position) -> bool:
    """Whether a committed position says that this window is through."""
    mark = high_mark(position)
    if mark is not None:
        return True
    for part in slices_of(position):
        if window.until is not None and window.until <= datetime.fromisoformat(part["until"]):
            return window.until <= datetime.fromisoformat(part["high"])
    return False


def test_a_slice_keeps_the_bounds_it_was_cut_with_however_late_it_is_resumed() -> None:
    cursor, number = TimeCursor(slices=2), 2 * SLICES_PER_READER
    position = plan(cursor, span=timedelta(days=number))
    parts = slices_of(position)
    assert len(parts) == number
    window = next_window_of_slice(parts[3], cursor)
    assert window is not None
    position = with_slice(position, 3, within(parts[3], window, "po_1", Tally()))
    again = next_window_of_slice(slices_of(position)[3], cursor)
    assert again == Window(since=T0 + timedelta(days=3), until=T0 + timedelta(days=4), resume="po_1")
    assert in_words(position) == f"A back-fill is under way: 0 of {number} stretches of time are in"
    assert frontier(position) == T0 + timedelta(days=number)


def test_a_beginning_that_lies_ahead_leaves_nothing_to_cut() -> None:
    cursor = TimeCursor(slices=2)
    position = sliced(start_of(cursor), cursor, earliest=T0, now=T0)
    assert is_at_start(position)


def test_a_lag_ends_windows_before_now_and_the_next_run_goes_on_there() -> None:
    cursor = TimeCursor(lag="1h", lookback="10m")
    first = next_window(start_of(cursor), cursor, T0)
    assert first is not None
    assert first.until == T0 - timedelta(hours=1)
    position = after_window(start_of(cursor), first)
    assert next_window(position, cursor, T0) is None
    second = next_window(position, cursor, T0 + timedelta(hours=1))
    assert second is not None
    assert (second.since, second.until) == (T0 - timedelta(minutes=70), T0)


@given(
    span=st.integers(1, 10**6),
    longest=st.none() | st.integers(10**4, 10**7),
    lookback=st.integers(0, 10**5),
    lag=st.integers(0, 1000),
)
def test_windows_are_as_long_as_they_may_be_overlap_by_the_look_back_and_come_to_an_end(
    span: int, longest: int | None, lookback: int, lag: int
) -> None:
    cursor = TimeCursor(max_window=f"{longest}s" if longest else None, lookback=f"{lookback}s", lag=f"{lag}s")
    end = T0 + timedelta(seconds=span)
    now = end + timedelta(seconds=lag)
    position, reached = at(cursor, T0), T0
    for _ in range(-(-span // (longest or span))):
        window = next_window(position, cursor, now)
        assert window is not None
        assert window.since == reached - timedelta(seconds=lookback)
        assert window.until == (end if longest is None else min(end, reached + timedelta(seconds=longest)))
        position, reached = after_window(position, window), window.until
    assert reached == end
    assert next_window(position, cursor, now) is None


@given(span=st.integers(1, 10**6), longest=st.none() | st.integers(10**4, 10**7), slices=st.integers(1, 6))
def test_slices_come_to_an_end_in_as_few_windows_as_can_be(span: int, longest: int | None, slices: int) -> None:
    cursor = TimeCursor(slices=slices, max_window=f"{longest}s" if longest else None)
    for part in slices_of(plan(cursor, span=timedelta(seconds=span))):
        length = datetime.fromisoformat(part["until"]) - datetime.fromisoformat(part["high"])
        fewest = 1 if longest is None else -(-length // timedelta(seconds=longest))
        for _ in range(fewest):
            window = next_window_of_slice(part, cursor)
            assert window is not None
            part = after_window(part, window)  # noqa: PLW2901  (one slice, further on)
        assert is_finished(part)
        assert next_window_of_slice(part, cursor) is None
