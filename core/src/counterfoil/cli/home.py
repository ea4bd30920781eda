"""The home folder: the embedded services' data, the demo's secrets, its world, its ports and its logs."""

import base64
import json
import os
import secrets
import shutil
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from cryptography.fernet import Fernet

from counterfoil.cli.errors import CommandError
from counterfoil.embedded import EmbeddedPostgres, EmbeddedValkey
from counterfoil.embedded.locks import FileLock, is_locked

DATABASE = "counterfoil"
APP_ROLE = "counterfoil_app"
# Below the ports Linux hands out by itself, so that a simulator finds its port free again next time.
_FIRST_SIMULATOR_PORT = 20_000
_LOG_ROTATES_AT = 10_000_000
# What `reset` removes. A home may be a folder that holds other things too, and those are not ours.
_OURS = ("postgres", "valkey", "secrets", "logs", "objects", "mail")
_OUR_FILES = ("demo.json", "demo-tenant.json", "world.json", "ports.json", "up.lock")


@dataclass(frozen=True, kw_only=True)
class DemoSecrets:
    """Made once per home."""

    master_keys: str
    jwt_keys: str
    app_password: str
    demo_password: str
    seal_key: str

    @classmethod
    def make(cls) -> "DemoSecrets":
        return cls(
            master_keys=Fernet.generate_key().decode(),
            jwt_keys=f"demo:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            app_password=secrets.token_urlsafe(24),
            demo_password=secrets.token_urlsafe(12),
            seal_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        )


@dataclass(frozen=True, kw_only=True)
class WorldFile:
    """What a world is generated from: kept, so that the simulators tell the same world next time."""

    seed: int = 1
    orders: int = 2_000
    days: int = 90
    as_of: str

    @classmethod
    def now(cls) -> "WorldFile":
        return cls(as_of=datetime.now(UTC).replace(microsecond=0).isoformat())

    @classmethod
    def read(cls, path: Path) -> "WorldFile":
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise CommandError(f"{path} does not describe a world: {error}") from error


class Home:
    """One home folder. Nothing is made before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.logs = self.path / "logs"
        self.world_path = self.path / "world.json"
        self.demo_path = self.path / "demo.json"
        self.tenant_path = self.path / "demo-tenant.json"
        self._ports_path = self.path / "ports.json"
        self._lock_path = self.path / "up.lock"
        self._lock = FileLock(self._lock_path)

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)

    # -- who uses it ---------------------------------------------------------------------------------------------------

    def running_pid(self) -> int | None:
        """The process that runs ``up`` on this home."""
        if not is_locked(self._lock_path):
            return None
        try:
            return int(self._lock_path.read_text())
        except (OSError, ValueError):
            return 0

    def claim(self) -> bool:
        """Take the home for this process until it ends or gives it up; False when another has it."""
        if not self._lock.try_exclusive():
            return False
        self._lock_path.write_text(str(os.getpid()))
        return True

    def give_up(self) -> None:
        self._lock.release()

    # -- what it keeps -------------------------------------------------------------------------------------------------

    def postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.path / "postgres")

    def valkey(self) -> EmbeddedValkey:
        return EmbeddedValkey(self.path / "valkey")

    def secrets(self) -> DemoSecrets:
        folder = self.path / "secrets"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "demo.json"
        kept: dict[str, str] = self.read(path) or {}
        # A home of an earlier version lacks what came later.
        complete = asdict(DemoSecrets.make()) | kept
        if complete != kept:
            write_private(path, complete)
        return DemoSecrets(**complete)

    def world(self) -> WorldFile:
        if not self.world_path.exists():
            write_private(self.world_path, asdict(WorldFile.now()))
        return WorldFile.read(self.world_path)

    def simulator_ports(self, kinds: list[str], *, near: int) -> dict[str, int]:
        """A free loopback port for each simulator, the same as last time where that is still free."""
        kept: dict[str, int] = self.read(self._ports_path) or {}
        chosen: dict[str, int] = {}
        for kind in kinds:
            usual = _FIRST_SIMULATOR_PORT + near % 10_000
            candidates = [*([kept[kind]] if kind in kept else []), *range(usual, usual + 500)]
            chosen[kind] = next(
                port for port in candidates if port not in chosen.values() and is_free("127.0.0.1", port)
            )
        write_private(self._ports_path, chosen)
        return chosen

    def log(self, name: str) -> Path:
        """The log file of a child, moved aside when it has grown."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > _LOG_ROTATES_AT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def read(self, path: Path) -> dict[str, Any] | None:
        try:
            return cast("dict[str, Any]", json.loads(path.read_text()))
        except FileNotFoundError:
            return None

    def remove(self) -> bool:
        """Remove everything of ours; whether the folder itself is gone too."""
        for server in (self.valkey(), self.postgres()):
            server.destroy()
        for name in _OURS:
            if (self.path / name).exists():
                shutil.rmtree(self.path / name)
        for name in _OUR_FILES:
            (self.path / name).unlink(missing_ok=True)
        if any(self.path.iterdir()):
            return False
        self.path.rmdir()
        return True


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write JSON only we can read, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=2) + "\n")
    fresh.replace(path)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
