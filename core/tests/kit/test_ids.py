import time
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.ids import derived_id, id_at, new_id


def test_new_ids_are_version_seven_and_sort_by_time() -> None:
    first = new_id()
    time.sleep(0.002)
    second = new_id()
    assert first.version == 7
    assert first.variant == "specified in RFC 4122"
    assert first < second


@given(ms=st.integers(0, 2**48 - 1), bits=st.integers(0, 2**74 - 1))
def test_the_bound_of_an_instant_is_below_every_id_of_it(ms: int, bits: int) -> None:
    assert id_at(ms) <= id_at(ms, bits)
    assert id_at(ms, bits).version == 7
    if ms:
        assert id_at(ms - 1, bits) < id_at(ms)


@given(parts=st.lists(st.text(), min_size=1, max_size=4))
def test_a_derived_id_is_version_eight_and_always_the_same(parts: list[str]) -> None:
    made = derived_id(*parts)
    assert made == derived_id(*parts)
    assert isinstance(made, UUID)
    assert made.version == 8


def test_a_derived_id_never_changes_from_one_version_of_ours_to_the_next() -> None:
    assert str(derived_id("tenant|stripe|acct_1", "payment", "ch_1")) == "a6871d1f-ac98-86d0-9bcb-e49b97861493"
