"""The strikes: what each does, for how long, and how it is taken back."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.soak.gateway import FAIR, Weather
from tests.soak.scene import NothingThere, Scene, kill
from tests.soak.vendors import weathers

if TYPE_CHECKING:
    from collections.abc import Iterable

LEASE_S = 3.0
_MINUTE, _DAY = 60, 86_400


@dataclass(frozen=True, kw_only=True)
class Struck:
    """A strike that lasts: for how long, and how it ends."""

    for_s: float
    end: Callable[[], None]


Action = Callable[[Scene, Random], Struck | None]


@dataclass(frozen=True, kw_only=True)
class Strike:
    """One kind. ``group`` names what only one strike at a time may have."""

    name: str
    weight: float
    act: Action
    group: str = ""


def all_strikes(vendor_faults: Iterable[str]) -> list[Strike]:
    ways = weathers()
    return [
        *_KILLS,
        *_PAUSES,
        *(Strike(name=name, weight=2, group="vendor", act=partial(_weather, ways[name])) for name in ways),
        *(Strike(name=name, weight=1.5, group="vendor", act=partial(_fault, name)) for name in vendor_faults),
        Strike(name="vendor-killed", weight=1, group="vendor", act=_vendor_killed),
        Strike(name="disk-full", weight=2, group="disk", act=_disk_full),
        Strike(name="clock-minutes", weight=1.5, group="clock", act=partial(_clock, _MINUTE, 50 * _MINUTE)),
        Strike(name="clock-days", weight=1.5, group="clock", act=partial(_clock, _DAY, 4 * _DAY)),
    ]


def _killing(find: Callable[[Scene, Random], int], number: signal.Signals = signal.SIGKILL) -> Action:
    def act(scene: Scene, rng: Random) -> None:
        kill(find(scene, rng), number=number)

    return act


def _pausing(find: Callable[[Scene, Random], list[int]]) -> Action:
    def act(scene: Scene, rng: Random) -> Struck:
        pids = find(scene, rng)
        kill(*pids, number=signal.SIGSTOP)
        return Struck(for_s=LEASE_S + rng.uniform(0.5, 3), end=partial(kill, *pids, number=signal.SIGCONT))

    return act


def _weather(weather: Weather, scene: Scene, rng: Random) -> Struck:
    if scene.vendor.gateway.is_shut:
        raise NothingThere
    scene.vendor.gateway.change(weather)
    return Struck(for_s=rng.uniform(1, 7), end=partial(scene.vendor.gateway.change, FAIR))


def _fault(name: str, scene: Scene, rng: Random) -> Struck:
    if scene.vendor.gateway.is_shut:
        raise NothingThere
    scene.vendor.fault(scene.vendor.faults()[name])
    return Struck(for_s=rng.uniform(2, 7), end=partial(scene.vendor.fault, []))


def _vendor_killed(scene: Scene, rng: Random) -> Struck:
    simulator = scene.simulator()
    scene.vendor.kill(lambda: kill(simulator))
    return Struck(for_s=rng.uniform(0.5, 3), end=scene.vendor.revive)


def _disk_full(scene: Scene, rng: Random) -> Struck:
    scene.disk.fill()
    return Struck(for_s=rng.uniform(2, 8), end=scene.disk.empty)


def _clock(least_s: int, most_s: int, scene: Scene, rng: Random) -> Struck:
    scene.clock.set(rng.choice((-1, 1)) * rng.randint(least_s, most_s))
    return Struck(for_s=rng.uniform(3, 10), end=partial(scene.clock.set, 0))


def _flush(scene: Scene, _rng: Random) -> None:
    scene.flush_valkey()


def _wipe(scene: Scene, _rng: Random) -> None:
    scene.wipe_valkey()


_KILLS = [
    Strike(name="kill-worker", weight=4, act=_killing(lambda scene, _: scene.worker())),
    Strike(name="kill-worker-child", weight=8, act=_killing(lambda scene, rng: scene.worker_child(rng))),
    Strike(name="kill-evidence-worker", weight=3, act=_killing(lambda scene, _: scene.evidence_worker())),
    Strike(name="kill-api", weight=4, act=_killing(lambda scene, _: scene.api())),
    Strike(name="kill-ticker", weight=4, act=_killing(lambda scene, _: scene.ticker())),
    Strike(name="kill-postgres", weight=3, act=_killing(lambda scene, _: scene.postmaster())),
    Strike(name="kill-postgres-backend", weight=4, act=_killing(lambda scene, rng: scene.backend(rng))),
    Strike(name="end-postgres-backend", weight=8, act=_killing(lambda scene, rng: scene.backend(rng), signal.SIGTERM)),
    Strike(name="kill-postgres-keeper", weight=1, act=_killing(lambda scene, _: scene.keeper("postgres"))),
    Strike(name="kill-valkey", weight=3, act=_killing(lambda scene, _: scene.valkey())),
    Strike(name="kill-valkey-keeper", weight=1, act=_killing(lambda scene, _: scene.keeper("valkey"))),
    Strike(name="flush-valkey", weight=3, act=_flush),
    Strike(name="wipe-valkey", weight=2, act=_wipe),
]
_PAUSES = [
    Strike(name="pause-worker", weight=3, act=_pausing(lambda scene, _: [scene.worker()])),
    Strike(name="pause-worker-child", weight=5, act=_pausing(lambda scene, rng: [scene.worker_child(rng)])),
    Strike(name="pause-evidence-worker", weight=2, act=_pausing(lambda scene, _: [scene.evidence_worker()])),
    Strike(name="pause-api", weight=2, act=_pausing(lambda scene, _: [scene.api()])),
    Strike(name="pause-ticker", weight=2, act=_pausing(lambda scene, _: [scene.ticker()])),
    Strike(name="pause-postgres", weight=1.5, act=_pausing(lambda scene, _: scene.postgres()), group="postgres"),
    Strike(name="pause-postgres-backend", weight=3, act=_pausing(lambda scene, rng: [scene.backend(rng)])),
    Strike(name="pause-valkey", weight=2, act=_pausing(lambda scene, _: [scene.valkey()])),
]
