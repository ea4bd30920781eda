"""The reading half of the engine: asks the connector for pages, and says where the stream stands after each."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from counterfoil.ingest import positions
from counterfoil.ingest.control import Source
from counterfoil.ingest.positions import Parent, Position, Tally
from counterfoil.ingest.records import RawVersion, raw_version
from counterfoil.observability import get_logger
from counterfoil.plugins.connector import Page, ParentCursor, SourceInvalid, SourceMalformed, Stream, TimeCursor, Window

Parents = Callable[[ParentCursor, Position], Awaitable[Sequence[Parent]]]

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

    def __init__(self, source: Source, *, now: datetime, parents: Parents) -> None:
        self._source = source
        self._now = now
        self._parents = parents

    def steps(self, stream: Stream, position: Position) -> AsyncIterator[Step]:
        if isinstance(stream.cursor, TimeCursor):
            return self._time_steps(stream, stream.cursor, position)
        return self._parent_steps(stream, stream.cursor, position)

    async def _time_steps(self, stream: Stream, cursor: TimeCursor, position: Position) -> AsyncIterator[Step]:
        while (window := positions.next_window(position, cursor, self._now)) is not None:
            tally = Tally.of(position)
            async for page, versions in self._pages(stream, window):
                tally = tally.after(page)
                yield Step(versions=versions, position=positions.within(position, window, page.resume, tally), pages=1)
            position = positions.after_window(position, window)
            yield Step(position=position, expected=tally.expected, short=tally.short)

    async def _parent_steps(self, stream: Stream, cursor: ParentCursor, position: Position) -> AsyncIterator[Step]:
        while parents := await self._parents(cursor, position):
            for parent in parents:
                window = Window(parent=parent.payload, resume=positions.resume_of_parent(position, parent))
                async for page, versions in self._pages(stream, window):
                    after_page = positions.within_parent(position, parent, page.resume)
                    yield Step(versions=versions, position=after_page, pages=1)
                position = positions.after_parent(position, parent)
                yield Step(position=position)

    async def _pages(self, stream: Stream, window: Window) -> AsyncIterator[tuple[Page, list[RawVersion]]]:
        arrived = False
        try:
            async for answer in self._checked_pages(stream, window):
                arrived = True
                yield answer
        except SourceInvalid:
            if arrived or window.resume is None:
                raise
            # The vendor no longer knows the place we stopped at: the window is read again from its beginning.
            _log.warning("stream.resume_refused", stream=stream.name)
            async for answer in self._checked_pages(stream, replace(window, resume=None)):
                yield answer

    async def _checked_pages(self, stream: Stream, window: Window) -> AsyncIterator[tuple[Page, list[RawVersion]]]:
        context, origin = self._source.context, self._source.origin
        try:
            async for page in stream.pages(self._source.connector, context, window):
                observed_at = context.http.sent_at
                yield page, [raw_version(origin, stream, raw, observed_at) for raw in page.records]
        except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
            # A connector that reads a field which is not there: the answer is not the vendor's usual one.
            _log.warning("stream.unreadable", stream=stream.name, error=f"{type(error).__name__}: {error}")
            raise SourceMalformed(
                f"{stream.title}: an answer of the source is not what its protocol promises ({type(error).__name__})"
            ) from error


async def read_ahead(steps: AsyncIterator[Step], ahead: int) -> AsyncGenerator[Step, None]:
    """Go on fetching while a batch lands; an error surfaces only after everything before it was handed out."""
    queue: asyncio.Queue[Step | None] = asyncio.Queue()
    slots = asyncio.Semaphore(ahead)

    async def pump() -> None:
        async for step in steps:
            await slots.acquire()
            queue.put_nowait(step)

    task = asyncio.create_task(pump())
    task.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (step := await queue.get()) is not None:
            slots.release()
            yield step
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
