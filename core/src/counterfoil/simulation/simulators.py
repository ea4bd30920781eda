"""The contract of vendor simulators, and how they are found: the entry-point group `counterfoil.simulators`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from counterfoil.simulation.world import World

GROUP = "counterfoil.simulators"


@dataclass(frozen=True, kw_only=True)
class DemoConnection:
    """What to enter in the product to connect it to a running simulator."""

    kind: str
    label: str
    settings: dict[str, Any]
    credentials: dict[str, Any]


class Simulator(Protocol):
    """One vendor's API, told from a world."""

    @property
    def kind(self) -> str:
        """The connector kind this simulator stands in for."""

    @property
    def title(self) -> str:
        """The vendor's name."""

    def app(self, world: World) -> ASGIApp:
        """A server that speaks the vendor's real wire protocol about this world."""

    def demo_connection(self, base_url: str) -> DemoConnection:
        """The connection that reaches `app` when it is served at `base_url`."""


def load_simulators() -> dict[str, Simulator]:
    """Every installed simulator by kind."""
    found: list[Simulator] = [entry_point.load() for entry_point in entry_points(group=GROUP)]
    return {simulator.kind: simulator for simulator in sorted(found, key=lambda simulator: simulator.kind)}
