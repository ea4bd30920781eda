"""Text from outside: what no column can hold is refused before any route sees it."""

import json
from collections import Counter
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints

# PostgreSQL's text and jsonb hold every character but this one.
NUL = "\0"
# No request of ours comes near; what is nested deeper is out to exhaust whoever walks it.
DEEPEST_JSON = 64

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
"""Text that people read on one line, without control characters. Give it a ``max_length``."""


def holds_nul(value: Any) -> bool:
    """Whether U+0000 is anywhere in parsed JSON, names of fields included."""
    return find_nul(value) is not None


def find_nul(value: Any) -> str | None:
    """The dotted path of a text with U+0000 in parsed JSON, or of the object with such a name; None where there is none."""
    # Neither recursion nor whole paths on the way: how deep it is nested is for a stranger to choose.
    pending: list[tuple[Any, _Trail | None]] = [(value, None)]
    while pending:
        item, trail = pending.pop()
        match item:
            case str() if NUL in item:
                return _path(trail)
            case dict():
                if any(NUL in name for name in item):
                    return _path(trail)
                pending += [(each, _Trail(name, trail)) for name, each in item.items()]
            case list():
                pending += [(each, _Trail(str(index), trail)) for index, each in enumerate(item)]
    return None


def is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and lists in parsed JSON are nested in more than so many levels."""
    layer = [value]
    for _ in range(levels + 1):
        containers = [item for item in layer if isinstance(item, dict | list)]
        if not containers:
            return False
        layer = [each for item in containers for each in (item.values() if isinstance(item, dict) else item)]
    return True


def find_repeated_name(body: bytes) -> str | None:
    """A name that an object in this JSON has twice, of which parsers keep the last and lose the other; None where there is none.

    Args:
        body: JSON that has been parsed already, and is not nested beyond reason.
    """
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        names = Counter(name for name, _ in pairs)
        if len(names) < len(pairs):
            found.append(names.most_common(1)[0][0])

    # Numbers stay text: what is looked at are names, and one of thousands of digits is an error for Python.
    json.loads(body or b"null", object_pairs_hook=look, parse_int=str, parse_float=str)
    return found[0] if found else None


class _Trail(NamedTuple):
    name: str
    parent: "_Trail | None"


def _path(trail: _Trail | None) -> str:
    names = []
    while trail is not None:
        names.append(trail.name)
        trail = trail.parent
    return ".".join(reversed(names))
