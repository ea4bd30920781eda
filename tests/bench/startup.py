"""How long `counterfoil serve` takes until it is ready, and what it then holds, with more and more plugins installed.

``./dev bench startup [--rounds 5]`` prints JSON.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.place import Place, is_ready, place, serve

from counterfoil.embedded import EmbeddedValkey
from counterfoil.testing.plugins import write_distribution

PLUGINS = (0, 4, 9, 49)
_HOOKS = """
from counterfoil.sdk import Settings, hookimpl

class Own(Settings):
    depth: int = 1

@hookimpl
def register_settings():
    return Own
"""


def start(at: Place, redis_url: str, site: Path, port: int) -> tuple[float, float]:
    """Seconds until the process is ready, and MiB it holds then."""
    began = time.perf_counter()
    process = serve(at, redis_url=redis_url, port=port, PYTHONPATH=str(site))
    try:
        while not is_ready(port):
            if process.poll() is not None:
                raise RuntimeError(process.returncode)
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        return seconds, pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    finally:
        process.terminate()
        process.wait()


async def run(rounds: int, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"reach": {"ready_s": 3, "idle_mib": 200, "fifty_to_five": 2}}
    async with place(folder) as at:
        with EmbeddedValkey(folder / "valkey") as valkey:
            for number in PLUGINS:
                site = folder / f"site{number}"
                site.mkdir()
                for each in range(number):
                    write_distribution(site, f"bench{each}", {"hooks.py": _HOOKS})
                measured = [start(at, valkey.url(), site, 8790 + turn) for turn in range(rounds)]
                found[f"{number + 1} plugins"] = {
                    "ready_s": round(statistics.median(seconds for seconds, _ in measured), 2),
                    "idle_mib": round(statistics.median(mib for _, mib in measured)),
                }
    found["fifty_to_five"] = round(found["50 plugins"]["ready_s"] / found["5 plugins"]["ready_s"], 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print(json.dumps(asyncio.run(run(options.rounds, Path(folder))), indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
