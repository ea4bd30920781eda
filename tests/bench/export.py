r"""A CSV of many rows through the API, row-level security on, next to `psql \\copy` of the same columns by the superuser.

``./dev bench export [--rows 1000000] [--rounds 5]`` prints JSON. The API runs as a process of its own, whose memory is
watched; both sides write into the same kind of file and take turns.
"""

import argparse
import asyncio
import http.client
import json
import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2
from tests.bench.place import Place, place, serve, until_ready

from counterfoil.embedded import EmbeddedValkey

PORT = 8796
_BUFFER = 256 * 1024
_ROWS = """
    INSERT INTO core.payments (tenant_id, id, source, source_account, source_id, connection_id, run_id, raw_id, dedupe_key,
                               content_hash, authority, source_created_at, observed_at, synced_at, amount, currency, status)
    SELECT $1, uuidv7(), 'stripe', 'acct', 'ch_' || n, $1, $1, uuidv7(), 'stripe:acct:payment:ch_' || n, '\\x00', 0,
           now() - n * interval '1 second', now(), now(), n, 'USD', 'succeeded'
    FROM generate_series(1, $2::int) n
"""


class Memory:
    """The most a process holds while it is watched, above what it held before; in MiB."""

    def __init__(self, pid: int) -> None:
        self._statm = Path(f"/proc/{pid}/statm")
        self._idle = self._most = self._now()
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        self._idle = self._most = self._now()
        self._is_over.clear()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._watcher.join()

    @property
    def growth(self) -> float:
        return self._most - self._idle

    def _watch(self) -> None:
        while not self._is_over.wait(0.02):
            self._most = max(self._most, self._now())

    def _now(self) -> float:
        return int(self._statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The two ways to the same file; each answers how many seconds it took."""

    at: Place
    client: httpx2.Client
    query: str
    folder: Path

    def download(self) -> float:
        # Not by the client of the set-up: its parser takes as long as the server, and psql's side has none.
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300)
        began = time.perf_counter()
        with (self.folder / "ours.csv").open("wb") as file:
            headers = {"Authorization": self.client.headers["Authorization"]}
            connection.request("GET", "/api/v1/tables/payments/export.csv", headers=headers)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(answer.read())
            buffer = memoryview(bytearray(_BUFFER))
            while size := answer.readinto(buffer):
                file.write(buffer[:size])
        connection.close()
        return time.perf_counter() - began

    def copy(self) -> float:
        began = time.perf_counter()
        self.at.postgres.run_sql(f"\\copy ({self.query}) TO '{self.folder / 'theirs.csv'}' WITH (FORMAT csv, HEADER)")
        return time.perf_counter() - began


async def run(rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    async with place(folder) as at:
        with EmbeddedValkey(folder / "valkey") as valkey:
            process = serve(at, redis_url=valkey.url(), port=PORT)
            try:
                await asyncio.to_thread(until_ready, PORT)
                with httpx2.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=300) as client:
                    sides = Sides(at=at, client=client, query=await prepared(at, client, rows), folder=folder)
                    return await asyncio.to_thread(measure, sides, Memory(process.pid), rounds)
            finally:
                process.terminate()
                process.wait()


async def prepared(at: Place, client: httpx2.Client, rows: int) -> str:
    """A company with so many payments; the same rows and columns as SQL."""
    account = {
        "tenant_name": "Bench",
        "tenant_slug": "bench-export",
        "email": "bench@example.com",
        "password": "correct horse battery staple",
        "full_name": "Bench",
        "token_delivery": "body",
    }
    session = client.post("/api/v1/auth/register", json=account).json()
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    tenant_id = client.get("/api/v1/auth/me").json()["tenant"]["id"]
    await at.admin.execute(
        "UPDATE core.tenants SET plan = 'enterprise', plan_expires_at = NULL WHERE id = $1", tenant_id
    )
    await at.admin.execute(_ROWS, tenant_id, rows)
    await at.admin.execute("VACUUM ANALYZE core.payments")
    tables = client.get("/api/v1/tables").json()["items"]
    names = [column["name"] for table in tables if table["name"] == "payments" for column in table["columns"]]
    return (
        f"SELECT {', '.join(names)} FROM core.payments WHERE tenant_id = '{tenant_id}' AND deleted_at IS NULL"  # noqa: S608  (names of our own)
        " ORDER BY source_created_at DESC NULLS LAST, id DESC"
    )


def measure(sides: Sides, memory: Memory, rounds: int) -> dict[str, Any]:
    ours, theirs, growth = [], [], []
    sides.download()
    for _ in range(rounds):
        with memory:
            ours.append(sides.download())
        growth.append(memory.growth)
        theirs.append(sides.copy())
    return {
        "api_s": round(statistics.median(ours), 2),
        "psql_copy_s": round(statistics.median(theirs), 2),
        "ratio": round(statistics.median(one / other for one, other in zip(ours, theirs, strict=True)), 2),
        "memory_mib": round(max(growth), 1),
        "bytes": (sides.folder / "ours.csv").stat().st_size,
        "reach": {"ratio": 1.3, "memory_mib": 32},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options.rows, options.rounds, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
