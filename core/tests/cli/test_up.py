"""One demo, started for real, hurt, stopped, and started again. The tests are the chapters of one story, in order."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from counterfoil.cli.home import Home

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

READY_S = 240.0
RECOVERY_S = 60.0
STOP_S = 60.0


def wait_until(condition: Callable[[], bool], *, timeout_s: float, why: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.1)


class Running:
    """A ``counterfoil up`` on its own home and port."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        # A shop with less business than the demo's own, which takes longer to bring over.
        as_of = datetime.now(UTC).replace(microsecond=0).isoformat()
        self.home.path.mkdir()
        self.home.world_path.write_text(json.dumps({"seed": 1, "orders": 300, "days": 20, "as_of": as_of}))
        self.output = folder / "output.txt"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ours = ("COUNTERFOIL_", "DATABASE_", "REDIS_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        env |= {"COUNTERFOIL_HOME": str(self.home.path), "COUNTERFOIL_PORT": str(self.port)}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "counterfoil.cli", "up"], env=env, stdout=output, stderr=output
            )
        wait_until(lambda: self.home.demo_path.exists() or self.ended(), timeout_s=READY_S, why=self.said)
        assert not self.ended(), self.said()

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def said(self) -> str:
        return self.output.read_text()

    def demo(self) -> dict[str, Any]:
        demo: dict[str, Any] = json.loads(self.home.demo_path.read_text())
        return demo

    def pid(self, name: str) -> int:
        """The process id a line of output last gave for this part."""
        found = re.findall(rf"^  {name} +(\d+)|^{name} .*runs again \(process (\d+)\)", self.said(), re.MULTILINE)
        assert found, self.said()
        return int(found[-1][0] or found[-1][1])

    def processes(self) -> list[int]:
        """Every process of this home: each has it in its environment or in its arguments."""
        mark = os.fsencode(self.home.path)
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    @contextmanager
    def client(self) -> Iterator[httpx2.Client]:
        demo = self.demo()
        with httpx2.Client(base_url=f"{demo['url']}/api/v1", headers={"Origin": demo["url"]}, timeout=30) as client:
            answer = client.post("/auth/login", json={"email": demo["email"], "password": demo["password"]})
            assert answer.status_code == httpx2.codes.OK, answer.text
            yield client

    def count(self, table: str) -> int:
        with self.client() as client:
            return int(client.get(f"/tables/{table}", params={"count": "true", "limit": "1"}).json()["total"])

    def stop(self, signum: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(STOP_S)


@pytest.fixture(scope="module")
def demo() -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="cf-"))
    folder.chmod(0o755)
    running = Running(folder)
    running.start()
    yield running
    if not running.ended():
        running.stop(signal.SIGTERM)
    wait_until(lambda: not running.processes(), timeout_s=STOP_S)
    running.home.remove()
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _shown_on_failure(demo: Running) -> Iterator[None]:
    yield
    print(demo.said())  # noqa: T201  (pytest shows it for a failed test only)
    print((demo.home.logs / "serve.log").read_text()[-3000:])  # noqa: T201  (same)


def test_the_demo_is_ready_with_data_once_it_says_so(demo: Running) -> None:
    assert set(demo.demo()) == {"url", "email", "password", "tenant_id", "simulators"}
    assert demo.demo()["url"] in demo.said()
    assert demo.demo()["password"] in demo.said()
    for table in ("payments", "payouts", "payout_lines"):
        assert demo.count(table) > 0


def test_a_second_one_on_the_same_home_is_refused(demo: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "counterfoil.cli", "up"],
        env=os.environ | {"COUNTERFOIL_HOME": str(demo.home.path), "COUNTERFOIL_PORT": str(demo.port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "a COUNTERFOIL_HOME and a COUNTERFOIL_PORT of its own" in done.stderr


@pytest.mark.parametrize("name", ["worker", "beat", "simulator-stripe", "serve"])
def test_a_part_that_is_killed_is_started_again(demo: Running, name: str) -> None:
    before = demo.pid(name)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: demo.pid(name) != before, timeout_s=RECOVERY_S, why=demo.said)
    assert f"{name} (process {before}) was ended by SIGKILL" in demo.said()


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_server_that_is_killed_is_started_again(demo: Running, name: str) -> None:
    before = demo.pid(name)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: demo.pid(name) != before, timeout_s=RECOVERY_S, why=demo.said)


def test_after_all_that_the_demo_still_syncs(demo: Running) -> None:
    ready = f"{demo.demo()['url']}/health/ready"

    def is_ready() -> bool:
        try:
            return httpx2.get(ready).status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    wait_until(is_ready, timeout_s=RECOVERY_S, why=demo.said)
    with demo.client() as client:
        [connection] = client.get("/connections").json()["items"]
        job = client.post(f"/connections/{connection['id']}/sync", json={}).json()["job_id"]
        wait_until(
            lambda: client.get(f"/jobs/{job}").json()["status"] in {"succeeded", "partial", "failed"},
            timeout_s=120,
            why=lambda: client.get(f"/jobs/{job}").text,
        )
        assert client.get(f"/jobs/{job}").json()["status"] == "succeeded"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_stopping_leaves_no_process_and_the_next_start_finds_everything(demo: Running, signum: signal.Signals) -> None:
    before, payments = demo.demo(), demo.count("payments")
    assert demo.stop(signum) == 0
    assert demo.processes() == []
    assert not demo.home.demo_path.exists()
    assert demo.said().rstrip().endswith("Stopped.")
    demo.start()
    assert demo.demo() == before
    assert demo.count("payments") == payments


def test_killing_it_outright_leaves_no_process_and_harms_nothing(demo: Running) -> None:
    before, payments = demo.demo(), demo.count("payments")
    demo.stop(signal.SIGKILL)
    wait_until(lambda: demo.processes() == [], timeout_s=STOP_S, why=lambda: str(demo.processes()))
    demo.home.demo_path.unlink()  # the next start would remove it, but we look for it before that
    demo.start()
    assert demo.demo() == before
    assert demo.count("payments") == payments
