"""What an attacker has: clients at addresses of their own, cookies, tokens of every kind, and the keys of an installation gone wrong."""

import base64
import email
import email.policy
import hashlib
import hmac
import itertools
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from tests.product.conftest import PASSWORD, Person, Product

from counterfoil.cli.home import Home
from counterfoil.kit.tokens import parse_keys

AUTH = "/api/v1/auth"
ME = f"{AUTH}/me"
# All of 127.0.0.0/8 is this machine: every number is an address that no limit has counted yet.
_addresses = (f"127.{81 + number // 60_000}.{number // 250 % 240}.{number % 250 + 1}" for number in itertools.count())


def somewhere() -> str:
    return next(_addresses)


@contextmanager
def visitor(product: Product, address: str | None = None, **headers: str) -> Iterator[httpx2.Client]:
    """Nobody in particular, at an address of their own."""
    transport = httpx2.HTTPTransport(local_address=address or somewhere())
    with httpx2.Client(base_url=product.url, transport=transport, timeout=30, headers=headers) as client:
        yield client


@contextmanager
def browser_of(product: Product, person: Person, *, password: str = PASSWORD) -> Iterator[httpx2.Client]:
    """Somebody's browser, logged in with cookies."""
    with visitor(product, Origin=product.url) as client:
        answer = client.post(f"{AUTH}/login", json={"email": person.email, "password": password})
        assert answer.status_code == 200, answer.text
        yield client


def signed_in(product: Product, person: Person, *, password: str = PASSWORD) -> dict[str, Any]:
    """A session of a script: both tokens."""
    with visitor(product) as client:
        body = {"email": person.email, "password": password, "token_delivery": "body"}
        answer = client.post(f"{AUTH}/login", json=body)
        assert answer.status_code == 200, answer.text
        session: dict[str, Any] = answer.json()
        return session


def refreshed(client: httpx2.Client, token: str) -> httpx2.Response:
    return client.post(f"{AUTH}/refresh", json={"refresh_token": token})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def is_let_in(client: httpx2.Client, access_token: str) -> bool:
    answer = client.get(ME, headers=bearer(access_token))
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def invited(owner: Person, *roles: str, to: str | None = None) -> dict[str, Any]:
    """An invitation with its token."""
    address = to or f"guest-{secrets.token_hex(6)}@example.com"
    made: dict[str, Any] = owner.call("POST", "/users", json={"email": address, "roles": list(roles or ("readonly",))})
    return made | {"token": made["link"].partition("#token=")[2]}


def reset_token(product: Product, address: str) -> str:
    """The token of a mailed link, asked for just now."""
    with visitor(product) as client:
        before = len(_mail(product, address))
        assert client.post(f"{AUTH}/password/forgot", json={"email": address}).status_code == 202
        deadline = time.monotonic() + 20
        while len(mails := _mail(product, address)) == before:
            assert time.monotonic() < deadline, "no mail came"
            time.sleep(0.05)
    return mails[-1].partition("#token=")[2].split()[0]


def _mail(product: Product, address: str) -> list[str]:
    paths = sorted((product.home / "mail").glob("*.eml"))
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
    return [str(mail.get_content()) for mail in mails if mail["To"] == address and "#token=" in str(mail.get_content())]


def forged(product: Product, claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    """A token signed with the installation's own key, as nobody outside of it can."""
    (kid, key), *_ = parse_keys(Home(product.home).secrets().jwt_keys).items()
    parts = [{"alg": "HS256", "typ": "at+jwt", "kid": kid, **(header or {})}, claims]
    text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_encoded(hmac.digest(key, text.encode(), hashlib.sha256))}"


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
