"""Signals that wait until we look: nothing is interrupted half way, so what we started is always known to us."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

_STOP = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Stop(Exception):
    """Somebody asked us to stop."""


@contextmanager
def held_back() -> Iterator[None]:
    """Block the signals that stop us and that tell of children, from here on picked up by ``wait``."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_STOP, signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait(seconds: float) -> None:
    """Wait, less long when a child ends.

    Raises:
        Stop: Ctrl-C was pressed, or a request to terminate came.
    """
    got = signal.sigtimedwait({*_STOP, signal.SIGCHLD}, seconds)
    if got is not None and got.si_signo in _STOP:
        raise Stop


def wait_full(seconds: float) -> None:
    """The same, to the end, whatever children do."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        wait(left)
