"""When a failed attempt is followed by another."""

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.plugins.records import RetryPolicy


@given(attempt=st.integers(1, 60), asked=st.none() | st.floats(0, 86_400))
def test_a_wait_doubles_up_to_a_bound_and_is_never_shorter_than_the_source_asked(
    attempt: int, asked: float | None
) -> None:
    policy = RetryPolicy(base_s=2, cap_s=30)
    wait_s = policy.wait_s(attempt, at_least_s=asked)
    assert wait_s >= (asked or 0)
    assert wait_s == max(asked or 0, min(30, 2**attempt))
