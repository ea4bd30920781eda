"""Advisory file locks. The kernel drops them when their process dies, so no count has to be repaired after a kill."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """One ``flock`` on one file. The lock belongs to this object's descriptor, which child programs do not inherit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def _open(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._fd

    def shared(self) -> None:
        fcntl.flock(self._open(), fcntl.LOCK_SH)

    def exclusive(self) -> None:
        fcntl.flock(self._open(), fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self._open(), mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Drop the lock and close the file; harmless when nothing is held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextmanager
    def held(self) -> Iterator[None]:
        self.exclusive()
        try:
            yield
        finally:
            self.release()


def is_locked(path: Path) -> bool:
    """Whether somebody holds the file exclusively right now."""
    if not path.exists():
        return False
    probe = FileLock(path)
    try:
        return not probe.try_shared()
    finally:
        probe.release()
