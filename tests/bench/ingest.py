"""Balance transactions of Stripe into PostgreSQL, by us and by other programs, from the same stub into the same server.

``./dev bench ingest [--records 100000] [--rounds 5] [--latency-ms 0 50] [--peer-records 20000]`` prints JSON. Ours is a job
of a worker, from asking for it to its end: raw records, canonical lines and fees, lineage, cursor and audit. dlt merges by
upsert, and its run alone is counted, not its start. airbyte-source-stripe and tap-stripe, once, only extract into a file.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from tests.bench.peers import installed
from tests.bench.place import Place, place
from tests.bench.stripe_stub import stub
from tests.bench.syncing import Syncer, working

from counterfoil.embedded import EmbeddedValkey

# Not 127.0.0.1, where a server of the machine's own may be; a client's own address is 127.0.0.1 all the same.
_HOST = "127.84.0.1"
STREAM = "balance_transactions"
TABLES = ("raw_records", "payout_lines", "fees")


async def fresh(at: Place, syncer: Syncer, label: str, address: str) -> tuple[float, int]:
    """Seconds of a first sync into empty tables, and the records it read."""
    await at.admin.execute("; ".join(f"TRUNCATE core.{name}" for name in TABLES))
    await at.admin.execute("CHECKPOINT")
    connection_id = await syncer.connect(label, {"api_base": address})
    synced = await syncer.sync(connection_id, streams=[STREAM])
    return synced.seconds, synced.result["streams"][STREAM]["rows_read"]


async def with_dlt(at: Place, dataset: str, address: str, folder: Path) -> tuple[float, int]:
    await at.admin.execute("CHECKPOINT")
    url = make_url(at.postgres.superuser_url()).set(drivername="postgresql", host=_HOST, query={})
    destination = url.render_as_string(hide_password=False)
    return await asyncio.to_thread(installed.dlt, address, destination, dataset, folder / dataset)


async def side_by_side(
    at: Place, syncer: Syncer, *, records: int, rounds: int, latency_ms: int, folder: Path
) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {"ours": [], "dlt": []}
    with stub(records, latency_ms=latency_ms) as address:
        for number in range(rounds):
            name = f"round_{latency_ms}_{number}"
            for side, (took, rows) in (
                ("ours", await fresh(at, syncer, name, address)),
                ("dlt", await with_dlt(at, name, address, folder)),
            ):
                if rows != records:
                    raise RuntimeError(f"{side} brought {rows} records of {records}")
                seconds[side].append(round(took, 2))
            await at.admin.execute(f"DROP SCHEMA {name} CASCADE; DROP SCHEMA IF EXISTS {name}_staging CASCADE")
    per_s = {side: round(records / statistics.median(took)) for side, took in seconds.items()}
    ratio = statistics.median(theirs / ours for ours, theirs in zip(*seconds.values(), strict=True))
    return {"seconds": seconds, "records_per_s": per_s, "ratio_to_dlt": round(ratio, 2)}


async def extracting(at: Place, syncer: Syncer, records: int, folder: Path) -> dict[str, Any]:
    """Peers that only fetch, once each; we load what we fetch."""
    found: dict[str, Any] = {"records": records}
    with stub(records, latency_ms=0) as address:
        ours, _ = await fresh(at, syncer, "extracting", address)
        found["ours_s"] = round(ours, 2)
        for name, peer in (("airbyte-source-stripe", installed.airbyte), ("tap-stripe", installed.tap)):
            seconds, rows = await asyncio.to_thread(peer, address, folder)
            found[name] = {"seconds": round(seconds, 2), "rows": rows, "ratio": round(seconds / ours, 2)}
    return found


async def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"records": options.records, "reach": {"dlt": 6, "airbyte-source-stripe": 20}}
    with EmbeddedValkey(folder / "valkey") as valkey:
        async with place(
            folder, options={"listen_addresses": _HOST}, redis_url=valkey.url(), job_lease_s=15.0, log_level="WARNING"
        ) as at:
            syncer = Syncer(at)
            await syncer.prepare()
            with working(at.settings):
                # The first job of a process pays for its start.
                with stub(1_000, latency_ms=0) as address:
                    await fresh(at, syncer, "warm", address)
                for latency_ms in options.latency_ms:
                    found[f"latency_{latency_ms}_ms"] = await side_by_side(
                        at, syncer, records=options.records, rounds=options.rounds, latency_ms=latency_ms, folder=folder
                    )
                if options.peer_records:
                    found["extracting"] = await extracting(at, syncer, options.peer_records, folder)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-ms", type=int, nargs="*", default=[0, 50])
    parser.add_argument("--peer-records", type=int, default=20_000, help="0: without the peers that only extract")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
