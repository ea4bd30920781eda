"""A plugin in detail, its permissions, and its settings in one tenant."""

import asyncio
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest

from counterfoil.db import Database
from counterfoil.entitlements import plugin_settings
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac.catalogue import PERMISSIONS, Catalogue
from counterfoil.testing.plugin import SignedIn
from counterfoil.testing.plugins import HOOKS, installed, write_distribution

Connection: TypeAlias = "asyncpg.Connection[Any]"
PATH = "/api/v1/plugins/lean/settings"


async def test_a_plugin_is_shown_with_all_it_claims(signed_in: SignedIn) -> None:
    lean = (await signed_in.client.get("/api/v1/plugins/lean")).json()
    [listed] = [one for one in (await signed_in.client.get("/api/v1/plugins")).json()["items"] if one["name"] == "lean"]
    assert listed.items() <= lean.items()
    assert (lean["requires"], lean["has_settings"], lean["hosts"]) == (["free"], True, [])
    assert (lean["offers"], lean["uses"]) == (["lean.cutting"], ["free.advice"])
    assert {one["name"]: one["description"] for one in lean["permissions"]} == {
        "lean.cut": "Cut what is not needed",
        "lean.look": "See what was cut",
    }
    gold = (await signed_in.client.get("/api/v1/plugins/gold")).json()
    assert gold["features"] == [
        {"name": "gold.shine", "title": "Gold: shine", "plans": ["gold", "black"], "included": False}
    ]
    assert (await signed_in.client.get("/api/v1/plugins/broken")).json()["status"] == "quarantined"
    assert (await signed_in.client.get("/api/v1/plugins/nothing")).status_code == 404


async def test_a_plugins_permissions_are_in_the_catalogue_and_held_as_it_says(
    signed_in: SignedIn, admin: Connection
) -> None:
    items = (await signed_in.client.get("/api/v1/users/permissions")).json()["items"]
    assert {(one["name"], one["plugin"], one["held"]) for one in items if one["plugin"]} == {
        ("lean.cut", "lean", True),
        ("lean.look", "lean", True),
    }
    held = {}
    for role in ("admin", "finance", "readonly", "ops"):
        await admin.execute(
            "UPDATE core.membership_roles SET role = $2 WHERE tenant_id = $1", signed_in.tenant_id, role
        )
        me = (await signed_in.client.get("/api/v1/auth/me")).json()
        held[role] = {name for name in me["permissions"] if name.startswith("lean.")}
    assert held == {
        "admin": {"lean.cut", "lean.look"},
        "finance": {"lean.look"},
        "readonly": {"lean.look"},
        "ops": set(),
    }


async def test_a_custom_role_holds_a_plugins_permission(signed_in: SignedIn) -> None:
    body = {"name": "cutter", "title": "Cutter", "permissions": ["lean.cut", "tables.read"]}
    assert (await signed_in.client.post("/api/v1/users/roles", json=body)).status_code == 201
    body = {"name": "other", "title": "Other", "permissions": ["broken.cut"]}
    answer = await signed_in.client.post("/api/v1/users/roles", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_permission")


def test_a_permission_whose_plugin_is_gone_is_held_by_nobody(plugins: PluginManager) -> None:
    stored = ["lean.cut", "tables.read"]
    assert Catalogue.of(plugins).permissions_of([], custom=stored) == set(stored)
    assert Catalogue.of(PluginManager.load(entry_points=[])).permissions_of([], custom=stored) == {"tables.read"}


@pytest.mark.parametrize("permission", ["members.manage", "tables.burn"])
def test_a_plugin_whose_permission_would_pass_for_cores_is_quarantined(tmp_path: Path, permission: str) -> None:
    word = permission.partition(".")[0]
    claims = f'namespaces = ["{word}"]\n[permissions]\n"{permission}" = {{ description = "x", roles = ["readonly"] }}\n'
    write_distribution(
        tmp_path, "sly", {}, manifest=f'name = "sly"\ntitle = "Sly"\npublisher = "Sly"\napi = 1\n{claims}'
    )
    with installed(tmp_path):
        manager = PluginManager.load()
    catalogue = Catalogue.of(manager)
    sly = manager.find("sly")
    assert sly is not None
    assert (sly.status, sly.reason) == ("quarantined", f"its permission '{permission}' begins like one of core's")
    assert catalogue.permissions.keys() == PERMISSIONS.keys()
    assert "members.manage" not in catalogue.roles["readonly"]


async def test_settings_are_checked_by_the_plugins_own_model(signed_in: SignedIn, admin: Connection) -> None:
    start = (await signed_in.client.get(PATH)).json()
    assert start["settings"] is None
    assert start["settings_schema"]["required"] == ["depth"]
    for wrong, path in (
        ({}, "settings.depth"),
        ({"depth": "x"}, "settings.depth"),
        ({"depth": 1, "y": 2}, "settings.y"),
    ):
        answer = await signed_in.client.put(PATH, json={"settings": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_plugin_settings")
        assert [error["path"] for error in answer.json()["errors"]] == [path]
    saved = {"depth": 3, "tone": "kind"}
    for _ in range(2):
        assert (await signed_in.client.put(PATH, json={"settings": {"depth": 3}})).json()["settings"] == saved
    assert (await signed_in.client.get(PATH)).json()["settings"] == saved
    await signed_in.client.put(PATH, json={"settings": {"depth": 3, "tone": "curt"}})
    changes = await admin.fetch(
        "SELECT payload::jsonb ->> 'changed' AS changed FROM core.audit_events"
        " WHERE tenant_id = $1 AND action = 'core.plugin.configured' ORDER BY id",
        signed_in.tenant_id,
    )
    assert [change["changed"] for change in changes] == ['["depth", "tone"]', '["tone"]']


async def test_settings_outlive_turning_the_plugin_off_and_turn_nothing_on(
    signed_in: SignedIn, database: Database, plugins: PluginManager
) -> None:
    await signed_in.client.put(PATH, json={"settings": {"depth": 3}})
    assert (await signed_in.client.get("/api/v1/plugins/lean")).json()["enabled"] is False
    for action in ("free/enable", "lean/enable", "lean/disable"):
        assert (await signed_in.client.post(f"/api/v1/plugins/{action}")).status_code == 200
    lean = plugins.find("lean")
    assert lean is not None
    async with database.unit_of_work(signed_in.tenant_id) as uow:
        saved = await plugin_settings.read(uow, lean)
    assert saved.settings is not None
    assert saved.settings.model_dump() == {"depth": 3, "tone": "kind"}


async def test_stale_settings_are_refused_and_change_nothing(signed_in: SignedIn) -> None:
    client = signed_in.client
    start = await client.get(PATH)
    assert (start.headers["etag"], start.json()["version"]) == ('"0"', 0)
    answers = await asyncio.gather(
        *(
            client.put(PATH, json={"settings": {"depth": depth}}, headers={"If-Match": start.headers["etag"]})
            for depth in (1, 2, 3)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    [saved] = [answer for answer in answers if answer.is_success]
    assert {answer.json()["code"] for answer in answers if answer is not saved} == {"precondition_failed"}
    seen = await client.get(PATH)
    assert (seen.json(), seen.headers["etag"], saved.headers["etag"]) == (saved.json(), '"1"', '"1"')
    again = await client.put(PATH, json={"settings": seen.json()["settings"]}, headers={"If-Match": '"1"'})
    assert again.headers["etag"] == '"1"'
    assert (await client.put(PATH, json={"settings": {"depth": 9}})).headers["etag"] == '"2"'


async def test_settings_belong_to_one_tenant(signed_in: SignedIn, sign_in: Any) -> None:
    await signed_in.client.put(PATH, json={"settings": {"depth": 3}})
    assert (await (await sign_in()).client.get(PATH)).json()["settings"] is None


async def test_a_plugin_without_settings_has_empty_ones(signed_in: SignedIn) -> None:
    path = "/api/v1/plugins/free/settings"
    assert (await signed_in.client.get(path)).json()["settings"] == {}
    assert (await signed_in.client.put(path, json={"settings": {}})).status_code == 200
    assert (await signed_in.client.put(path, json={"settings": {"x": 1}})).status_code == 422


async def test_settings_of_a_plugin_in_quarantine_stay_as_they_are(signed_in: SignedIn) -> None:
    answer = await signed_in.client.put("/api/v1/plugins/broken/settings", json={"settings": {}})
    assert (answer.status_code, answer.json()["code"]) == (409, "plugin_quarantined")
    assert (await signed_in.client.put("/api/v1/plugins/nothing/settings", json={"settings": {}})).status_code == 404


async def test_who_may_only_look_cannot_change_settings(signed_in: SignedIn, admin: Connection) -> None:
    await admin.execute("UPDATE core.membership_roles SET role = 'ops' WHERE tenant_id = $1", signed_in.tenant_id)
    assert (await signed_in.client.get(PATH)).status_code == 200
    assert (await signed_in.client.put(PATH, json={"settings": {"depth": 1}})).status_code == 403


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("return dict", "is no subclass of Settings"),
        ("return None", "is no subclass of Settings"),
        ("return S", "its settings hold a secret"),
        ("raise OSError('disk')", "register_settings() failed: OSError: disk"),
    ],
)
def test_settings_nobody_could_edit_quarantine_the_plugin(tmp_path: Path, body: str, finding: str) -> None:
    hooks = f"""
from counterfoil.sdk import Secret, Settings
{HOOKS}
class S(Settings):
    key: Secret

@hookimpl
def register_settings():
    {body}
"""
    write_distribution(tmp_path, "odd", {"hooks.py": hooks})
    with installed(tmp_path):
        odd = PluginManager.load().find("odd")
    assert odd is not None
    assert odd.status == "quarantined"
    assert finding in (odd.reason or "")
