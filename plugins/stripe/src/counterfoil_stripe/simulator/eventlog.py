"""`/v1/events`: seen late, kept for 30 days, and each rendered in the API version its account had then."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any
from zlib import crc32

import orjson
from pydantic import BaseModel, ConfigDict, Field

from counterfoil_stripe.simulator.errors import aged_out, invalid_request, resource_missing
from counterfoil_stripe.simulator.ids import stripe_id
from counterfoil_stripe.simulator.listing import Collection, Row
from counterfoil_stripe.simulator.objects import unix
from counterfoil_stripe.simulator.versions import API_VERSION, OLDER_VERSION, older

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from counterfoil_stripe.simulator.history import Occurrence

KEPT_S = 30 * 86_400
_MOST_TYPES = 20


class EventSettings(BaseModel):
    """How late events appear (each by its own part of `lag_s`), and which are of an older version: every n-th, 0 for none."""

    model_config = ConfigDict(extra="forbid")

    lag_s: float = Field(default=0.0, ge=0, le=86_400)
    older_every: int = Field(default=5, ge=0)


class EventLog(Collection):
    """Events in the order of their time; bodies are drawn when they are first asked for, since most never are."""

    def __init__(self, *, seed: int, now: Callable[[], float]) -> None:
        super().__init__(noun="event", url="/v1/events", tags=("type",))
        self.settings = EventSettings()
        self._seed = seed
        self._now = now
        self._written: list[Row] = []
        self._types: frozenset[str] = frozenset()

    def write(self, occurrences: Iterable[Occurrence]) -> None:
        """Add what happened to the log."""
        fresh = sorted(occurrences, key=lambda each: each.at)
        self._written += [self._row(number, each) for number, each in enumerate(fresh, len(self._written))]
        self.load(self._written)

    def configure(self, settings: EventSettings) -> None:
        self.settings = settings
        self._drawn.clear()

    def latest(self, count: int) -> list[bytes]:
        """The bodies of the newest events, oldest first: what webhooks deliver, without the lag of the list."""
        return [self._body(position) for position in range(max(0, len(self._rows) - count), len(self._rows))]

    def get(self, object_id: str, *, param: str = "id") -> bytes:
        position = self._position(object_id, param=param, status=404)
        if not self._is_shown(position):
            raise resource_missing(self.noun, object_id, param=param, status=404)
        return self._body(position)

    def page(self, query: list[tuple[str, str]]) -> bytes:
        types = [value for name, value in query if name.startswith("types[")]
        if len(types) > _MOST_TYPES:
            raise invalid_request(f"You may filter by at most {_MOST_TYPES} types.", param="types")
        self._types = frozenset(types)
        return super().page([pair for pair in query if not pair[0].startswith("types[")])

    def _draw(self, rows: list[Row]) -> None:
        """Nothing yet: see `_body`."""

    def _body(self, position: int) -> bytes:
        row = self._rows[position]
        drawn = self._drawn.get(row.id)
        if drawn is None:
            drawn = self._drawn[row.id] = (row.record, orjson.dumps(row.render()))
        return drawn[1]

    def _position(self, object_id: str, *, param: str, status: int = 400) -> int:
        position = super()._position(object_id, param=param, status=status)
        if self._created[position] < self._horizon():
            raise aged_out(object_id, param=param, status=status)
        return position

    def _window(self, params: Mapping[str, str]) -> tuple[int, int]:
        low, high = super()._window(params)
        low = max(low, bisect_left(self._created, self._horizon()))
        return low, max(low, high)

    def _matching(self, params: Mapping[str, str], low: int, high: int, *, newest_first: bool) -> Iterator[int]:
        for position in super()._matching(params, low, high, newest_first=newest_first):
            is_wanted = not self._types or dict(self._rows[position].tags)["type"] in self._types
            if is_wanted and self._is_shown(position):
                yield position

    def _horizon(self) -> int:
        return int(self._now()) - KEPT_S

    def _is_shown(self, position: int) -> bool:
        """Events are eventually consistent: one may show before another that happened earlier."""
        row = self._rows[position]
        part = crc32(row.id.encode()) / 2**32
        return self.settings.lag_s == 0 or row.created + self.settings.lag_s * part <= self._now()

    def _row(self, number: int, occurrence: Occurrence) -> Row:
        event_id = stripe_id("evt", self._seed, f"{number}|{occurrence.type}|{occurrence.object_id}")

        def render() -> dict[str, Any]:
            every = self.settings.older_every
            is_older = every > 0 and number % every == 0
            return _event(event_id, occurrence, older if is_older else dict, OLDER_VERSION if is_older else API_VERSION)

        return Row(
            id=event_id,
            created=unix(occurrence.at),
            sequence=number,
            tags=(("type", occurrence.type),),
            record=occurrence,
            render=render,
        )


def _event(
    event_id: str, occurrence: Occurrence, shape: Callable[[dict[str, Any]], dict[str, Any]], version: str
) -> dict[str, Any]:
    now = shape(occurrence.draw())
    data: dict[str, Any] = {"object": now}
    if occurrence.was:
        was = shape(occurrence.was())
        data["previous_attributes"] = {name: was.get(name) for name in now if was.get(name) != now[name]}
    return {
        "id": event_id,
        "object": "event",
        "api_version": version,
        "created": unix(occurrence.at),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": occurrence.type,
    }
