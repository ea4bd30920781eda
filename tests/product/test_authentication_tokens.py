"""Every kind of token in every place that takes one: each opens its own, and says nothing anywhere else."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from tests.product.attacker import (
    AUTH,
    ME,
    bearer,
    browser_of,
    claims_of,
    forged,
    invited,
    is_let_in,
    refreshed,
    reset_token,
    signed_in,
    visitor,
)
from tests.product.conftest import PASSWORD, Person, Product

pytestmark = pytest.mark.xdist_group("product")

Use = Callable[[httpx2.Client, str], httpx2.Response]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a token can be brought, and how an answer looks to one that is good there."""

    use: Use
    takes: frozenset[str]
    good: int


def _bearer(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.get(ME, headers=bearer(token))


def _access_cookie(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.get(ME, headers={"Cookie": f"cf_access={token}"})


def _refresh_cookie(client: httpx2.Client, token: str) -> httpx2.Response:
    headers = {"Cookie": f"cf_refresh={token}", "Origin": str(client.base_url).rstrip("/")}
    return client.post(f"{AUTH}/refresh", headers=headers)


def _refresh_body(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.post(f"{AUTH}/refresh", json={"refresh_token": token[:200]})


def _preview(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.post(f"{AUTH}/invitations/preview", json={"token": token[:200]})


def _accept(client: httpx2.Client, token: str) -> httpx2.Response:
    who = {"email": f"n-{secrets.token_hex(6)}@example.com", "password": PASSWORD, "full_name": "Newcomer"}
    return client.post(f"{AUTH}/invitations/accept", json={"token": token[:200], "token_delivery": "body", **who})


def _reset(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.post(f"{AUTH}/password/reset", json={"token": token[:200], "new_password": PASSWORD})


def _metrics(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.get("/metrics", headers=bearer(token))


def _elsewhere(*, header: str | None = None, text: str = "{}", params: tuple[str, ...] = ()) -> Use:
    def use(client: httpx2.Client, token: str) -> httpx2.Response:
        said = text.format(token)
        return client.get(ME, headers={header: said} if header else None, params=dict.fromkeys(params, said))

    return use


# In the order they are tried: what uses a token up comes last.
PLACES = {
    "bearer": Place(use=_bearer, takes=frozenset({"access", "personal key", "service key"}), good=200),
    "access cookie": Place(use=_access_cookie, takes=frozenset({"access"}), good=200),
    "metrics": Place(use=_metrics, takes=frozenset(), good=200),
    "basic": Place(use=_elsewhere(header="Authorization", text="Basic {}"), takes=frozenset(), good=200),
    "no scheme": Place(use=_elsewhere(header="Authorization"), takes=frozenset(), good=200),
    "token scheme": Place(use=_elsewhere(header="Authorization", text="Token {}"), takes=frozenset(), good=200),
    "key header": Place(use=_elsewhere(header="X-API-Key"), takes=frozenset(), good=200),
    "query": Place(use=_elsewhere(params=("access_token", "token")), takes=frozenset(), good=200),
    "preview": Place(use=_preview, takes=frozenset({"invitation"}), good=200),
    "accept": Place(use=_accept, takes=frozenset({"invitation"}), good=201),
    "refresh body": Place(use=_refresh_body, takes=frozenset({"refresh"}), good=200),
    "refresh cookie": Place(use=_refresh_cookie, takes=frozenset({"refresh"}), good=200),
    "reset": Place(use=_reset, takes=frozenset({"reset"}), good=204),
}
KINDS = ("access", "refresh", "invitation", "reset", "personal key", "service key")


@dataclass(frozen=True, kw_only=True)
class Held:
    """Somebody's tokens, all good."""

    person: Person
    tokens: dict[str, str] = field(repr=False)


@pytest.fixture
def held(product: Product) -> Held:
    person = product.newcomer("held")
    session = signed_in(product, person)
    keys = {
        kind: person.call("POST", "/api-keys", json={"name": "K", "scopes": ["tables.read"], **more})["key"]
        for kind, more in (("personal key", {}), ("service key", {"kind": "service", "roles": ["readonly"]}))
    }
    tokens = {
        "access": session["access_token"],
        "refresh": session["refresh_token"],
        "invitation": invited(person)["token"],
        "reset": reset_token(product, person.email),
        **keys,
    }
    assert set(tokens) == set(KINDS)
    return Held(person=person, tokens=tokens)


def test_every_token_opens_its_own_place_and_no_other(product: Product, held: Held) -> None:
    with visitor(product) as client:
        for wanted in (False, True):
            for name, place in PLACES.items():
                for kind, token in held.tokens.items():
                    if (kind in place.takes) is not wanted:
                        continue
                    answer = place.use(client, token)
                    where = f"{kind} as {name}: {answer.status_code} {answer.text[:200]}"
                    if wanted:
                        # After all the wrong places, none of which used it up.
                        assert answer.status_code == place.good, where
                    else:
                        assert answer.status_code in (401, 404, 410), where
                        assert "set-cookie" not in answer.headers, where
                    assert token not in answer.text or name.startswith("refresh"), where


def test_logging_out_with_another_kind_of_token_ends_nothing(product: Product, held: Held) -> None:
    access = held.tokens["access"]
    with visitor(product) as client:
        for kind in KINDS:
            if kind == "refresh":
                continue
            token = held.tokens[kind]
            answers = [
                client.post(f"{AUTH}/logout", json={"refresh_token": token[:200]}),
                client.post(f"{AUTH}/logout", headers={"Cookie": f"cf_refresh={token}", "Origin": product.url}),
                client.post(f"{AUTH}/logout", headers={"Cookie": f"cf_access={token}", "Origin": product.url}),
            ]
            if kind != "access":
                answers.append(client.post(f"{AUTH}/logout", headers=bearer(token)))
            assert {answer.status_code for answer in answers} == {204}, kind
            assert is_let_in(client, access), kind


def test_an_access_token_is_good_for_who_where_and_when_it_was_made_for(product: Product, held: Held) -> None:
    """With the installation's own key: what is signed is still checked, claim by claim, against the session."""
    other = product.newcomer("other")
    mine, theirs = claims_of(held.tokens["access"]), claims_of(signed_in(product, other)["access_token"])
    now = int(time.time())
    wrong: dict[str, dict[str, Any]] = {
        "issuer": {"iss": "someone"},
        "audience": {"aud": "counterfoil-web"},
        "audiences": {"aud": [mine["aud"]]},
        "expired": {"exp": now - 1},
        "not yet": {"nbf": now + 600},
        "for ever": {"exp": "never"},
        "tenant": {"tid": theirs["tid"]},
        "session": {"sid": theirs["sid"]},
        "user": {"sub": theirs["sub"]},
        "user and tenant": {"sub": theirs["sub"], "tid": theirs["tid"]},
        "tenant and session": {"tid": theirs["tid"], "sid": theirs["sid"]},
        "no uuid": {"sid": "' OR true --"},
        "a path": {"tid": "../../"},
        "null": {"tid": None},
        "a list": {"sub": [mine["sub"]]},
        "nil": {"sid": "00000000-0000-0000-0000-000000000000"},
        **{f"no {name}": {name: ...} for name in ("iss", "aud", "sub", "exp", "tid", "sid")},
    }
    with visitor(product) as client:
        assert is_let_in(client, forged(product, mine))
        for name, changes in wrong.items():
            claims = {key: value for key, value in {**mine, **changes}.items() if value is not ...}
            token = forged(product, claims)
            for answer in (_bearer(client, token), _access_cookie(client, token)):
                assert answer.status_code == 401, f"{name}: {answer.text}"
        for header in ({"typ": "JWT"}, {"kid": "other"}, {"alg": "none"}, {"crit": ["exp"]}, {"jku": "https://evil"}):
            assert not is_let_in(client, forged(product, mine, header)), header


def test_a_huge_or_odd_header_is_refused_and_no_error(product: Product) -> None:
    odd = ["a" * 60_000, "." * 5_000, "cfk_" + "x" * 50_000, "ÿþ", "\x7f", "%00", "null", "{}", "Bearer Bearer x"]
    with visitor(product) as client:
        for token in odd:
            raw = f"Bearer {token}".encode("latin-1")
            answer = client.get(ME, headers={b"Authorization": raw})
            # The server itself refuses headers beyond what it holds.
            assert answer.status_code in (400, 401, 431), f"{token[:20]}: {answer.status_code}"
        several = [("Authorization", "Bearer x"), ("Authorization", "Bearer y"), ("Cookie", "cf_access=x; cf_access=y")]
        assert client.get(ME, headers=several).status_code == 401


def test_neither_logs_nor_errors_hold_a_token_or_a_password(product: Product, held: Held) -> None:
    with visitor(product) as client, browser_of(product, held.person) as browser:
        said = []
        for place in PLACES.values():
            for kind, token in held.tokens.items():
                if kind not in place.takes:
                    said.append(place.use(client, token).text)
        for token in held.tokens.values():
            said.append(client.post(f"{AUTH}/login", json={"email": token, "password": PASSWORD}).text)
            said.append(client.post(f"{AUTH}/refresh", json={"refresh_token": [token]}).text)
        again = refreshed(client, held.tokens["refresh"]).json()
        hidden = [
            *held.tokens.values(),
            again["access_token"],
            again["refresh_token"],
            *browser.cookies.values(),
            PASSWORD,
        ]
    logs = {path: path.read_text(errors="replace") for path in (product.home / "logs").glob("*.log")}
    logs[product.home / "up.log"] = (product.home / "up.log").read_text(errors="replace")
    assert any("request.finished" in text for text in logs.values())
    for number, secret in enumerate(hidden):
        assert not any(secret in text for text in said), f"secret {number} in an answer"
        found = [path.name for path, text in logs.items() if secret in text]
        assert found == [], f"secret {number} in a log"
