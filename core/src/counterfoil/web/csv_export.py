"""CSV straight from COPY: the database writes the text, and this process only passes it on (measured: as fast as psql)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from starlette.responses import StreamingResponse

from counterfoil.db import Database

MEDIA_TYPE = "text/csv; charset=utf-8"
_CHUNK_BYTES = 256 * 1024
_CHUNKS_AHEAD = 4
# A request's statements have to end sooner, but a slow reader holds back a COPY for as long as it reads.
_LONGEST_EXPORT = "15min"

Sink = Callable[[bytes], Coroutine[Any, Any, None]]


def safe_cell(expression: str) -> str:
    """SQL for a text that a spreadsheet must not take for a formula: one that could be one gets an apostrophe in front."""
    return (
        f"CASE WHEN left({expression}, 1) IN ('=', '+', '-', '@', E'\\t', E'\\r') "
        f"THEN '''' || {expression} ELSE {expression} END"
    )


def copy_csv(
    connection: "asyncpg.Connection[Any]", query: str, args: Sequence[Any] = ()
) -> AsyncGenerator[bytes, None]:
    """A query's rows as CSV with a header, in chunks. The connection's transaction has to stay open until the end."""
    return _pumped(lambda sink: _copy(connection, query, args, sink))


def export_csv(
    database: Database, tenant_id: UUID, query: str, args: Sequence[Any] = ()
) -> AsyncGenerator[bytes, None]:
    """As ``copy_csv``, in a read-only unit of work of its own: for an answer that outlives the request's."""

    # Opened and closed by the one task that copies, wherever whoever reads the chunks is cancelled.
    async def copy(sink: Sink) -> None:
        async with database.unit_of_work(tenant_id) as uow:
            driver = await uow.driver()
            await driver.execute(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{_LONGEST_EXPORT}'")
            await _copy(driver, query, args, sink)

    return _pumped(copy)


def attachment(chunks: AsyncIterator[bytes], *, filename: str) -> StreamingResponse:
    """The answer of a download; ``filename`` is ours, never what somebody typed."""
    headers = {
        "Content-Disposition": f'attachment; filename="{filename}"',
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingResponse(chunks, media_type=MEDIA_TYPE, headers=headers)


async def _copy(connection: "asyncpg.Connection[Any]", query: str, args: Sequence[Any], sink: Sink) -> None:
    await connection.copy_from_query(query, *args, output=sink, format="csv", header=True)


async def _pumped(produce: Callable[[Sink], Awaitable[None]]) -> AsyncGenerator[bytes, None]:
    """What a producer writes, in large chunks and no faster than they are taken; leaving early stops it."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue(_CHUNKS_AHEAD)
    gathered = bytearray()

    async def gather(data: bytes) -> None:
        gathered.extend(data)
        if len(gathered) >= _CHUNK_BYTES:
            chunk = bytes(gathered)
            gathered.clear()
            await chunks.put(chunk)

    async def run() -> None:
        await produce(gather)
        await chunks.put(bytes(gathered))

    producer = asyncio.create_task(run())
    try:
        while not (producer.done() and chunks.empty()):
            taking = asyncio.ensure_future(chunks.get())
            try:
                await asyncio.wait({taking, producer}, return_when=asyncio.FIRST_COMPLETED)
                if taking.done() and (chunk := taking.result()):
                    yield chunk
            finally:
                taking.cancel()
        await producer
    finally:
        producer.cancel()
        # What it failed with has been raised above, or nobody is there any more to be told.
        await asyncio.gather(producer, return_exceptions=True)
