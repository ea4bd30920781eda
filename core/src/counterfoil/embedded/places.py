"""Where an embedded server keeps its files, chosen so that its account can reach them and its socket path is short."""

import os
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from counterfoil.embedded.accounts import Account
from counterfoil.embedded.locks import FileLock, is_locked

# sun_path holds 108 bytes; the longest socket name, PostgreSQL's, takes 15 of them.
_MAX_SOCKET_FOLDER = 90
_SYSTEM_STATE = Path("/var/lib/counterfoil")
_LOCATION = "location"
_ORIGIN = "origin"
_RUN = "run-location"
_SHORT_TMP = "/tmp"  # noqa: S108  (mkdtemp makes an unguessable 0700 folder; TMPDIR may be as long as the path we avoid)


@dataclass(frozen=True, kw_only=True)
class Place:
    """``folder`` holds everything of one server, ``run`` its socket; ``root`` is what the caller asked for."""

    root: Path
    folder: Path
    run: Path


def prepare_place(root: Path, account: Account) -> Place:
    """Make the folders of one server, or find those made before."""
    root.mkdir(parents=True, exist_ok=True)
    # Others may pass through when another account serves, and list nothing: what is inside has modes of its own.
    root.chmod(0o711 if account.switches else 0o700)
    with FileLock(root / "place.lock").held():
        folder = root if account.can_enter(root) else _reachable_folder(root)
        return Place(root=root, folder=folder, run=_run_folder(folder, account))


def _reachable_folder(root: Path) -> Path:
    """A folder in /var/lib that ``root`` points to.

    For root with a home that the service account cannot enter (as /root): the permissions of folders above ``root`` are
    not ours to change.
    """
    pointer = root / _LOCATION
    if not _SYSTEM_STATE.exists():
        _SYSTEM_STATE.mkdir(parents=True, exist_ok=True)
        _SYSTEM_STATE.chmod(0o711)
    with FileLock(_SYSTEM_STATE / "lock").held():
        if pointer.exists() and _points_back(Path(pointer.read_text()), root):
            return Path(pointer.read_text())
        _remove_orphans()
        folder = _SYSTEM_STATE / secrets.token_hex(8)
        folder.mkdir()
        folder.chmod(0o711)  # mkdir's mode is cut by the umask
        (folder / _ORIGIN).write_text(str(root))
        pointer.write_text(str(folder))
        return folder


def remove_place(place: Place) -> None:
    """Delete everything of one server."""
    for folder in (place.run, place.folder, place.root):
        if folder.exists():
            shutil.rmtree(folder)


def _points_back(place: Path, root: Path) -> bool:
    try:
        return (place / _ORIGIN).read_text() == str(root)
    except OSError:
        return False


def _remove_orphans() -> None:
    """Delete places whose root was removed by hand, so that their data does not stay behind for ever."""
    for place in _SYSTEM_STATE.iterdir():
        try:
            root = Path((place / _ORIGIN).read_text())
        except OSError:
            continue
        try:
            kept = (root / _LOCATION).read_text() == str(place)
        except OSError:
            kept = False
        if not kept and not is_locked(place / "keeper.lock"):
            shutil.rmtree(place)


def _run_folder(folder: Path, account: Account) -> Path:
    """The folder of the socket: inside ``folder``, or a short one where that path is too long for a socket."""
    run = folder / "run"
    if len(os.fsencode(run)) <= _MAX_SOCKET_FOLDER:
        run.mkdir(mode=0o700, exist_ok=True)
        account.own(run)
        return run
    pointer = folder / _RUN
    if pointer.exists() and _is_private(Path(pointer.read_text()), account):
        return Path(pointer.read_text())
    short = Path(tempfile.mkdtemp(prefix="counterfoil-", dir=_SHORT_TMP))
    account.own(short)
    pointer.write_text(str(short))
    return short


def _is_private(folder: Path, account: Account) -> bool:
    """A recorded folder in /tmp may be gone after a reboot, and somebody else may have made one of that name."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and not found.st_mode & 0o077
