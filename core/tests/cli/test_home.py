import json
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from counterfoil.cli.errors import CommandError
from counterfoil.cli.home import Home, WorldFile
from counterfoil.kit.signing import SealKey
from counterfoil.kit.tokens import parse_keys

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def home(home_path: Path) -> Home:
    made = Home(home_path)
    made.make()
    return made


def test_secrets_are_made_once_and_readable_by_nobody_else(home: Home) -> None:
    secrets = home.secrets()
    assert Home(home.path).secrets() == secrets
    folder = home.path / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_home_of_an_earlier_version_gets_what_it_lacks_and_keeps_what_it_has(home: Home) -> None:
    secrets = home.secrets()
    path = home.path / "secrets/demo.json"
    earlier = json.loads(path.read_text())
    del earlier["seal_key"]
    path.write_text(json.dumps(earlier))
    completed = home.secrets()
    assert (completed.master_keys, completed.app_password) == (secrets.master_keys, secrets.app_password)
    SealKey.parse(completed.seal_key)
    assert home.secrets() == completed


def test_secrets_are_what_the_product_takes(home: Home) -> None:
    Fernet(home.secrets().master_keys)
    assert list(parse_keys(home.secrets().jwt_keys)) == ["demo"]
    SealKey.parse(home.secrets().seal_key)


def test_the_world_is_the_same_next_time(home: Home) -> None:
    assert Home(home.path).world() == home.world()


def test_a_file_that_is_no_world_is_named(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text('{"sed": 1}')
    with pytest.raises(CommandError, match=r"world\.json does not describe a world"):
        WorldFile.read(path)


def test_simulators_keep_their_ports(home: Home) -> None:
    first = home.simulator_ports(["shopify", "stripe"], near=8400)
    assert len(set(first.values())) == 2
    assert home.simulator_ports(["shopify", "stripe"], near=9999) == first


def test_a_port_somebody_else_took_is_replaced(home: Home) -> None:
    taken = home.simulator_ports(["stripe"], near=8400)["stripe"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        assert home.simulator_ports(["stripe"], near=8400)["stripe"] != taken


def test_a_home_is_claimed_by_one(home: Home) -> None:
    other = Home(home.path)
    assert home.claim()
    assert not other.claim()
    assert other.running_pid() is not None
    home.give_up()
    assert other.running_pid() is None
    assert other.claim()
    other.give_up()


def test_reset_refuses_while_the_demo_runs(home: Home, counterfoil: Command) -> None:
    home.claim()
    done = counterfoil("reset")
    home.give_up()
    assert done.returncode == 1
    assert "stop it first" in done.stderr


def test_reset_removes_the_data_with_the_folder(home: Home, counterfoil: Command) -> None:
    home.secrets()
    with home.postgres() as postgres:
        data = postgres.data
    assert data.exists()
    assert counterfoil("reset").returncode == 0
    assert not data.exists()
    assert not home.path.exists()


def test_reset_leaves_what_is_not_ours(home: Home, counterfoil: Command) -> None:
    home.secrets()
    (home.path / "notes.txt").write_text("mine")
    done = counterfoil("reset")
    assert "stays" in done.stdout
    assert [path.name for path in home.path.iterdir()] == ["notes.txt"]


def test_reset_of_nothing_says_so(counterfoil: Command) -> None:
    assert "Nothing to remove" in counterfoil("reset").stdout
