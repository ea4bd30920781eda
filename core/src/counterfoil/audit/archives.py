"""Archives: a month of a tenant's events as compressed lines, with the seals over them and a signed record of both."""

import hashlib
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

import orjson

from counterfoil.audit.leaves import Leaf
from counterfoil.audit.models import AuditArchive
from counterfoil.objects import ObjectMissing, ObjectStore

_PURPOSE = "counterfoil audit archive 1"
_GZIP = 31


class ArchiveMissing(Exception):
    """A file of an archive is not in the object store."""


class ArchiveAltered(Exception):
    """A file of an archive is not what was written."""


def record(archive: AuditArchive) -> dict[str, Any]:
    """What an archive's record says."""
    return {
        "purpose": _PURPOSE,
        "tenant_id": str(archive.tenant_id),
        "id": str(archive.id),
        "month": f"{archive.month:%Y-%m}",
        "first_sequence": archive.first_sequence,
        "last_sequence": archive.last_sequence,
        "event_count": archive.event_count,
        "events_key": archive.events_key,
        "events_sha256": archive.events_sha256.hex(),
        "seals_key": archive.seals_key,
        "seals_sha256": archive.seals_sha256.hex(),
        "manifest_key": archive.manifest_key,
        "key_id": archive.key_id,
        "archived_at": archive.archived_at,
    }


def statement(archive: AuditArchive) -> bytes:
    """What is signed: the record as JSON without spaces, names in order."""
    return orjson.dumps(record(archive), option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def manifest(archive: AuditArchive) -> bytes:
    """The record with its signature, for whoever holds the files only."""
    content = record(archive) | {"signature": archive.signature.hex()}
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_INDENT_2)


async def leaves(store: ObjectStore, archive: AuditArchive, *, rank: Mapping[int, int]) -> AsyncIterator[Leaf]:
    """An archive's events in the order of seals; ``rank`` numbers the epochs.

    Raises:
        ArchiveMissing: there is no such file.
        ArchiveAltered: it is not the file that was written; known for sure only at its end.
    """
    count = 0
    async for line in lines(store, archive.events_key, sha256=archive.events_sha256):
        count += 1
        try:
            event = orjson.loads(line)
            place = rank.get(int(event["epoch"]))
            leaf = Leaf(
                place or 0, int(event["transaction_id"]), UUID(event["id"]).bytes, hashlib.sha256(line).digest()
            )
        except (ValueError, TypeError, KeyError) as error:
            raise ArchiveAltered(archive.events_key) from error
        # An epoch no seal is left of: that its seals are missing has been found already.
        if place is not None:
            yield leaf
    if count != archive.event_count:
        raise ArchiveAltered(archive.events_key)


async def lines(store: ObjectStore, key: str, *, sha256: bytes) -> AsyncIterator[bytes]:
    """The lines of a compressed file. Raises as ``leaves`` does."""
    seen, gunzip, rest = hashlib.sha256(), zlib.decompressobj(_GZIP), b""
    try:
        async for chunk in store.read(key):
            seen.update(chunk)
            *whole, rest = (rest + gunzip.decompress(chunk)).split(b"\n")
            for line in whole:
                yield line
    except ObjectMissing as missing:
        raise ArchiveMissing(key) from missing
    except zlib.error as error:
        raise ArchiveAltered(key) from error
    if rest or not gunzip.eof or seen.digest() != sha256:
        raise ArchiveAltered(key)
