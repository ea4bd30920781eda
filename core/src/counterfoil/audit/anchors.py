"""Anchors: the hash of a tenant's newest seal, written once to the object store.

Whoever can change the database can cut off the end of a chain and nobody could tell; an anchor remembers that it was longer.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson

from counterfoil.audit.seals import Seal
from counterfoil.objects import ObjectExists, ObjectMissing, ObjectStore

_NAME = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{1,18})\.json\Z")


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """One anchor by what its name says."""

    sequence: int
    key: str


def key_of(seal: Seal) -> str:
    return f"{_prefix(seal.tenant_id)}{seal.sealed_at:%Y/%m/%d}/{seal.sequence}.json"


async def write(store: ObjectStore, seal: Seal) -> bool:
    """Store an anchor; False when there is another of that sequence already."""
    content = orjson.dumps(seal.public(), option=orjson.OPT_INDENT_2)
    try:
        await store.put(key_of(seal), io.BytesIO(content))
    except ObjectExists:
        # Written just before a crash, unless somebody made the chain anew from here.
        return await read(store, key_of(seal)) == seal.public()
    return True


async def read(store: ObjectStore, key: str) -> dict[str, Any] | None:
    """What an anchor says; None when it is not there or no anchor."""
    try:
        content = b"".join([chunk async for chunk in store.read(key)])
        found: dict[str, Any] = orjson.loads(content)
    except (ObjectMissing, ValueError):
        return None
    return found


async def listed(store: ObjectStore, tenant_id: UUID, days: Iterable[date] | None = None) -> list[Anchor]:
    """A tenant's anchors in the order of their sequence, all of them or those of some days."""
    prefixes = [_prefix(tenant_id)] if days is None else [f"{_prefix(tenant_id)}{day:%Y/%m/%d}/" for day in days]
    found: list[Anchor] = []
    for prefix in prefixes:
        named = ((key, _NAME.search(key)) for key in await store.keys(prefix))
        found += [Anchor(sequence=int(match[4]), key=key) for key, match in named if match]
    return sorted(found, key=lambda anchor: anchor.sequence)


def days_between(first: date, last: date, *, most: int) -> list[date]:
    """The days of a range, the latest when they are too many."""
    count = min((last - first).days + 1, most)
    return [last - timedelta(days=back) for back in range(count)]


def _prefix(tenant_id: UUID) -> str:
    return f"{tenant_id}/audit-anchors/"
