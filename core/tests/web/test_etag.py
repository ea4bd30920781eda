"""``If-Match``: it lets through who saw this version, and nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.web.etag import PreconditionFailed, etag_of, require_match

VERSIONS = st.integers(0, 2**63) | st.text("0123456789abcdef", min_size=1, max_size=64)
OTHERS = st.lists(
    VERSIONS.map(etag_of) | st.text(st.characters(codec="latin-1", exclude_characters='",*'), max_size=9), max_size=4
)


@given(version=VERSIONS, others=OTHERS, at=st.integers(0, 4))
def test_a_version_that_was_seen_matches_among_any_others(version: object, others: list[str], at: int) -> None:
    items = [*others[:at], etag_of(version), *others[at:]]
    require_match(", ".join(items), version)


@given(version=VERSIONS, others=OTHERS)
def test_without_it_nothing_matches(version: object, others: list[str]) -> None:
    items = [item for item in others if item.strip() != etag_of(version)]
    if ", ".join(items).strip() == "*":
        return
    with pytest.raises(PreconditionFailed):
        require_match(", ".join(items), version)


@pytest.mark.parametrize("given_", ['W/"3"', "3", '"3', '"33"', '""', "", '"3" "3"'])
def test_what_only_looks_like_it_does_not_match(given_: str) -> None:
    with pytest.raises(PreconditionFailed):
        require_match(given_, 3)


@pytest.mark.parametrize("given_", [None, "*", " * "])
def test_who_does_not_ask_is_let_through(given_: str | None) -> None:
    require_match(given_, 3)
