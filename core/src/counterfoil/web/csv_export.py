"""CSV straight from PostgreSQL: COPY through the driver, in bounded chunks, without a row ever becoming a Python object."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import asyncpg
import sqlalchemy as sa
from anyio import CancelScope
from sqlalchemy.sql.elements import ColumnElement

CHUNK_BYTES = 256 * 1024
MEDIA_TYPE = "text/csv; charset=utf-8"
BOM = b"\xef\xbb\xbf"
_CHUNKS_AHEAD = 4

# What spreadsheets take for the beginning of a formula, the full-width forms too.
_FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def harmless_text(column: ColumnElement[str]) -> ColumnElement[str]:
    """A text as SQL for a file that people open in a spreadsheet: what would begin a formula gets a quote in front."""
    starts: list[ColumnElement[int]] = [sa.literal_column(str(ord(character))) for character in _FORMULA_STARTS]
    return sa.case((sa.func.ascii(column).in_(starts), sa.literal_column("''''").op("||")(column)), else_=column)


def harmless_sql(expression: str) -> str:
    """As ``harmless_text``, for an SQL expression of type text that is ours."""
    starts = ", ".join(str(ord(character)) for character in _FORMULA_STARTS)
    return f"CASE WHEN ascii({expression}) IN ({starts}) THEN '''' || {expression} ELSE {expression} END"


async def copy_csv(
    connection: "asyncpg.Connection[Any]",
    query: str,
    args: Sequence[Any] = (),
    *,
    on_end: Callable[[int], object] | None = None,
) -> AsyncGenerator[bytes, None]:
    """The rows of a query as CSV (RFC 4180, UTF-8) with a header line, in chunks of about 256 KiB.

    The database waits while nobody takes a chunk, and stops when the iterator is closed: walk it inside ``aclosing``, or the
    transaction would end before the COPY does. What goes wrong is raised where the
    next chunk would be: a download that ends without an error is whole.

    Args:
        connection: inside the transaction the query belongs to.
        query: one SELECT, parameters as ``$1``.
        args: values of the parameters.
        on_end: told the number of rows once all of them have been sent to the iterator.
    """
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_CHUNKS_AHEAD)
    pending = bytearray()
    abandoned = asyncio.Event()

    async def take(data: bytes) -> None:
        if abandoned.is_set():
            return
        pending.extend(data)
        if len(pending) >= CHUNK_BYTES:
            chunk = bytes(pending)
            pending.clear()
            await chunks.put(chunk)

    async def produce() -> int:
        try:
            status = await connection.copy_from_query(query, *args, output=take, format="csv", header=True)
            await chunks.put(bytes(pending))
        except Exception:
            await chunks.put(None)
            raise
        await chunks.put(None)
        return int(status.rpartition(" ")[2])

    producer = asyncio.create_task(produce())
    try:
        while (chunk := await chunks.get()) is not None:
            if chunk:
                yield chunk
        rows = await producer
    finally:
        if not producer.done():
            abandoned.set()
            await _ended(producer, chunks, connection)
    if on_end is not None:
        on_end(rows)


async def _ended(
    producer: "asyncio.Task[int]", chunks: "asyncio.Queue[bytes | None]", connection: "asyncpg.Connection[Any]"
) -> None:
    """Have the server stop, and wait until it has: only then is the connection free for the end of its transaction.

    The task is not cancelled. The driver would take the next data on their way for the end of the cancelled COPY, and use the
    connection while more of them arrive; what still comes is dropped instead, until the server says that it has stopped.
    """
    while not chunks.empty():
        chunks.get_nowait()
    # The only way to the driver's cancel request that leaves the task alone; a test holds it to the pinned version.
    connection._cancel_current_command(  # type: ignore[attr-defined]  # noqa: SLF001
        asyncio.get_running_loop().create_future()
    )
    with CancelScope(shield=True):
        await asyncio.wait({producer})
    if not producer.cancelled():
        producer.exception()
