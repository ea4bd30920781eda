"""`/api/v1/plugins`, over HTTP."""

from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx2

from counterfoil.testing.plugin import SignedIn

Connection: TypeAlias = "asyncpg.Connection[Any]"


async def listed(signed_in: SignedIn) -> dict[str, dict[str, Any]]:
    answer = await signed_in.client.get("/api/v1/plugins")
    assert answer.status_code == 200
    assert answer.json()["next_cursor"] is None
    return {item["name"]: item for item in answer.json()["items"]}


async def test_every_installed_plugin_is_listed_with_what_it_contributes(signed_in: SignedIn) -> None:
    items = await listed(signed_in)

    assert list(items) == ["broken", "free", "gold", "lean", "stripe", "tiered"]
    assert items["stripe"] == {
        "name": "stripe",
        "title": "Stripe",
        "publisher": "Counterfoil",
        "version": "0.1.0",
        "status": "active",
        "reason": None,
        "enabled": True,
        "available": True,
        "plans_needed": ["enterprise", "pro", "trial"],
        "contributes": {"connectors": ["stripe"]},
        "navigation": [],
    }
    assert (items["gold"]["available"], items["gold"]["plans_needed"]) == (False, ["black", "gold"])
    assert (items["free"]["enabled"], items["free"]["available"], items["free"]["version"]) == (False, True, "1.2")


async def test_a_plugin_in_quarantine_is_listed_with_the_reason(signed_in: SignedIn) -> None:
    broken = (await listed(signed_in))["broken"]

    assert broken["status"] == "quarantined"
    assert broken["reason"].startswith("loading acme_broken.hooks failed: ModuleNotFoundError: No module named")
    assert (broken["enabled"], broken["available"], broken["contributes"]) == (False, False, {"connectors": []})


async def test_an_owner_enables_and_disables_a_plugin(signed_in: SignedIn) -> None:
    enabled = await signed_in.client.post("/api/v1/plugins/free/enable")
    assert (enabled.status_code, enabled.json()["enabled"]) == (200, True)
    assert enabled.json() == (await listed(signed_in))["free"]

    disabled = await signed_in.client.post("/api/v1/plugins/free/disable")
    assert (disabled.status_code, disabled.json()["enabled"]) == (200, False)
    assert disabled.json() == (await listed(signed_in))["free"]


async def test_an_enabled_plugin_shows_its_links_to_those_who_may_open_them(
    signed_in: SignedIn, admin: Connection
) -> None:
    async def links() -> list[tuple[str, str]]:
        one = (await signed_in.client.get("/api/v1/plugins/lean")).json()["navigation"]
        assert (await listed(signed_in))["lean"]["navigation"] == one
        return [(link["title"], link["path"]) for link in one]

    everything = [("Lean", "/lean"), ("Cuts", "/lean/cuts"), ("What was cut", "/lean/looks")]
    assert await links() == []
    for name in ("free", "lean"):
        enabled = await signed_in.client.post(f"/api/v1/plugins/{name}/enable")
    assert [link["title"] for link in enabled.json()["navigation"]] == ["Lean", "Cuts", "What was cut"]
    assert await links() == everything
    await admin.execute("UPDATE core.membership_roles SET role = 'finance' WHERE tenant_id = $1", signed_in.tenant_id)
    assert await links() == [everything[0], everything[2]]
    await admin.execute("UPDATE core.membership_roles SET role = 'owner' WHERE tenant_id = $1", signed_in.tenant_id)
    await signed_in.client.post("/api/v1/plugins/lean/disable")
    assert await links() == []


async def test_what_cannot_be_enabled_is_refused_with_a_stable_code(signed_in: SignedIn) -> None:
    refusals = {}
    for name in ("gold", "lean", "broken", "nothing"):
        answer = await signed_in.client.post(f"/api/v1/plugins/{name}/enable")
        refusals[name] = (answer.status_code, answer.json()["code"])

    assert refusals == {
        "gold": (403, "entitlement_required"),
        "lean": (409, "plugin_dependency"),
        "broken": (409, "plugin_quarantined"),
        "nothing": (404, "not_found"),
    }


async def test_who_may_only_look_cannot_change_plugins(signed_in: SignedIn, admin: Connection) -> None:
    await admin.execute("UPDATE core.membership_roles SET role = 'readonly' WHERE tenant_id = $1", signed_in.tenant_id)

    assert "free" in await listed(signed_in)
    answer = await signed_in.client.post("/api/v1/plugins/free/enable")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


async def test_nobody_is_told_anything_without_signing_in(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/api/v1/plugins")).status_code == 401
    assert (await client.post("/api/v1/plugins/free/enable")).status_code == 401


async def test_what_was_refused_is_on_record_although_the_transaction_is_not(
    signed_in: SignedIn, admin: Connection
) -> None:
    for name, reason in (
        ("gold", "gold.shine"),
        ("lean", "plugin_dependency"),
        ("broken", "plugin_quarantined"),
    ):
        answer = await signed_in.client.post(f"/api/v1/plugins/{name}/enable")
        event = await admin.fetchrow(
            "SELECT action, resource_id, outcome, reason, actor_label FROM core.audit_events WHERE correlation_id = $1",
            UUID(answer.json()["correlation_id"]),
        )
        assert event is not None
        assert tuple(event) == (
            "core.request.refused",
            f"POST /api/v1/plugins/{name}/enable",
            "denied",
            reason,
            signed_in.email,
        )
