"""Other programs that do what we do, each in an environment of its own, and how long they take for the same work."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.stripe_stub import LISTED, SPAN_S

_HERE = Path(__file__).parent
_UV = Path(sys.executable).parent / "uv"
_STREAM = LISTED.rsplit("/", 1)[1]
_AIRBYTE_ADDRESS = "https://api.stripe.com"


def environment(name: str) -> Path:
    """The folder of an environment with what ``NAME.txt`` pins, made at first use; kept beside our own packages."""
    pins = _HERE / f"{name}.txt"
    folder = Path(sys.prefix) / "peers" / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run([_UV, "venv", "--quiet", folder])
        _run([_UV, "pip", "install", "--quiet", "--require-hashes", "--python", folder / "bin/python", "-r", pins])
        (folder / "complete").touch()
    return folder


def dlt(address: str, destination: str, dataset: str, folder: Path) -> tuple[float, int]:
    """Seconds of dlt's run, its start not counted, and the rows it made."""
    python = environment("dlt") / "bin/python"
    out = _run([python, _HERE / "load_with_dlt.py", address, destination, dataset, folder])
    found = json.loads(out.splitlines()[-1])
    return found["seconds"], found["rows"]


def airbyte(address: str, folder: Path) -> tuple[float, int]:
    """Seconds of airbyte-source-stripe's ``read`` into a file, nothing loaded, and the records it wrote."""
    home = environment("airbyte")
    manifest = next(home.glob("lib/*/site-packages/source_stripe/manifest.yaml"))
    original = manifest.with_suffix(".original")
    if not original.exists():
        shutil.copy(manifest, original)
    manifest.write_text(original.read_text().replace(_AIRBYTE_ADDRESS, address))
    stream = {"name": _STREAM, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    configured: dict[str, Any] = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"}
    configured["cursor_field"] = ["created"]
    catalog = _written(folder / "airbyte-catalog.json", {"streams": [configured]})
    # A live key: with one for tests it keeps to fewer requests a second.
    keys = {"account_id": "acct_bench", "client_secret": "sk_live_bench", "start_date": _start(), "num_workers": 20}
    config = _written(folder / "airbyte-config.json", keys)
    return _timed([home / "bin/source-stripe", "read", "--config", config, "--catalog", catalog], folder)


def tap(address: str, folder: Path) -> tuple[float, int]:
    """Seconds of tap-stripe into a file, nothing loaded, and the records it wrote."""
    python = environment("tap") / "bin/python"
    keys = {"account_id": "acct_bench", "client_secret": "sk_live_bench", "start_date": _start()}
    command: list[Path | str] = [
        python,
        _HERE / "run_tap.py",
        address,
        "--config",
        _written(folder / "tap-config.json", keys),
    ]
    catalog = json.loads(_run([*command, "--discover"]))
    for stream in catalog["streams"]:
        for one in stream["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = stream["tap_stream_id"] == _STREAM
    return _timed([*command, "--catalog", _written(folder / "tap-catalog.json", catalog)], folder)


def _start() -> str:
    return time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() - SPAN_S - 86_400))


def _timed(command: list[Path | str], folder: Path) -> tuple[float, int]:
    output = folder / "peer-output"
    began = time.perf_counter()
    with output.open("wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True)  # noqa: S603  (pinned programs)
    seconds = time.perf_counter() - began
    with output.open() as lines:
        return seconds, sum('"type": "RECORD"' in line or '"type":"RECORD"' in line for line in lines)


def _written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def _run(command: list[Path | str]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout  # noqa: S603  (same)
