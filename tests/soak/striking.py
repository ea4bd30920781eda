"""Who strikes: one kind after the other, each ended in its time."""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx2
from tests.soak.machine import NotPossible
from tests.soak.scene import NothingThere, Scene
from tests.soak.strikes import Strike, Struck

_NOT_POSSIBLE = "not possible"
# What is to be struck may be on its way after another strike; in the end that is for the report to say.
_MOST_TRIES = 4


@dataclass(kw_only=True)
class Striker:
    """Strikes so many times in so many seconds: every kind once, in any order, and then by weight.

    ``haste`` makes the vendor's troubles shorter, of which there is one at a time.
    """

    scene: Scene
    kinds: list[Strike]
    wanted: int
    seconds: float
    rng: random.Random
    haste: float = 1.0
    struck: Counter[str] = field(default_factory=Counter)
    not_possible: dict[str, str] = field(default_factory=dict)
    nothing_there: Counter[str] = field(default_factory=Counter)
    _under_way: list[tuple[float, int, Strike, Struck]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """What was really struck."""
        return self.struck.total() - self.struck[_NOT_POSSIBLE]

    def run(self) -> None:
        deck = self.rng.sample(self.kinds, len(self.kinds))
        began, number, pause = time.monotonic(), 0, self.seconds / self.wanted
        try:
            while (deck or self.struck.total() < self.wanted) and number < _MOST_TRIES * self.wanted:
                number += 1
                self._wait(began + number * pause * self.rng.uniform(0.97, 1.03))
                kind = self._next(deck)
                if kind is None:
                    continue
                before = self.struck.total()
                struck = self._act(kind)
                if struck is not None:
                    for_s = struck.for_s * (self.haste if kind.group == "vendor" else 1.0)
                    heapq.heappush(self._under_way, (time.monotonic() + for_s, number, kind, struck))
                if kind in deck and self.struck.total() > before:
                    deck.remove(kind)
        finally:
            while self._under_way:
                heapq.heappop(self._under_way)[-1].end()
            self.scene.vendor.ready()

    def _act(self, kind: Strike) -> Struck | None:
        try:
            struck = kind.act(self.scene, self.rng)
        except NotPossible as why:
            self.not_possible[kind.name] = str(why)
            # Counted, or a machine that can do little would never be through.
            self.struck[_NOT_POSSIBLE] += 1
            return None
        except (NothingThere, httpx2.TransportError):
            # The vendor's simulator may be on its way, too.
            self.nothing_there[kind.name] += 1
            return None
        self.struck[kind.name] += 1
        return struck

    def _next(self, deck: list[Strike]) -> Strike | None:
        """Of those not struck yet, or else of all; none of a group that has one under way, and None if no other is left."""
        busy = {strike.group for _, _, strike, _ in self._under_way if strike.group}
        free = [one for one in deck or self.kinds if one.group not in busy]
        if deck or not free:
            return self.rng.choice(free) if free else None
        return self.rng.choices(free, [one.weight for one in free])[0]

    def _wait(self, until: float) -> None:
        """And end meanwhile what is over."""
        while self._under_way and self._under_way[0][0] <= until:
            over_at, _, _, struck = heapq.heappop(self._under_way)
            time.sleep(max(0.0, over_at - time.monotonic()))
            struck.end()
        time.sleep(max(0.0, until - time.monotonic()))
