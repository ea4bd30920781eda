"""A disk that can be filled and a clock that can be set, where the machine has them to give."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

_MIB = 1024 * 1024
_SHIM = Path(__file__).with_name("clock.c")


class NotPossible(Exception):
    """This machine cannot do that; the message says what it lacks."""


class SmallDisk:
    """A folder on a file system of its own. What is on it is gone when it is put away."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        self.folder, self._megabytes = folder, megabytes
        self._image = folder.with_name(f"{folder.name}.img")
        self._ballast = folder / "ballast"
        self.reason = self._mount()

    def _mount(self) -> str | None:
        """Why there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            return "only root may mount a small disk"
        with self._image.open("wb") as image:
            image.truncate(self._megabytes * _MIB)
        # Nothing reserved for root: everybody finds it full.
        made = _runs("mkfs.ext4", "-q", "-m", "0", str(self._image)) or "mkfs failed"
        if made == "ok" and _runs("mount", "-o", "loop", str(self._image), str(self.folder)) == "ok":
            return None
        self._image.unlink(missing_ok=True)
        options = f"size={self._megabytes}m,mode=0755"
        mounted = _runs("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder))
        return None if mounted == "ok" else f"neither a loop device nor a tmpfs can be mounted ({mounted})"

    def fill(self) -> None:
        if self.reason is not None:
            raise NotPossible(self.reason)
        with self._ballast.open("ab") as file:
            end = file.seek(0, os.SEEK_END)
            # In ever smaller steps: until not one more page fits.
            step = 64 * _MIB
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), end, step)
                    end += step
                except OSError:
                    step //= 4

    def empty(self) -> None:
        with suppress(FileNotFoundError):
            self._ballast.unlink()

    def put_away(self) -> None:
        if self.reason is None:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)  # noqa: S603, S607  (our own mount)
            self._image.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class Clock:
    """What the product's own processes take for the time: true but for an offset in a file. The databases keep the true one.

    libfaketime would do as well, did it not break absolute sleeps of the clocks it is told to leave alone.
    """

    def __init__(self, folder: Path) -> None:
        self._library, self._offset = folder / "clock.so", folder / "clock-offset"
        compiled = _runs("cc", "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_SHIM))
        self.reason = None if compiled == "ok" else f"the clock's shim cannot be compiled ({compiled})"
        self._offset.write_text("0\n")

    @property
    def environment(self) -> dict[str, str]:
        if self.reason is not None:
            return {}
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET_FILE": str(self._offset)}

    def set(self, offset_s: int) -> None:
        if self.reason is not None:
            raise NotPossible(self.reason)
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(f"{offset_s}\n")
        fresh.replace(self._offset)


def _runs(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (constants and our own paths)
    except FileNotFoundError:
        return f"{command[0]} is missing"
    return "ok" if done.returncode == 0 else done.stderr.strip() or f"{command[0]} failed"
