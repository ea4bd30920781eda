"""What is open to anybody is counted, and a mail server that is away undoes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.testing.documented import Documented

from .people import PASSWORD, MakeForm, Registered, token_in

PREVIEW, ACCEPT, FORGOT, RESET = (
    f"/api/v1/auth/{name}"
    for name in ("invitations/preview", "invitations/accept", "password/forgot", "password/reset")
)
TOKEN = {"token": "x" * 43}


@asynccontextmanager
async def visitor(settings: Settings, address: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody at an address of their own, before an installation with these settings."""
    app = create_app(settings, with_ui=False)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=Documented(app), client=(address, 1))
        async with httpx2.AsyncClient(transport=transport, base_url=settings.origin, timeout=30) as client:
            yield client


@pytest.mark.parametrize(
    ("number", "path", "body"),
    [
        (1, PREVIEW, TOKEN),
        (2, ACCEPT, {**TOKEN, "email": "a@example.com", "password": PASSWORD, "full_name": "A"}),
        (3, FORGOT, {"email": "nobody@example.com"}),
        (4, RESET, {**TOKEN, "new_password": PASSWORD}),
    ],
)
async def test_one_address_may_not_try_without_end(
    settings: Settings, number: int, path: str, body: dict[str, Any]
) -> None:
    strict = settings.model_copy(update={"login_burst": 5})
    async with visitor(strict, f"203.0.113.{number}") as client:
        answers = await asyncio.gather(*(client.post(path, json=body) for _ in range(9)))
    statuses = [answer.status_code for answer in answers]
    refused = [answer for answer in answers if answer.status_code == 429]
    # One more is let through for every second this took.
    assert 2 <= len(refused) <= 4, statuses
    assert refused[0].json()["code"] == "rate_limited"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert [refused[0].headers[name] for name in ("RateLimit-Limit", "RateLimit-Remaining")] == ["5", "0"]
    assert 1 <= int(refused[0].headers["RateLimit-Reset"]) <= 5
    async with visitor(strict, f"203.0.113.{number + 100}") as client:
        assert (await client.post(path, json=body)).status_code in (202, 410)


@pytest.mark.parametrize(("number", "name", "alone"), [(10, "refresh", 401), (20, "logout", 204)])
async def test_one_network_may_not_ask_for_sessions_without_end(
    settings: Settings, number: int, name: str, alone: int
) -> None:
    path, body = f"/api/v1/auth/{name}", {"refresh_token": "x" * 43}
    # What a network may is what a tenant may: five times this.
    strict = settings.model_copy(update={"api_rate_per_minute": 1, "api_burst": 2})
    async with visitor(strict, f"2001:db8:{number}::1") as client:
        answers = [await client.post(path, json=body) for _ in range(11)]
        counted = [(answer.status_code, answer.headers["RateLimit-Remaining"]) for answer in answers]
        assert counted == [(alone, str(left)) for left in range(9, -1, -1)] + [(429, "0")]
        assert answers[-1].json()["code"] == "rate_limited"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    async with visitor(strict, f"2001:db8:{number}::2") as client:
        assert (await client.post(path, json=body)).status_code == 429
    async with visitor(strict, f"2001:db8:{number + 1}::1") as client:
        assert (await client.post(path, json=body)).status_code == alone


async def test_sessions_go_on_where_nobody_can_count(owner: Registered, settings: Settings) -> None:
    login = {**owner.credentials, "token_delivery": "body"}
    token = (await owner.client.post("/api/v1/auth/login", json=login)).json()["refresh_token"]
    away = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    async with visitor(away, "203.0.113.60") as client:
        renewed = await client.post("/api/v1/auth/refresh", json={"refresh_token": token})
        assert renewed.status_code == 200
        assert "RateLimit-Limit" not in renewed.headers
        ended = await client.post("/api/v1/auth/logout", json={"refresh_token": renewed.json()["refresh_token"]})
        assert ended.status_code == 204
        # A password is another matter: nobody may guess without being counted.
        assert (await client.post("/api/v1/auth/login", json=login)).json()["code"] == "unavailable"


async def test_a_refusal_says_how_the_limit_stands_that_refused(owner: Registered, settings: Settings) -> None:
    strict = settings.model_copy(update={"login_burst": 1})
    change = {"current_password": "wrong, wrong, wrong", "new_password": PASSWORD}
    async with visitor(strict, "203.0.113.61") as client:
        client.headers["Authorization"] = f"Bearer {owner.session['access_token']}"
        # Side by side: one after the other, a slow machine would take longer than the limit needs to let the next one in.
        answers = await asyncio.gather(*(client.post("/api/v1/auth/password", json=change) for _ in range(3)))
    answers.sort(key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [403, 429, 429]
    assert [answer.headers["RateLimit-Limit"] for answer in answers] == [str(settings.api_burst), "1", "1"]


async def test_a_mail_server_that_is_away_loses_no_invitation(
    owner: Registered, settings: Settings, form: MakeForm, client: httpx2.AsyncClient
) -> None:
    away = settings.model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:1?starttls=never")})
    email = form()["email"]
    async with visitor(away, "203.0.113.50") as there:
        headers = {"Authorization": f"Bearer {owner.session['access_token']}"}
        with capture_logs() as lines:
            answer = await there.post("/api/v1/users", json={"email": email, "roles": ["readonly"]}, headers=headers)
            forgot = await there.post(FORGOT, json={"email": owner.form["email"]})
    assert (answer.status_code, forgot.status_code) == (201, 202)
    token = token_in(answer.json()["link"])
    assert (await client.post(PREVIEW, json={"token": token})).status_code == 200
    warned = [line for line in lines if line["event"] == "mail.not_sent"]
    assert [(line["log_level"], line["purpose"]) for line in warned] == [
        ("warning", "invitation"),
        ("warning", "password_reset"),
    ]
    assert not any(secret in str(lines) for secret in (token, email, owner.form["email"]))
