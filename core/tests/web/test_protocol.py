"""The wire itself: what is no HTTP, or too much of it, is refused with a problem, keeps no memory and leaves the server as it was."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from counterfoil.web.protocol import MOST_BYTES_BESIDE_BODY, BoundedHttp

HOST = b"Host: x\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST


class Hasty(BoundedHttp):
    head_timeout_s = 0.3


class Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head.split()[1]), await self.reader.readexactly(int(length.split(b":")[1]))

    async def refusal(self) -> tuple[int, str]:
        """Status and code of a problem after which the connection ends."""
        status, body = await self.answer()
        problem = orjson.loads(body)
        assert problem["status"] == status
        assert problem["correlation_id"]
        assert await self.reader.read() == b""
        return status, problem["code"]


async def _echo(request: Request) -> PlainTextResponse:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except ClientDisconnect:
        return PlainTextResponse("nobody reads this")


@asynccontextmanager
async def served(protocol: type[BoundedHttp]) -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/", _echo, methods=["GET", "POST"])])
    server = Announcing(
        uvicorn.Config(app, port=0, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    await server.is_up.wait()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(Hasty) as port:
        yield port


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -2\r\n\r\n{}",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        GET + b"X-A: a\0b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem(port: int, request_: bytes) -> None:
    async with connected(port) as wire:
        await wire.send(request_)
        assert await wire.refusal() == (400, "malformed_request")


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param((GET + b"X-A: ", b"x" * 8192), id="one header"),
        pytest.param((GET, b"X-A: x\r\n" * 1024), id="many headers"),
        pytest.param((b"GET /?", b"x" * 8192), id="address"),
    ],
)
async def test_a_head_without_end_is_refused(port: int, endless: tuple[bytes, bytes]) -> None:
    begin, more = endless
    async with connected(port) as wire:
        await wire.send(begin)
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                await wire.send(more)
                await asyncio.sleep(0)
    async with connected(port) as wire:
        await wire.send(begin, more * (MOST_BYTES_BESIDE_BODY // 8192))
        assert await wire.refusal() == (431, "headers_too_large")


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param((b"1\r\nx\r\n0\r\nX-A: ", b"x" * 8192), id="trailer"),
        pytest.param((b"1\r\nx\r\n0\r\n", b"X-A: x\r\n" * 1024), id="trailers"),
        pytest.param((b"1;", b"x" * 8192), id="chunk extension"),
    ],
)
async def test_what_belongs_to_no_body_does_not_pile_up_behind_it(port: int, endless: tuple[bytes, bytes]) -> None:
    begin, more = endless
    async with connected(port) as wire:
        await wire.send(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", begin)
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                await wire.send(more)
                await asyncio.sleep(0)


async def test_a_long_body_is_no_head(port: int) -> None:
    size = 10 * MOST_BYTES_BESIDE_BODY
    async with connected(port) as wire:
        for _ in range(2):
            await wire.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size, b"x" * size)
            assert await wire.answer() == (200, str(size).encode())
        chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
        await wire.send(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", chunk * 40, b"0\r\n\r\n")
        assert await wire.answer() == (200, str(0x2000 * 40).encode())


async def test_pipelined_requests_are_answered_in_turn(port: int) -> None:
    async with connected(port) as wire:
        post = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
        await wire.send((GET + b"\r\n" + post) * 50)
        answers = [await wire.answer() for _ in range(100)]
        assert answers == [(200, b"0"), (200, b"3")] * 50


async def test_a_head_that_does_not_come_to_its_end_is_refused(port: int) -> None:
    async with connected(port) as wire:
        await wire.send(GET + b"X-A: ")
        assert await wire.refusal() == (408, "request_timeout")


async def test_who_says_nothing_is_hung_up_on(port: int) -> None:
    async with connected(port) as wire:
        assert await wire.reader.read() == b""


async def test_a_head_that_is_slow_after_another_request_is_refused_too(port: int) -> None:
    async with connected(port) as wire:
        await wire.send(GET + b"\r\n")
        assert await wire.answer() == (200, b"0")
        await wire.send(GET)
        assert await wire.refusal() == (408, "request_timeout")


async def test_a_body_may_take_longer_than_a_head(port: int) -> None:
    async with connected(port) as wire:
        await wire.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\na")
        async with connected(port) as other:
            assert await other.reader.read() == b""  # by now a head would have been refused
        await wire.send(b"b")
        assert await wire.answer() == (200, b"2")
