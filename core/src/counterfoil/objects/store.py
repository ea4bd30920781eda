"""Where objects are kept: a folder by default, any S3 in production.

A key is ``<tenant id>/<purpose>/…``, made by us and never from what a user named. An object is written once and never
changed: whatever has to change is a new object.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from counterfoil.kit.errors import Unavailable

_KEY = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.=-]*(/[A-Za-z0-9][A-Za-z0-9_.=-]*)+\Z")
CHUNK_BYTES = 256 * 1024
_UNFINISHED = ".part-"


class ObjectMissing(Exception):
    """There is no object of this key."""


class ObjectExists(Exception):
    """There is an object of this key already; it was left as it is."""


class ObjectStoreUnavailable(Unavailable):
    status, code, title = 503, "object_store_unavailable", "The object store does not answer"


class Readable(Protocol):
    """An open file, or what reads like one."""

    def read(self, size: int, /) -> bytes: ...


class ObjectStore(Protocol):
    """Named byte strings, written whole and only once."""

    async def put(self, key: str, content: Readable) -> None:
        """Store everything that can be read from a file. A reader never sees a part of it.

        Raises:
            ObjectExists: the key is taken.
            ValueError: no key of ours looks like that.
        """

    def read(self, key: str) -> AsyncIterator[bytes]:
        """The object in chunks.

        Raises:
            ObjectMissing: at the first chunk, or at a later one when the object is deleted meanwhile.
        """

    async def exists(self, key: str) -> bool: ...

    async def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix, in order."""

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already. Whether it may go is for the index to say."""

    async def drop_unfinished(self, prefix: str, *, before: datetime) -> int:
        """Remove what uploads that were cut off left behind under a prefix; how many there were."""

    async def close(self) -> None:
        """Give back what was opened."""


def checked_key(key: str) -> str:
    """The key itself.

    Raises:
        ValueError: it could leave the store's folder, or means different objects to different stores.
    """
    if not _KEY.match(key) or ".." in key:
        raise ValueError(f"not an object key: {key!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix itself.

    Raises:
        ValueError: it could lead out of the store's folder.
    """
    if prefix.startswith("/") or ".." in prefix or "\0" in prefix:
        raise ValueError(f"not the beginning of an object key: {prefix!r}")
    return prefix


class DirectoryStore:
    """Objects as files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, content: Readable) -> None:
        try:
            await asyncio.to_thread(self._put, self._path(key), content)
        except OSError as error:
            raise ObjectStoreUnavailable(f"The folder of the object store: {error.strerror}.") from error

    async def read(self, key: str) -> AsyncIterator[bytes]:
        path, offset = self._path(key), 0
        # Opened anew for each chunk: a file opened by a thread whose reader has gone meanwhile would stay open.
        while chunk := await asyncio.to_thread(_chunk, path, offset):
            yield chunk
            offset += len(chunk)

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(self._path(key).is_file)

    async def keys(self, prefix: str) -> list[str]:
        return await asyncio.to_thread(self._keys, checked_prefix(prefix))

    async def delete(self, key: str) -> None:
        path = self._path(key)
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def drop_unfinished(self, prefix: str, *, before: datetime) -> int:
        return await asyncio.to_thread(self._drop_unfinished, checked_prefix(prefix), before.timestamp())

    async def close(self) -> None:
        """A folder holds nothing open."""

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _put(self, path: Path, content: Readable) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                while chunk := content.read(CHUNK_BYTES):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, fails where the name is taken.
            os.link(name, path)
        except FileExistsError:
            raise ObjectExists(path.name) from None
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()

    def _drop_unfinished(self, prefix: str, before_s: float) -> int:
        folder, dropped = self._root / prefix.rpartition("/")[0], 0
        for path in folder.rglob(f"{_UNFINISHED}*"):
            # One that is done meanwhile is gone.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before_s:
                    path.unlink()
                    dropped += 1
        return dropped

    def _keys(self, prefix: str) -> list[str]:
        folder = self._root / prefix.rpartition("/")[0]
        found = (path.relative_to(self._root).as_posix() for path in folder.rglob("*") if path.is_file())
        return sorted(key for key in found if key.startswith(prefix) and not key.rpartition("/")[2].startswith("."))


def _chunk(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(CHUNK_BYTES)
    except FileNotFoundError:
        raise ObjectMissing(path.name) from None
