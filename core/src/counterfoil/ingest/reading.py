"""The reading half of the engine: asks the connector for pages, and says where the stream stands after each."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

from counterfoil.ingest import positions
from counterfoil.ingest.asking import aside, bound, owner_of, understood
from counterfoil.ingest.control import Source
from counterfoil.ingest.landing import Landers
from counterfoil.ingest.parallel import side_by_side
from counterfoil.ingest.positions import Parent, Position, Tally
from counterfoil.ingest.records import RawVersion, raw_version
from counterfoil.observability import get_logger
from counterfoil.plugins.connector import (
    ConnectorContext,
    Page,
    ParentCursor,
    Raw,
    SourceForbidden,
    SourceInvalid,
    SourceMalformed,
    Stream,
    TimeCursor,
    Window,
)

Parents = Callable[[ParentCursor, Position], Awaitable[Sequence[Parent]]]

PAGES_AHEAD = 4

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Records that arrived together, and where the stream stands once they have landed.

    ``expected`` is the source's own count of a window that is through, ``short`` how many of those never came.
    """

    versions: Sequence[RawVersion] = ()
    position: Position
    pages: int = 0
    expected: int | None = None
    short: int = 0


class Reader:
    """Reads the streams of one connection up to one instant."""

    def __init__(self, source: Source, *, now: datetime, parents: Parents, landers: Landers) -> None:
        self._source = source
        self._now = now
        self._parents = parents
        self._landers = landers

    def steps(self, stream: Stream, position: Position) -> AsyncIterator[Step]:
        if isinstance(stream.cursor, TimeCursor):
            return self._time_steps(stream, stream.cursor, position)
        return self._parent_steps(stream, stream.cursor, position)

    async def _time_steps(self, stream: Stream, cursor: TimeCursor, position: Position) -> AsyncIterator[Step]:
        if positions.is_at_start(position):
            position = await self._planned(stream, cursor, position)
        if positions.slices_of(position):
            async with aclosing(self._sliced_steps(stream, cursor, position)) as steps:
                async for step in steps:
                    position = step.position
                    yield step
        while (window := positions.next_window(position, cursor, self._now)) is not None:
            async for step in self._window_steps(stream, window, position, self._source.context):
                position = step.position
                yield step

    async def _planned(self, stream: Stream, cursor: TimeCursor, position: Position) -> Position:
        """Cut a back-fill into slices, where that helps and the connector knows where time begins."""
        if cursor.slices == 1 and cursor.max_window is None:
            return position
        try:
            with understood(stream):
                earliest = await self._source.connector.earliest(self._source.context)
        except (SourceForbidden, SourceInvalid, SourceMalformed):
            # It may have asked about other streams, and their trouble is not this one's: this goes without slices then.
            earliest = None
        if earliest is None:
            return position
        with understood(stream):
            return positions.sliced(position, cursor, earliest=earliest, now=self._now)

    async def _sliced_steps(self, stream: Stream, cursor: TimeCursor, position: Position) -> AsyncGenerator[Step, None]:
        """The slices side by side. A step's position holds all that was handed out before it, of every slice."""
        parts = positions.slices_of(position)
        readers = bound(self._source, cursor.slices)
        sources = (self._slice_steps(stream, cursor, at, part) for at, part in enumerate(parts))
        async with aclosing(side_by_side(sources, readers=readers, ahead=readers)) as steps:
            async for at, step in steps:
                position = positions.with_slice(position, at, step.position)
                yield replace(step, position=position)

    async def _slice_steps(
        self, stream: Stream, cursor: TimeCursor, at: int, part: Position
    ) -> AsyncIterator[tuple[int, Step]]:
        context = aside(self._source.context)
        while (window := positions.next_window_of_slice(part, cursor)) is not None:
            async for step in self._window_steps(stream, window, part, context):
                part = step.position
                yield at, step

    async def _window_steps(
        self, stream: Stream, window: Window, position: Position, context: ConnectorContext
    ) -> AsyncIterator[Step]:
        tally = Tally.of(position)
        async for page, versions, is_anew in self._pages(stream, window, context):
            tally = (Tally() if is_anew else tally).after(page)
            yield Step(versions=versions, position=positions.within(position, window, page.resume, tally), pages=1)
        yield Step(position=positions.after_window(position, window), expected=tally.expected, short=tally.short)

    async def _parent_steps(self, stream: Stream, cursor: ParentCursor, position: Position) -> AsyncIterator[Step]:
        while parents := await self._parents(cursor, position):
            for parent in parents:
                window = Window(parent=parent.payload, resume=positions.resume_of_parent(position, parent))
                async for page, versions, _ in self._pages(stream, window, self._source.context):
                    after_page = positions.within_parent(position, parent, page.resume)
                    yield Step(versions=versions, position=after_page, pages=1)
                position = positions.after_parent(position, parent)
                yield Step(position=position)

    async def _pages(
        self, stream: Stream, window: Window, context: ConnectorContext
    ) -> AsyncIterator[tuple[Page, list[RawVersion], bool]]:
        """The pages of a window; the last value says that one begins the window anew, whatever came before."""
        arrived = False
        try:
            async for page, versions in self._checked_pages(stream, window, context):
                arrived = True
                yield page, versions, False
        except SourceInvalid:
            if arrived or window.resume is None:
                raise
            # The vendor no longer knows the place we stopped at: the window is read again from its beginning.
            _log.warning("stream.resume_refused", stream=stream.name)
            is_first = True
            async for page, versions in self._checked_pages(stream, replace(window, resume=None), context):
                yield page, versions, is_first
                is_first = False

    async def _checked_pages(
        self, stream: Stream, window: Window, context: ConnectorContext
    ) -> AsyncIterator[tuple[Page, list[RawVersion]]]:
        with understood(stream):
            async for page in stream.pages(self._source.connector, context, window):
                sent_at = context.http.sent_at
                yield page, [self._version(stream, raw, sent_at) for raw in page.records]

    def _version(self, stream: Stream, raw: Raw, sent_at: datetime) -> RawVersion:
        owner = owner_of(self._source, stream, raw)
        version = raw_version(self._source.origin, owner, raw, sent_at)
        lander = self._landers.of(owner.name)
        if lander.expects_news:
            # The database works on the batch before meanwhile.
            lander.map_ahead(version)
        return version


async def read_ahead(steps: AsyncIterator[Step], *, pages: int, records: int) -> AsyncGenerator[Step, None]:
    """Go on fetching while a batch lands; an error surfaces only after everything before it was handed out.

    Ahead are at most so many pages, or as many more as stay within the number of records: small pages make up for it.
    """
    queue: asyncio.Queue[Step | None] = asyncio.Queue()
    waiting, room = [0, 0], asyncio.Event()

    async def pump() -> None:
        async for step in steps:
            while waiting[0] >= pages and waiting[1] + len(step.versions) > records:
                room.clear()
                await room.wait()
            waiting[0] += 1
            waiting[1] += len(step.versions)
            queue.put_nowait(step)
            # A source that always has its next page at hand would keep the batch that lands from going on.
            await asyncio.sleep(0)

    task = asyncio.create_task(pump())
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (step := await queue.get()) is not None:
            waiting[0] -= 1
            waiting[1] -= len(step.versions)
            room.set()
            yield step
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
