"""What no route answers: wrong methods and unknown addresses, on every path of the document."""

import re
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from counterfoil.kit.ids import new_id
from counterfoil.web.openapi import operations

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]


def _methods(document: dict[str, Any]) -> dict[str, set[str]]:
    """Those declared for each address, its parameters filled in."""
    found: dict[str, set[str]] = {}
    for path, method, _ in operations(document):
        found.setdefault(path, set()).add(method.upper())
    return {re.sub(r"\{\w+\}", lambda _: str(new_id()), path): methods for path, methods in found.items()}


async def test_a_wrong_method_is_told_the_right_ones(app: FastAPI, client: httpx2.AsyncClient) -> None:
    refused = 0
    for address, declared in _methods(app.openapi()).items():
        for method in METHODS:
            answer = await client.request(method, address)
            if answer.status_code != 405:
                # Another route with a parameter may lead here too: what it is called does not fit, but the method does.
                assert method in declared or answer.status_code in {401, 422}, (method, address)
                continue
            told = set(answer.headers["Allow"].split(", "))
            assert declared <= told, (method, address)
            assert method not in told, (method, address)
            if method != "HEAD":
                assert answer.json()["code"] == "method_not_allowed"
            refused += 1
    assert refused > 500


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v2/jobs", "/api/v1/jobs/", "/api/v1/auth/login/x"])
async def test_an_unknown_address_is_a_problem_whatever_is_sent(
    client: httpx2.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/healthy", "/metrics/x", "/webhooks", "/webhooks/stripe", "/apis/v1/jobs", "//api/v1/jobs"]
)
async def test_what_only_begins_like_a_route_is_a_page_that_is_not_there(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(f"http://counterfoil.test{path}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_the_api_without_the_web_app_answers_problems_everywhere(settings: Any) -> None:
    from counterfoil.app import create_app  # noqa: PLC0415  (an application of its own, without the web app)

    bare = create_app(settings, with_ui=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=bare), base_url="http://x") as client:
        answers = [await client.get("/"), await client.get("/login"), await client.post("/health/live")]
    assert [answer.status_code for answer in answers] == [404, 404, 405]
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}
