"""Stripe's lists: newest first, cut by cursors and filters, a page at a time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import orjson

from counterfoil_stripe.simulator.errors import invalid_request, resource_missing, unknown_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
_BOUNDS = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One object of a list: what it can be found by, the record it is drawn from, and how to draw it."""

    id: str
    created: int
    sequence: int
    tags: tuple[tuple[str, str], ...]
    record: object
    render: Callable[[], dict[str, Any]]
    moments: Mapping[str, int] = field(default_factory=dict)


class Collection:
    """The objects of one kind, oldest first within; a body is drawn once for as long as its record is unchanged."""

    def __init__(self, *, noun: str, url: str, tags: Iterable[str], moments: Iterable[str] = ()) -> None:
        self.noun = noun
        self.url = url
        self._tags = frozenset(tags)
        self._moments = frozenset(moments) | {"created"}
        self._rows: list[Row] = []
        self._created: list[int] = []
        self._positions: dict[str, int] = {}
        self._by_tag: dict[tuple[str, str], list[int]] = {}
        self._drawn: dict[str, tuple[object, bytes]] = {}
        self._bodies: list[bytes] = []

    def load(self, rows: Iterable[Row]) -> None:
        """Replace the content. Bodies are drawn here and not per request: the server must never be slower than its clients."""
        self._rows = sorted(rows, key=attrgetter("created", "sequence"))
        self._created = [row.created for row in self._rows]
        self._positions = {row.id: position for position, row in enumerate(self._rows)}
        self._by_tag = {}
        for position, row in enumerate(self._rows):
            for tag in row.tags:
                self._by_tag.setdefault(tag, []).append(position)
        self._draw(self._rows)

    def get(self, object_id: str, *, param: str = "id") -> bytes:
        return self._body(self._position(object_id, param=param, status=404))

    def __contains__(self, object_id: str) -> bool:
        return object_id in self._positions

    def page(self, query: list[tuple[str, str]]) -> bytes:
        """The list the query asks for, as Stripe would answer it; raises `StripeError` for a query Stripe refuses."""
        params = dict(query)
        self._refuse_unknown(params)
        limit = _limit(params)
        low, high = self._window(params)
        # ending_before walks away from the cursor towards newer objects, and still answers newest first.
        is_backwards = "ending_before" in params
        found = list(islice(self._matching(params, low, high, newest_first=not is_backwards), limit + 1))
        page = found[:limit][::-1] if is_backwards else found[:limit]
        has_more = b"true" if len(found) > limit else b"false"
        data = b",".join([self._body(position) for position in page])
        url = self.url.encode()
        return b'{"object":"list","data":[' + data + b'],"has_more":' + has_more + b',"url":"' + url + b'"}'

    def _draw(self, rows: list[Row]) -> None:
        drawn, self._drawn = self._drawn, {}
        for row in rows:
            kept = drawn.get(row.id)
            is_unchanged = kept is not None and kept[0] is row.record
            self._drawn[row.id] = kept if kept and is_unchanged else (row.record, orjson.dumps(row.render()))
        self._bodies = [self._drawn[row.id][1] for row in rows]

    def _body(self, position: int) -> bytes:
        return self._bodies[position]

    def _refuse_unknown(self, params: Mapping[str, str]) -> None:
        known = {"limit", "starting_after", "ending_before", *self._tags, *self._moments}
        known |= {f"{moment}[{bound}]" for moment in self._moments for bound in _BOUNDS}
        unknown = [name for name in params if name not in known]
        if unknown:
            raise unknown_parameters(unknown)

    def _position(self, object_id: str, *, param: str, status: int = 400) -> int:
        position = self._positions.get(object_id)
        if position is None:
            raise resource_missing(self.noun, object_id, param=param, status=status)
        return position

    def _window(self, params: Mapping[str, str]) -> tuple[int, int]:
        """The half-open range of positions that `created` and the cursors leave."""
        low, high = 0, len(self._rows)
        for name, value in params.items():
            if name == "created":
                at = _integer(name, value)
                low, high = max(low, bisect_left(self._created, at)), min(high, bisect_right(self._created, at))
            elif name.startswith("created["):
                at = _integer(name, value)
                match name.removeprefix("created["):
                    case "gte]":
                        low = max(low, bisect_left(self._created, at))
                    case "gt]":
                        low = max(low, bisect_right(self._created, at))
                    case "lt]":
                        high = min(high, bisect_left(self._created, at))
                    case _:
                        high = min(high, bisect_right(self._created, at))
        if "starting_after" in params and "ending_before" in params:
            raise invalid_request(
                "You can only use one of `starting_after` and `ending_before`.", param="starting_after"
            )
        if "starting_after" in params:
            high = min(high, self._position(params["starting_after"], param="starting_after"))
        if "ending_before" in params:
            low = max(low, self._position(params["ending_before"], param="ending_before") + 1)
        return low, max(low, high)

    def _matching(self, params: Mapping[str, str], low: int, high: int, *, newest_first: bool) -> Iterator[int]:
        """Positions within the window that pass every filter."""
        tags = {(name, params[name]) for name in self._tags if name in params}
        ranges = [(name, value) for name, value in params.items() if name.split("[")[0] in self._moments - {"created"}]
        positions: Sequence[int] = range(low, high)
        if tags:
            rarest = min((self._by_tag.get(tag, []) for tag in tags), key=len)
            positions = rarest[bisect_left(rarest, low) : bisect_left(rarest, high)]
        for position in reversed(positions) if newest_first else positions:
            row = self._rows[position]
            if tags.issubset(row.tags) and all(_holds(row, name, value) for name, value in ranges):
                yield position


def _holds(row: Row, name: str, value: str) -> bool:
    moment, _, bound = name.partition("[")
    limit = _integer(name, value)
    at = row.moments[moment]
    match bound.rstrip("]"):
        case "gt":
            return at > limit
        case "gte":
            return at >= limit
        case "lt":
            return at < limit
        case "lte":
            return at <= limit
        case _:
            return at == limit


def _limit(params: Mapping[str, str]) -> int:
    limit = _integer("limit", params.get("limit", str(DEFAULT_LIMIT)))
    if limit > MAX_LIMIT:
        raise _out_of_range(f"This value must be less than or equal to {MAX_LIMIT} (it currently is '{limit}').")
    if limit < 1:
        raise _out_of_range(f"This value must be greater than or equal to 1 (it currently is '{limit}').")
    return limit


def _out_of_range(message: str) -> Exception:
    return invalid_request(message, code="parameter_invalid_integer", param="limit")


def _integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise invalid_request(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name) from None
