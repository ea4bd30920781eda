"""Vendors as the soak needs them: how to connect, what happens in their world, what it holds, and how they fail.

Another vendor is one more ``Vendor`` whose simulator has the same control as Stripe's (faults, changes, webhooks), and its name in
``tests.soak.__main__``.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import httpx2
from tests.soak.gateway import Gateway, Weather

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# By table and source id: the columns to compare, as text.
Holdings = dict[str, dict[str, dict[str, str | None]]]

WEBHOOK_SECRET = "whsec_soak"


@dataclass(kw_only=True)
class Vendor(ABC):
    """One vendor: a simulator behind a gateway.

    The simulator's state is in its memory, so whatever happens in its world is remembered here too, for when it is killed.
    """

    kind: ClassVar[str]
    settles_s: ClassVar[float]
    """How long after the last change a sync is sure to see it."""

    address: str
    gateway: Gateway
    _happened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # Held by whoever changes the world, and from a simulator's death to its return.
    _at_work: threading.Lock = field(default_factory=threading.Lock)

    @abstractmethod
    def connection(self) -> dict[str, Any]:
        """What to enter in the product."""

    @abstractmethod
    def live(self, rng: Random) -> None:
        """Let something happen in its world."""

    @abstractmethod
    def faults(self) -> dict[str, list[dict[str, Any]]]:
        """What its simulator can do wrong by itself, by name."""

    @abstractmethod
    def holdings(self) -> Holdings:
        """What its world holds, by its own count and its own lists."""

    def deliver(self, url: str, count: int) -> list[str]:
        """Send webhooks about the newest events; the ids of those that were taken."""
        if self.gateway.is_shut:
            return []
        order = {"url": url, "secret": WEBHOOK_SECRET, "count": count, "duplicates": 1, "attempts": 2, "shuffle": True}
        with self._control(timeout_s=120) as control:
            answer = control.post("/webhooks", json=order)
        return [each["event"] for each in answer.json() if any(s and 200 <= s < 300 for s in each["statuses"])]

    def fault(self, orders: list[dict[str, Any]]) -> None:
        """Have the simulator do so; with no orders it behaves."""
        with self._control() as control:
            control.put("/faults", json=orders).raise_for_status()

    def kill(self, strike: Callable[[], None]) -> None:
        """Have its simulator killed; from then on nobody gets through."""
        self.gateway.shut()
        self._at_work.acquire()
        strike()

    def revive(self) -> None:
        """Begin to bring the simulator back to where its world was; then people get through again."""
        # In the background: a long life takes a while to be told again.
        threading.Thread(target=self._revive, name="revival").start()

    def ready(self) -> None:
        """Wait until it is back."""
        with self._at_work:
            pass

    def _revive(self) -> None:
        try:
            self._tell_again()
        finally:
            self.gateway.open()
            self._at_work.release()

    def _tell_again(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                with self._control() as control:
                    control.get("/faults").raise_for_status()
                break
            except httpx2.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        with self._control() as control:
            for path, body in self._happened:
                control.post(f"/{path}", json=body).raise_for_status()

    def expected(self) -> dict[str, Any]:
        """What the simulator says of its world."""
        with self._control() as control:
            found: dict[str, Any] = control.get("/expected").raise_for_status().json()
        return found

    def happen(self, path: str, body: dict[str, Any]) -> None:
        """Change the world, and remember how."""
        with self._at_work:
            with self._control() as control:
                answer = control.post(f"/{path}", json=body)
            # Not everything can happen to everything.
            if answer.is_success:
                self._happened.append((path, body))

    def _control(self, *, timeout_s: float = 30) -> httpx2.Client:
        return httpx2.Client(base_url=f"{self.address}/_simulator", timeout=timeout_s)


def plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f") if amount else "0"


def weathers() -> dict[str, Weather]:
    """What can happen on the way to any vendor."""
    return {
        "vendor-refused": Weather(kind="refused"),
        "vendor-reset": Weather(kind="reset"),
        "vendor-silent": Weather(kind="silent"),
        "vendor-cut": Weather(kind="cut"),
        "vendor-slow": Weather(kind="slow"),
        "vendor-503": Weather(kind="answered", status=503),
        "vendor-429-retry-after": Weather(kind="answered", status=429, retry_after_s=5),
    }
