"""`/api/v1/tenants/me`, over HTTP."""

from typing import Any, TypeAlias

import asyncpg
import httpx2
import pytest

from counterfoil.testing.plugin import SignedIn

Connection: TypeAlias = "asyncpg.Connection[Any]"
PATH = "/api/v1/tenants/me"


async def test_an_owner_changes_name_time_zone_and_currency_on_record(signed_in: SignedIn, admin: Connection) -> None:
    before = (await signed_in.client.get(PATH)).json()
    assert (before["id"], before["plan"], before["status"]) == (str(signed_in.tenant_id), "trial", "active")
    body = {"name": " Acme Books ", "timezone": "Europe/Berlin", "default_currency": "EUR"}
    after = await signed_in.client.patch(PATH, json=body)
    assert after.json() == {**before, **body, "name": "Acme Books"}
    assert (await signed_in.client.get(PATH)).json() == after.json()
    await signed_in.client.patch(PATH, json={"timezone": "Europe/Berlin"})
    events = await admin.fetch(
        "SELECT payload::jsonb -> 'from' ->> 'timezone' AS was FROM core.audit_events"
        " WHERE tenant_id = $1 AND action = 'core.tenant.updated'",
        signed_in.tenant_id,
    )
    assert [event["was"] for event in events] == ["UTC"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"timezone": "Europe/Bielefeld"},
        {"timezone": "../../etc/passwd"},
        {"default_currency": "euro"},
        {"plan": "enterprise"},
        {"slug": "other"},
        {"status": "active"},
    ],
)
async def test_what_cannot_be_is_refused(signed_in: SignedIn, body: dict[str, str]) -> None:
    answer = await signed_in.client.patch(PATH, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_members_may_look_and_only_managers_change(signed_in: SignedIn, admin: Connection) -> None:
    for role, status in (("admin", 200), ("finance", 403), ("developer", 403), ("readonly", 403)):
        await admin.execute(
            "UPDATE core.membership_roles SET role = $2 WHERE tenant_id = $1", signed_in.tenant_id, role
        )
        for path in (PATH, f"{PATH}/plan", f"{PATH}/usage"):
            assert (await signed_in.client.get(path)).status_code == 200
        assert (await signed_in.client.patch(PATH, json={"name": role})).status_code == status


async def test_nobody_is_told_anything_without_signing_in(client: httpx2.AsyncClient) -> None:
    for path in (PATH, f"{PATH}/plan", f"{PATH}/usage"):
        assert (await client.get(path)).status_code == 401
