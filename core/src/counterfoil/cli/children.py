"""Child processes that are started again when they end, and stopped together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from counterfoil.cli.output import note
from counterfoil.embedded.processes import die_with_parent

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_STABLE_AFTER_S = 10.0
_STOP_TIMEOUT_S = 10.0


@dataclass(kw_only=True)
class Child:
    """One child: how to start it, and how it fares."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    address: str = ""
    failures: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _started: float = 0.0
    _again_at: float | None = None
    _asked_to_stop: bool = False

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  (our own commands)
                self.argv,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C reaches us alone, and we stop the children in order.
                start_new_session=True,
                # Killed with us: without us nobody would start it again or stop it. The main thread starts all.
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509  (this process has one thread)
            )
        self._started, self._again_at, self._asked_to_stop = time.monotonic(), None, False

    def look_after(self) -> None:
        """Notice that the child has ended, and start it again after a pause that grows while it keeps ending."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        if self._again_at is None:
            self._kill_descendants()
            stable = now - self._started > _STABLE_AFTER_S
            self.failures = 1 if stable else self.failures + 1
            pause = min(_FIRST_PAUSE_S * 2 ** (self.failures - 1), _LONGEST_PAUSE_S)
            self._again_at = now + pause
            ended = describe_status(self.process.returncode)
            note(f"{self.name} (process {self.process.pid}) {ended}; starting it again in {pause:g} s, see {self.log}")
        elif now >= self._again_at:
            self._start_again(now)

    def _start_again(self, now: float) -> None:
        try:
            self.start()
        except OSError as error:
            # No room, no memory, no process left: that may pass.
            self._again_at = now + _LONGEST_PAUSE_S
            note(f"{self.name} cannot be started: {error}")
        else:
            note(f"{self.name} runs again (process {self.pid})")

    def ask_to_stop(self) -> None:
        """Ask the child to end, once: a worker takes a second time as an order to drop its jobs."""
        if self.process is not None and self.process.poll() is None and not self._asked_to_stop:
            self._asked_to_stop = True
            self.process.terminate()

    def stop(self, *, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Ask the child to end, and kill it and its own children when it does not."""
        if self.process is None:
            return
        self.ask_to_stop()
        if self.process.poll() is None:
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                note(f"{self.name} did not stop in {timeout_s:g} s and was killed")
                self.process.kill()
                self.process.wait()
        self._kill_descendants()

    def _kill_descendants(self) -> None:
        """The child led a session and process group of its own, which outlives it when it is killed."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def log_tail(self, lines: int = 20) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def own_command(*arguments: str) -> list[str]:
    """The ``counterfoil`` program beside the interpreter that runs us."""
    script = Path(sys.executable).with_name("counterfoil")
    return [str(script), *arguments] if script.exists() else [sys.executable, "-m", "counterfoil.cli", *arguments]


def describe_status(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
