"""Merkle trees as in RFC 6962, section 2.1: 0x00 before a leaf, 0x01 before a node, SHA-256."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

DIGEST_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One neighbour on the way from a leaf to the root, and the side it stands on."""

    side: Literal["left", "right"]
    digest: bytes


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves in their order; that of no leaves is the hash of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = [_leaf(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[Step]:
    """What somebody who holds this one leaf needs to come to the root."""
    steps: list[Step] = []
    level = [_leaf(leaf) for leaf in leaves]
    while len(level) > 1:
        neighbour = index ^ 1
        # The last of an odd number goes up by itself.
        if neighbour < len(level):
            steps.append(Step(side="left" if neighbour < index else "right", digest=level[neighbour]))
        level, index = _above(level), index // 2
    return steps


def root_from_path(leaf: bytes, steps: Sequence[Step]) -> bytes:
    """Where a path leads."""
    digest = _leaf(leaf)
    for step in steps:
        pair = step.digest + digest if step.side == "left" else digest + step.digest
        digest = hashlib.sha256(_NODE + pair).digest()
    return digest


def _leaf(leaf: bytes) -> bytes:
    return hashlib.sha256(_LEAF + leaf).digest()


def _above(level: list[bytes]) -> list[bytes]:
    sha256 = hashlib.sha256
    nodes = [sha256(_NODE + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        nodes.append(level[-1])
    return nodes
