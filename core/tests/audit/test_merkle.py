import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.audit import merkle

from .outsider import root_from_path

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


def _rfc_6962(leaves: list[bytes]) -> bytes:
    """The definition of the RFC, word by word."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + _rfc_6962(leaves[:split]) + _rfc_6962(leaves[split:])).digest()


@given(leaves=LEAVES)
def test_the_root_is_that_of_rfc_6962(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == _rfc_6962(leaves)


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(leaves=LEAVES, data=st.data())
def test_a_path_leads_from_its_leaf_to_the_root_and_from_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = [(step.side, step.digest) for step in merkle.path(leaves, index)]
    assert root_from_path(leaves[index], path) == merkle.root(leaves)
    assert root_from_path(hashlib.sha256(leaves[index]).digest(), path) != merkle.root(leaves)


@pytest.mark.parametrize("size", [2, 3, 8, 13])
def test_another_order_is_another_root(size: int) -> None:
    leaves = [bytes([number]) * 32 for number in range(size)]
    assert merkle.root(leaves) != merkle.root([*leaves[1:], leaves[0]])


def test_a_node_is_no_leaf() -> None:
    left, right = bytes(32), b"\x01" * 32
    above = hashlib.sha256(b"\x00" + left).digest() + hashlib.sha256(b"\x00" + right).digest()
    assert merkle.root([left, right]) != merkle.root([above])
