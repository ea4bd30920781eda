"""What a list of 50 rows costs the API in CPU, next to a bare FastAPI route with the same query and none of the rest.

``./dev bench api [--requests 400] [--rounds 7]`` prints JSON. Both are called in this process without a socket, one after
the other, as often; what PostgreSQL uses itself is in neither.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI
from tests.bench.place import Place, place

from counterfoil.app import create_app
from counterfoil.db.database import driver_url
from counterfoil.embedded import EmbeddedValkey
from counterfoil.observability import configure_logging

ORIGIN = "http://127.0.0.1:8400"
_ROWS = """
    INSERT INTO core.payments (tenant_id, id, source, source_account, source_id, connection_id, run_id, raw_id, dedupe_key,
                               content_hash, authority, source_created_at, observed_at, synced_at, amount, currency, status)
    SELECT $1, uuidv7(), 'stripe', 'acct', 'ch_' || n, $1, $1, uuidv7(), 'stripe:acct:payment:ch_' || n, '\\x00', 0,
           now() - n * interval '1 minute', now(), now(), n, 'USD', 'succeeded'
    FROM generate_series(1, 5000) n
"""


async def people(app: FastAPI, at: Place) -> httpx2.AsyncClient:
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN)
    account = {
        "tenant_name": "Bench",
        "tenant_slug": "bench-api",
        "email": "bench@example.com",
        "password": "correct horse battery staple",
        "full_name": "Bench",
        "token_delivery": "body",
    }
    session = (await client.post("/api/v1/auth/register", json=account)).json()
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    me = (await client.get("/api/v1/auth/me")).json()
    await at.admin.execute(_ROWS, me["tenant"]["id"])
    return client


def bare(pool: "asyncpg.Pool[Any]", query: str, tenant_id: str) -> FastAPI:
    """The same query as a superuser through the same driver, and its rows as they come."""
    app = FastAPI()

    @app.get("/rows")
    async def rows() -> list[dict[str, Any]]:
        found = await pool.fetch(query, tenant_id)
        return [dict(row) for row in found]

    return app


async def cpu(client: httpx2.AsyncClient, path: str, number: int) -> float:
    """Milliseconds of this process's CPU for each request."""
    began = time.process_time()
    for _ in range(number):
        answer = await client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
    return 1000 * (time.process_time() - began) / number


async def run(number: int, rounds: int, folder: Path) -> dict[str, Any]:
    async with place(folder, api_rate_per_minute=60_000) as at:
        with EmbeddedValkey(folder / "valkey") as valkey:
            settings = at.settings.model_copy(update={"redis_url": type(at.settings.redis_url)(valkey.url())})
            app = create_app(settings, with_ui=False)
            async with app.router.lifespan_context(app):
                ours = await people(app, at)
                tenant_id = (await ours.get("/api/v1/auth/me")).json()["tenant"]["id"]
                columns = (await ours.get("/api/v1/tables")).json()["items"]
                names = [
                    column["name"] for table in columns if table["name"] == "payments" for column in table["columns"]
                ]
                query = (
                    f"SELECT {', '.join(names)} FROM core.payments WHERE tenant_id = $1 AND deleted_at IS NULL"  # noqa: S608  (names of our own)
                    " ORDER BY source_created_at DESC NULLS LAST, id DESC LIMIT 50"
                )
                admin_url = driver_url(at.settings.database_admin_url.get_secret_value())
                async with asyncpg.create_pool(admin_url, min_size=1, max_size=2) as pool:
                    theirs = httpx2.AsyncClient(
                        transport=httpx2.ASGITransport(app=bare(pool, query, tenant_id)), base_url=ORIGIN
                    )
                    return await measure(ours, theirs, number, rounds)


async def measure(ours: httpx2.AsyncClient, theirs: httpx2.AsyncClient, number: int, rounds: int) -> dict[str, Any]:
    await cpu(ours, "/api/v1/tables/payments?limit=50", 50)
    await cpu(theirs, "/rows", 50)
    pairs = [
        (await cpu(ours, "/api/v1/tables/payments?limit=50", number), await cpu(theirs, "/rows", number))
        for _ in range(rounds)
    ]
    return {
        "ours_ms": round(statistics.median(one for one, _ in pairs), 2),
        "bare_ms": round(statistics.median(other for _, other in pairs), 2),
        "ratio": round(statistics.median(one / other for one, other in pairs), 2),
        "reach": 6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    # As in production, and to stderr: what logging costs is ours.
    configure_logging("json", "INFO")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options.requests, options.rounds, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
