import httpx2
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from counterfoil.config import Settings

from .people import AuditTrail, MakeForm, Registered

REFRESH, LOGOUT, LOGIN, ME = (f"/api/v1/auth/{name}" for name in ("refresh", "logout", "login", "me"))
FOREIGN = ["https://evil.example", "null", "http://counterfoil.test.evil.example", "http://counterfoil.test:8080", ""]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", [REFRESH, LOGOUT])
async def test_cookies_do_not_authenticate_an_unsafe_request_of_another_site(
    owner: Registered, audit_trail: AuditTrail, path: str, origin: str
) -> None:
    answer = await owner.client.post(path, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch")
    assert "set-cookie" not in answer.headers
    event = (await audit_trail(owner.tenant_id))[-1]
    assert (event["resource_id"], event["outcome"], event["reason"], event["actor_label"]) == (
        f"POST {path}",
        "denied",
        "origin_mismatch",
        owner.form["email"],
    )


async def test_cookies_do_not_authenticate_an_unsafe_request_without_an_origin(owner: Registered) -> None:
    del owner.client.headers["Origin"]
    answer = await owner.client.post(REFRESH)
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch")


async def test_a_page_on_the_address_the_request_came_to_may_use_its_cookies(
    owner: Registered, app: FastAPI, settings: Settings
) -> None:
    elsewhere = "http://127.0.0.1:8411"
    assert settings.origin != elsewhere
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=elsewhere) as client:
        cookie = f"cf_refresh={owner.client.cookies['cf_refresh']}"
        own = await client.post(REFRESH, headers={"Origin": elsewhere, "Cookie": cookie})
        other = await client.post(REFRESH, headers={"Origin": "https://127.0.0.1:8411", "Cookie": cookie})
    assert own.status_code == 200
    assert other.json()["code"] == "origin_mismatch"


async def test_reading_with_cookies_needs_no_origin(owner: Registered) -> None:
    del owner.client.headers["Origin"]
    assert (await owner.client.get(ME)).status_code == 200


async def test_another_site_cannot_log_a_browser_in(owner: Registered, client: httpx2.AsyncClient) -> None:
    answer = await client.post(LOGIN, json=owner.credentials, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch")


async def test_another_site_cannot_register_a_browser(client: httpx2.AsyncClient, form: MakeForm) -> None:
    answer = await client.post("/api/v1/auth/register", json=form(), headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch")


@pytest.mark.parametrize("origin", ["https://evil.example", "https://evil.example/" + "x" * 500])
async def test_a_log_in_from_another_site_is_logged_where_no_tenants_trail_can_tell_of_it(
    owner: Registered, client: httpx2.AsyncClient, origin: str
) -> None:
    with capture_logs() as lines:
        await client.post(LOGIN, json=owner.credentials, headers={"Origin": origin})
    [line] = [line for line in lines if line["event"] == "identity.origin_mismatch"]
    assert (line["log_level"], line["method"], line["path"]) == ("warning", "POST", LOGIN)
    assert line["origin"] == origin[:200]
    assert owner.form["password"] not in str(lines)


async def test_a_form_post_is_no_log_in(owner: Registered, client: httpx2.AsyncClient) -> None:
    body = httpx2.Request("POST", "http://x", json=owner.credentials).content
    answer = await client.post(LOGIN, content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
