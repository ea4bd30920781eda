"""Several things at once, within bounds, and what comes of them in the order it came."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def side_by_side(sources: Iterable[AsyncIterator[T]], *, readers: int, ahead: int) -> AsyncGenerator[T, None]:
    """What several sources yield, as it comes; so many are read at a time, and so many items wait at most.

    An error of one surfaces after everything that came before it, and ends the others.
    """
    queue: asyncio.Queue[T | None] = asyncio.Queue()
    slots = asyncio.Semaphore(ahead)
    remaining = iter(sources)

    async def read() -> None:
        for source in remaining:
            async for item in source:
                await slots.acquire()
                queue.put_nowait(item)

    tasks = [asyncio.create_task(read()) for _ in range(readers)]
    everything = asyncio.gather(*tasks)
    everything.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (item := await queue.get()) is not None:
            slots.release()
            yield item
        await everything
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(everything, *tasks, return_exceptions=True)


async def each(items: Sequence[T], do: Callable[[T], Awaitable[R]], *, at_once: int) -> list[R | BaseException]:
    """The outcome of each, errors included, in the order of the items."""
    slots = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with slots:
            return await do(item)

    return await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
