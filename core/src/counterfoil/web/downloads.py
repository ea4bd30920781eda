"""Answers that are files: streamed, stopped when nobody listens any more, and never ending early as if they were whole."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from anyio import CancelScope
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from counterfoil.observability import get_logger

_log = get_logger(__name__)


class Download(StreamingResponse):
    """A file made while it is sent.

    The first chunk is made before the answer begins, so an error until then is a problem like any other; a later one breaks
    the connection. The chunks are made in one task from beginning to end, which may therefore hold a unit of work.

    Args:
        chunks: the file's bytes; closed whatever happens.
        filename: ASCII, without quotes.
        media_type: with its charset, where there is one.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], *, filename: str, media_type: str) -> None:
        super().__init__(
            chunks,
            media_type=media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{filename}"',
                "X-Accel-Buffering": "no",
                "Cache-Control": "no-store",
            },
        )
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (the signature of ASGI)
        # Not the task group of the base class: that one would cancel the closing of the unit of work again and again.
        sender = asyncio.create_task(self._send(send))
        listener = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait({sender, listener}, return_when=asyncio.FIRST_COMPLETED)
            if sender.done():
                sender.result()
        finally:
            await _ended(listener)
            if not sender.done():
                await _ended(sender)

    async def _send(self, send: Send) -> None:
        try:
            first = await anext(self._chunks, b"")
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for chunk in self._chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._chunks.aclose()


async def _ended(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with CancelScope(shield=True):
        await asyncio.wait({task})
    error = None if task.cancelled() else task.exception()
    if error is not None:
        # Of an answer that has its end already, or whose reader is gone: nobody else would ever hear of it.
        _log.warning("download.ended", error=type(error).__name__)
