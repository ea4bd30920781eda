"""Reading a pack's zip as strictly as we write it.

Programs differ in which parts of an archive they believe: the directory at its end or the headers before each file, the
first or the last of two files of one name, what lies before, between and after. Here all of it has to say the same, every
byte belongs to something, and nothing is written to disk.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from counterfoil.evidence import layout

_LOCAL = struct.Struct("<4s2B4HL2L2H")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_EXTRA = struct.Struct("<HH")
_NONE_16, _NONE_32 = 0xFFFF, 0xFFFFFFFF
_LARGEST_DIRECTORY = layout.MOST_MEMBERS * 256
_CHUNK_BYTES = 256 * 1024


class NotAPack(Exception):
    """The file is no archive at all."""


class Tampered(Exception):
    """The archive is not as we write them: where, and how."""

    def __init__(self, file: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.file, self.code, self.detail = file, code, detail


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of the archive, as the directory at its end has it."""

    name: str
    offset: int
    crc: int
    size: int
    compressed_size: int


class Container:
    """An opened archive. Its directory is sound; what the files hold is known when they are read."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the directory.

        Raises:
            NotAPack: there is none.
            Tampered: it is not the only possible reading of this file.
        """
        self._file = file
        self._size = file.seek(0, 2)
        if self._at(0, 4) != b"PK\x03\x04":
            raise NotAPack("this is no zip archive")
        self._directory_at, directory_size, count = self._end()
        self.members = self._directory(self._read_directory(directory_size), count)
        self._check_names()
        self._check_total()

    def read(self, member: Member, *, following: Member | None) -> Iterator[bytes]:
        """The content of a file in chunks, never more than the directory says.

        Args:
            member: one of ``members``.
            following: the one after it, where it has to end.

        Raises:
            Tampered: its own header or its data disagree with the directory.
        """
        start = self._check_header(member)
        end = following.offset if following else self._directory_at
        if start + member.compressed_size != end:
            raise Tampered(member.name, "container", "there is something else between this file and the next")
        unpacker, crc, size, position = zlib.decompressobj(-15), 0, 0, start
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail or self._at(position, min(_CHUNK_BYTES, end - position))
            if not unpacker.unconsumed_tail:
                position += len(packed)
            try:
                chunk = unpacker.decompress(packed, _CHUNK_BYTES)
            except zlib.error:
                raise Tampered(member.name, "changed", "its compressed data is damaged") from None
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            if size > member.size or (not packed and not chunk):
                raise Tampered(member.name, "changed", "its compressed data is damaged")
            yield chunk
        if unpacker.unused_data or position != end or size != member.size or crc != member.crc:
            raise Tampered(member.name, "changed", "it does not have the size and checksum the archive says")

    # -- the end, the directory, the headers ---------------------------------------------------------------------------

    def _at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)

    def _end(self) -> tuple[int, int, int]:
        """Where the directory is, its size and the number of its entries."""
        end_at = self._size - _END.size
        tail = self._at(max(0, end_at), _END.size)
        if len(tail) < _END.size or not tail.startswith(b"PK\x05\x06"):
            raise Tampered("archive", "container", "it is cut off, or something follows its end")
        _, disk, first_disk, here, count, size, offset, comment = _END.unpack(tail)
        if disk or first_disk or here != count or comment:
            raise Tampered("archive", "container", "its end is not as we write it")
        if offset + size != end_at:
            end_at, size, offset, count = self._end64(end_at, (count, size, offset))
        if offset + size != end_at:
            raise Tampered("archive", "container", "its directory does not end where the archive does")
        if count > layout.MOST_MEMBERS or size > _LARGEST_DIRECTORY:
            raise Tampered("archive", "too_big", "it has more files than any pack")
        return offset, size, count

    def _end64(self, end_at: int, shorter: tuple[int, int, int]) -> tuple[int, int, int, int]:
        """The end of an archive too large for the short form, which then has to agree as far as it can."""
        locator_at = end_at - _LOCATOR.size
        record_at = locator_at - _END64.size
        if record_at < 0:
            raise Tampered("archive", "container", "its directory does not end where the archive does")
        locator = _LOCATOR.unpack(self._at(locator_at, _LOCATOR.size))
        record = _END64.unpack(self._at(record_at, _END64.size))
        count, size, offset = record[7:]
        versions = (layout.VERSION_ZIP64, layout.VERSION_ZIP64)
        expected = (b"PK\x06\x06", _END64.size - 12, *versions, 0, 0, count, count, size, offset)
        fitting = (min(count, _NONE_16), min(size, _NONE_32), min(offset, _NONE_32))
        if locator != (b"PK\x06\x07", 0, record_at, 1) or record != expected or shorter != fitting:
            raise Tampered("archive", "container", "its end is not as we write it")
        return record_at, size, offset, count

    def _read_directory(self, size: int) -> bytes:
        return self._at(self._directory_at, size)

    def _directory(self, data: bytes, count: int) -> list[Member]:
        members, position = [], 0
        for _ in range(count):
            member, position = _entry(data, position)
            members.append(member)
        if position != len(data):
            raise Tampered("archive", "container", "its directory holds more than its entries")
        offsets = [member.offset for member in members]
        if offsets != sorted(set(offsets)) or offsets[:1] != [0]:
            raise Tampered("archive", "container", "its files do not lie one after the other")
        return members

    def _check_names(self) -> None:
        seen: set[str] = set()
        for member in self.members:
            if not layout.is_member_name(member.name):
                raise Tampered(member.name, "name", "no file of a pack has such a name")
            if member.name.lower() in seen:
                raise Tampered(member.name, "duplicate", "there are two files of this name")
            seen.add(member.name.lower())

    def _check_total(self) -> None:
        total = sum(member.size for member in self.members)
        if total > max(layout.SMALL_PACK, layout.LARGEST_RATIO * self._size):
            raise Tampered("archive", "too_big", "it claims to hold far more than any pack of its size")

    def _check_header(self, member: Member) -> int:
        """The header in front of a file says what the directory says; where the data begins."""
        name = member.name.encode()
        raw = self._at(member.offset, _LOCAL.size + len(name) + 20)
        sizes = _EXTRA.pack(1, 16) + struct.pack("<QQ", member.size, member.compressed_size)
        expected = _LOCAL.pack(
            b"PK\x03\x04", layout.VERSION_ZIP64, 0, 0, layout.DEFLATED, layout.DOS_TIME, layout.DOS_DATE,
            member.crc, _NONE_32, _NONE_32, len(name), len(sizes),
        )  # fmt: skip
        if raw != expected + name + sizes:
            raise Tampered(member.name, "header", "the header before the file and the directory disagree")
        return member.offset + len(raw)


def _entry(data: bytes, position: int) -> tuple[Member, int]:
    """One entry of the directory, and where the next begins."""
    if position + _CENTRAL.size > len(data):
        raise Tampered("archive", "container", "its directory is cut off")
    fields = _CENTRAL.unpack_from(data, position)
    crc, compressed_size, size, name_size, extra_size = fields[9:14]
    offset = fields[18]
    position += _CENTRAL.size
    name = data[position : position + name_size].decode("latin-1").encode("unicode_escape").decode()
    extra = data[position + name_size : position + name_size + extra_size]
    fixed = (
        b"PK\x01\x02", layout.VERSION_ZIP64, layout.UNIX, layout.VERSION_ZIP64, 0, 0, layout.DEFLATED,
        layout.DOS_TIME, layout.DOS_DATE,
    )  # fmt: skip
    if fields[:9] != fixed or fields[14:18] != (0, 0, 0, layout.ATTRIBUTES):
        raise Tampered(name, "header", "its entry in the directory is not as we write them")
    size, compressed_size, offset = _long(name, extra, size, compressed_size, offset)
    member = Member(name=name, offset=offset, crc=crc, size=size, compressed_size=compressed_size)
    return member, position + name_size + extra_size


def _long(name: str, extra: bytes, *values: int) -> list[int]:
    """The values that did not fit into their fields, from where they are instead."""
    missing = values.count(_NONE_32)
    expected = _EXTRA.pack(1, 8 * missing) if missing else b""
    if len(extra) != len(expected) + 8 * missing or not extra.startswith(expected):
        raise Tampered(name, "header", "its entry in the directory is not as we write them")
    longer = iter(struct.unpack(f"<{missing}Q", extra[len(expected) :]))
    return [next(longer) if value == _NONE_32 else value for value in values]
