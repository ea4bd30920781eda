"""Other sites: nothing a page elsewhere makes a browser do is done in its person's name, and nothing leads people there."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx2
import pytest
from tests.product.attacker import AUTH, ME, bearer, browser_of, invited, reset_token, signed_in, visitor
from tests.product.conftest import PASSWORD, Product
from tests.product.test_isolation import BODIES, NAMED
from tests.product.victim import Victim, make_victim

pytestmark = pytest.mark.xdist_group("product")

FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {},
    {"Origin": "", "Referer": "{own}/dashboard"},
    {"Origin": "{own}.evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "{own}, https://evil.example"},
    {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    {"Origin": "{own}/", "Referer": "{own}/"},
]
# What a form can send without asking first.
SIMPLE = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]
# They read no cookie: whoever calls them is nobody there.
COOKIELESS = {"forgotPassword", "resetPassword", "receiveWebhook"}
# They make or drop cookies, and so refuse another site even where it brings none.
COOKIE_MAKING = ("login", "register", "logout", "acceptInvitation")


@pytest.fixture(scope="module")
def victim(product: Product) -> Victim:
    return make_victim(product)


@pytest.fixture(scope="module")
def browser(product: Product, victim: Victim) -> Iterator[httpx2.Client]:
    """The owner's, logged in before anything is compared."""
    with browser_of(product, victim.owner) as made:
        made.headers.pop("Origin")
        yield made


@pytest.fixture
def untouched(victim: Victim, browser: httpx2.Client) -> Iterator[None]:  # noqa: ARG001  (its log-in comes first)
    before = victim.snapshot()
    yield
    after = victim.snapshot()
    assert {table for table in before if before[table] != after[table]} == set()


def unsafe(product: Product, victim: Victim) -> Iterator[tuple[str, str, str, Any]]:
    """Operation, method, path and a body that is good."""
    document = httpx2.get(f"{product.url}/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            if method != "get" and name not in COOKIELESS:
                filled = re.sub(r"{(\w+)}", lambda found: NAMED.get(found[1]) or victim.ids[found[1]], path)
                yield name, method.upper(), filled, _body(name, victim)


def _body(name: str, victim: Victim) -> Any:
    person = {"email": "site@example.com", "password": PASSWORD, "full_name": "Site"}
    return {
        **BODIES,
        "login": {"email": victim.owner.email, "password": PASSWORD},
        "register": {**person, "tenant_name": "Site", "tenant_slug": "site-of-evil"},
        "acceptInvitation": {**person, "token": "x" * 43},
        "previewInvitation": {"token": "x" * 43},
        "switchTenant": {"tenant_id": victim.tenant_id},
        "refresh": None,
        "logout": None,
    }.get(name, {})


@pytest.mark.usefixtures("untouched")
def test_no_route_does_anything_with_cookies_for_another_site(
    product: Product, victim: Victim, browser: httpx2.Client
) -> None:
    tried = 0
    for name, method, path, body in unsafe(product, victim):
        for template in FOREIGN:
            headers = {key: value.format(own=product.url) for key, value in template.items()}
            # Without any origin it is a script's: what it does is done for whom its body names, whatever cookie is there.
            if name in ("login", "register") and "Origin" not in headers:
                continue
            answer = browser.request(method, path, json=body, headers=headers)
            where = f"{name} {headers}: {answer.status_code} {answer.text[:200]}"
            assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch"), where
            assert "set-cookie" not in answer.headers, where
            tried += 1
    assert tried >= 400
    assert browser.get(ME).status_code == 200


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("content_type", SIMPLE)
def test_what_a_form_can_send_changes_nothing(
    product: Product, victim: Victim, browser: httpx2.Client, content_type: str
) -> None:
    for name, method, path, body in unsafe(product, victim):
        if method != "POST":
            continue
        for origin in ("https://evil.example", "null"):
            headers = {"Origin": origin, "Content-Type": content_type}
            content = httpx2.Request("POST", "http://x", json=body).content
            answer = browser.post(path, content=content, headers=headers)
            # Some of them say first that this is no JSON.
            assert answer.status_code in (403, 415), f"{name}: {answer.status_code} {answer.text[:200]}"
            assert "set-cookie" not in answer.headers


@pytest.mark.usefixtures("untouched")
def test_no_header_or_parameter_makes_another_method_of_a_request(victim: Victim, browser: httpx2.Client) -> None:
    path = f"/api/v1/connections/{victim.ids['connection_id']}"
    for name in OVERRIDES:
        for method in ("DELETE", "PATCH", "POST"):
            answer = browser.get(path, headers={name: method}, params={"_method": method})
            assert (answer.status_code, answer.json()["id"]) == (200, victim.ids["connection_id"])
    for method in ("PROPFIND", "TRACE", "SEARCH", "LINK", "PURGE", "HEAD", "OPTIONS"):
        assert browser.request(method, path).status_code in (400, 404, 405), method


@pytest.mark.parametrize("name", COOKIE_MAKING)
def test_another_sites_form_neither_logs_in_nor_out(product: Product, victim: Victim, name: str) -> None:
    """Without any cookie: a strict one does not come along, yet the answer's would be kept."""
    [(method, path, body)] = [(m, p, b) for n, m, p, b in unsafe(product, victim) if n == name]
    with visitor(product) as client:
        for origin in ("https://evil.example", "null"):
            answer = client.request(method, path, json=body, headers={"Origin": origin})
            assert (answer.status_code, answer.json()["code"]) == (403, "origin_mismatch")
            assert "set-cookie" not in answer.headers


def test_no_other_site_is_told_that_it_may_read_an_answer(product: Product, victim: Victim) -> None:
    document = httpx2.get(f"{product.url}/api/v1/openapi.json").json()
    with browser_of(product, victim.owner) as browser:
        for path, methods in document["paths"].items():
            filled = re.sub(r"{(\w+)}", lambda found: NAMED.get(found[1]) or victim.ids[found[1]], path)
            for origin in ("https://evil.example", "null", f"{product.url}.evil.example"):
                asked = {
                    "Origin": origin,
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "authorization, content-type",
                    "Access-Control-Request-Private-Network": "true",
                }
                answers = [browser.options(filled, headers=asked)]
                if "get" in methods and "text/event-stream" not in str(methods["get"]):
                    answers.append(browser.get(filled, headers={"Origin": origin}))
                for answer in answers:
                    said = [name for name in answer.headers if name.startswith("access-control-")]
                    assert said == [], f"{filled}: {said}"
                    assert answer.headers["cross-origin-resource-policy"] == "same-origin", filled
                    assert answer.headers["x-content-type-options"] == "nosniff", filled


def test_our_own_pages_may(product: Product) -> None:
    # Or all of the above could be refused for another reason.
    with browser_of(product, product.newcomer("own")) as browser:
        assert browser.patch(ME, json={"full_name": "Own Page"}).status_code == 200
        assert browser.post(f"{AUTH}/logout", content=b"").status_code == 204
        assert browser.get(ME).status_code == 401


# -- where people are led ----------------------------------------------------------------------------------------------

AWAY = [
    *(
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/.//evil.example",
        "/%2f%2fevil.example",
    ),
    *("https:evil.example", "https:/evil.example", "https://evil.example", "javascript:alert(1)", "data:text/html,x"),
    *(
        "/\t/evil.example",
        "/\r\n/evil.example",
        "%0d%0aLocation: https://evil.example",
        "@evil.example",
        ".evil.example",
    ),
]
PARAMETERS = ["next", "redirect", "redirect_uri", "return_to", "returnTo", "url", "continue", "callback", "state"]
PAGES = [
    "/",
    "/login",
    "/login/",
    "/login.html",
    "/register/",
    "/accept-invitation/",
    "/reset-password.html",
    "/dashboard/",
]


def leads_away(product: Product, answer: httpx2.Response) -> bool:
    location = answer.headers.get("location")
    if location is None:
        return "refresh" in answer.headers
    return urlsplit(urljoin(product.url + "/x", location)).netloc != urlsplit(product.url).netloc


def test_nothing_in_an_address_leads_to_another_site(product: Product) -> None:
    with visitor(product) as client:
        for target in AWAY:
            for page in PAGES:
                query = "&".join(f"{name}={quote(target, safe='')}" for name in PARAMETERS)
                answer = client.get(f"{page}?{query}")
                assert answer.status_code in (200, 308), page
                assert not leads_away(product, answer), (page, target, answer.headers.get("location"))
            for path in (
                target,
                f"/login/..{target}",
                f"{target}/",
                f"{target}/login/",
                f"{target}.html",
                f"/api/{target}",
            ):
                raw = quote(path, safe="/:@%.\\")
                # As it is: a client of good manners would tidy it up.
                answer = client.send(
                    client.build_request("GET", "/", extensions={"target": f"/{raw.lstrip('/')}".encode()})
                )
                assert not leads_away(product, answer), (path, answer.headers.get("location"))
                answer = client.send(client.build_request("GET", "/", extensions={"target": raw.encode()}))
                assert not leads_away(product, answer), (raw, answer.headers.get("location"))


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Original-Host", "Forwarded"])
def test_no_link_or_redirect_takes_its_host_from_a_request(product: Product, header: str) -> None:
    """A mailed link to the attacker's site would hand over its token."""
    person = product.newcomer("poisoned")
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    access = signed_in(product, person)["access_token"]
    with visitor(product) as client:
        for page in PAGES:
            answer = client.get(page, headers={header: value})
            assert "evil.example" not in answer.headers.get("location", "")
        body = {"email": "friend@example.com", "roles": ["readonly"]}
        made = client.post("/api/v1/users", json=body, headers={header: value, **bearer(access)})
        assert made.json()["link"].startswith(f"{product.url}/accept-invitation/#token=")
        asked = client.post(f"{AUTH}/password/forgot", json={"email": person.email}, headers={header: value})
        assert asked.status_code == 202
    reset_token(product, person.email)
    mails = [path.read_text() for path in (product.home / "mail").glob("*.eml")]
    assert any(product.url.removeprefix("http://") in text for text in mails)
    assert not any("evil.example" in text for text in mails)


def test_a_page_cannot_be_framed_or_opened_with_a_handle(product: Product) -> None:
    with visitor(product) as client:
        for path in (*PAGES, ME, "/api/v1/openapi.json", "/nowhere"):
            headers = client.get(path).headers
            assert headers["x-frame-options"] == "DENY", path
            assert headers["cross-origin-opener-policy"] == "same-origin", path
            assert headers["referrer-policy"] == "same-origin", path


def test_a_used_invitation_link_leads_nowhere(product: Product) -> None:
    host = product.newcomer("host")
    token = invited(host)["token"]
    with visitor(product) as client:
        answer = client.get("/accept-invitation", params={"token": token, "next": "//evil.example"})
        assert answer.status_code == 200
        assert token not in answer.text
