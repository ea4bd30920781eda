"""The plans of every list of the product over ten million rows of 1,000 tenants: how many rows each looked at, the worst first.

``./dev bench plans [--rows 10000000] [--tenants 1000]`` prints JSON. The application runs in this process as its own role under
row-level security; the server tells the plan of every statement it was sent, with what it really read.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
from tests.bench.place import Place, place

from counterfoil.app import create_app
from counterfoil.embedded import EmbeddedValkey
from counterfoil.observability import configure_logging
from counterfoil.testing.asking import (
    ACCEPTED,
    METRICS_TOKEN,
    Asked,
    ask,
    explained,
    get_routes,
    known_of,
    offences,
    unanswered,
)
from counterfoil.testing.plugin import ORIGIN, log_in, register
from counterfoil.testing.population import COLUMNS, populate

# What grows with the business, in shares of all rows; the rest is people and settings.
_SHARES = {
    "payments": 18,
    "payout_lines": 18,
    "raw_records": 12,
    "customers": 6,
    "fees": 6,
    "api_calls": 8,
    "audit_events": 8,
    "refunds": 3,
    "disputes": 2,
    "invoices": 4,
    "payouts": 3,
    "jobs": 3,
    "job_events": 3,
    "stream_runs": 3,
    "webhook_receipts": 3,
}
_PEOPLE_AND_SETTINGS = 20_000
_FEW = {
    "roles": 2_000,
    "role_permissions": 2_000,
    "membership_roles": 2_000,
    "connections": 5_000,
    "cursor_states": 5_000,
}
# A page is fifty rows and one; some lists join a second table to each.
_MOST_ROWS = 250
_WORST = 20


def rows_of(number: int) -> dict[str, int]:
    small = dict.fromkeys(COLUMNS, min(_PEOPLE_AND_SETTINGS, number // 100))
    few = {name: min(most, number // 100) for name, most in _FEW.items()}
    return small | few | {name: number * share // 100 for name, share in _SHARES.items()}


async def run(number: int, tenants: int, folder: Path) -> dict[str, Any]:
    with EmbeddedValkey(folder / "valkey") as valkey:
        async with (
            place(folder, redis_url=valkey.url(), metrics_token=METRICS_TOKEN) as at,
            explained(at.admin) as plans,
        ):
            app = create_app(at.settings, with_ui=False)
            transport = httpx2.ASGITransport(app=app)
            async with (
                app.router.lifespan_context(app),
                httpx2.AsyncClient(transport=transport, base_url=ORIGIN, timeout=120) as client,
            ):
                owner = await register(client)
                began = time.perf_counter()
                await populate(at.admin, rows_of(number), tenants=tenants, largest=owner.tenant_id)
                loaded = time.perf_counter() - began
                # To load all that takes longer than a token lives.
                await log_in(client, owner.email)
                known = await known_of(at.admin, owner.tenant_id)
                asked = [each async for each in ask(client, plans, get_routes(app), known)]
            return {**_summary(asked), "load_s": round(loaded), **await _size(at)}


def _summary(asked: list[Asked]) -> dict[str, Any]:
    looks = [(each, plan, look) for each in asked for plan in each.plans for look in plan.looks]
    worst = sorted(looks, key=lambda found: -found[2].rows)[:_WORST]
    return {
        "requests": len(asked),
        "statements": sum(len(each.plans) for each in asked),
        "looking_at_too_many_rows": [
            {
                "operation": each.operation,
                "parameters": dict(each.parameters),
                "look": vars(each.look),
                "query": each.query[:300],
            }
            for each in offences(asked, most_rows=_MOST_ROWS, most_settings=_PEOPLE_AND_SETTINGS // 4)
        ],
        "unanswered": unanswered(asked),
        "accepted": {f"{operation}: {table}": why for (operation, table), why in ACCEPTED.items()},
        "worst": [
            {
                "operation": each.operation,
                "parameters": dict(each.parameters),
                "scan": f"{look.kind} {look.index or look.table}",
                "rows": look.rows,
                "buffers": plan.buffers,
            }
            for each, plan, look in worst
        ],
        "most_buffers": max(((plan.buffers, each.operation) for each, plan, _ in looks), default=None),
        "reach": {"looking_at_too_many_rows": []},
    }


async def _size(at: Place) -> dict[str, Any]:
    rows = await at.admin.fetchval(
        "SELECT sum(reltuples)::bigint FROM pg_class WHERE relnamespace = 'core'::regnamespace AND relkind = 'r'"
    )
    size = await at.admin.fetchval("SELECT pg_database_size(current_database()) / 2^30")
    return {"rows": rows, "gib": round(size, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--tenants", type=int, default=1_000)
    options = parser.parse_args()
    configure_logging("console", "ERROR")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options.rows, options.tenants, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
