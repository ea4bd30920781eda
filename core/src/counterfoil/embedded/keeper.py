"""``python -m counterfoil.embedded.keeper KIND ROOT OPTIONS``: the parent of one embedded server.

Holds ``keeper.lock`` while it lives; starts the server, starts it again when it crashes, and stops it once nobody holds
``users.lock`` any more or on SIGTERM.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from counterfoil.embedded.errors import EmbeddedError
from counterfoil.embedded.locks import FileLock
from counterfoil.embedded.postgres import EmbeddedPostgres
from counterfoil.embedded.processes import die_with_parent
from counterfoil.embedded.server import EmbeddedServer
from counterfoil.embedded.valkey import EmbeddedValkey

_LOOKS_FOR_USERS_EVERY_S = 0.5
_STABLE_AFTER_S = 5.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_GIVES_UP_AFTER = 8
_STOP_TIMEOUT_S = 60.0
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}

SERVERS: dict[str, type[EmbeddedServer]] = {kind.kind: kind for kind in (EmbeddedPostgres, EmbeddedValkey)}


def keep(server: EmbeddedServer) -> int:
    """Run the server until nobody needs it. Returns the exit status: 1 when it would not stay up."""
    # Blocked, not handled: they are picked up one by one in _is_wanted, never in the middle of something.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    lock = FileLock(server.keeper_lock_path)
    # Waits for no keeper (starters take turns), only for those who look whether there is one.
    lock.exclusive()
    server.keeper_lock_path.write_text(str(os.getpid()))
    users = FileLock(server.users_lock_path)
    try:
        return _keep(server, users)
    finally:
        (server.folder / "server.pid").unlink(missing_ok=True)
        # In this order: whoever waits for the users' lock must find no keeper once it gets it.
        lock.release()
        users.release()


def _keep(server: EmbeddedServer, users: FileLock) -> int:
    failures, pause_s = 0, _FIRST_PAUSE_S
    while failures < _GIVES_UP_AFTER:
        server.clear_stale_files()
        started = time.monotonic()
        process = _spawn(server)
        # Only for people and tests to know: the server is kept on a full disk as well.
        with suppress(OSError):
            (server.folder / "server.pid").write_text(str(process.pid))
        while process.poll() is None:
            if not _is_wanted(users, _LOOKS_FOR_USERS_EVERY_S):
                _stop(server, process)
                return 0
        _say(f"{server.kind} ended with status {process.returncode}")
        if time.monotonic() - started > _STABLE_AFTER_S:
            failures, pause_s = 0, _FIRST_PAUSE_S
        failures += 1
        if not _is_wanted(users, pause_s):
            return 0
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
    _say(f"{server.kind} would not stay up; gave up after {failures} starts")
    return 1


def _spawn(server: EmbeddedServer) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  (our own server program and settings)
        server.command(),
        stdin=subprocess.DEVNULL,
        cwd="/",
        # Nothing of the user's environment (PGDATA, LD_PRELOAD …) reaches the server.
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(server.folder)},
        start_new_session=True,
        preexec_fn=die_with_parent(server.stop_signal),  # noqa: PLW1509  (this process has one thread)
        **server.account.credentials,
    )


def _is_wanted(users: FileLock, timeout_s: float) -> bool:
    """Wait for something to happen; False once we are told to stop or no user is left (then we hold their lock)."""
    got = signal.sigtimedwait(_SIGNALS, timeout_s)
    if got is not None and got.si_signo != signal.SIGCHLD:
        return False
    return not users.try_exclusive()


def _stop(server: EmbeddedServer, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(server.stop_signal)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _say(f"{server.kind} did not stop in {_STOP_TIMEOUT_S:.0f} s; killed")
        process.kill()
        process.wait()


def _say(message: str) -> None:
    # The log may be on a full disk, which is no reason to let the server go.
    with suppress(OSError):
        print(f"[keeper {os.getpid()}] {message}", flush=True)  # noqa: T201  (its output is the server's log)


def main(argv: list[str]) -> int:
    kind, root, options = argv
    os.chdir("/")
    try:
        return keep(SERVERS[kind](Path(root), options=json.loads(options)))
    except EmbeddedError as error:
        _say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
