"""What an audit event adds to a business transaction, and how many events a second are sealed.

``./dev bench audit [--rounds 7] [--events 200000]`` prints JSON. The transaction is the same with and without the event, both
take turns, and its own work takes three milliseconds or more. Sealing has a physical limit beside it: hashing the same number
of ready digests.
"""

import argparse
import asyncio
import hashlib
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.place import Place, place

from counterfoil import audit
from counterfoil.audit.sealer import Sealer
from counterfoil.audit.seals import SealKeys
from counterfoil.kit.ids import new_id
from counterfoil.objects import open_store

STATEMENTS = 25
PER_ROUND = 150
_WORK = """
    INSERT INTO core.usage_counters (tenant_id, metric, day, value) VALUES ($1, $2, current_date, 1)
    ON CONFLICT (tenant_id, metric, day) DO UPDATE SET value = usage_counters.value + 1
"""
_EVENTS = """
    INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_id, actor_label, action, outcome,
                                   resource_type, resource_id, payload)
    SELECT $1, uuidv7(), now(), 'user', $1::uuid::text, 'ada@example.com', 'core.view.updated', 'ok', 'view', n::text,
           jsonb_build_object('before', jsonb_build_object('name', 'n' || n), 'after', jsonb_build_object('name', 'm' || n))
    FROM generate_series(1, $2::int) n
"""


async def transaction(at: Place, *, audited: bool) -> float:
    began = time.perf_counter()
    async with at.database.unit_of_work(at.tenant_id) as uow:
        driver = await uow.driver()
        for number in range(STATEMENTS):
            await driver.execute(_WORK, at.tenant_id, f"m{number}")
        if audited:
            await audit.record(uow, action="core.view.updated", resource_type="view", resource_id=new_id())
    return time.perf_counter() - began


async def overhead(at: Place, rounds: int) -> dict[str, Any]:
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        samples: dict[bool, list[float]] = {True: [], False: []}
        for number in range(2 * PER_ROUND):
            audited = number % 2 == 0
            samples[audited].append(await transaction(at, audited=audited))
        for audited, values in samples.items():
            seconds[audited].append(statistics.median(values))
    ratios = [with_ / without for with_, without in zip(seconds[True], seconds[False], strict=True)]
    return {
        "without_ms": round(1000 * statistics.median(seconds[False]), 2),
        "with_ms": round(1000 * statistics.median(seconds[True]), 2),
        "ratio": round(statistics.median(ratios), 3),
        "reach": 1.15,
    }


async def sealing(at: Place, number: int, rounds: int) -> dict[str, Any]:
    sealer = Sealer(database=at.database, keys=SealKeys.of(at.settings), store=open_store(at.settings))
    rates, limits = [], []
    for _ in range(rounds):
        for _ in range(10):
            await at.admin.execute(_EVENTS, at.tenant_id, number // 10)
        began = time.perf_counter()
        while await sealer.seal():
            pass
        rates.append(number / (time.perf_counter() - began))
        digests = [bytes(32)] * number
        began = time.perf_counter()
        for digest in digests:
            hashlib.sha256(b"\x00" + digest).digest()
        limits.append(number / (time.perf_counter() - began))
    return {
        "events": number,
        "sealed_per_s": round(statistics.median(rates)),
        "hashed_per_s": round(statistics.median(limits)),
        "reach": 100_000,
    }


async def run(rounds: int, events: int, folder: Path) -> dict[str, Any]:
    async with place(folder) as at:
        await transaction(at, audited=True)
        return {"transaction": await overhead(at, rounds), "sealing": await sealing(at, events, 5)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=200_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options.rounds, options.events, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
