"""``counterfoil up``: everything on this machine, supervised, with a demo tenant."""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import httpx2

from counterfoil.cli import signals
from counterfoil.cli.children import Child, own_command
from counterfoil.cli.demo import DemoClient, DemoTenant, is_answering
from counterfoil.cli.errors import CommandError
from counterfoil.cli.home import DATABASE, Home, is_free, write_private
from counterfoil.cli.migrate import migrate
from counterfoil.cli.output import note, say, step, table
from counterfoil.cli.services import child_environment, demo_settings, read_settings
from counterfoil.config import Settings
from counterfoil.embedded import EmbeddedError
from counterfoil.embedded.server import EmbeddedServer
from counterfoil.evidence.tasks import EVIDENCE
from counterfoil.jobs.models import QUEUES
from counterfoil.simulation.simulators import DemoConnection, Simulator, load_simulators

_LOOKS_EVERY_S = 1.0
_READY_TIMEOUT_S = 90.0
_GIVES_UP_AFTER = 3
_DATABASE_PATIENCE_S = 60.0


def configure(_parser: argparse.ArgumentParser) -> None:
    """No arguments: COUNTERFOIL_HOME and COUNTERFOIL_PORT say where."""


def run(_arguments: argparse.Namespace) -> int:
    settings = read_settings()
    home = Home(settings.home)
    _refuse_when_taken(settings, home)
    with signals.held_back():
        home.make()
        if not home.claim():
            raise CommandError(_running_already(home))
        try:
            Demo(settings, home).run()
        except signals.Stop:
            note("Stopping ...")
        finally:
            home.give_up()
    note("Stopped.")
    return 0


def _refuse_when_taken(settings: Settings, home: Home) -> None:
    if home.running_pid() is not None:
        raise CommandError(_running_already(home))
    if not is_free(settings.host, settings.port):
        raise CommandError(
            f"port {settings.port} is in use by another program. Stop that, or choose another port: "
            f"COUNTERFOIL_PORT={settings.port + 1} ./dev up"
        )


def _running_already(home: Home) -> str:
    return (
        f"Counterfoil runs already on {home.path} (process {home.running_pid()}). Stop it, or give this one a "
        "COUNTERFOIL_HOME and a COUNTERFOIL_PORT of its own"
    )


class Demo:
    """One running demo. Everything it starts is stopped again, in the opposite order."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._home = home
        self._simulators = load_simulators()
        self._settings = settings
        self._postgres, self._valkey = home.postgres(), home.valkey()
        self._server_pids: dict[str, int | None] = {}
        self._children: list[Child] = []

    def run(self) -> None:
        """Start, supervise until told to stop, and stop. Raises ``signals.Stop`` in the end."""
        say(f"Starting Counterfoil in {self._home.path}")
        # One that was killed could not take it away.
        self._home.demo_path.unlink(missing_ok=True)
        try:
            self._start_servers()
            self._start_children()
            with self._told_to_the_world():
                while True:
                    signals.wait(_LOOKS_EVERY_S)
                    self._look_after_everything()
        finally:
            self._stop()

    # -- start ---------------------------------------------------------------------------------------------------------

    def _start_servers(self) -> None:
        for title, server in (("PostgreSQL", self._postgres), ("Valkey", self._valkey)):
            with step(title):
                server.start()
            self._server_pids[server.kind] = server.pid
        self._postgres.ensure_database(DATABASE)
        self._settings = demo_settings(self._settings, home=self._home, postgres=self._postgres, valkey=self._valkey)
        with step("migrations"):
            migrate(self._settings)

    def _start_children(self) -> None:
        outside = {name: value for name, value in os.environ.items() if name not in _SECRET_VARIABLES}
        inside = outside | child_environment(self._settings)
        self._home.world()
        ports = self._home.simulator_ports(list(self._simulators), near=self._settings.port)
        for kind, port in ports.items():
            argv = own_command("simulator", kind, "--port", str(port), "--world", str(self._home.world_path))
            self._add(f"simulator-{kind}", argv, outside, address=f"http://127.0.0.1:{port}")
        self._add("serve", own_command("serve"), inside, address=self._settings.origin)
        # A pack of evidence may take minutes: it has a worker of its own, so that syncs never wait for one.
        others = ",".join(queue for queue in QUEUES if queue != EVIDENCE.queue)
        self._add("worker", own_command("worker", "--queues", others), inside)
        self._add("worker-evidence", own_command("worker", "--queues", EVIDENCE.queue, "--concurrency", "1"), inside)
        self._add("beat", own_command("beat"), inside)
        with step("API, worker, ticker and simulators"):
            self._wait_until_ready()

    def _add(self, name: str, argv: list[str], env: dict[str, str], *, address: str = "") -> None:
        child = Child(name=name, argv=argv, env=env, log=self._home.log(name), address=address)
        self._children.append(child)
        child.start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        waiting = [child for child in self._children if child.address]
        while waiting := [child for child in waiting if not self._answers(child)]:
            signals.wait(0.1)
            self._look_after_everything()
            for child in self._children:
                if child.failures >= _GIVES_UP_AFTER or time.monotonic() > deadline:
                    broken = child if child.failures else waiting[0]
                    raise CommandError(f"{broken.name} does not come up; the end of {broken.log}:\n{broken.log_tail()}")

    def _answers(self, child: Child) -> bool:
        if child.name == "serve":
            return is_answering(child.address)
        try:
            httpx2.get(child.address, timeout=2)
        except httpx2.HTTPError:
            return False
        return True

    # -- the demo tenant -------------------------------------------------------------------------------------------------

    @contextmanager
    def _told_to_the_world(self) -> Iterator[None]:
        """``demo.json`` is there exactly while the demo is ready for use."""
        tenant = self._make_tenant()
        password = self._home.secrets().demo_password
        demo = {
            "url": self._settings.origin,
            "email": tenant.email,
            "password": password,
            "tenant_id": tenant.tenant_id,
            "simulators": self._simulator_addresses(),
        }
        write_private(self._home.demo_path, demo)
        self._announce(tenant, password)
        try:
            yield
        finally:
            self._home.demo_path.unlink(missing_ok=True)

    def _simulator_addresses(self) -> dict[str, str]:
        prefix = "simulator-"
        return {c.name.removeprefix(prefix): c.address for c in self._children if c.name.startswith(prefix)}

    def _connections(self) -> list[DemoConnection]:
        return [self._connection(self._simulators[kind], url) for kind, url in self._simulator_addresses().items()]

    @staticmethod
    def _connection(simulator: Simulator, address: str) -> DemoConnection:
        return simulator.demo_connection(address)

    def _make_tenant(self) -> DemoTenant:
        """Made the first time only: what people did with it since then is theirs."""
        addresses = self._simulator_addresses()
        made: dict[str, Any] | None = self._home.read(self._home.tenant_path)
        if made and made["simulators"] == addresses:
            return DemoTenant(tenant_id=made["tenant_id"], email=made["email"])
        with DemoClient(self._settings.origin) as client:
            if made:
                tenant = DemoTenant(tenant_id=made["tenant_id"], email=made["email"])
                self._move_connections(client)
            else:
                with step("demo tenant, with a first sync from each simulator"):
                    tenant = client.open_session(self._home.secrets().demo_password)
                    for connection in self._connections():
                        client.connect(connection, pause=self._pause)
        write_private(self._home.tenant_path, {**asdict(tenant), "simulators": addresses})
        return tenant

    def _move_connections(self, client: DemoClient) -> None:
        try:
            client.open_session(self._home.secrets().demo_password)
            for connection in self._connections():
                client.point_at(connection)
        except CommandError as error:
            say(f"A simulator has a new address, and the demo's connection could not be told: {error}")

    def _pause(self, seconds: float) -> None:
        signals.wait(seconds)
        self._look_after_everything()

    def _announce(self, tenant: DemoTenant, password: str) -> None:
        servers = (self._postgres, self._valkey)
        rows = [
            ("WHAT", "PROCESS", "ADDRESS", "LOG"),
            *((s.kind, str(s.pid), str(s.place.run), str(s.log_path)) for s in servers),
            *((child.name, str(child.pid), child.address, str(child.log)) for child in self._children),
        ]
        say(f"\nCounterfoil is ready: {self._settings.origin}")
        say(f"Log in as {tenant.email} with the password {password}\n")
        say(table(rows))
        say("\nCtrl-C stops everything; the data stays for next time (`./dev reset` removes it).")

    # -- look after --------------------------------------------------------------------------------------------------------

    def _look_after_everything(self) -> None:
        for server in (self._postgres, self._valkey):
            self._look_after_server(server)
        for child in self._children:
            child.look_after()

    def _look_after_server(self, server: EmbeddedServer) -> None:
        """The keeper starts a crashed server again; we say so, and start a keeper when that is gone too."""
        if not server.is_kept():
            note(f"{server.kind} is gone; starting it again")
            try:
                server.start(timeout_s=_DATABASE_PATIENCE_S)
            except (EmbeddedError, OSError) as error:
                note(f"{server.kind}: {error}")
                return
        pid = server.pid
        if pid is not None and pid != self._server_pids.get(server.kind):
            if self._server_pids.get(server.kind) is not None:
                note(f"{server.kind} had ended and runs again (process {pid}), see {server.log_path}")
            self._server_pids[server.kind] = pid

    # -- stop --------------------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Those who work of their own accord first, all at once, then whom they ask, then what they write to; each is waited for."""
        for child in self._children:
            if not child.address:
                child.ask_to_stop()
        for child in reversed(self._children):
            child.stop()
        for server in (self._valkey, self._postgres):
            if not server.release():
                note(f"{server.kind} stays: another process uses it too")


_SECRET_VARIABLES = frozenset(
    {
        "DATABASE_URL",
        "DATABASE_ADMIN_URL",
        "REDIS_URL",
        "COUNTERFOIL_MASTER_KEYS",
        "COUNTERFOIL_JWT_KEYS",
        "COUNTERFOIL_SEAL_KEY",
        "COUNTERFOIL_OBJECT_STORE_ACCESS_KEY",
        "COUNTERFOIL_OBJECT_STORE_SECRET_KEY",
    }
)
