"""What is struck: the running product with its processes, its vendor, its disk and its clock."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tests.product.conftest import Product, processes

from counterfoil.cli.home import Home
from counterfoil.embedded.processes import processes_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from tests.soak.machine import Clock, SmallDisk
    from tests.soak.vendors import Vendor


class NothingThere(Exception):
    """What was to be struck does not run at this moment; it was struck before and is on its way."""


@dataclass(kw_only=True)
class Scene:
    product: Product
    vendor: Vendor
    disk: SmallDisk
    clock: Clock

    @cached_property
    def home(self) -> Home:
        return Home(self.product.home)

    def child(self, *words: str, without: str = "\0") -> int:
        """The process of `up`'s whose command has these words."""
        return _one(
            pid
            for pid, parent, command in processes()
            if parent == self.product.process.pid and all(word in command for word in words) and without not in command
        )

    def worker(self) -> int:
        return self.child(" worker ", without="--queues evidence")

    def worker_child(self, rng: Random) -> int:
        worker = self.worker()
        return _any(rng, [pid for pid, parent, _ in processes() if parent == worker])

    def evidence_worker(self) -> int:
        return self.child(" worker ", "--queues evidence")

    def api(self) -> int:
        return self.child(" serve")

    def ticker(self) -> int:
        return self.child(" beat")

    def simulator(self) -> int:
        return self.child(" simulator ")

    def postmaster(self) -> int:
        try:
            return int((self.home.postgres().data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            raise NothingThere from None

    def postgres(self) -> list[int]:
        """The postmaster and everything it started."""
        found = processes_in(self.home.postgres().data)
        if not found:
            raise NothingThere
        return found

    def backend(self, rng: Random) -> int:
        """Somebody's session."""
        postmaster = self.postmaster()
        sessions = [
            pid for pid, parent, command in processes() if parent == postmaster and "counterfoil_app" in command
        ]
        return _any(rng, sessions)

    def valkey(self) -> int:
        return self._pid_in("valkey", "server.pid")

    def keeper(self, kind: str) -> int:
        return self._pid_in(kind, "keeper.lock")

    def flush_valkey(self) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.home.valkey().socket_path))
                client.sendall(b"FLUSHALL\r\n")
                client.recv(16)
            except OSError:
                raise NothingThere from None

    def wipe_valkey(self) -> None:
        """As if its disk had been lost."""
        for entry in self.home.valkey().data.iterdir():
            shutil.rmtree(entry, ignore_errors=True)
        kill(self.valkey())

    def _pid_in(self, kind: str, name: str) -> int:
        server = self.home.valkey() if kind == "valkey" else self.home.postgres()
        try:
            return int((server.folder / name).read_text())
        except (OSError, ValueError):
            raise NothingThere from None


def kill(*pids: int, number: signal.Signals = signal.SIGKILL) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def belonging_to(home: Path) -> dict[int, str]:
    """Every process that was started for this home, by what it was started with or where it stands."""
    found = {}
    wanted = str(home).encode()
    for pid, _, command in processes():
        with suppress(OSError):
            folder = Path(f"/proc/{pid}")
            environment = (folder / "environ").read_bytes()
            standing = str((folder / "cwd").readlink())
            if wanted in environment or str(home) in command or standing.startswith(str(home)):
                found[pid] = command.strip()
    found.pop(os.getpid(), None)
    return found


def _one(pids: Iterable[int]) -> int:
    for pid in pids:
        return pid
    raise NothingThere


def _any(rng: Random, pids: list[int]) -> int:
    if not pids:
        raise NothingThere
    return rng.choice(sorted(pids))
