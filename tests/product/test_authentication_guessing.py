"""Guessing: passwords, addresses, links and keys. Nobody gets many tries, and no answer tells who has an account."""

import re
import secrets
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from tests.product.attacker import (
    AUTH,
    ME,
    bearer,
    invited,
    is_let_in,
    refreshed,
    reset_token,
    signed_in,
    somewhere,
    visitor,
)
from tests.product.conftest import PASSWORD, Person, Product
from tests.product.victim import sql

pytestmark = pytest.mark.xdist_group("product")

LOGIN, FORGOT = f"{AUTH}/login", f"{AUTH}/password/forgot"
# What proxies write, and what an attacker writes when a server believes anybody.
SPOOFS = [
    *("X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Originating-IP"),
    *("Forwarded", "X-Cluster-Client-IP", "X-Forwarded", "X-Remote-Addr", "Client-IP"),
]


def nobody() -> str:
    return f"nobody-{secrets.token_hex(6)}@example.com"


def told(answer: httpx2.Response) -> tuple[Any, ...]:
    """All that could tell two answers apart, their own ids and clocks aside."""
    ids = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    body = re.sub(r"in \d+ s", "in N s", re.sub(ids, "ID", answer.text))
    own = {"date", "x-correlation-id", "retry-after", "ratelimit-remaining", "ratelimit-reset"}
    return answer.status_code, body, *sorted(f"{k}: {v}" for k, v in answer.headers.items() if k not in own)


# -- throttles ---------------------------------------------------------------------------------------------------------


def test_no_header_makes_another_address_of_an_attacker(product: Product) -> None:
    victim, statuses = nobody(), []
    with visitor(product) as client:
        for number in range(25):
            address = f"203.0.113.{number}"
            said = {name: f"for={address}" if name == "Forwarded" else address for name in SPOOFS}
            answer = client.post(LOGIN, json={"email": victim, "password": "a guess"}, headers=said)
            statuses.append(answer.status_code)
    assert statuses[:10] == [401] * 10
    # Each takes 0.3 s, and one more is let through every 6 s.
    assert statuses.count(429) >= 10


def test_what_the_record_says_of_an_address_is_no_header(product: Product) -> None:
    person, address = product.newcomer("where"), somewhere()
    with visitor(product, address) as client:
        spoofed = {"X-Forwarded-For": "203.0.113.77", "X-Real-IP": "203.0.113.78"}
        client.post(LOGIN, json={"email": person.email, "password": PASSWORD}, headers=spoofed)
    assert address in [session["ip"] for session in person.call("GET", "/auth/sessions")["items"]]
    assert "203.0.113.7" not in str(person.call("GET", "/audit-events"))


def test_one_address_sprays_no_password_over_many_accounts(product: Product) -> None:
    with visitor(product) as client, ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: client.post(LOGIN, json={"email": nobody(), "password": PASSWORD}), range(130))
        )
    statuses = [answer.status_code for answer in answers]
    # A hundred, and one more for every second this took.
    assert statuses.count(429) >= 5
    assert set(statuses) == {401, 429}


def guesses(product: Product, accounts: list[str], password: str) -> list[httpx2.Response]:
    """A password for each account, each from a network of its own."""

    def one(address: str) -> httpx2.Response:
        with visitor(product) as client:
            return client.post(LOGIN, json={"email": address, "password": password})

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, accounts))


def test_many_networks_together_guess_no_more_than_one_and_the_lock_tells_nothing(product: Product) -> None:
    person, home = product.newcomer("guessed"), somewhere()
    login = {"email": person.email, "password": PASSWORD}
    with visitor(product, home) as client:
        assert client.post(LOGIN, json=login).status_code == 200
    locks = {}
    for name, address in (("known", person.email), ("unknown", nobody())):
        answers = guesses(product, [address] * 45, "a guess, and wrong")
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) >= 5, name
        locks[name] = {told(answer) for answer in answers}
        if name == "known":
            # Not even the right one is looked at: to somebody who guesses it looks like all the others.
            right = guesses(product, [address] * 6, PASSWORD)
            assert [answer.status_code for answer in right].count(429) >= 3
    assert locks["known"] == locks["unknown"]
    with visitor(product, home) as client:
        assert client.post(LOGIN, json=login).status_code == 200


def test_a_password_is_not_guessed_where_an_account_joins_or_changes_it(product: Product) -> None:
    """Registration, invitations and the change of a password ask for one too, under the same limits."""
    host, person = product.newcomer("host"), product.newcomer("asked")
    session, token = signed_in(product, person), invited(host)["token"]
    account = {"email": person.email, "password": "a guess, and wrong", "full_name": "X"}
    tenant = {"tenant_name": "X", "tenant_slug": f"x-{secrets.token_hex(6)}"}
    change = {"current_password": "a guess, and wrong", "new_password": PASSWORD}
    ways: list[Callable[[httpx2.Client], httpx2.Response]] = [
        lambda client: client.post(f"{AUTH}/register", json={**account, **tenant}),
        lambda client: client.post(f"{AUTH}/invitations/accept", json={**account, "token": token}),
        lambda client: client.post(f"{AUTH}/password", json=change, headers=bearer(session["access_token"])),
        lambda client: client.post(LOGIN, json={"email": person.email, "password": "a guess, and wrong"}),
    ]
    with visitor(product) as client:
        statuses = [ways[number % len(ways)](client).status_code for number in range(20)]
    assert statuses[:10].count(429) == 0
    assert statuses[-8:].count(429) >= 5


def test_nobody_is_flooded_with_mail(product: Product) -> None:
    person = product.newcomer("flooded")
    reset_token(product, person.email)
    for _ in range(8):
        with visitor(product) as client:
            assert client.post(FORGOT, json={"email": person.email}).status_code == 202
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        mails = sum(person.email in path.read_text() for path in (product.home / "mail").glob("*.eml"))
        assert mails <= 5
        time.sleep(0.1)
    assert mails == 5


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("invitations/preview", {}),
        ("invitations/accept", {"email": "a@example.com", "password": PASSWORD, "full_name": "A"}),
        ("password/reset", {"new_password": PASSWORD}),
    ],
)
def test_links_are_not_guessed_by_the_thousand(product: Product, path: str, body: dict[str, str]) -> None:
    with visitor(product) as client, ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda _: client.post(f"{AUTH}/{path}", json={**body, "token": secrets.token_urlsafe(32)}), range(125)
            )
        )
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {410, 429}
    assert statuses.count(429) >= 5
    assert len({told(answer) for answer in answers if answer.status_code == 410}) == 1


def test_keys_are_not_guessed_by_the_thousand(product: Product) -> None:
    with visitor(product) as client:
        statuses = []
        for _ in range(160):
            key = f"cfk_p_{secrets.token_hex(4)}_{secrets.token_hex(32)}"
            statuses.append(client.get(ME, headers=bearer(key)).status_code)
    assert set(statuses) == {401, 429}
    assert 100 <= statuses.count(401) <= 125


# -- who has an account ------------------------------------------------------------------------------------------------

Ask = Callable[[httpx2.Client, str], httpx2.Response]


def _log_in(client: httpx2.Client, address: str) -> httpx2.Response:
    return client.post(LOGIN, json={"email": address, "password": "wrong, all wrong"})


def _forget(client: httpx2.Client, address: str) -> httpx2.Response:
    return client.post(FORGOT, json={"email": address})


def _accept_without_a_link(client: httpx2.Client, address: str) -> httpx2.Response:
    body = {"token": "x" * 43, "email": address, "password": "wrong, all wrong", "full_name": "X"}
    return client.post(f"{AUTH}/invitations/accept", json=body)


@pytest.mark.parametrize("ask", [_log_in, _forget, _accept_without_a_link])
def test_known_and_unknown_addresses_get_one_answer_in_one_time(product: Product, ask: Ask) -> None:
    people = [product.newcomer("known").email for _ in range(2)]
    disabled = product.newcomer("disabled").email
    sql(product, f"UPDATE core.users SET status = 'disabled' WHERE email = '{disabled}'")  # noqa: S608  (made here)
    asked: dict[str, list[str]] = {"known": people, "disabled": [disabled], "unknown": [nobody(), nobody()]}
    times: dict[str, list[float]] = {kind: [] for kind in asked}
    answers = set()
    # Interleaved, so that whatever else the machine does slows all of them down alike.
    for number in range(8):
        for kind, addresses in asked.items():
            with visitor(product) as client:
                client.get("/health/live")
                began = time.perf_counter()
                answer = ask(client, addresses[number % len(addresses)])
                times[kind].append(time.perf_counter() - began)
            answers.add(told(answer))
    assert len(answers) == 1, answers
    medians = {kind: statistics.median(each) for kind, each in times.items()}
    assert max(medians.values()) < max(0.05, 2 * min(medians.values())), medians


def test_inviting_tells_nothing_about_accounts_elsewhere(product: Product) -> None:
    host, known = product.newcomer("inviter"), [product.newcomer("elsewhere").email for _ in range(8)]
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    shapes = set()
    for number, address in enumerate(known):
        pair = [("known", address), ("unknown", nobody())]
        for kind, to in pair if number % 2 else reversed(pair):
            began = time.perf_counter()
            made = host.http.post("/users", json={"email": to, "roles": ["readonly"]})
            times[kind].append(time.perf_counter() - began)
            assert made.status_code == 201, made.text
            shapes.add((made.status_code, tuple(sorted(made.json())), made.json()["name"]))
            with visitor(product) as client:
                token = made.json()["link"].partition("#token=")[2]
                preview = client.post(f"{AUTH}/invitations/preview", json={"token": token}).json()
                shapes.add((preview["name"], preview["signed_in"], preview["may_accept"]))
            # Open ones count for the plan's members.
            host.call("DELETE", f"/users/invitations/{made.json()['id']}")
    assert len(shapes) == 2
    medians = {kind: statistics.median(each) for kind, each in times.items()}
    assert max(medians.values()) < max(0.05, 2 * min(medians.values())), medians


# -- somebody else's address -------------------------------------------------------------------------------------------


def test_who_registers_a_victims_address_first_gains_nothing_when_the_victim_comes(product: Product) -> None:
    victim = nobody()
    squatter = Person(product)
    product.people.append(squatter)
    squatter.join(victim.partition("@")[0])
    assert squatter.email == victim
    stolen = signed_in(product, squatter)
    key = squatter.call("POST", "/api-keys", json={"name": "Stay", "scopes": ["tables.read", "members.manage"]})["key"]
    host = product.newcomer("company")
    company = host.call("GET", "/auth/me")["tenant"]["id"]
    token = invited(host, "admin", to=victim)["token"]
    # The mailbox is the victim's: a new password ends all that the squatter had, and then the link is accepted.
    with visitor(product) as client:
        body = {"token": reset_token(product, victim), "new_password": "the victim's own password"}
        assert client.post(f"{AUTH}/password/reset", json=body).status_code == 204
        account = {"email": victim, "password": "the victim's own password", "full_name": "Victim"}
        body = {**account, "token": token, "token_delivery": "body"}
        accepted = client.post(f"{AUTH}/invitations/accept", json=body)
        assert accepted.status_code == 201, accepted.text
        assert accepted.json()["session"]["tenant"]["id"] == company
    with visitor(product) as attacker:
        assert attacker.post(LOGIN, json={"email": victim, "password": PASSWORD}).status_code == 401
        for session in (stolen["access_token"], squatter.http.headers["Authorization"].removeprefix("Bearer ")):
            assert not is_let_in(attacker, session)
        assert refreshed(attacker, stolen["refresh_token"]).status_code == 401
        # Its key stays what it was, a key of the squatter's own company, and is no way out of it.
        assert attacker.get(ME, headers=bearer(key)).json()["tenant"]["id"] != company
        entered = attacker.post(f"{AUTH}/switch-tenant", json={"tenant_id": company}, headers=bearer(key))
        assert entered.status_code == 403
        assert host.email not in attacker.get("/api/v1/users", headers=bearer(key)).text


def test_an_invitation_gives_its_own_roles_of_its_own_tenant_to_one_person(product: Product) -> None:
    host, other = product.newcomer("host"), product.newcomer("other")
    foreign = f"r{secrets.token_hex(8)}"
    other.call("POST", "/users/roles", json={"name": foreign, "title": "Foreign", "permissions": ["jobs.read"]})
    refused = host.http.post("/users", json={"email": nobody(), "roles": [foreign]})
    invented = host.http.post("/users", json={"email": nobody(), "roles": [f"r{secrets.token_hex(8)}"]})
    assert refused.status_code == invented.status_code == 422
    assert re.sub(r"r[0-9a-f]{16}", "ROLE", refused.json()["detail"]) == re.sub(
        r"r[0-9a-f]{16}", "ROLE", invented.json()["detail"]
    )
    token = invited(host, "readonly")["token"]
    # Signed in as one, with the account of another: the body says who becomes a member.
    body = {"token": token, "email": nobody(), "password": PASSWORD, "full_name": "Guest", "token_delivery": "body"}
    for more in ({"roles": ["owner"]}, {"tenant_id": "x"}, {"role": "owner"}, {"invited_by": "x"}):
        assert other.http.post("/auth/invitations/accept", json={**body, **more}).status_code == 422
    accepted = other.http.post("/auth/invitations/accept", json=body).json()
    with visitor(product) as client:
        me = client.get(ME, headers=bearer(accepted["session"]["access_token"])).json()
        assert (me["user"]["email"], me["roles"]) == (body["email"], ["readonly"])
        again = client.post(f"{AUTH}/invitations/accept", json={**body, "email": nobody()})
        assert again.status_code == 410
    tenants = other.call("GET", "/auth/me/tenants")["items"]
    assert len(tenants) == 1


def test_two_people_race_for_one_invitation_and_one_gets_in(product: Product) -> None:
    host, people = product.newcomer("host"), [product.newcomer("racer") for _ in range(8)]
    token = invited(host)["token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda person: person.http.post("/auth/invitations/accept", json={"token": token}), people)
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [410] * 7
    assert len(host.call("GET", "/users")["items"]) == 2


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_is_known_by_all_of_it_and_not_by_its_prefix(product: Product) -> None:
    mine, theirs = product.newcomer("mine"), product.newcomer("theirs")
    made = [who.call("POST", "/api-keys", json={"name": "K", "scopes": ["tables.read"]}) for who in (mine, theirs)]
    sql(product, f"UPDATE core.api_keys SET prefix = '{made[0]['prefix']}' WHERE id = '{made[1]['id']}'")  # noqa: S608
    head, _, secret = made[0]["key"].rpartition("_")
    wrong = [
        *(
            head,
            head + "_",
            f"{head}_{secret[:-1]}",
            f"{head}_{secret}0",
            f"{head}_{secret.upper()}",
            f" {head}_{secret}",
        ),
        *(
            f"{head}_{made[1]['key'].rpartition('_')[2]}",
            f"{head}_{'0' * 64}",
            f"{head}_%",
            made[0]["key"].replace("_p_", "_s_"),
        ),
    ]
    with visitor(product) as client:
        owners = [client.get(ME, headers=bearer(each["key"])).json()["user"]["email"] for each in made]
        assert owners == [mine.email, theirs.email]
        for key in wrong:
            # White space around a header's value is no part of it.
            if key.strip() != made[0]["key"]:
                assert client.get(ME, headers=bearer(key)).status_code == 401, key.replace(secret, "SECRET")


def test_a_key_does_no_more_than_its_member_may_now(product: Product) -> None:
    host = product.newcomer("host")
    body = {"token": invited(host, "admin")["token"], "email": nobody(), "password": PASSWORD, "full_name": "M"}
    with visitor(product) as client:
        session = client.post(f"{AUTH}/invitations/accept", json={**body, "token_delivery": "body"}).json()["session"]
        scopes = {"name": "K", "scopes": ["members.read", "members.manage", "api_keys.own", "tables.read"]}
        key = client.post("/api/v1/api-keys", json=scopes, headers=bearer(session["access_token"])).json()["key"]
    with visitor(product) as client:
        headers, user = bearer(key), session["user"]["id"]
        paths = [f"/api/v1/users/invitations/{invited(host)['id']}" for _ in range(2)]
        assert client.delete(paths[0], headers=headers).status_code == 204
        host.call("PUT", f"/users/{user}/roles", json={"roles": ["readonly"]})
        assert client.delete(paths[1], headers=headers).status_code == 403
        assert client.get("/api/v1/tables", headers=headers).status_code == 200
        # What is for people is not for their keys.
        for path, data in (
            ("switch-tenant", {"tenant_id": session["tenant"]["id"]}),
            ("sessions/revoke-others", None),
            ("password", {"current_password": PASSWORD, "new_password": PASSWORD}),
        ):
            answer = client.post(f"{AUTH}/{path}", json=data, headers=headers)
            assert answer.status_code == 403, f"{path}: {answer.text}"
        host.call("PATCH", f"/users/{user}", json={"status": "disabled"})
        assert client.get("/api/v1/tables", headers=headers).status_code == 401
        host.call("DELETE", f"/users/{user}")
        assert client.get("/api/v1/tables", headers=headers).json()["code"] == "api_key_ended"
