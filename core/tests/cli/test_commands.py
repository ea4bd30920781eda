import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil.cli import COMMANDS

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_help_names_every_command(counterfoil: Command) -> None:
    said = counterfoil("--help").stdout
    for command in COMMANDS:
        assert f"    {command} " in said


def test_up_on_a_busy_port_names_the_variable_and_starts_nothing(counterfoil: Command, home_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = counterfoil("up", COUNTERFOIL_PORT=str(port))
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr
    assert "COUNTERFOIL_PORT" in done.stderr
    assert not home_path.exists()


@pytest.mark.parametrize("command", ["serve", "worker", "beat"])
def test_production_refuses_to_start_without_its_settings_and_names_them(counterfoil: Command, command: str) -> None:
    done = counterfoil(command, COUNTERFOIL_ENVIRONMENT="production", REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 1
    assert "not set: DATABASE_URL, COUNTERFOIL_MASTER_KEYS, COUNTERFOIL_JWT_KEYS, COUNTERFOIL_SEAL_KEY." in done.stderr


def test_a_setting_with_an_impossible_value_is_named_and_never_shown(counterfoil: Command) -> None:
    done = counterfoil("up", COUNTERFOIL_PORT="secret")
    assert done.returncode == 1
    assert "port" in done.stderr
    assert "secret" not in done.stderr


def test_doctor_says_what_is_missing(counterfoil: Command) -> None:
    done = counterfoil("doctor", COUNTERFOIL_ENVIRONMENT="production")
    assert done.returncode == 1
    assert "FAILED  settings: not set: DATABASE_URL" in done.stdout
    assert "ok      home" in done.stdout


def test_doctor_finds_a_database_that_is_not_migrated_and_one_that_is(counterfoil: Command) -> None:
    before = counterfoil("doctor", COUNTERFOIL_ENVIRONMENT="demo")
    assert before.returncode == 1
    assert "FAILED  roles" in before.stdout
    migrated = counterfoil("migrate", COUNTERFOIL_ENVIRONMENT="demo")
    assert migrated.returncode == 0, migrated.stderr
    assert "core: new -> " in migrated.stdout
    after = counterfoil("doctor", COUNTERFOIL_ENVIRONMENT="demo")
    assert after.returncode == 0, after.stdout
    assert "FAILED" not in after.stdout


def test_doctor_finds_a_store_that_cannot_be_written_and_one_that_can(counterfoil: Command, tmp_path: Path) -> None:
    done = counterfoil("doctor", COUNTERFOIL_OBJECT_STORE_URL=f"file://{tmp_path}/objects")
    assert f"ok      object store: file://{tmp_path}/objects" in done.stdout
    assert not [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    (tmp_path / "taken").write_text("")
    done = counterfoil("doctor", COUNTERFOIL_OBJECT_STORE_URL=f"file://{tmp_path}/taken")
    assert "FAILED  object store" in done.stdout
    away = "s3://bucket/?endpoint=http://127.0.0.1:9"
    done = counterfoil("doctor", COUNTERFOIL_OBJECT_STORE_URL=away, COUNTERFOIL_OBJECT_STORE_ACCESS_KEY="a")
    assert "FAILED  object store: an access key and a secret key go together" in done.stdout


def test_doctor_refuses_an_application_role_that_row_level_security_does_not_bind(
    counterfoil: Command, home_path: Path
) -> None:
    from counterfoil.cli.home import Home  # noqa: PLC0415  (the others run the command alone)

    home = Home(home_path)
    home.make()
    with home.postgres() as postgres:
        done = counterfoil("doctor", DATABASE_URL=postgres.superuser_url())
    assert "FAILED  row-level security: postgres is not bound" in done.stdout
    home.remove()


def test_an_unknown_simulator_is_refused_with_the_known_ones(counterfoil: Command) -> None:
    done = counterfoil("simulator", "nobody", "--port", "1")
    assert done.returncode == 1
    assert "there are: " in done.stderr


def test_openapi_is_written_without_any_server(counterfoil: Command, tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    done = counterfoil("openapi", "--output", str(target))
    assert done.returncode == 0, done.stderr
    assert "/api/v1/auth/login" in json.loads(target.read_text())["paths"]
