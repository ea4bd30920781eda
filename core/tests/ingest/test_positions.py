from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.ingest.positions import (
    Parent,
    Tally,
    after_parent,
    after_window,
    is_pending,
    next_window,
    resume_of_parent,
    start_of,
    within,
    within_parent,
)
from counterfoil.plugins.connector import Page, ParentCursor, Raw, TimeCursor

T0 = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 10**8).map(lambda seconds: T0 + timedelta(seconds=seconds))


def test_the_first_window_has_no_beginning_and_ends_now() -> None:
    cursor = TimeCursor(lookback="1d")
    window = next_window(start_of(cursor), cursor, T0)
    assert window is not None
    assert (window.since, window.until, window.resume) == (None, T0, None)


def test_a_window_that_was_begun_keeps_its_bounds_however_late_it_is_resumed() -> None:
    cursor = TimeCursor(lookback="1d")
    first = next_window(start_of(cursor), cursor, T0)
    assert first is not None
    position = within(start_of(cursor), first, "ch_42", Tally())
    again = next_window(position, cursor, T0 + timedelta(days=9))
    assert again is not None
    assert (again.since, again.until, again.resume) == (None, T0, "ch_42")
    assert is_pending(position)


def test_a_finished_stream_has_nothing_left_to_read_at_the_same_instant() -> None:
    cursor = TimeCursor(lookback="1d")
    first = next_window(start_of(cursor), cursor, T0)
    assert first is not None
    done = after_window(start_of(cursor), first)
    assert not is_pending(done)
    assert next_window(done, cursor, T0) is None


@given(
    runs=st.lists(moments, min_size=1, max_size=6),
    lookback=st.integers(0, 5000),
    longest=st.none() | st.integers(10**5, 10**7),
)
def test_windows_of_many_runs_cover_time_without_a_gap(
    runs: list[datetime], lookback: int, longest: int | None
) -> None:
    cursor = TimeCursor(lookback=f"{lookback}s", max_window=f"{longest}s" if longest else None)
    position = start_of(cursor)
    covered: datetime | None = None
    for now in sorted(runs):
        for _ in range(2000):
            window = next_window(position, cursor, now)
            if window is None:
                break
            assert window.until is not None
            if covered is not None:
                assert window.since is not None
                assert window.since <= covered < window.until <= now
                assert covered - window.since == timedelta(seconds=lookback)
            covered = window.until
            position = after_window(position, window)
        else:
            # So many small windows that the test would take long; what was checked so far still holds.
            return
        assert covered == now


def test_a_clock_that_was_set_back_does_not_stop_a_stream_for_good() -> None:
    cursor = TimeCursor(lookback="1d")
    position = {"high": (T0 + timedelta(days=400)).isoformat(), "window": None}
    window = next_window(position, cursor, T0)
    assert window is not None
    assert (window.since, window.until) == (T0 - timedelta(days=1), T0)
    assert next_window(after_window(position, window), cursor, T0) is None


def test_a_window_counts_over_all_attempts_against_what_the_source_says_of_the_whole_window() -> None:
    cursor = TimeCursor()
    position = start_of(cursor)
    for attempt in range(3):
        window = next_window(position, cursor, T0 + timedelta(hours=attempt))
        assert window is not None
        tally = Tally.of(position).after(Page(records=[Raw("a", {}), Raw("b", {})], expected=6))
        position = within(position, window, f"page {attempt}", tally)
    assert Tally.of(position) == Tally(read=6, expected=6)
    assert Tally.of(position).short == 0
    assert Tally(read=4, expected=6).short == 2


def test_a_parent_goes_on_where_it_stopped_unless_it_changed_meanwhile() -> None:
    start = start_of(ParentCursor(stream="payouts"))
    parent = Parent(change=7, payload={})
    position = within_parent(start, parent, "txn_7")
    assert is_pending(position)
    assert resume_of_parent(position, parent) == "txn_7"
    assert resume_of_parent(position, Parent(change=9, payload={})) is None
    done = after_parent(position, parent)
    assert not is_pending(done)
    assert done["after"] == 7
    assert resume_of_parent(done, parent) is None
