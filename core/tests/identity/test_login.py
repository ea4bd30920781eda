import asyncio
import time
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.config import Settings
from counterfoil.identity.routes import router
from counterfoil.identity.service import Identity
from counterfoil.kit.provided import Provided

from .people import AuditTrail, MakeForm, Register, Registered

LOGIN = "/api/v1/auth/login"


async def test_log_in_opens_the_tenant_used_last(register: Register, client: httpx2.AsyncClient) -> None:
    first = await register()
    second = await register(**first.credentials)
    opened = (await client.post(LOGIN, json=first.credentials)).json()
    assert opened["tenant"]["id"] == str(second.tenant_id)
    assert opened["user"] == first.session["user"]
    me = await client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {opened['access_token']}"})
    assert me.json()["tenant"]["id"] == str(second.tenant_id)


async def test_the_email_is_matched_without_regard_to_case(owner: Registered, client: httpx2.AsyncClient) -> None:
    shouted = {**owner.credentials, "email": f" {owner.form['email'].upper()} "}
    assert (await client.post(LOGIN, json=shouted)).status_code == 200


async def test_a_log_in_is_recorded_on_the_user_and_in_the_tenants_audit_trail(
    owner: Registered, client: httpx2.AsyncClient, admin: "asyncpg.Connection[Any]", audit_trail: AuditTrail
) -> None:
    await client.post(LOGIN, json={**owner.credentials, "password": "wrong"})
    failed = await admin.fetchval("SELECT failed_logins FROM core.users WHERE id = $1", owner.user_id)
    await client.post(LOGIN, json=owner.credentials, headers={"User-Agent": "browser/1"})
    user = await admin.fetchrow("SELECT * FROM core.users WHERE id = $1", owner.user_id)
    assert user is not None
    assert (failed, user["failed_logins"]) == (1, 0)
    assert user["last_login_at"] is not None
    refused, opened = (await audit_trail(owner.tenant_id))[-2:]
    assert (refused["action"], refused["outcome"], refused["resource_id"]) == (
        "core.session.refused",
        "denied",
        str(owner.user_id),
    )
    assert (opened["action"], opened["outcome"], opened["actor_id"]) == (
        "core.session.opened",
        "ok",
        str(owner.user_id),
    )


async def test_an_unknown_email_and_a_wrong_password_get_the_same_answer_after_the_same_time(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm
) -> None:
    answers, times = [], []
    for email in (owner.form["email"], form()["email"]):
        started = time.monotonic()
        answers.append(await client.post(LOGIN, json={"email": email, "password": "wrong"}))
        times.append(time.monotonic() - started)
    known, unknown = answers
    assert known.status_code == unknown.status_code == 401
    without_id = [{**answer.json(), "correlation_id": None} for answer in answers]
    assert without_id[0] == without_id[1]
    assert without_id[0]["code"] == "invalid_credentials"
    assert set(known.headers) == set(unknown.headers)
    assert min(times) >= 0.3


@pytest.mark.parametrize(
    "disable",
    [
        "UPDATE core.users SET status = 'disabled' WHERE id = $1",
        "UPDATE core.memberships SET status = 'disabled' WHERE user_id = $1",
        "UPDATE core.tenants SET status = 'suspended' WHERE id IN (SELECT tenant_id FROM core.memberships WHERE user_id = $1)",
        "DELETE FROM core.memberships WHERE user_id = $1",
    ],
)
async def test_somebody_who_was_disabled_can_neither_log_in_nor_refresh_nor_go_on(
    owner: Registered, client: httpx2.AsyncClient, admin: "asyncpg.Connection[Any]", disable: str
) -> None:
    await admin.execute(disable, owner.user_id)
    refused = await client.post(LOGIN, json=owner.credentials)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")
    assert (await owner.client.get("/api/v1/auth/me")).json()["code"] == "unauthenticated"
    assert (await owner.client.post("/api/v1/auth/refresh")).json()["code"] == "session_ended"


async def test_a_disabled_membership_opens_another_tenant_of_the_user(
    register: Register, client: httpx2.AsyncClient, admin: "asyncpg.Connection[Any]"
) -> None:
    first = await register()
    second = await register(**first.credentials)
    await admin.execute("UPDATE core.memberships SET status = 'disabled' WHERE tenant_id = $1", second.tenant_id)
    opened = (await client.post(LOGIN, json=first.credentials)).json()
    assert opened["tenant"]["id"] == str(first.tenant_id)


async def test_guessing_is_throttled_alike_for_known_and_unknown_emails(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm
) -> None:
    for email in (owner.form["email"], form()["email"]):
        attempts = (client.post(LOGIN, json={"email": email, "password": "wrong"}) for _ in range(14))
        answers = await asyncio.gather(*attempts)
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 3 <= len(refused) <= 5  # the known one was counted once at its registration
        assert {answer.status_code for answer in answers} == {401, 429}
        assert all(1 <= int(answer.headers["Retry-After"]) <= 6 for answer in refused)
        assert refused[0].json()["code"] == "rate_limited"


async def test_guessing_from_many_addresses_is_throttled_per_account(
    owner: Registered, app: FastAPI, settings: Settings
) -> None:
    async def attempt(number: int) -> int:
        transport = httpx2.ASGITransport(app=app, client=(f"198.51.100.{number}", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=settings.origin, timeout=30) as client:
            return (await client.post(LOGIN, json={**owner.credentials, "password": "wrong"})).status_code

    statuses = await asyncio.gather(*(attempt(number) for number in range(34)))
    assert statuses.count(429) >= 3


async def test_no_password_and_no_hash_reaches_an_answer_or_the_audit_trail(
    owner: Registered, client: httpx2.AsyncClient, audit_trail: AuditTrail
) -> None:
    answer = await client.post(LOGIN, json=owner.credentials)
    trail = str([dict(event) for event in await audit_trail(owner.tenant_id)])
    for text in (answer.text, trail):
        assert owner.form["password"] not in text
        assert "argon2" not in text


async def test_an_https_origin_gets_secure_cookies(owner: Registered, app: FastAPI, settings: Settings) -> None:
    secure = FastAPI()
    secure.state.provided = Provided()
    for thing in (settings.model_copy(update={"public_url": "https://books.example"}), app.state.provided[Identity]):
        secure.state.provided.add(thing)
    secure.include_router(router)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=secure), base_url="http://inside") as client:
        answer = await client.post(LOGIN, json=owner.credentials)
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("Secure" in cookie for cookie in cookies)
