import asyncio
import secrets
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from counterfoil.kit.clock import utc_now

from .people import AuditTrail, MakeForm, Register, Registered


async def test_registering_creates_a_trial_tenant_with_a_signed_in_owner(
    owner: Registered, admin: "asyncpg.Connection[Any]"
) -> None:
    row = await admin.fetchrow("SELECT * FROM core.tenants WHERE id = $1", owner.tenant_id)
    assert row is not None
    assert (row["slug"], row["plan"], row["status"]) == (owner.form["tenant_slug"], "trial", "active")
    assert abs(row["plan_expires_at"] - utc_now() - timedelta(days=30)) < timedelta(minutes=1)
    me = (await owner.client.get("/api/v1/auth/me")).json()
    assert me["user"] == {"id": str(owner.user_id), "email": owner.form["email"], "name": "Olive Owner"}
    assert me["tenant"] == owner.session["tenant"]
    assert me["roles"] == ["owner"]
    assert "connections.manage" in me["permissions"]


async def test_the_tokens_travel_in_http_only_strict_cookies_on_their_own_paths(
    owner: Registered, form: MakeForm
) -> None:
    answer = await owner.client.post("/api/v1/auth/register", json=form())
    access, refresh = answer.headers.get_list("set-cookie")
    assert access.startswith("cf_access=")
    assert "Path=/;" in access + ";"
    assert refresh.startswith("cf_refresh=")
    assert "Path=/api/v1/auth" in refresh
    for cookie in (access, refresh):
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "Secure" not in cookie  # the origin of the tests is http
    assert answer.json()["refresh_token"] is None


async def test_a_script_gets_its_refresh_token_in_the_body_and_no_cookie(
    client: httpx2.AsyncClient, form: MakeForm
) -> None:
    answer = await client.post("/api/v1/auth/register", json=form(token_delivery="body"))
    assert answer.status_code == 201
    assert len(answer.json()["refresh_token"]) == 43
    assert "set-cookie" not in answer.headers


async def test_registration_leaves_audit_events_of_the_new_user(owner: Registered, audit_trail: AuditTrail) -> None:
    events = await audit_trail(owner.tenant_id)
    by_action = {event["action"]: event for event in events}
    assert {"core.tenant.registered", "core.session.opened"} <= set(by_action)
    for action in ("core.tenant.registered", "core.session.opened"):
        event = by_action[action]
        assert (event["actor_kind"], event["actor_id"], event["actor_label"]) == (
            "user",
            str(owner.user_id),
            owner.form["email"],
        )
        assert event["correlation_id"] is not None
        assert event["client_ip"] == "127.0.0.1"


async def test_a_taken_slug_is_refused_and_leaves_nothing_behind(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, admin: "asyncpg.Connection[Any]"
) -> None:
    body = form(tenant_slug=owner.form["tenant_slug"])
    answer = await client.post("/api/v1/auth/register", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")
    assert await admin.fetchval("SELECT count(*) FROM core.users WHERE email = $1", body["email"]) == 0


async def test_a_known_email_with_its_password_adds_a_tenant_to_the_same_user(
    owner: Registered, register: Register
) -> None:
    second = await register(**{**owner.credentials, "email": owner.form["email"].upper()})
    assert second.user_id == owner.user_id
    assert second.tenant_id != owner.tenant_id


async def test_a_known_email_with_another_password_is_refused_and_noted(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, audit_trail: AuditTrail
) -> None:
    body = form(email=owner.form["email"], password="not the password")
    answer = await client.post("/api/v1/auth/register", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "registration_refused")
    assert owner.form["email"] not in answer.text
    assert (await audit_trail(owner.tenant_id))[-1]["action"] == "core.session.refused"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant_slug", "Acme"),
        ("tenant_slug", "ab"),
        ("tenant_slug", "-acme"),
        ("tenant_slug", "acme-"),
        ("tenant_slug", "ac--me"),
        ("tenant_slug", "a" * 41),
        ("tenant_slug", "acme\n"),
        ("password", "elevenchars"),
        ("password", "x" * 201),
        ("email", "nobody"),
        ("email", "a@b@example.com"),
        ("email", "Olive <olive@example.com>"),
        ("full_name", " "),
        ("full_name", "Olive\x00"),
        ("tenant_name", ""),
        ("tenant_name", "x" * 201),
        ("token_delivery", "header"),
        ("plan", "enterprise"),
    ],
)
async def test_input_out_of_bounds_is_refused_by_field_without_being_repeated(
    client: httpx2.AsyncClient, form: MakeForm, field: str, value: str
) -> None:
    answer = await client.post("/api/v1/auth/register", json=form(**{field: value}))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert [error["path"] for error in answer.json()["errors"]] == [field]
    assert field != "password" or value not in answer.text


@pytest.mark.parametrize("slug", ["abc", "a-b-c", "0-9-1", "a" * 40])
async def test_slugs_within_bounds_are_accepted(slug: str, client: httpx2.AsyncClient, form: MakeForm) -> None:
    taken = await client.post("/api/v1/auth/register", json=form(tenant_slug=slug))
    assert taken.status_code in (201, 409)


async def test_simultaneous_registrations_of_one_email_make_one_user(
    client: httpx2.AsyncClient, form: MakeForm, admin: "asyncpg.Connection[Any]"
) -> None:
    email = f"twin-{secrets.token_hex(6)}@example.com"
    answers = await asyncio.gather(*(client.post("/api/v1/auth/register", json=form(email=email)) for _ in range(4)))
    assert sorted({answer.status_code for answer in answers}) in ([201], [201, 409])
    assert await admin.fetchval("SELECT count(*) FROM core.users WHERE email = $1", email) == 1
