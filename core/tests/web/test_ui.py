"""The web app as it is served: which answer each path gets, under which headers."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from counterfoil.kit.errors import Problem
from counterfoil.web.middleware import RequestContext
from counterfoil.web.problems import answer
from counterfoil.web.ui import StaticUi, UiNotBuiltError, accepted_encoding, is_fresh
from counterfoil.web.unrouted import Unrouted

HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
CHUNK = "/_next/static/chunks/a1.js"
SECRET = "outside the web app"


def page(title: str) -> str:
    return f"<!doctype html><title>{title}</title>"


def add_file(root: Path, name: str, body: str, content_type: str) -> dict[str, object]:
    path = root / name.removeprefix("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(body.encode()))
    return {"content_type": content_type, "etag": f"tag-{path.stem}", "encodings": ["gzip"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text(SECRET)
    root = tmp_path / "_ui"
    titles = {"/index.html": "Home", "/login.html": "Log in", "/jobs/view.html": "Job", "/404.html": "Page not found"}
    files = {name: add_file(root, name, page(title), HTML) for name, title in titles.items()}
    files[CHUNK] = add_file(root, CHUNK, "export {}", SCRIPT)
    files["/login.txt"] = add_file(root, "/login.txt", "payload", "text/plain; charset=utf-8")
    (root / "unlisted.txt").write_text(SECRET)
    pages = {
        "/": {"file": "/index.html", "scripts": ["'sha256-home='"]},
        "/login": {"file": "/login.html", "scripts": ["'sha256-a='", "'sha256-b='"]},
        "/jobs/view": {"file": "/jobs/view.html", "scripts": []},
        "/404": {"file": "/404.html", "scripts": []},
    }
    (root / "ui-manifest.json").write_text(json.dumps({"build_id": "b1", "pages": pages, "files": files}))
    return root


async def as_problem(_: Request, error: Exception) -> Response:
    return answer(error)


@pytest.fixture
def app(root: Path) -> Starlette:
    return Starlette(
        routes=[Mount("/", app=Unrouted([], ui=StaticUi(root)))],
        exception_handlers={Problem: as_problem},
        middleware=[Middleware(RequestContext)],
    )


@pytest.fixture
def client(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False, headers={"Accept-Encoding": "identity"}) as client:
        yield client


def directives(response: httpx2.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize(
    ("path", "title"), [("/", "Home"), ("/login", "Log in"), ("/jobs/view", "Job"), ("/jobs/view?id=7", "Job")]
)
def test_a_page_is_served_at_its_route(client: TestClient, path: str, title: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.text == page(title)
    assert response.headers["Content-Type"] == HTML
    assert response.headers["Cache-Control"] == "no-cache"


def test_a_page_allows_exactly_its_own_inline_scripts(client: TestClient) -> None:
    login, job = directives(client.get("/login")), directives(client.get("/jobs/view"))
    assert login["script-src"] == "'self' 'sha256-a=' 'sha256-b='"
    assert job["script-src"] == "'self'"


def test_a_page_forbids_everything_it_does_not_need(client: TestClient) -> None:
    policy = directives(client.get("/login"))
    assert policy["default-src"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert not any(word in policy["script-src"] for word in ("unsafe-inline", "unsafe-eval", "*", "http"))


@pytest.mark.parametrize("path", ["/login", CHUNK, "/nowhere", "/login/", "/_next/static/gone.js"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_only_https_is_pinned_to_https(app: Starlette, client: TestClient) -> None:
    plain = client.get("/login")
    assert "Strict-Transport-Security" not in plain.headers
    assert "upgrade-insecure-requests" not in directives(plain)
    with TestClient(app, base_url="https://books.example") as secure_client:
        secure = secure_client.get("/login")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "upgrade-insecure-requests" in directives(secure)


def test_a_hashed_asset_is_kept_for_ever(client: TestClient) -> None:
    response = client.get(CHUNK)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == SCRIPT


def test_a_script_brings_the_policy_a_worker_would_run_under(client: TestClient) -> None:
    assert directives(client.get(CHUNK)) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
    }


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/login/", "/login"),
        ("/login//", "/login"),
        ("/login.html", "/login"),
        ("/index.html", "/"),
        ("/jobs/view/?id=7&x=%2F", "/jobs/view?id=7&x=%2F"),
        ("/login.html?next=/jobs", "/login?next=/jobs"),
    ],
)
def test_another_spelling_of_a_page_leads_to_it(client: TestClient, path: str, target: str) -> None:
    response = client.get(path)
    assert response.status_code == 308
    assert response.headers["Location"] == target


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/nowhere/", "/nowhere.html", "/evil.example//", "/\\evil.example/"]
)
def test_an_unknown_path_never_redirects(client: TestClient, path: str) -> None:
    response = client.get(f"http://testserver{path}")
    assert response.status_code == 404
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/ui-manifest.json",
        "/unlisted.txt",
        "/login.html.gz",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/_next/../../secret.txt",
    ],
)
def test_what_the_manifest_does_not_list_does_not_exist(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert SECRET not in response.text


def test_an_unknown_page_is_answered_by_the_404_page(client: TestClient) -> None:
    response = client.get("/nowhere")
    assert response.text == page("Page not found")
    assert "Content-Security-Policy" in response.headers


def test_a_chunk_of_a_former_build_is_no_page(client: TestClient) -> None:
    response = client.get("/_next/static/chunks/gone.js")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/api/"])
def test_an_unknown_api_path_gets_the_api_s_answer(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_path_that_only_starts_like_the_api_s_is_a_page(client: TestClient) -> None:
    assert client.get("/apish").text == page("Page not found")


def test_head_answers_like_get_without_a_body(client: TestClient) -> None:
    same = {"X-Correlation-ID": "0192f0c1-2345-7abc-8def-0123456789ab"}
    get, head = client.get("/login", headers=same), client.head("/login", headers=same)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_page_can_only_be_read(client: TestClient, method: str) -> None:
    response = client.request(method, "/login")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.json()["code"] == "method_not_allowed"


def test_a_compressed_body_is_the_same_page(client: TestClient) -> None:
    response = client.get("/login", headers={"Accept-Encoding": "gzip, br"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.text == page("Log in")


def test_a_fresh_page_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/login").headers["ETag"]
    response = client.get("/login", headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["ETag"] == etag


def test_a_missing_page_stays_missing_for_a_client_that_has_the_404_page(client: TestClient) -> None:
    etag = client.get("/nowhere").headers["ETag"]
    assert client.get("/nowhere", headers={"If-None-Match": etag}).status_code == 404


def test_a_websocket_is_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/login"):
        pass


def test_a_folder_without_a_built_app_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UiNotBuiltError):
        StaticUi(tmp_path)


def test_the_build_is_known_by_its_id(root: Path) -> None:
    assert StaticUi(root).build_id == "b1"


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("br, gzip", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000, *", "gzip"),
        ("*", "br"),
        ("*;q=0", None),
        ("", None),
        ("identity", None),
        ("deflate, brotli", None),
    ],
)
def test_the_best_accepted_encoding_is_chosen(header: str, encoding: str | None) -> None:
    assert accepted_encoding(header, ("br", "gzip")) == encoding


@pytest.mark.parametrize(
    ("header", "fresh"),
    [('W/"a"', True), ('"a"', True), ('"x", W/"a"', True), ("*", True), ('"b"', False), ("", False), ("a", False)],
)
def test_freshness_compares_weakly(header: str, fresh: bool) -> None:
    assert is_fresh(header, "a") is fresh
