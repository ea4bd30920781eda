"""Events in the order of seals, from the database and from archives side by side."""

import heapq
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple
from uuid import UUID


class Leaf(NamedTuple):
    """An event's place in the order, and its hash. ``rank`` numbers the epochs in the order of the chain."""

    rank: int
    xid: int
    id: bytes
    digest: bytes

    @property
    def event_id(self) -> UUID:
        return UUID(bytes=self.id)


async def merged(streams: Iterable[AsyncIterator[Leaf]]) -> AsyncIterator[Leaf]:
    """Ordered streams as one; what comes from two of them comes once."""
    sources = list(streams)
    heads: list[tuple[Leaf, int]] = []
    for number, source in enumerate(sources):
        await _push(heads, source, number)
    last: Leaf | None = None
    while heads:
        leaf, number = heapq.heappop(heads)
        if leaf != last:
            yield leaf
        last = leaf
        await _push(heads, sources[number], number)


async def _push(heads: list[tuple[Leaf, int]], source: AsyncIterator[Leaf], number: int) -> None:
    leaf = await anext(source, None)
    if leaf is not None:
        heapq.heappush(heads, (leaf, number))


class Peekable:
    """A stream that can be read up to a point."""

    def __init__(self, source: AsyncIterator[Leaf]) -> None:
        self._source = source
        self._next: Leaf | None = None

    async def take_below(self, rank: int, xid: int) -> list[Leaf]:
        """Everything before a transaction of an epoch."""
        taken = []
        leaf = self._next or await anext(self._source, None)
        while leaf is not None and (leaf.rank, leaf.xid) < (rank, xid):
            taken.append(leaf)
            leaf = await anext(self._source, None)
        self._next = leaf
        return taken

    async def drain(self) -> None:
        """Read what is left, for what reading it finds out."""
        async for _ in self._source:
            pass
