"""The same sync again, nothing changed, next to the first load: everything is read once more, and no row is written.

``./dev bench resync [--records 100000] [--rounds 5]`` prints JSON. Both are jobs of a worker; the second asks for everything
from the beginning of time instead of what is new, so that both read the same pages.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.ingest import STREAM, fresh
from tests.bench.place import place
from tests.bench.stripe_stub import stub
from tests.bench.syncing import Syncer, working

from counterfoil.embedded import EmbeddedValkey


async def run(records: int, rounds: int, folder: Path) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {"first": [], "again": []}
    written = 0
    with EmbeddedValkey(folder / "valkey") as valkey:
        async with place(folder, redis_url=valkey.url(), job_lease_s=15.0, log_level="WARNING") as at:
            syncer = Syncer(at)
            await syncer.prepare()
            with working(at.settings), stub(records, latency_ms=0) as address:
                await fresh(at, syncer, "warm", address)
                for number in range(rounds):
                    first, _ = await fresh(at, syncer, f"round {number}", address)
                    again = await syncer.again(f"round {number}", streams=[STREAM], mode="backfill")
                    seconds["first"].append(round(first, 2))
                    seconds["again"].append(round(again.seconds, 2))
                    counts = again.result["streams"][STREAM]
                    if counts["rows_unchanged"] != records:
                        raise RuntimeError(f"{counts['rows_unchanged']} records found unchanged of {records}")
                    written += counts["rows_inserted"] + counts["rows_updated"]
    ratios = [first / again for first, again in zip(*seconds.values(), strict=True)]
    return {
        "records": records,
        "seconds": seconds,
        "rows_rewritten": written,
        "times_faster": round(statistics.median(ratios), 2),
        "reach": {"times_faster": 1.5, "rows_rewritten": 0},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options.records, options.rounds, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
