"""What somebody writes who checks an event and trusts none of our code: RFC 6962, section 2.1.1."""

import hashlib
from collections.abc import Iterable


def root_from_path(leaf: bytes, path: Iterable[tuple[str, bytes]]) -> bytes:
    """Where a path of sides and neighbours leads."""
    digest = hashlib.sha256(b"\x00" + leaf).digest()
    for side, neighbour in path:
        pair = neighbour + digest if side == "left" else digest + neighbour
        digest = hashlib.sha256(b"\x01" + pair).digest()
    return digest
