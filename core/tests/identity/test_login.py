import asyncio
import time
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.identity.routes import router
from counterfoil.identity.service import Identity
from counterfoil.kit.provided import Provided
from counterfoil.testing.documented import Documented
from counterfoil.web.middleware import RequestContext
from counterfoil.web.problems import install_problem_handlers

from .people import AuditTrail, Mailbox, MakeForm, Register, Registered, token_in

LOGIN = "/api/v1/auth/login"


def with_settings(app: FastAPI, settings: Settings) -> FastAPI:
    """Log-in of its own, on the same database and cache."""
    given = app.state.provided
    other = FastAPI()
    other.state.provided = Provided()
    other.state.provided.add(settings)
    other.state.provided.add(Identity.build(settings, database=given[Database], redis=given[Redis]))
    install_problem_handlers(other)
    other.add_middleware(RequestContext)
    other.include_router(router)
    return other


def client_at(address: str, app: FastAPI, settings: Settings) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=Documented(app), client=(address, 1))
    return httpx2.AsyncClient(transport=transport, base_url=settings.origin, timeout=30)


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
    owner: Registered,
    client: httpx2.AsyncClient,
    admin: "asyncpg.Connection[Any]",
    audit_trail: AuditTrail,
    disable: str,
) -> None:
    await admin.execute(disable, owner.user_id)
    refused = await client.post(LOGIN, json=owner.credentials)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")
    for method, path in (("GET", "/api/v1/auth/me"), ("POST", "/api/v1/auth/refresh")):
        refused = await owner.client.request(method, path)
        assert (refused.status_code, refused.json()["code"]) == (401, "inactive_member")
        event = (await audit_trail(owner.tenant_id))[-1]
        assert (event["action"], event["resource_id"], event["outcome"], event["reason"], event["actor_id"]) == (
            "core.request.refused",
            f"{method} {path}",
            "denied",
            "inactive_member",
            str(owner.user_id),
        )


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
    owner: Registered, app: FastAPI, settings: Settings, form: MakeForm
) -> None:
    async def attempt(number: int, **changes: str) -> httpx2.Response:
        async with client_at(f"198.51.100.{number}", app, settings) as client:
            return await client.post(LOGIN, json={**owner.credentials, **changes})

    assert (await attempt(100)).status_code == 200
    lock: list[dict[str, Any]] = []
    for email in (owner.form["email"], form()["email"]):
        guesses = (attempt(number, email=email, password="wrong") for number in range(34))
        answers = await asyncio.gather(*guesses)
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) >= 3
        if email == owner.form["email"]:
            # No guess goes on, not even the right one, but for one every ten seconds.
            right = await asyncio.gather(*(attempt(number) for number in range(40, 46)))
            assert [answer.status_code for answer in right].count(429) >= 3
        lock.append({**refused[0].json(), "correlation_id": "", "detail": refused[0].json()["detail"][:12]})
    assert lock[0] == lock[1]
    # Where the owner signed in before they still can.
    assert (await attempt(100)).status_code == 200
    assert (await attempt(100, password="wrong")).status_code == 401


async def test_an_owner_whom_guessing_locks_out_elsewhere_gets_in_with_a_mailed_link(
    owner: Registered, app: FastAPI, settings: Settings, mailbox: Mailbox
) -> None:
    async def at(number: int, path: str, body: dict[str, str]) -> int:
        async with client_at(f"198.51.101.{number}", app, settings) as client:
            return (await client.post(f"/api/v1/auth/{path}", json=body)).status_code

    wrong = {**owner.credentials, "password": "wrong"}
    await asyncio.gather(*(at(number, "login", wrong) for number in range(34)))
    assert 429 in await asyncio.gather(*(at(number, "login", owner.credentials) for number in range(52, 56)))
    await at(50, "password/forgot", {"email": owner.form["email"]})
    token = token_in(str(mailbox(owner.form["email"])[-1].get_content()))
    assert await at(50, "password/reset", {"token": token, "new_password": "another long password"}) == 204
    assert await at(50, "login", {**owner.credentials, "password": "another long password"}) == 200


@pytest.mark.parametrize("addresses", [["198.51.100.77"], ["2001:db8:7:7::1", "2001:db8:7:7:ffff::2"]])
async def test_one_address_is_throttled_whatever_the_account(
    app: FastAPI, settings: Settings, form: MakeForm, addresses: list[str]
) -> None:
    strict = with_settings(app, settings.model_copy(update={"login_burst": 6}))
    statuses = []
    for number in range(9):
        async with client_at(addresses[number % len(addresses)], strict, settings) as client:
            answer = await client.post(LOGIN, json={"email": form()["email"], "password": "wrong"})
        statuses.append(answer.status_code)
    # One more is let through for every second this took.
    assert statuses[:6] == [401] * 6
    assert 429 in statuses[6:]
    async with client_at("198.51.100.78", strict, settings) as client:
        assert (await client.post(LOGIN, json={"email": form()["email"], "password": "wrong"})).status_code == 401


async def test_no_password_and_no_hash_reaches_an_answer_or_the_audit_trail(
    owner: Registered, client: httpx2.AsyncClient, audit_trail: AuditTrail
) -> None:
    answer = await client.post(LOGIN, json=owner.credentials)
    trail = str([dict(event) for event in await audit_trail(owner.tenant_id)])
    for text in (answer.text, trail):
        assert owner.form["password"] not in text
        assert "argon2" not in text


async def test_an_https_origin_gets_secure_cookies(owner: Registered, app: FastAPI, settings: Settings) -> None:
    secure = with_settings(app, settings.model_copy(update={"public_url": "https://books.example"}))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=secure), base_url="http://inside") as client:
        answer = await client.post(LOGIN, json=owner.credentials)
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("Secure" in cookie for cookie in cookies)
