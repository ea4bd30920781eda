"""One embedded server shared by any number of processes: who uses it, who keeps it, and when it stops.

Every user holds ``users.lock`` shared, so the kernel counts them. The first one starts a keeper, a small process that is
the server's parent: it starts the server again after a crash and stops it when the last user is gone, even when that user
was killed. Nothing here needs a list of process ids that could go stale.
"""

import json
import os
import shutil
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from counterfoil.embedded.accounts import service_account
from counterfoil.embedded.errors import EmbeddedError
from counterfoil.embedded.locks import FileLock, is_locked
from counterfoil.embedded.places import prepare_place, remove_place

_POLL_S = 0.02
_LOG_TAIL = 2000
_LOG_ROTATES_AT = 10_000_000


class EmbeddedServer(ABC):
    """A server program under ``root``. Safe to use from many processes at once; one object per process and root."""

    kind: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, root: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.root = root.resolve()
        self.options = dict(options or {})
        self.account = service_account()
        self.place = prepare_place(self.root, self.account)
        self.folder = self.place.folder
        self.log_path = self.folder / "server.log"
        self.keeper_lock_path = self.folder / "keeper.lock"
        self.users_lock_path = self.folder / "users.lock"
        self._users = FileLock(self.users_lock_path)
        self._keeper_pid: int | None = None

    # -- what a kind of server says about itself ---------------------------------------------------------------------

    @abstractmethod
    def prepare(self) -> None:
        """Make what must exist before the first start. Called under the start lock, with no server running."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers clients now."""

    @abstractmethod
    def clear_stale_files(self) -> None:
        """Remove what a dead server left behind and a new one would stumble over."""

    @abstractmethod
    def _find_binaries(self) -> tuple[Path, Path]:
        """The folder to copy when the account cannot reach it, and a program inside it to try."""

    # -- use -----------------------------------------------------------------------------------------------------------

    def start(self, *, timeout_s: float = 120) -> Self:
        """Become a user and wait until the server answers. Harmless when it runs already."""
        self._users.shared()
        try:
            self._start(time.monotonic() + timeout_s)
        except BaseException:
            self.release()
            raise
        return self

    def _start(self, deadline: float) -> None:
        with FileLock(self.folder / "start.lock").held():
            if not self.is_kept():
                self._reap_keeper()
                self.prepare()
                self._rotate_log()
                self._keeper_pid = self._spawn_keeper()
                self._await_keeper(deadline)
        while not self.is_ready():
            if not self.is_kept():
                raise EmbeddedError(f"{self.kind} did not start; the end of {self.log_path}:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{self.kind} was not ready in time; see {self.log_path}")
            time.sleep(_POLL_S)

    def release(self) -> bool:
        """Stop being a user. The last one stops the server and waits for that; True when it is stopped."""
        self._users.release()
        if not self._users.try_exclusive():
            # Either somebody else uses it, or the keeper has seen us leave and is stopping it.
            others_use_it = self._users.try_shared()
            if not others_use_it:
                self._users.shared()
            self._users.release()
            self._reap_keeper()
            return not others_use_it
        try:
            self._stop_keeper()
        finally:
            self._users.release()
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def is_kept(self) -> bool:
        """Whether a keeper is alive, so that the server runs or is about to."""
        return is_locked(self.keeper_lock_path)

    @property
    def pid(self) -> int | None:
        """The server's process id, while it is kept; it changes when the server was started again."""
        try:
            return int((self.folder / "server.pid").read_text()) if self.is_kept() else None
        except (OSError, ValueError):
            return None

    def destroy(self) -> None:
        """Delete the data. Refuses while somebody uses the server."""
        if not self._users.try_exclusive():
            raise EmbeddedError(f"{self.kind} in {self.root} is in use")
        try:
            self._stop_keeper()
            remove_place(self.place)
        finally:
            self._users.release()

    # -- binaries ------------------------------------------------------------------------------------------------------

    def binaries(self) -> Path:
        """The folder of the programs, copied under our own when the account cannot reach the installed one."""
        installed, program = self._find_binaries()
        if not self.account.switches or self.account.can_run(installed / program):
            return installed
        copy = self.folder / "programs"
        stamp = f"{installed} {(installed / program).stat().st_mtime_ns}"
        marker = copy / "copied-from"
        if not marker.exists() or marker.read_text() != stamp:
            fresh = self.folder / "programs.new"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            self._copy_binaries(fresh)
            for folder in (fresh, *fresh.glob("*/")):
                folder.chmod(0o755)  # whatever our umask is
            (fresh / "copied-from").write_text(stamp)
            shutil.rmtree(copy, ignore_errors=True)
            fresh.rename(copy)
        return copy / self._copied_folder()

    @abstractmethod
    def _copy_binaries(self, target: Path) -> None:
        """Copy everything the programs need into ``target``."""

    @abstractmethod
    def _copied_folder(self) -> Path:
        """Where inside the copy the folder of the programs is."""

    # -- the keeper ----------------------------------------------------------------------------------------------------

    def _spawn_keeper(self) -> int:
        argv = [sys.executable, "-P", "-m", "counterfoil.embedded.keeper", self.kind, str(self.root)]
        argv.append(json.dumps(self.options))
        log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        # A session of its own: Ctrl-C in our terminal is for us, the keeper goes when the last user has gone. Not
        # subprocess.Popen, whose objects must outlive the child: the first user may leave long before the keeper does.
        return os.posix_spawn(
            sys.executable,
            argv,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log_path), log, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )

    def _await_keeper(self, deadline: float) -> None:
        while not self.is_kept():
            if self._reap_keeper() or time.monotonic() > deadline:
                raise EmbeddedError(f"{self.kind} did not start; the end of {self.log_path}:\n{self._log_tail()}")
            time.sleep(_POLL_S)

    def _stop_keeper(self) -> None:
        if self.is_kept():
            os.kill(int(self.keeper_lock_path.read_text()), signal.SIGTERM)
            gone = FileLock(self.keeper_lock_path)
            gone.shared()
            gone.release()
        if self._keeper_pid is not None:
            os.waitpid(self._keeper_pid, 0)
            self._keeper_pid = None

    def _reap_keeper(self) -> bool:
        """Whether the keeper we started has ended."""
        if self._keeper_pid is None or os.waitpid(self._keeper_pid, os.WNOHANG) == (0, 0):
            return False
        self._keeper_pid = None
        return True

    def _rotate_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_ROTATES_AT:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))

    def _log_tail(self) -> str:
        try:
            return self.log_path.read_text(errors="replace")[-_LOG_TAIL:]
        except OSError:
            return "(no log)"
