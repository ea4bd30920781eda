"""Sessions under attack: stolen, raced, fixed, and ended in every way there is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import httpx2
import pytest
from tests.product.attacker import (
    AUTH,
    ME,
    bearer,
    browser_of,
    claims_of,
    invited,
    is_let_in,
    refreshed,
    reset_token,
    signed_in,
    visitor,
)
from tests.product.conftest import ACCESS_TOKEN_TTL_S, PASSWORD, Person, Product
from tests.product.victim import sql

pytestmark = pytest.mark.xdist_group("product")

NEW_PASSWORD = "another horse, another battery"


def at_once(
    product: Product, count: int, call: Callable[[httpx2.Client, int], httpx2.Response]
) -> list[httpx2.Response]:
    """The answers to requests that really run side by side, each on a connection of its own."""

    def one(number: int) -> httpx2.Response:
        with visitor(product) as client:
            client.get("/health/live")
            return call(client, number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def family(product: Product, session: dict[str, Any]) -> str:
    """How many tokens of a session there are, how many unused, and how many revoked."""
    return sql(
        product,
        "SELECT count(*), count(*) FILTER (WHERE used_at IS NULL), count(*) FILTER (WHERE revoked_at IS NOT NULL)"  # noqa: S608  (our own id)
        f" FROM core.refresh_sessions WHERE family_id = '{claims_of(session['access_token'])['sid']}'",
    ).strip()


def past_the_grace(product: Product, session: dict[str, Any]) -> None:
    sql(
        product,
        "UPDATE core.refresh_sessions SET used_at = used_at - interval '11 seconds'"  # noqa: S608  (same)
        f" WHERE family_id = '{claims_of(session['access_token'])['sid']}'",
    )


def test_twenty_refreshes_at_once_leave_one_lineage(product: Product) -> None:
    session = signed_in(product, product.newcomer("race"))
    answers = at_once(product, 20, lambda client, _: refreshed(client, session["refresh_token"]))
    # Two tabs may race, so all of them get the one successor; the rows say that there is one.
    assert {answer.status_code for answer in answers} == {200}
    [successor] = {answer.json()["refresh_token"] for answer in answers}
    assert family(product, session) == "2|1|0"
    again = at_once(product, 20, lambda client, _: refreshed(client, successor))
    assert len({answer.json()["refresh_token"] for answer in again}) == 1
    assert family(product, session) == "3|1|0"
    with visitor(product) as client:
        assert is_let_in(client, again[0].json()["access_token"])


def test_an_old_token_among_good_ones_ends_everything_however_they_race(product: Product) -> None:
    session = signed_in(product, product.newcomer("thief"))
    with visitor(product) as client:
        current = refreshed(client, session["refresh_token"]).json()
    past_the_grace(product, session)
    stolen, good = session["refresh_token"], current["refresh_token"]
    answers = at_once(product, 20, lambda client, number: refreshed(client, stolen if number % 2 else good))
    assert {answer.status_code for answer in answers[1::2]} == {401}
    handed_out = [answer.json() for answer in answers if answer.status_code == 200]
    total, _, revoked = family(product, session).split("|")
    assert total == revoked
    with visitor(product) as client:
        for each in (session, current, *handed_out):
            assert not is_let_in(client, each["access_token"])
            assert refreshed(client, each["refresh_token"]).status_code == 401


def test_a_thief_inside_the_grace_gets_what_the_owner_has_and_is_found_out_with_the_next_use(product: Product) -> None:
    session = signed_in(product, product.newcomer("grace"))
    with visitor(product) as owner, visitor(product) as thief:
        mine, theirs = (refreshed(client, session["refresh_token"]).json() for client in (owner, thief))
        assert mine["refresh_token"] == theirs["refresh_token"]
        # Whoever comes second with the successor's parent, after the successor was used, gives both away.
        assert refreshed(owner, mine["refresh_token"]).status_code == 200
        assert refreshed(thief, session["refresh_token"]).status_code == 401
        assert not is_let_in(owner, mine["access_token"])


@dataclass(frozen=True, kw_only=True)
class Stolen:
    """A session of somebody's that a thief knows the tokens of. Its owner has another."""

    product: Product
    owner: Person
    session: dict[str, Any]

    @property
    def id(self) -> str:
        return str(claims_of(self.session["access_token"])["sid"])


def _log_out(stolen: Stolen) -> None:
    with visitor(stolen.product) as client:
        client.post(f"{AUTH}/logout", json={"refresh_token": stolen.session["refresh_token"]})


def _change_password(stolen: Stolen) -> None:
    stolen.owner.call("POST", "/auth/password", json={"current_password": PASSWORD, "new_password": NEW_PASSWORD})


def _reset_password(stolen: Stolen) -> None:
    with visitor(stolen.product) as client:
        body = {"token": reset_token(stolen.product, stolen.owner.email), "new_password": NEW_PASSWORD}
        assert client.post(f"{AUTH}/password/reset", json=body).status_code == 204


def _end_from_elsewhere(stolen: Stolen) -> None:
    stolen.owner.call("DELETE", f"/auth/sessions/{stolen.id}")


def _end_all_others(stolen: Stolen) -> None:
    stolen.owner.call("POST", "/auth/sessions/revoke-others")


def _switch(stolen: Stolen) -> None:
    host = stolen.product.newcomer("host")
    stolen.owner.call("POST", "/auth/invitations/accept", json={"token": invited(host)["token"]})
    with visitor(stolen.product) as client:
        body = {"tenant_id": host.call("GET", "/auth/me")["tenant"]["id"], "token_delivery": "body"}
        answer = client.post(f"{AUTH}/switch-tenant", json=body, headers=bearer(stolen.session["access_token"]))
        assert answer.status_code == 200, answer.text


def _by(statement: str) -> Callable[[Stolen], None]:
    def end(stolen: Stolen) -> None:
        sql(stolen.product, statement.format(user=stolen.session["user"]["id"], session=stolen.id))

    return end


ENDINGS: dict[str, Callable[[Stolen], None]] = {
    "logged out": _log_out,
    "password changed": _change_password,
    "password reset": _reset_password,
    "ended from another device": _end_from_elsewhere,
    "all others ended": _end_all_others,
    "switched": _switch,
    "member disabled": _by("UPDATE core.memberships SET status = 'disabled' WHERE user_id = '{user}'"),
    "account disabled": _by("UPDATE core.users SET status = 'disabled' WHERE id = '{user}'"),
    "member removed": _by("DELETE FROM core.memberships WHERE user_id = '{user}'"),
    "expired": _by("UPDATE core.refresh_sessions SET expires_at = now() WHERE family_id = '{session}'"),
}


@pytest.mark.parametrize("ending", list(ENDINGS))
def test_nothing_of_a_session_outlives_its_end(product: Product, ending: str) -> None:
    person = product.newcomer("end")
    # Stolen at some time: tokens of now, of before, and a cookie.
    first = signed_in(product, person)
    with visitor(product) as thief:
        session = refreshed(thief, first["refresh_token"]).json()
        assert is_let_in(thief, session["access_token"])
        assert is_let_in(thief, first["access_token"])
        ENDINGS[ending](Stolen(product=product, owner=person, session=session))
        for access in (session["access_token"], first["access_token"]):
            assert not is_let_in(thief, access)
            assert thief.get(ME, headers={"Cookie": f"cf_access={access}"}).status_code == 401
            refused = thief.post(
                f"{AUTH}/switch-tenant", json={"tenant_id": session["tenant"]["id"]}, headers=bearer(access)
            )
            assert refused.status_code == 401
            assert thief.post(f"{AUTH}/sessions/revoke-others", headers=bearer(access)).status_code == 401
        for token in (session["refresh_token"], first["refresh_token"]):
            cookie = {"Cookie": f"cf_refresh={token}", "Origin": product.url}
            for answer in (refreshed(thief, token), thief.post(f"{AUTH}/refresh", headers=cookie)):
                assert answer.status_code == 401
                assert "set-cookie" not in answer.headers


def test_ending_one_devices_session_leaves_the_others(product: Product) -> None:
    person = product.newcomer("devices")
    phone, laptop = signed_in(product, person), signed_in(product, person)
    _log_out(Stolen(product=product, owner=person, session=phone))
    with visitor(product) as client:
        assert not is_let_in(client, phone["access_token"])
        assert is_let_in(client, laptop["access_token"])
        assert refreshed(client, laptop["refresh_token"]).status_code == 200


def test_a_thief_cannot_end_the_race_with_a_password_change(product: Product) -> None:
    """Refreshes that run while the password changes get tokens that are dead when it has changed."""
    person = product.newcomer("racer")
    sessions = [signed_in(product, person) for _ in range(8)]

    def call(client: httpx2.Client, number: int) -> httpx2.Response:
        if number == 4:
            body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
            headers = {"Authorization": person.http.headers["Authorization"]}
            return client.post(f"{AUTH}/password", json=body, headers=headers)
        return refreshed(client, sessions[number % 8]["refresh_token"])

    answers = at_once(product, 16, call)
    assert answers[4].status_code == 204
    with visitor(product) as client:
        for answer in answers:
            if answer.status_code == 200:
                assert not is_let_in(client, answer.json()["access_token"])
                assert refreshed(client, answer.json()["refresh_token"]).status_code == 401


@pytest.mark.parametrize("path", ["login", "register"])
def test_cookies_chosen_beforehand_are_never_kept(product: Product, path: str) -> None:
    """Session fixation: what an attacker planted in a browser means nothing after a log-in."""
    attacker, person = product.newcomer("planter"), product.newcomer("planted")
    planted = signed_in(product, attacker)
    chosen = {"cf_access": planted["access_token"], "cf_refresh": planted["refresh_token"], "cf_session": "chosen"}
    cookie = "; ".join(f"{name}={value}" for name, value in chosen.items())
    body: dict[str, str] = {"email": person.email, "password": PASSWORD}
    if path == "register":
        body |= {"tenant_name": "More", "tenant_slug": f"more-{planted['user']['id'][-12:]}", "full_name": "Nora"}
    with visitor(product, Origin=product.url) as client:
        answer = client.post(f"{AUTH}/{path}", json=body, headers={"Cookie": cookie})
        set_now = SimpleCookie()
        for line in answer.headers.get_list("set-cookie"):
            set_now.load(line)
        assert set(set_now) == {"cf_access", "cf_refresh"}
        assert not {morsel.value for morsel in set_now.values()} & set(chosen.values())
        session_id = claims_of(set_now["cf_access"].value)["sid"]
        assert session_id != claims_of(planted["access_token"])["sid"]
        assert client.get(ME).json()["user"]["email"] == person.email
        # The attacker's session goes on as the attacker's and nothing else.
        assert client.get(ME, headers=bearer(planted["access_token"])).json()["user"]["email"] == attacker.email
        assert refreshed(client, planted["refresh_token"]).json()["user"]["email"] == attacker.email


def test_every_log_in_and_refresh_makes_tokens_nobody_saw_before(product: Product) -> None:
    person = product.newcomer("fresh")
    seen: set[str] = set()
    for _ in range(4):
        session = signed_in(product, person)
        with visitor(product) as client:
            for _ in range(3):
                # An access token may be the same within a second: it says the same.
                assert session["refresh_token"] not in seen
                assert len(session["refresh_token"]) >= 43
                seen.add(session["refresh_token"])
                session = refreshed(client, session["refresh_token"]).json()


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(product: Product) -> None:
    with browser_of(product, product.newcomer("flags")) as browser:
        answers = [browser.post(f"{AUTH}/refresh"), browser.post(f"{AUTH}/logout")]
    for answer, (ttl, refresh_ttl) in zip(answers, ((ACCESS_TOKEN_TTL_S, 30 * 86_400), (0, 0)), strict=True):
        lines = answer.headers.get_list("set-cookie")
        cookies = SimpleCookie()
        for line in lines:
            cookies.load(line)
            assert "domain" not in line.lower()
        assert {name: (m["path"], int(m["max-age"])) for name, m in cookies.items()} == {
            "cf_access": ("/", ttl),
            "cf_refresh": (AUTH, refresh_ttl),
        }
        if ttl:
            assert all(m["httponly"] and m["samesite"].lower() == "strict" for m in cookies.values())
        assert answer.headers["cache-control"] == "no-store"
