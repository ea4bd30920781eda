from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.ingest.positions import (
    Parent,
    after_parent,
    after_window,
    is_pending,
    next_window,
    resume_of_parent,
    start_of,
    within,
    within_parent,
)
from counterfoil.plugins.connector import ParentCursor, TimeCursor

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
    position = within(start_of(cursor), first, "ch_42")
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


def test_a_parent_goes_on_where_it_stopped_unless_it_changed_meanwhile() -> None:
    start = start_of(ParentCursor(stream="payouts"))
    parent = Parent(id="p1", changed_at=T0, payload={})
    position = within_parent(start, parent, "txn_7")
    assert resume_of_parent(position, parent) == "txn_7"
    assert resume_of_parent(position, Parent(id="p1", changed_at=T0 + timedelta(seconds=1), payload={})) is None
    assert resume_of_parent(position, Parent(id="p2", changed_at=T0, payload={})) is None
    assert resume_of_parent(after_parent(parent), parent) is None
