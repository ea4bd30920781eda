"""The way to a vendor, as bad as one likes: refused, reset, cut, silent, slow, or answered by somebody in between."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

Kind = Literal["fair", "refused", "reset", "silent", "cut", "slow", "answered"]

_CHUNK = 64 * 1024
_REASONS = {429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What becomes of requests.

    ``status`` and ``retry_after_s`` shape what is ``answered``, ``delay_s`` how long each part of a ``slow`` answer takes.
    """

    kind: Kind = "fair"
    status: int = 503
    retry_after_s: int | None = None
    delay_s: float = 0.3


FAIR = Weather()


class Gateway:
    """A TCP proxy in a thread of its own. What it lets through it does not look into."""

    def __init__(self, port: int, *, upstream: int) -> None:
        self.port, self._upstream = port, upstream
        self.weather = FAIR
        self._is_shut = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._thread.start()
        self.change(FAIR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def change(self, weather: Weather) -> None:
        """From now on; connections that are under way end with the weather they were in, unless both let them pass."""
        asyncio.run_coroutine_threadsafe(self._change(weather), self._loop).result(10)

    @property
    def is_shut(self) -> bool:
        return self._is_shut.is_set()

    def shut(self) -> None:
        """Let nobody through, whatever the weather, until it is opened again."""
        self._is_shut.set()
        self.change(self.weather)

    def open(self) -> None:
        self._is_shut.clear()
        self.change(FAIR)

    def close(self) -> None:
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _change(self, weather: Weather) -> None:
        weather = Weather(kind="refused") if self.is_shut else weather
        passing = {"fair", "slow", "cut"}
        if not {weather.kind, self.weather.kind} <= passing:
            for task in self._under_way:
                task.cancel()
        self.weather = weather
        if weather.kind == "refused" and self._server is not None:
            self._server.close()
            self._server = None
        elif weather.kind != "refused" and self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._under_way.add(task)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._under_way.discard(task)
            # No goodbye: whoever waits for the rest of an answer sees a reset.
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        vendor_reader, vendor_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            async with asyncio.TaskGroup() as group:
                back = group.create_task(self._answers(vendor_reader, writer))
                await self._requests(reader, vendor_writer, writer)
                back.cancel()
        except ExceptionGroup as group_error:
            raise OSError from group_error
        finally:
            vendor_writer.transport.abort()

    async def _requests(
        self, reader: asyncio.StreamReader, vendor: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            weather = self.weather
            if weather.kind == "reset":
                return
            if weather.kind == "answered":
                client.write(_answer(weather))
                with suppress(OSError):
                    await client.drain()
                client.write_eof()
                return
            if weather.kind == "silent":
                continue
            vendor.write(chunk)
            await vendor.drain()

    async def _answers(self, vendor: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while chunk := await vendor.read(_CHUNK):
            weather = self.weather
            if weather.kind == "slow":
                await asyncio.sleep(weather.delay_s)
            if weather.kind == "cut":
                client.write(chunk[: len(chunk) // 2])
                await client.drain()
                raise OSError
            client.write(chunk)
            await client.drain()
        raise OSError


def _answer(weather: Weather) -> bytes:
    body = b'{"error": {"message": "No.", "type": "api_error"}}'
    lines = [
        f"HTTP/1.1 {weather.status} {_REASONS[weather.status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *([] if weather.retry_after_s is None else [f"Retry-After: {weather.retry_after_s}"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
