"""``counterfoil tenant plan`` against a real database, as an operator runs it."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from counterfoil.config import Settings
from counterfoil.testing.plugin import SignedIn

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Plan = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def plan(counterfoil: Command, settings: Settings) -> Plan:
    def run(slug: str, *options: str) -> "subprocess.CompletedProcess[str]":
        url = settings.database_admin_url.get_secret_value()
        return counterfoil("tenant", "plan", slug, *options, DATABASE_ADMIN_URL=url)

    return run


@pytest.fixture
async def slug(signed_in: SignedIn) -> str:
    return str((await signed_in.client.get("/api/v1/tenants/me")).json()["slug"])


async def test_an_operator_changes_plan_quotas_and_features_on_the_tenants_record(
    plan: Plan, slug: str, signed_in: SignedIn, admin: "asyncpg.Connection[Any]"
) -> None:
    options = [
        "--plan",
        "pro",
        "--quota",
        "members=80",
        "--quota",
        "connections=unlimited",
        "--feature",
        "core.api_keys=off",
    ]
    done = plan(slug, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pro, without end\n")
    assert "  members: 1 of 80 (set)" in done.stdout
    assert "  core.api_keys: off (set)" in done.stdout
    shown = (await signed_in.client.get("/api/v1/tenants/me/plan")).json()
    assert (shown["plan"], shown["expires_at"]) == ("pro", None)
    assert {quota["name"]: quota["limit"] for quota in shown["quotas"]}["connections"] is None
    event = await admin.fetchrow(
        "SELECT actor_kind, actor_label, outcome, payload FROM core.audit_events"
        " WHERE tenant_id = $1 AND action = 'core.tenant.plan_changed'",
        signed_in.tenant_id,
    )
    assert event is not None
    assert tuple(event)[:3] == ("operator", "operator", "ok")
    assert json.loads(event["payload"]) == {
        "plan": {"from": "trial", "to": "pro"},
        "expires_at": None,
        "quotas": {"members": 80, "connections": None},
        "features": {"core.api_keys": False},
    }
    back = plan(slug, "--expires", "2030-01-31", "--quota", "members=default", "--feature", "core.api_keys=default")
    assert back.stdout.startswith("pro, until 2030-01-31\n")
    assert "(set)" in back.stdout
    assert "members: 1 of 50\n" in back.stdout
    assert "core.api_keys" not in back.stdout
    assert plan(slug).stdout == back.stdout
    changes = await admin.fetchval(
        "SELECT count(*) FROM core.audit_events WHERE tenant_id = $1 AND action = 'core.tenant.plan_changed'",
        signed_in.tenant_id,
    )
    assert changes == 2


async def test_nobody_elses_plan_changes(plan: Plan, slug: str, sign_in: Any) -> None:
    other = await sign_in()
    assert plan(slug, "--plan", "enterprise").returncode == 0
    assert (await other.client.get("/api/v1/tenants/me/plan")).json()["plan"] == "trial"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quota", "wishes=3"], "there is no quota 'wishes'; there are: api_keys, connections"),
        (["--quota", "members=-1"], "the quota members is a number, unlimited or default, not '-1'"),
        (["--quota", "members"], "--quota reads NAME=VALUE"),
        (["--feature", "stripe.fly=on"], "there is no feature 'stripe.fly'; there are: core.api_keys"),
        (["--feature", "stripe.sync=yes"], "the feature stripe.sync is on, off or default"),
        (["--expires", "tomorrow"], "--expires is a date such as 20"),
        (["--plan", "trial"], "a trial ends: give --expires DATE"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    plan: Plan, slug: str, signed_in: SignedIn, options: list[str], said: str
) -> None:
    done = plan(slug, "--plan", "pro", *options)
    assert done.returncode == 1
    assert said in done.stderr
    assert (await signed_in.client.get("/api/v1/tenants/me/plan")).json()["plan"] == "trial"


async def test_an_unknown_tenant_is_said_to_be_one(plan: Plan) -> None:
    done = plan("nobody-at-all", "--plan", "pro")
    assert (done.returncode, done.stderr) == (1, "counterfoil tenant: there is no tenant 'nobody-at-all'\n")


def test_without_the_administrators_address_it_says_which_setting_is_missing(counterfoil: Command) -> None:
    done = counterfoil("tenant", "plan", "acme", COUNTERFOIL_ENVIRONMENT="production")
    assert done.returncode == 1
    assert "not set: DATABASE_ADMIN_URL." in done.stderr
