"""The product as a person runs it: `counterfoil up` in a home of its own, driven over HTTP and in a browser."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.product.browsing import FLAGS, Walk, chromium

PASSWORD = "correct horse battery staple"
ACCESS_TOKEN_TTL_S = 7200
_READY_S = 150


@dataclass
class Product:
    """A running product, with the address of its simulated vendor."""

    url: str
    home: Path
    stripe: str
    process: "subprocess.Popen[bytes]"
    people: list["Person"] = field(default_factory=list)

    def children(self) -> dict[str, int]:
        """Process ids of what `up` runs, by name; the worker's pool children are `worker-child`."""
        found: dict[str, int] = {}
        for pid, parent, command in processes():
            if parent == self.process.pid:
                name = next((part for part in ("simulator", "serve", "worker", "beat") if part in command), None)
                if name:
                    found["worker-evidence" if "--queues evidence" in command else name] = pid
        for pid, parent, _ in processes():
            if parent == found.get("worker"):
                found["worker-child"] = pid
        return found

    def postgres(self) -> int:
        return int((self.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def newcomer(self, name: str) -> "Person":
        """The owner of a tenant made just now."""
        person = Person(self)
        self.people.append(person)
        unique = f"{name}-{time.time_ns()}"
        person.join(unique)
        return person


class Person:
    """Somebody with a script: a bearer token and a client that outlasts a restart of the API."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.http = httpx2.Client(base_url=product.url + "/api/v1", timeout=30)
        self.email = ""

    def join(self, unique: str) -> None:
        self.email = f"{unique}@example.com"
        session = self.call(
            "POST",
            "/auth/register",
            json={
                "tenant_name": f"Tenant {unique}",
                "tenant_slug": f"t-{unique}"[:40],
                "email": self.email,
                "password": PASSWORD,
                "full_name": "Nora Newcomer",
            },
        )
        self.http.cookies.clear()
        self.http.headers["Authorization"] = f"Bearer {session['access_token']}"

    def call(self, method: str, path: str, **parts: Any) -> Any:
        """The JSON answer; tries again while the API is away."""
        deadline = time.monotonic() + 30
        while True:
            try:
                answer = self.http.request(method, path, **parts)
            except httpx2.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
                continue
            if answer.status_code in (500, 503) and method == "GET" and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            assert answer.is_success, (answer.status_code, answer.text)
            return answer.json() if answer.content else None

    def connect_stripe(self, key: str = "sk_test_demo") -> str:
        connection = self.call(
            "POST",
            "/connections",
            json={
                "kind": "stripe",
                "label": "Stripe",
                "settings": {"api_base": self.product.stripe},
                "credentials": {"api_key": key},
            },
        )
        return str(connection["id"])

    def sync(self, connection_id: str, **body: Any) -> str:
        return str(self.call("POST", f"/connections/{connection_id}/sync", json=body)["job_id"])

    def finished(self, job_id: str, *, within_s: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + within_s
        while True:
            job: dict[str, Any] = self.call("GET", f"/jobs/{job_id}")
            if job["finished_at"]:
                return job
            assert time.monotonic() < deadline, job
            time.sleep(0.25)

    def synced(self, connection_id: str, **body: Any) -> dict[str, Any]:
        return self.finished(self.sync(connection_id, **body))

    def rows(self, table: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of a table, page by page."""
        rows: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.call(
                "GET", f"/tables/{table}", params={"limit": 500, **params, **({"cursor": cursor} if cursor else {})}
            )
            rows += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows


@dataclass(frozen=True, kw_only=True)
class Company:
    """A tenant with one synced connection."""

    owner: Person
    connection: str
    job: str
    correlation_id: str


def processes() -> Iterator[tuple[int, int, str]]:
    """Process id, parent and command line of everything that runs."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            yield int(folder.name), int(stat.rpartition(")")[2].split()[1]), command


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(home: Path, port: int, *, world: Mapping[str, Any] | None = None, **environment: str) -> Product:
    """`up` in this home.

    Args:
        home: made before.
        port: of the API.
        world: what differs from the usual world.
        environment: more of it.
    """
    env = {
        **os.environ,
        "COUNTERFOIL_ENVIRONMENT": "demo",
        "COUNTERFOIL_HOME": str(home),
        "COUNTERFOIL_PORT": str(port),
        "COUNTERFOIL_JOB_LEASE_S": "3",
        "COUNTERFOIL_REAP_INTERVAL_S": "0.5",
        "COUNTERFOIL_REPUBLISH_AFTER_S": "4",
        # However long a slow machine takes for a run of the tests.
        "COUNTERFOIL_ACCESS_TOKEN_TTL_S": str(ACCESS_TOKEN_TTL_S),
        **environment,
    }
    as_of = datetime.now(UTC).replace(microsecond=0).isoformat()
    told = {"seed": 1, "orders": 500, "days": 30, "as_of": as_of, **(world or {})}
    (home / "world.json").write_text(json.dumps(told))
    log = (home / "up.log").open("ab")
    command = [str(Path(sys.executable).parent / "counterfoil"), "up"]
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    log.close()
    deadline = time.monotonic() + _READY_S
    while not (home / "demo.json").exists():
        assert process.poll() is None, (home / "up.log").read_text()
        assert time.monotonic() < deadline, (home / "up.log").read_text()
        time.sleep(0.2)
    demo = json.loads((home / "demo.json").read_text())
    return Product(url=demo["url"], home=home, stripe=demo["simulators"]["stripe"], process=process)


def stop(product: Product) -> None:
    for person in product.people:
        person.http.close()
    product.process.send_signal(signal.SIGTERM)
    product.process.wait(60)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Started once per run; tests make tenants of their own in it."""
    running = start(tmp_path_factory.mktemp("home"), free_port())
    yield running
    stop(running)


@pytest.fixture(scope="session")
def company(product: Product) -> Company:
    owner = product.newcomer("walks")
    connection = owner.connect_stripe()
    owner.call("POST", f"/connections/{connection}/test")
    job = owner.synced(connection)
    assert job["status"] == "succeeded", job
    return Company(owner=owner, connection=connection, job=job["id"], correlation_id=job["correlation_id"])


@pytest.fixture
def simulator(product: Product) -> Iterator[httpx2.Client]:
    """The simulated vendor's control; faults end with the test."""
    with httpx2.Client(base_url=f"{product.stripe}/_simulator", timeout=60) as control:
        yield control
        control.delete("/faults")


# Not for longer: its event loop would stand in the way of the tests that have one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def walk(browser: Browser, product: Product) -> Iterator[Walk]:
    walk = Walk(browser, product.url)
    yield walk
    walk.context.close()
