"""A real S3 server that checks credentials, and every store as one parametrised fixture."""

import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from counterfoil.config import Settings
from counterfoil.objects import DirectoryStore, ObjectStore, open_store
from counterfoil.testing.plugin import make_settings

_READY_TIMEOUT_S = 60.0
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


@dataclass(frozen=True, kw_only=True)
class S3Server:
    endpoint: str
    access_key: str
    secret_key: str
    bucket: str = "counterfoil"

    def settings(self, *, prefix: str = "", **values: str) -> Settings:
        return make_settings(
            **{
                "object_store_url": f"s3://{self.bucket}/{prefix}?endpoint={self.endpoint}&path_style=true",
                "object_store_access_key": self.access_key,
                "object_store_secret_key": self.secret_key,
                **values,
            }
        )


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    folder = Path(tempfile.mkdtemp(prefix="cf-s3-"))
    # Its own gRPC ports are further ones, which it would choose by adding 10000.
    ports = dict(zip([*_PORTS, *(f"{name}.grpc" for name in _PORTS)], _free_ports(2 * len(_PORTS)), strict=True))
    server = S3Server(
        endpoint=f"http://127.0.0.1:{ports['s3.port']}", access_key="counterfoil", secret_key=secrets.token_hex(20)
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (a server of the test kit)
            _command(folder, server, ports), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _make_bucket(server, process, folder / "log")
        yield server
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _command(folder: Path, server: S3Server, ports: dict[str, int]) -> list[str]:
    credentials = [{"accessKey": server.access_key, "secretKey": server.secret_key}]
    identities = [{"name": "tests", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List"]}]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    (folder / "data").mkdir()
    return [
        str(Path(sys.executable).with_name("weed")),
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.localSocket={folder / 's3.sock'}",
        f"-filer.localSocket={folder / 'filer.sock'}",
        # A bucket takes several volumes at once.
        "-volume.max=200",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def _make_bucket(server: S3Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while True:
        try:
            client.create_bucket(Bucket=server.bucket)
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"no S3 server: {error}\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.3)
        else:
            client.close()
            return


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(params=["directory", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    """An empty store of each kind; what holds for one holds for all."""
    if request.param == "directory":
        yield DirectoryStore(tmp_path / "objects")
        return
    server: S3Server = request.getfixturevalue("s3_server")
    opened = open_store(server.settings(prefix=secrets.token_hex(6)))
    yield opened
    await opened.close()
