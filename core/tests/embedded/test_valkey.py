import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from counterfoil.embedded import EmbeddedValkey


@pytest.fixture
def valkey(root: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(root / "valkey").start()
    yield server
    server.release()
    server.destroy()


@pytest.fixture
def client(valkey: EmbeddedValkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.url(), decode_responses=True) as connected:
        yield connected


def test_messages_survive_stop_and_start(valkey: EmbeddedValkey, client: redis.Redis) -> None:
    client.rpush("queue", "hint")
    client.close()
    assert valkey.release()
    valkey.start()
    assert client.lpop("queue") == "hint"


def test_a_killed_server_comes_back_with_what_was_a_second_old(valkey: EmbeddedValkey, client: redis.Redis) -> None:
    client.mset({f"key{number}": number for number in range(1000)})
    time.sleep(1.5)  # appendfsync everysec
    before = valkey.pid
    assert before is not None
    client.close()
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while valkey.pid in (None, before) or not valkey.is_ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client.dbsize() == 1000


def test_a_server_is_kept_also_when_nothing_more_can_be_written_to_its_log(root: Path) -> None:
    server = EmbeddedValkey(root / "valkey")
    server.log_path.symlink_to("/dev/full")
    server.start()
    before = server.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while server.pid in (None, before) or not server.is_ready():
        assert server.is_kept()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    server.release()
    server.destroy()


def test_a_full_server_refuses_instead_of_dropping_messages(client: redis.Redis) -> None:
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    client.config_set("maxmemory", "1mb")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        client.set("key", "x" * 2_000_000)


def test_nothing_listens_on_the_network(client: redis.Redis) -> None:
    assert client.config_get("port") == {"port": "0"}
