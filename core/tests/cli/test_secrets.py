"""Rotating from the command line, and what a production process refuses to start with."""

import base64
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from counterfoil.cli import doctor
from counterfoil.cli.doctor import Finding
from counterfoil.cli.home import Home
from counterfoil.cli.secrets import rotate
from counterfoil.cli.services import NEEDED
from counterfoil.cli.weaknesses import weaknesses
from counterfoil.config import Settings
from counterfoil.connections import vault
from counterfoil.db import Database
from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import MasterKeys, Place
from counterfoil.testing.plugin import make_settings

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def fernet_key() -> str:
    return Fernet.generate_key().decode()


def text_key(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.fixture
async def only_mine(admin: "asyncpg.Connection[Any]", tenant: UUID) -> None:
    """Keys of other tests' tenants are under master keys that nobody has any more."""
    await admin.execute("DELETE FROM core.tenant_keys WHERE tenant_id <> $1", tenant)


@pytest.mark.usefixtures("only_mine")
async def test_a_new_master_key_is_put_in_front_and_the_old_one_can_go(
    database: Database, tenant: UUID, settings: Settings
) -> None:
    old, new = settings.master_keys.get_secret_value(), fernet_key()
    place = Place(tenant_id=tenant, table="core.connections", column="credentials", row_id=new_id())
    async with database.unit_of_work(tenant) as uow:
        sealed = await vault.seal(uow, MasterKeys([old]), b"secret", place)

    both = settings.model_copy(update={"master_keys": SecretStr(f"{new},{old}")})
    assert "under a retired master key" in await doctor.check_data_keys(both)
    with pytest.raises(Finding, match="not configured"):
        await doctor.check_data_keys(settings.model_copy(update={"master_keys": SecretStr(new)}))

    tally = await rotate(both, data_keys=False)
    assert (tally.rewrapped, tally.failed) == (1, [])
    assert tally.tenants >= 1
    again = await rotate(both, data_keys=False)
    assert (again.rewrapped, again.failed) == (0, [])
    assert "first master key" in await doctor.check_data_keys(both)
    async with database.unit_of_work(tenant) as uow:
        assert await vault.open_sealed(uow, MasterKeys([new]), sealed.blob, place) == b"secret"


@pytest.mark.usefixtures("only_mine")
async def test_a_tenant_whose_key_nobody_has_is_named_and_the_others_are_done(
    database: Database, tenant: UUID, other_tenant: UUID, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {tenant: settings.master_keys.get_secret_value(), other_tenant: fernet_key()}
    for each, key in keys.items():
        async with database.unit_of_work(each) as uow:
            place = Place(tenant_id=each, table="core.connections", column="credentials", row_id=new_id())
            await vault.seal(uow, MasterKeys([key]), b"secret", place)
    both = settings.model_copy(update={"master_keys": SecretStr(f"{fernet_key()},{keys[tenant]}")})
    tally = await rotate(both, data_keys=True)
    assert (tally.rewrapped, tally.rotated, len(tally.failed)) == (1, 1, 1)
    assert tally.failed[0] in capsys.readouterr().err


def test_the_command_says_what_it_did(counterfoil: Command) -> None:
    assert counterfoil("migrate", COUNTERFOIL_ENVIRONMENT="demo").returncode == 0
    done = counterfoil("secrets", "rotate", "--data-keys", COUNTERFOIL_ENVIRONMENT="demo")
    assert done.returncode == 0, done.stderr
    assert "0 tenants: 0 data keys put under the first master key" in done.stdout


WEAK = {
    "zeros": {"COUNTERFOIL_MASTER_KEYS": base64.urlsafe_b64encode(bytes(32)).decode()},
    "pattern": {"COUNTERFOIL_MASTER_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode()},
    "text": {"COUNTERFOIL_MASTER_KEYS": text_key("this is my very own secret key!!")},
    "no key": {"COUNTERFOIL_MASTER_KEYS": "secret"},
    "short": {"COUNTERFOIL_JWT_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(16)).decode()},
    "token text": {"COUNTERFOIL_JWT_KEYS": "k1:" + text_key("change me, change me, change me, please")},
    "password": {"DATABASE_URL": "postgresql://counterfoil_app:postgres@127.0.0.1:1/db"},
}


@pytest.mark.parametrize(
    ("command", "weakness"), [*(("serve", name) for name in WEAK), ("worker", "text"), ("beat", "text")]
)
def test_production_refuses_to_start_with_a_secret_that_is_none_and_never_shows_it(
    counterfoil: Command, command: str, weakness: str
) -> None:
    strong = {
        "DATABASE_URL": f"postgresql://counterfoil_app:{secrets.token_urlsafe(24)}@127.0.0.1:1/db",
        "REDIS_URL": "redis://127.0.0.1:1",
        "COUNTERFOIL_MASTER_KEYS": fernet_key(),
        "COUNTERFOIL_JWT_KEYS": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "COUNTERFOIL_SEAL_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    ((variable, value),) = WEAK[weakness].items()
    done = counterfoil(command, **(strong | {variable: value}), COUNTERFOIL_ENVIRONMENT="production")
    assert done.returncode == 1
    assert f"refused in production: {variable}: " in done.stderr
    assert value not in done.stderr


def settings_with(**values: str) -> Settings:
    return make_settings(environment="production", **{name: SecretStr(value) for name, value in values.items()})


def test_the_demos_own_secrets_are_refused_in_production(tmp_path: Path) -> None:
    demo = Home(tmp_path).secrets()
    taken = make_settings(home=tmp_path, master_keys=demo.master_keys, jwt_keys=demo.jwt_keys)
    assert weaknesses(taken, NEEDED) == [
        "COUNTERFOIL_MASTER_KEYS: that is the demo's",
        "COUNTERFOIL_JWT_KEYS: that is the demo's",
    ]


def test_one_key_for_two_purposes_is_refused() -> None:
    key = Fernet.generate_key()
    shared = base64.b64encode(base64.urlsafe_b64decode(key)).decode()
    found = weaknesses(settings_with(master_keys=key.decode(), jwt_keys=f"k1:{shared}"), NEEDED)
    assert found == ["COUNTERFOIL_JWT_KEYS: one key is there twice, or is another setting's"]


def test_keys_from_chance_are_accepted_in_every_usual_form() -> None:
    for _ in range(300):
        assert weaknesses(make_settings(), NEEDED) == []
    hexadecimal = base64.b64encode(secrets.token_hex(32).encode()).decode()
    assert weaknesses(settings_with(jwt_keys=f"k1:{hexadecimal}"), NEEDED) == []
    several = ",".join(fernet_key() for _ in range(3))
    assert weaknesses(settings_with(master_keys=several), NEEDED) == []
    for url in ("postgresql://counterfoil_app@/db?host=/run/postgresql", "not an address"):
        assert weaknesses(settings_with(database_url=url), NEEDED) == []
