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


@dataclass(kw_only=True)
class Striker:
    """Strikes so many times in so many seconds: every kind once, in any order, and then by weight."""

    scene: Scene
    kinds: list[Strike]
    wanted: int
    seconds: float
    rng: random.Random
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
            while self.struck.total() < self.wanted:
                number += 1
                self._wait(began + number * pause * self.rng.uniform(0.97, 1.03))
                kind = self._free(deck.pop() if deck else self._any(self.kinds))
                struck = self._act(kind)
                if struck is not None:
                    heapq.heappush(self._under_way, (time.monotonic() + struck.for_s, number, kind, struck))
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

    def _free(self, kind: Strike) -> Strike:
        """This one, unless another of its group is under way."""
        busy = {strike.group for _, _, strike, _ in self._under_way if strike.group}
        return kind if kind.group not in busy else self._any([one for one in self.kinds if one.group not in busy])

    def _any(self, kinds: list[Strike]) -> Strike:
        return self.rng.choices(kinds, [one.weight for one in kinds])[0]

    def _wait(self, until: float) -> None:
        """And end meanwhile what is over."""
        while self._under_way and self._under_way[0][0] <= until:
            over_at, _, _, struck = heapq.heappop(self._under_way)
            time.sleep(max(0.0, over_at - time.monotonic()))
            struck.end()
        time.sleep(max(0.0, until - time.monotonic()))
