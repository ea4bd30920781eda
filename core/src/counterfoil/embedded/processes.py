"""Process helpers: children that die with their parent, and what /proc knows."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn``: the child gets ``signum`` when its parent dies, even by SIGKILL, and starts with no signal blocked.

    The parent is the *thread* that starts the child, so start children from a thread that lives as long as the process.
    """
    parent = os.getpid()
    # Loaded here, in the parent: between fork and exec only the plain system call is left to do.
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def processes_in(folder: Path) -> list[int]:
    """Ids of the processes whose working directory is ``folder``; those of other users are invisible to a plain user."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
