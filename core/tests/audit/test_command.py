import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest

from counterfoil.cli import main
from counterfoil.config import Settings

from .conftest import Log

Verify = Callable[..., Coroutine[Any, Any, tuple[int, str]]]


@pytest.fixture
def run_verify(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verify:
    for variable, value in {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "COUNTERFOIL_MASTER_KEYS": settings.master_keys.get_secret_value(),
        "COUNTERFOIL_JWT_KEYS": settings.jwt_keys.get_secret_value(),
        "COUNTERFOIL_SEAL_KEY": settings.seal_key.get_secret_value(),
        "COUNTERFOIL_HOME": str(settings.home),
    }.items():
        monkeypatch.setenv(variable, value)

    async def run(*arguments: str) -> tuple[int, str]:
        status = await asyncio.to_thread(main, ["audit", "verify", *arguments])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


@pytest.fixture
async def slug(log: Log) -> str:
    return str(await log.admin.fetchval("SELECT slug FROM core.tenants WHERE id = $1", log.tenant_id))


async def test_a_sound_chain_is_told_with_the_key_to_check_it(log: Log, slug: str, run_verify: Verify) -> None:
    await log.write_sealed(2, 1)
    await log.sealer.anchor()
    status, said = await run_verify("--tenant", slug)
    assert status == 0
    assert f"ok      {slug}: 2 seals, 3 events, 1 anchors; 0 events wait for their seal" in said
    assert log.sealer.keys.signing.public_key in said


async def test_a_finding_is_named_and_fails_the_command(log: Log, slug: str, run_verify: Verify) -> None:
    await log.write_sealed(1, 1)
    event = (await log.events())[1]
    await log.admin.execute("UPDATE core.audit_events SET reason = 'x' WHERE id = $1", event["id"])
    status, said = await run_verify("--tenant", slug)
    assert status == 1
    assert f"FAILED  {slug}" in said
    assert "event_changed: An event of seal 2 was changed" in said
    assert str(event["id"]) in said


async def test_every_tenant_is_checked_and_one_finding_fails_them_all(
    log: Log, log_of: Callable[[UUID], Log], other_tenant: UUID, slug: str, run_verify: Verify
) -> None:
    other = log_of(other_tenant)
    await log.write_sealed(1)
    await other.write_sealed(1)
    await other.admin.execute("DELETE FROM core.audit_events WHERE tenant_id = $1", other_tenant)
    status, said = await run_verify("--json", "--archives")
    told = {each["tenant"]: each for each in json.loads(said)}
    theirs = await other.admin.fetchval("SELECT slug FROM core.tenants WHERE id = $1", other_tenant)
    assert status == 1
    assert (told[slug]["ok"], told[slug]["checked"]["events"]) == (True, 1)
    assert [finding["code"] for finding in told[theirs]["findings"]] == ["event_deleted"]


async def test_a_tenant_that_does_not_exist_is_said_to(run_verify: Verify) -> None:
    status, said = await run_verify("--tenant", "nobody")
    assert status == 1
    assert "there is no tenant 'nobody'" in said
