"""A pack in hand, and forgeries of it."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from counterfoil.evidence import layout
from counterfoil.evidence.verify import Report, verify

Member = tuple[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Pack:
    content: bytes
    public_key: str
    public_key_pem: str

    def verify(self, content: bytes | None = None) -> Report:
        """The report on these bytes, or on this pack, for somebody who has its key."""
        return verify(io.BytesIO(self.content if content is None else content), [self.public_key])

    @property
    def members(self) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @property
    def manifest(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.members[layout.MANIFEST])
        return document

    def lines(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.members[path].splitlines()]

    def rebuilt(self, change: Callable[[dict[str, bytes]], Mapping[str, bytes] | list[Member]]) -> bytes:
        """A sound archive of our own layout with other content: what a forger without the key can make."""
        changed = change(self.members)
        return zipped(list(changed.items()) if isinstance(changed, Mapping) else changed)


def zipped(members: list[Member], *, prepare: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    """An archive just as we write them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, date_time=layout.DATE_TIME)
            info.create_system, info.external_attr = layout.UNIX, layout.ATTRIBUTES
            info.compress_type = zipfile.ZIP_DEFLATED
            if prepare:
                prepare(info)
            with archive.open(info, "w", force_zip64=True) as opened:
                opened.write(content)
    return file.getvalue()
