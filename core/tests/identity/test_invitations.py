import asyncio
from typing import Any

import asyncpg
import httpx2
import pytest

from counterfoil.config import Settings
from counterfoil.identity.opaque import hashed

from .people import PASSWORD, AuditTrail, Mailbox, MakeForm, Register, Registered, token_in

USERS, INVITATIONS = "/api/v1/users", "/api/v1/users/invitations"
PREVIEW, ACCEPT, ME = (f"/api/v1/auth/{name}" for name in ("invitations/preview", "invitations/accept", "me"))

Connection = asyncpg.Connection


async def invited(owner: Registered, email: str, *roles: str) -> dict[str, Any]:
    answer = await owner.client.post(USERS, json={"email": email, "roles": list(roles) or ["readonly"]})
    assert answer.status_code == 201, answer.text
    invitation: dict[str, Any] = answer.json()
    return {**invitation, "token": token_in(invitation["link"])}


def account(form: dict[str, str], **changes: str) -> dict[str, str]:
    return {name: form[name] for name in ("email", "password", "full_name")} | {"token_delivery": "body"} | changes


async def join(owner: Registered, client: httpx2.AsyncClient, form: dict[str, str], *roles: str) -> dict[str, str]:
    """Have somebody new accept, and give their headers."""
    invitation = await invited(owner, form["email"], *roles)
    answer = await client.post(ACCEPT, json={"token": invitation["token"], **account(form)})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['session']['access_token']}"}


async def memberships(admin: "Connection[Any]", owner: Registered) -> int:
    query = "SELECT count(*) FROM core.memberships WHERE tenant_id = $1"
    return int(await admin.fetchval(query, owner.tenant_id))


async def last_event(audit_trail: AuditTrail, owner: Registered, action: str) -> asyncpg.Record:
    return [event for event in await audit_trail(owner.tenant_id) if event["action"] == action][-1]


async def test_an_invitation_is_a_link_that_is_shown_once_and_mailed(
    owner: Registered, form: MakeForm, mailbox: Mailbox, settings: Settings, audit_trail: AuditTrail
) -> None:
    email = form()["email"]
    invitation = await invited(owner, email.upper(), "finance", "ops", "finance")
    assert invitation["link"] == f"{settings.origin}/accept-invitation/#token={invitation['token']}"
    assert (invitation["email"], invitation["roles"]) == (email, ["finance", "ops"])
    [mail] = mailbox(email)
    assert invitation["link"] in mail.get_content()
    assert mail["Subject"] == "Olive Owner invites you to Acme"
    [listed] = (await owner.client.get(INVITATIONS)).json()["items"]
    assert listed == {name: invitation[name] for name in listed}
    assert listed["invited_by"]["id"] == str(owner.user_id)
    assert "link" not in listed
    event = await last_event(audit_trail, owner, "core.invitation.created")
    assert (event["resource_id"], event["actor_id"]) == (invitation["id"], str(owner.user_id))


async def test_the_token_is_hashed_at_rest_and_nowhere_in_the_audit_trail(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, admin: "Connection[Any]", audit_trail: AuditTrail
) -> None:
    somebody = form()
    invitation = await invited(owner, somebody["email"])
    row = await admin.fetchrow("SELECT * FROM core.invitations WHERE tenant_id = $1", owner.tenant_id)
    assert row is not None
    assert row["token_hash"] == hashed(invitation["token"])
    assert 6.99 < (row["expires_at"] - row["created_at"]).total_seconds() / 86400 < 7.01
    await client.post(ACCEPT, json={"token": invitation["token"], **account(somebody)})
    for text in (str(dict(row)), str([dict(event) for event in await audit_trail(owner.tenant_id)])):
        assert invitation["token"] not in text


async def test_a_new_person_accepts_with_an_account_that_this_makes(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, audit_trail: AuditTrail
) -> None:
    somebody = form()
    invitation = await invited(owner, "somewhere.else@example.com", "developer", "finance")
    answer = await client.post(ACCEPT, json={"token": invitation["token"], **account(somebody)})
    assert answer.status_code == 201
    assert answer.json()["tenant"] == owner.session["tenant"]
    headers = {"Authorization": f"Bearer {answer.json()['session']['access_token']}"}
    me = (await client.get(ME, headers=headers)).json()
    assert (me["user"]["email"], me["roles"]) == (somebody["email"], ["developer", "finance"])
    event = await last_event(audit_trail, owner, "core.invitation.accepted")
    assert (event["resource_id"], event["actor_id"]) == (invitation["id"], me["user"]["id"])
    assert (await owner.client.get(INVITATIONS)).json()["items"] == []
    login = {"email": somebody["email"], "password": somebody["password"]}
    assert (await client.post("/api/v1/auth/login", json=login)).json()["tenant"]["id"] == str(owner.tenant_id)


async def test_a_browser_that_accepts_gets_cookies(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm
) -> None:
    invitation = await invited(owner, form()["email"])
    body = {"token": invitation["token"], **account(form(), token_delivery="cookie")}
    foreign = await client.post(ACCEPT, json=body, headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "origin_mismatch")
    assert (await client.post(ACCEPT, json=body)).json()["session"]["refresh_token"] is None
    assert (await client.get(ME)).json()["tenant"]["id"] == str(owner.tenant_id)


async def test_somebody_with_an_account_accepts_with_its_password(
    owner: Registered, register: Register, client: httpx2.AsyncClient
) -> None:
    guest = await register()
    invitation = await invited(owner, guest.form["email"])
    wrong = await client.post(
        ACCEPT, json={"token": invitation["token"], **account(guest.form, password="another password")}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (409, "registration_refused")
    answer = await client.post(ACCEPT, json={"token": invitation["token"], **account(guest.form, full_name="X")})
    assert answer.json()["session"]["user"] == guest.session["user"]


async def test_whoever_is_signed_in_accepts_as_that_and_keeps_the_session(
    owner: Registered, register: Register
) -> None:
    guest = await register()
    invitation = await invited(owner, "not.the.guest@example.com", "ops")
    preview = (await guest.client.post(PREVIEW, json={"token": invitation["token"]})).json()
    assert (preview["may_accept"], preview["signed_in"]) == (True, guest.session["user"])
    answer = await guest.client.post(ACCEPT, json={"token": invitation["token"]})
    assert (answer.status_code, answer.json()["session"]) == (201, None)
    assert "set-cookie" not in answer.headers
    assert (await guest.client.get(ME)).json()["tenant"]["id"] == str(guest.tenant_id)
    switched = await guest.client.post("/api/v1/auth/switch-tenant", json={"tenant_id": str(owner.tenant_id)})
    assert switched.status_code == 200
    assert (await guest.client.get(ME)).json()["roles"] == ["ops"]


async def test_whoever_registered_the_invited_email_beforehand_gets_nothing(
    owner: Registered, register: Register, client: httpx2.AsyncClient, form: MakeForm, admin: "Connection[Any]"
) -> None:
    victim = form()
    squatter = await register(email=victim["email"], password="the squatter's own")
    invitation = await invited(owner, victim["email"], "admin")
    assert [each["id"] for each in (await squatter.client.get("/api/v1/auth/me/tenants")).json()["items"]] == [
        str(squatter.tenant_id)
    ]
    # Nor does the victim get drawn into the squatter's account: without its password the link does nothing to it.
    refused = await client.post(ACCEPT, json={"token": invitation["token"], **account(victim)})
    assert (refused.status_code, refused.json()["code"]) == (409, "registration_refused")
    assert await memberships(admin, owner) == 1
    elsewhere = account(victim, email=form()["email"])
    assert (await client.post(ACCEPT, json={"token": invitation["token"], **elsewhere})).status_code == 201
    assert len((await squatter.client.get("/api/v1/auth/me/tenants")).json()["items"]) == 1


async def test_eight_simultaneous_acceptances_make_one_member(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, admin: "Connection[Any]"
) -> None:
    invitation = await invited(owner, form()["email"])
    people = [form() for _ in range(8)]
    bodies = [{"token": invitation["token"], **account(person)} for person in people]
    answers = await asyncio.gather(*(client.post(ACCEPT, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [410] * 7
    assert await memberships(admin, owner) == 2
    made = "SELECT count(*) FROM core.users WHERE email = ANY ($1)"
    assert await admin.fetchval(made, [person["email"] for person in people]) == 1


async def test_two_links_accepted_at_once_by_one_person_make_one_member(
    owner: Registered, register: Register, admin: "Connection[Any]"
) -> None:
    guest = await register()
    tokens = [(await invited(owner, f"{name}@example.com"))["token"] for name in ("one", "two")]
    answers = await asyncio.gather(*(guest.client.post(ACCEPT, json={"token": token}) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await memberships(admin, owner) == 2


async def test_a_link_that_is_no_good_says_no_more_than_that_and_tells_the_tenant_why(
    owner: Registered,
    client: httpx2.AsyncClient,
    form: MakeForm,
    admin: "Connection[Any]",
    audit_trail: AuditTrail,
) -> None:
    used, revoked, expired = [await invited(owner, form()["email"]) for _ in range(3)]
    await client.post(ACCEPT, json={"token": used["token"], **account(form())})
    assert (await owner.client.delete(f"{INVITATIONS}/{revoked['id']}")).status_code == 204
    await admin.execute("UPDATE core.invitations SET expires_at = now() WHERE id = $1::uuid", expired["id"])
    answers = []
    for token in (used["token"], revoked["token"], expired["token"], "x" * 43):
        answers += [await client.post(path, json=body) for path, body in (
            (PREVIEW, {"token": token}),
            (ACCEPT, {"token": token}),
            (ACCEPT, {"token": token, **account(owner.form, password="a wrong password")}),
        )]  # fmt: skip
    assert {(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in answers} == {
        (410, "link_invalid", "This link is not valid any more")
    }
    events = [each for each in await audit_trail(owner.tenant_id) if each["action"] == "core.invitation.refused"]
    assert [event["reason"] for event in events] == ["used"] * 2 + ["revoked"] * 2 + ["expired"] * 2
    assert await memberships(admin, owner) == 2
    assert (await owner.client.delete(f"{INVITATIONS}/{used['id']}")).status_code == 404


async def test_accepting_without_saying_who_one_is_asks_for_it(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm
) -> None:
    token = (await invited(owner, form()["email"]))["token"]
    preview = (await client.post(PREVIEW, json={"token": token})).json()
    assert (preview["may_accept"], preview["signed_in"], preview["tenant_name"]) == (False, None, "Acme")
    stale = {"Authorization": "Bearer nonsense"}
    assert (await client.post(ACCEPT, json={"token": token}, headers=stale)).status_code == 401
    halves = [{"email": form()["email"]}, {"password": PASSWORD, "full_name": "X"}]
    for half in halves:
        assert (await client.post(ACCEPT, json={"token": token, **half})).status_code == 422
    short = account(form(), password="elevenchars")
    assert (await client.post(ACCEPT, json={"token": token, **short})).status_code == 422
    assert (await client.post(PREVIEW, json={"token": token}, headers=stale)).status_code == 200


async def test_an_ended_session_accepts_nothing(owner: Registered, register: Register, form: MakeForm) -> None:
    guest = await register()
    token = (await invited(owner, form()["email"]))["token"]
    bearer = {"Authorization": f"Bearer {guest.session['access_token']}"}
    await guest.client.post("/api/v1/auth/logout")
    assert (await guest.client.post(ACCEPT, json={"token": token}, headers=bearer)).status_code == 401
    assert (await guest.client.post(PREVIEW, json={"token": token}, headers=bearer)).json()["signed_in"] is None


async def test_a_member_is_neither_invited_again_nor_uses_the_link_up(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, admin: "Connection[Any]"
) -> None:
    again = await owner.client.post(USERS, json={"email": owner.form["email"], "roles": ["readonly"]})
    assert (again.status_code, again.json()["code"]) == (409, "already_member")
    token = (await invited(owner, form()["email"]))["token"]
    assert not (await owner.client.post(PREVIEW, json={"token": token})).json()["may_accept"]
    refused = await owner.client.post(ACCEPT, json={"token": token})
    assert (refused.status_code, refused.json()["code"]) == (409, "already_member")
    assert (await client.post(ACCEPT, json={"token": token, **account(form())})).status_code == 201
    # A link is no way back in for somebody who was disabled.
    member = form()
    await join(owner, client, member)
    await admin.execute(
        "UPDATE core.memberships SET status = 'disabled' WHERE tenant_id = $1 AND user_id = (SELECT id FROM core.users WHERE email = $2)",
        owner.tenant_id,
        member["email"],
    )
    token = (await invited(owner, form()["email"]))["token"]
    assert (await client.post(ACCEPT, json={"token": token, **account(member)})).status_code == 409


async def test_inviting_the_same_address_again_replaces_the_link(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm
) -> None:
    email = form()["email"]
    first, second = [await invited(owner, email) for _ in range(2)]
    assert [each["id"] for each in (await owner.client.get(INVITATIONS)).json()["items"]] == [second["id"]]
    statuses = [(await client.post(PREVIEW, json={"token": each["token"]})).status_code for each in (first, second)]
    assert statuses == [410, 200]


async def test_nobody_gives_a_role_that_holds_more_than_their_own(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, audit_trail: AuditTrail
) -> None:
    headers = await join(owner, client, form(), "admin")
    allowed = await client.post(USERS, json={"email": form()["email"], "roles": ["admin", "ops"]}, headers=headers)
    assert allowed.status_code == 201
    refused = await client.post(USERS, json={"email": form()["email"], "roles": ["readonly", "owner"]}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "owners_only")
    event = (await audit_trail(owner.tenant_id))[-1]
    assert (event["action"], event["outcome"], event["reason"]) == ("core.request.refused", "denied", "owner")
    assert (await owner.client.post(USERS, json={"email": form()["email"], "roles": ["owner"]})).status_code == 201


@pytest.mark.parametrize("role", ["finance", "ops", "developer", "readonly"])
async def test_only_those_who_manage_members_invite(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, role: str
) -> None:
    headers = await join(owner, client, form(), role)
    invitation = await invited(owner, form()["email"])
    answers = [
        await client.post(USERS, json={"email": form()["email"], "roles": ["readonly"]}, headers=headers),
        await client.delete(f"{INVITATIONS}/{invitation['id']}", headers=headers),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "permission_denied")}
    assert (await client.get(INVITATIONS, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "lose",
    [
        "UPDATE core.membership_roles SET role = 'ops' WHERE membership_id = $1",
        "UPDATE core.memberships SET status = 'disabled' WHERE id = $1",
        "DELETE FROM core.memberships WHERE id = $1",
        "UPDATE core.users SET status = 'disabled' WHERE id = (SELECT user_id FROM core.memberships WHERE id = $1)",
    ],
)
async def test_an_invitation_dies_with_the_right_of_who_sent_it(
    *,
    owner: Registered,
    client: httpx2.AsyncClient,
    form: MakeForm,
    admin: "Connection[Any]",
    audit_trail: AuditTrail,
    lose: str,
) -> None:
    sender = form()
    headers = await join(owner, client, sender, "admin")
    answer = await client.post(USERS, json={"email": form()["email"], "roles": ["admin"]}, headers=headers)
    token = token_in(answer.json()["link"])
    query = "SELECT m.id FROM core.memberships m JOIN core.users u ON u.id = m.user_id WHERE u.email = $1"
    await admin.execute(lose, await admin.fetchval(query, sender["email"]))
    refused = await client.post(ACCEPT, json={"token": token, **account(form())})
    assert (refused.status_code, refused.json()["code"]) == (410, "link_invalid")
    event = (await audit_trail(owner.tenant_id))[-1]
    assert (event["action"], event["reason"]) == ("core.invitation.refused", "inviter_may_not")


async def test_a_suspended_tenant_takes_nobody_in(
    owner: Registered, client: httpx2.AsyncClient, form: MakeForm, admin: "Connection[Any]"
) -> None:
    token = (await invited(owner, form()["email"]))["token"]
    await admin.execute("UPDATE core.tenants SET status = 'suspended' WHERE id = $1", owner.tenant_id)
    assert (await client.post(ACCEPT, json={"token": token, **account(form())})).status_code == 410


async def test_invitations_are_the_tenants_own(register: Register, form: MakeForm, client: httpx2.AsyncClient) -> None:
    ours, theirs = await register(), await register()
    invitation = await invited(theirs, form()["email"])
    assert (await ours.client.get(INVITATIONS)).json() == {"items": [], "next_cursor": None}
    assert (await ours.client.delete(f"{INVITATIONS}/{invitation['id']}")).status_code == 404
    assert (await client.post(PREVIEW, json={"token": invitation["token"]})).status_code == 200


async def test_open_invitations_are_paged_newest_first(owner: Registered, form: MakeForm) -> None:
    ids = [(await invited(owner, form()["email"]))["id"] for _ in range(3)]
    one = (await owner.client.get(INVITATIONS, params={"limit": 2})).json()
    two = (await owner.client.get(INVITATIONS, params={"limit": 2, "cursor": one["next_cursor"]})).json()
    assert [each["id"] for each in one["items"] + two["items"]] == ids[::-1]
    assert two["next_cursor"] is None


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("roles", [], "roles"),
        ("roles", ["emperor"], "roles"),
        ("roles", "owner", "roles"),
        ("email", "a@example.com\r\nBcc: b@example.com", "email"),
        ("name", "x\ny", "name"),
        ("tenant_id", "x", "tenant_id"),
    ],
)
async def test_an_invitation_out_of_bounds_is_refused_by_field(
    owner: Registered, form: MakeForm, field: str, value: object, path: str
) -> None:
    body = {"email": form()["email"], "roles": ["readonly"], field: value}
    answer = await owner.client.post(USERS, json=body)
    assert (answer.status_code, [error["path"] for error in answer.json()["errors"]]) == (422, [path])


async def test_no_invitation_is_mailed_that_was_not_made(
    owner: Registered, form: MakeForm, mailbox: Mailbox, admin: "Connection[Any]"
) -> None:
    email = form()["email"]
    await admin.execute(
        "CREATE FUNCTION core.fail_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'late'; END $$"
    )
    await admin.execute(
        "CREATE CONSTRAINT TRIGGER fail_late AFTER INSERT ON core.invitations DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION core.fail_late()"
    )
    try:
        answer = await owner.client.post(USERS, json={"email": email, "roles": ["readonly"]})
    finally:
        await admin.execute("DROP FUNCTION core.fail_late() CASCADE")
    assert answer.status_code == 500
    assert "link" not in answer.text
    assert mailbox(email) == []
