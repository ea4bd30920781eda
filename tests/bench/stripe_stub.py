"""Stripe's list of balance transactions, rendered beforehand: what is measured is who reads it, not who serves it.

``python -m tests.bench.stripe_stub --records N --latency-ms L``, which prints its address. It answers what the readers ask on the way (the
account, other lists, which are empty) and pages like Stripe: newest first, ``limit``, ``starting_after``, ``created[...]``.
"""

import argparse
import asyncio
import bisect
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"
LISTED = "/v1/balance_transactions"
# Spread over most of a year, so that whoever cuts time into windows finds something in each.
SPAN_S = 300 * 86_400
_ID = "txn_{:024}"


def transaction(number: int, created: int) -> dict[str, Any]:
    amount = 1000 + number % 90_000
    fee = {"amount": 59, "application": None, "currency": "usd", "description": "Stripe fees", "type": "stripe_fee"}
    return {
        "id": _ID.format(number),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 172_800 - created % 86_400,
        "balance_type": "payments",
        "created": created,
        "currency": "usd",
        "description": f"Order {number}",
        "exchange_rate": None,
        "fee": 59,
        "fee_details": [fee],
        "net": amount - 59,
        "reporting_category": "charge",
        "source": f"ch_{number:024}",
        "status": "available",
        "type": "charge",
    }


class World:
    """The records, oldest first, each as the bytes it is sent as."""

    def __init__(self, records: int, *, now: int) -> None:
        first = now - SPAN_S
        self.created = [first + number * (SPAN_S - 864_000) // records for number in range(records)]
        self._rendered = [json.dumps(transaction(at, made)).encode() for at, made in enumerate(self.created)]
        account = {"id": "acct_bench", "object": "account", "created": first, "business_profile": {"name": "Bench"}}
        account["settings"] = {"dashboard": {"display_name": "Bench", "timezone": "Etc/UTC"}}
        self._account = json.dumps(account).encode()

    def answer(self, target: str) -> bytes:
        parts = urlsplit(target)
        if parts.path == LISTED:
            return self._page(dict(parse_qsl(parts.query)))
        if parts.path.startswith("/v1/account") and parts.path != "/v1/accounts":
            return self._account
        return b'{"object": "list", "url": "%s", "has_more": false, "data": []}' % parts.path.encode()

    def _page(self, query: dict[str, str]) -> bytes:
        created = {name[8:-1]: int(value) for name, value in query.items() if name.startswith("created[")}
        low = bisect.bisect_left(self.created, max(created.get("gte", 0), created.get("gt", -1) + 1))
        high = bisect.bisect_right(self.created, min(created.get("lte", 2**40), created.get("lt", 2**40) - 1))
        if after := query.get("starting_after"):
            high = min(high, int(after.removeprefix("txn_")))
        start = max(low, high - int(query.get("limit", "10")))
        has_more = b"true" if start > low else b"false"
        data = b",".join(reversed(self._rendered[start:high]))
        return b'{"object":"list","url":"%s","has_more":%s,"data":[%s]}' % (LISTED.encode(), has_more, data)


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests have no bodies worth reading."""

    def __init__(self, world: World, latency_s: float) -> None:
        self._world, self._latency_s = world, latency_s
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            body = self._world.answer(request.split(b" ", 2)[1].decode())
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_bench\r\nContent-Length: %d\r\n\r\n"
            self._later(head % len(body) + body)

    def _later(self, answer: bytes) -> None:
        if self._latency_s:
            asyncio.get_running_loop().call_later(self._latency_s, self._transport.write, answer)
        else:
            self._transport.write(answer)


@contextmanager
def stub(records: int, *, latency_ms: int) -> Iterator[str]:
    """The stub as a process of its own; its address."""
    options = [f"--records={records}", f"--latency-ms={latency_ms}"]
    process = subprocess.Popen([sys.executable, "-m", __name__, *options], stdout=subprocess.PIPE)  # noqa: S603  (this module)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
    finally:
        process.terminate()
        process.wait()


async def serve(world: World, *, latency_s: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(world, latency_s), HOST, 0)
    port = server.sockets[0].getsockname()[1]
    print(f"http://{HOST}:{port}", flush=True)  # noqa: T201  (whoever started it waits for that)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--latency-ms", type=int, default=0)
    options = parser.parse_args()
    world = World(options.records, now=int(time.time()))
    asyncio.run(serve(world, latency_s=options.latency_ms / 1000))


if __name__ == "__main__":
    main()
