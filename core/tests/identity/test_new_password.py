import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import httpx2
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.types import Message

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.identity.errors import InvalidCredentials
from counterfoil.identity.opaque import hashed
from counterfoil.identity.repository import Device
from counterfoil.identity.service import Identity

from .people import AuditTrail, Mailbox, MakeForm, Register, Registered, token_in

LOGIN, ME, REFRESH = (f"/api/v1/auth/{name}" for name in ("login", "me", "refresh"))
CHANGE, FORGOT, RESET = (f"/api/v1/auth/password{name}" for name in ("", "/forgot", "/reset"))
NEW = "an even longer password"

Connection = asyncpg.Connection


async def forgotten(client: httpx2.AsyncClient, owner: Registered, mailbox: Mailbox) -> str:
    """The token somebody was mailed."""
    assert (await client.post(FORGOT, json={"email": owner.form["email"]})).status_code == 202
    return token_in(mailbox(owner.form["email"])[-1].get_content())


async def log_in(client: httpx2.AsyncClient, owner: Registered, password: str) -> int:
    body = {"email": owner.form["email"], "password": password, "token_delivery": "body"}
    return (await client.post(LOGIN, json=body)).status_code


async def change(owner: Registered, *, current: str | None = None, new: str = NEW) -> httpx2.Response:
    body = {"current_password": current or owner.form["password"], "new_password": new}
    return await owner.client.post(CHANGE, json=body)


async def test_changing_the_password_ends_all_other_sessions(
    owner: Registered,
    second_device: httpx2.AsyncClient,
    client: httpx2.AsyncClient,
    audit_trail: AuditTrail,
    mailbox: Mailbox,
) -> None:
    assert (await change(owner)).status_code == 204
    assert (await owner.client.get(ME)).status_code == 200
    assert (await second_device.get(ME)).status_code == 401
    assert (await second_device.post(REFRESH)).status_code == 401
    event = (await audit_trail(owner.tenant_id))[-1]
    assert (event["action"], event["resource_id"], event["actor_id"]) == (
        "core.user.password_changed",
        str(owner.user_id),
        str(owner.user_id),
    )
    assert [await log_in(client, owner, password) for password in (owner.form["password"], NEW)] == [401, 200]
    assert "was changed" in mailbox(owner.form["email"])[-1]["Subject"]


async def test_a_changed_password_is_on_record_wherever_it_ended_a_session(
    register: Register, audit_trail: AuditTrail
) -> None:
    first = await register()
    second = await register(**first.credentials)
    await change(first)
    assert (await second.client.get(ME)).status_code == 401
    for tenant_id in (first.tenant_id, second.tenant_id):
        assert (await audit_trail(tenant_id))[-1]["action"] == "core.user.password_changed"


async def test_a_wrong_current_password_is_refused_noted_and_throttled_as_at_log_in(
    owner: Registered, client: httpx2.AsyncClient, audit_trail: AuditTrail
) -> None:
    started = time.monotonic()
    refused = await change(owner, current="not my password")
    assert time.monotonic() - started >= 0.3
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_password")
    event = (await audit_trail(owner.tenant_id))[-1]
    assert (event["action"], event["reason"]) == ("core.request.refused", "wrong_password")
    answers = await asyncio.gather(*(change(owner, current="not my password") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {403, 429}
    assert await log_in(client, owner, owner.form["password"]) == 429


@pytest.mark.parametrize("new", ["elevenchars", "x" * 201])
async def test_a_new_password_has_the_length_registration_asks_for(
    owner: Registered, client: httpx2.AsyncClient, mailbox: Mailbox, new: str
) -> None:
    answers = [await change(owner, new=new)]
    token = await forgotten(client, owner, mailbox)
    answers.append(await client.post(RESET, json={"token": token, "new_password": new}))
    for answer in answers:
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "new_password")
        assert new not in answer.text
    assert (await client.post(RESET, json={"token": token, "new_password": NEW})).status_code == 204


async def test_two_simultaneous_changes_set_one_password(owner: Registered, client: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(change(owner, new=f"{NEW} {number}") for number in range(2)))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    kept = next(number for number, answer in enumerate(answers) if answer.status_code == 204)
    assert await log_in(client, owner, f"{NEW} {kept}") == 200


async def test_a_mailed_link_sets_a_new_password_once_and_ends_every_session(
    *,
    owner: Registered,
    second_device: httpx2.AsyncClient,
    client: httpx2.AsyncClient,
    mailbox: Mailbox,
    audit_trail: AuditTrail,
    settings: Settings,
) -> None:
    token = await forgotten(client, owner, mailbox)
    mail = mailbox(owner.form["email"])[-1]
    assert f"{settings.origin}/reset-password/#token={token}" in mail.get_content().splitlines()
    answer = await client.post(RESET, json={"token": token, "new_password": NEW})
    assert (answer.status_code, answer.headers.get_list("set-cookie")) == (204, [])
    for each in (owner.client, second_device):
        assert (await each.get(ME)).status_code == 401
        assert (await each.post(REFRESH)).status_code == 401
    assert await log_in(client, owner, NEW) == 200
    again = await client.post(RESET, json={"token": token, "new_password": NEW})
    assert (again.status_code, again.json()["code"]) == (410, "link_invalid")
    actions = [event["action"] for event in await audit_trail(owner.tenant_id)]
    assert [action for action in actions if action.startswith("core.user.")] == [
        "core.user.password_reset_requested",
        "core.user.password_reset",
    ]


async def test_eight_simultaneous_uses_of_one_link_set_one_password(
    owner: Registered, client: httpx2.AsyncClient, mailbox: Mailbox
) -> None:
    token = await forgotten(client, owner, mailbox)
    answers = await asyncio.gather(
        *(client.post(RESET, json={"token": token, "new_password": f"{NEW} {number}"}) for number in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [410] * 7
    kept = next(number for number, answer in enumerate(answers) if answer.status_code == 204)
    assert await log_in(client, owner, f"{NEW} {kept}") == 200


async def test_links_are_hashed_at_rest_good_for_an_hour_and_gone_with_any_new_password(
    owner: Registered, client: httpx2.AsyncClient, mailbox: Mailbox, admin: "Connection[Any]"
) -> None:
    tokens = [await forgotten(client, owner, mailbox) for _ in range(2)]
    rows = await admin.fetch("SELECT * FROM core.password_resets WHERE user_id = $1 ORDER BY id", owner.user_id)
    assert [row["token_hash"] for row in rows] == [hashed(token) for token in tokens]
    assert not any(token in str([dict(row) for row in rows]) for token in tokens)
    assert 3590 < (rows[0]["expires_at"] - rows[0]["created_at"]).total_seconds() < 3610
    assert (await change(owner)).status_code == 204
    answers = [await client.post(RESET, json={"token": token, "new_password": NEW}) for token in tokens]
    assert [answer.status_code for answer in answers] == [410, 410]


async def test_an_old_an_unknown_and_a_disabled_persons_link_get_the_same_answer(
    register: Register, client: httpx2.AsyncClient, mailbox: Mailbox, admin: "Connection[Any]"
) -> None:
    late, disabled = await register(), await register()
    tokens = [await forgotten(client, each, mailbox) for each in (late, disabled)]
    await admin.execute("UPDATE core.password_resets SET expires_at = now() WHERE user_id = $1", late.user_id)
    await admin.execute("UPDATE core.users SET status = 'disabled' WHERE id = $1", disabled.user_id)
    answers = [await client.post(RESET, json={"token": token, "new_password": NEW}) for token in (*tokens, "x" * 43)]
    assert {(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in answers} == {
        (410, "link_invalid", "This link is not valid any more")
    }


async def test_forgetting_answers_the_same_for_everybody_and_mails_only_those_there_are(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, mailbox: Mailbox
) -> None:
    known, unknown = owner.form["email"], form()["email"]
    answers = [await client.post(FORGOT, json={"email": email}) for email in (known.upper(), unknown)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert set(answers[0].headers) == set(answers[1].headers)
    assert (len(mailbox(known)), len(mailbox(unknown))) == (1, 0)


async def test_the_answer_to_forgetting_leaves_before_anybody_is_looked_up(
    owner: Registered, app: FastAPI, admin: "Connection[Any]", mailbox: Mailbox
) -> None:
    body = f'{{"email": "{owner.form["email"]}"}}'.encode()
    at_answer: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            count = "SELECT count(*) FROM core.password_resets WHERE user_id = $1"
            at_answer.append(await admin.fetchval(count, owner.user_id))
            at_answer.append(len(mailbox(owner.form["email"])))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": FORGOT,
        "raw_path": FORGOT.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"host", b"counterfoil.test")],
        "client": ("127.0.0.1", 1),
        "server": ("counterfoil.test", 80),
    }
    await app(scope, receive, send)
    assert at_answer == [0, 0]
    assert len(mailbox(owner.form["email"])) == 1


async def test_nobodys_mailbox_is_flooded(owner: Registered, client: httpx2.AsyncClient, mailbox: Mailbox) -> None:
    answers = [await client.post(FORGOT, json={"email": owner.form["email"]}) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {202}
    assert len(mailbox(owner.form["email"])) == 5


async def test_somebody_without_any_tenant_can_set_a_new_password(
    owner: Registered, client: httpx2.AsyncClient, mailbox: Mailbox, admin: "Connection[Any]"
) -> None:
    await admin.execute("DELETE FROM core.memberships WHERE user_id = $1", owner.user_id)
    token = await forgotten(client, owner, mailbox)
    assert (await client.post(RESET, json={"token": token, "new_password": NEW})).status_code == 204
    body = {**owner.form, "password": NEW, "tenant_slug": f"{owner.form['tenant_slug']}-2"}
    assert (await client.post("/api/v1/auth/register", json=body)).status_code == 201


async def test_neither_tokens_nor_passwords_reach_the_audit_trail(
    owner: Registered, client: httpx2.AsyncClient, mailbox: Mailbox, audit_trail: AuditTrail
) -> None:
    token = await forgotten(client, owner, mailbox)
    await client.post(RESET, json={"token": token, "new_password": NEW})
    trail = str([dict(event) for event in await audit_trail(owner.tenant_id)])
    assert not any(secret in trail for secret in (token, hashed(token).hex(), NEW, owner.form["password"], "argon2"))


async def test_a_weaker_hash_is_replaced_at_log_in(
    owner: Registered, client: httpx2.AsyncClient, admin: "Connection[Any]"
) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(owner.form["password"])
    await admin.execute("UPDATE core.users SET password_hash = $2 WHERE id = $1", owner.user_id, weak)
    read: Callable[[], Coroutine[Any, Any, Any]] = lambda: admin.fetchval(  # noqa: E731  (read twice)
        "SELECT password_hash FROM core.users WHERE id = $1", owner.user_id
    )
    assert await log_in(client, owner, "not the password") == 401
    assert await read() == weak
    assert await log_in(client, owner, owner.form["password"]) == 200
    stronger = await read()
    assert "m=19456,t=2,p=1" in stronger
    assert await log_in(client, owner, owner.form["password"]) == 200
    assert await read() == stronger


async def test_a_log_in_with_the_former_password_does_not_outlive_its_change(
    owner: Registered, app: FastAPI, database: Database
) -> None:
    identity: Identity = app.state.provided[Identity]
    slow = await identity.claim_email(owner.form["email"], owner.form["password"], name="")
    assert (await change(owner)).status_code == 204
    with pytest.raises(InvalidCredentials):
        async with database.unit_of_work(owner.tenant_id) as uow:
            await identity.open(uow, slow, device=Device(user_agent=None, address=None))
    quick = await identity.claim_email(owner.form["email"], NEW, name="")
    async with database.unit_of_work(owner.tenant_id) as uow:
        opened = await identity.open(uow, quick, device=Device(user_agent=None, address=None))
        changing = asyncio.create_task(change(owner, current=NEW, new=f"{NEW} again"))
        await asyncio.sleep(0.5)
        assert not changing.done()
    assert (await changing).status_code == 204
    bearer = {"Authorization": f"Bearer {opened.access_token}"}
    owner.client.cookies.clear()
    assert (await owner.client.get(ME, headers=bearer)).status_code == 401
