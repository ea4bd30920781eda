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


def test_every_code_has_attempts_of_its_own_and_what_is_not_named_has_one() -> None:
    policy = RetryPolicy(attempts={"a": 3, "b": 2})
    allowed = {code: [at for at in range(1, 6) if policy.allows_another(code, at)] for code in ("a", "b", "c")}
    assert allowed == {"a": [1, 2], "b": [1], "c": []}


def test_an_outage_is_given_some_minutes_and_an_answer_that_makes_no_sense_one_more_try() -> None:
    policy = RetryPolicy()
    waits = [policy.wait_s(at) for at in range(1, 20) if policy.allows_another("source_unavailable", at)]
    assert (len(waits), 120 < sum(waits) < 600) == (4, True)
    assert not policy.allows_another("source_malformed", 2)
    assert not policy.allows_another("source_forbidden", 1)
