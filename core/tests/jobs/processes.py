"""A worker as a process of its own, and what can be done to it."""

import multiprocessing
import os
import runpy
import signal
from contextlib import suppress
from pathlib import Path

from .sample_tasks import PROGRAM

# Forked from a server that has imported the product once: a start takes a moment instead of seconds.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["counterfoil.worker", "pytest"])


class WorkerProcess:
    def __init__(self, environment: dict[str, str], *, log: Path, queue: str = "sync") -> None:
        self.log = log
        self._process = _FORKS.Process(
            target=runpy.run_path,
            args=(str(PROGRAM), {"ENVIRONMENT": environment, "LOG": str(log), "QUEUE": queue}, "__main__"),
        )
        self._process.start()

    @property
    def pid(self) -> int:
        pid = self._process.pid
        assert pid is not None
        return pid

    def children(self) -> list[int]:
        """The pool's processes."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == self.pid:
                    found.append(int(stat.parent.name))
        return found

    def signal_all(self, signum: signal.Signals) -> None:
        for pid in [*self.children(), self.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signum)

    def kill(self) -> None:
        """As an out-of-memory killer does: no process gets to say good-bye."""
        self.signal_all(signal.SIGKILL)
        self._process.join(timeout=10)

    def terminate(self) -> int | None:
        """As a deployment does; the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        self._process.join(timeout=15)
        return self._process.exitcode

    def destroy(self) -> None:
        if self._process.is_alive():
            self.signal_all(signal.SIGCONT)
            self.kill()
