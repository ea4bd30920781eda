"""The OpenAPI document is complete: every answer a route may give is in it, and every POST says whether it may be repeated."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from counterfoil.kit.errors import problem_catalogue
from counterfoil.testing.documented import codes_of
from counterfoil.testing.plugin import SignedIn
from counterfoil.web.openapi import operations

# POSTs of a signed-in caller that honour no idempotency key, each with its reason.
NOT_REPLAYED = {
    "testConnection": "asks the vendor and changes nothing that a second time would change again",
    "switchTenant": "is about sessions, which belong to no tenant; the tokens of a lost answer just expire",
    "changePassword": "is refused the second time, by the old password",
    "endOtherSessions": "finds nothing left to end the second time",
}
# Paths with a parameter that always lead somewhere: an id nothing carries has an empty list.
NEVER_MISSING = {"getTimeline"}
Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


@pytest.fixture
def every(document: dict[str, Any]) -> list[Operation]:
    return list(operations(document))


def _refers(document: dict[str, Any], reference: str) -> bool:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    return found is not None


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for item in value.values() for each in _references(item)]
    return [each for item in value for each in _references(item)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(_references(document))
    assert "#/components/schemas/ProblemOut" in references
    assert [each for each in references if not _refers(document, each)] == []


def test_every_route_says_what_it_does_and_answers(every: list[Operation]) -> None:
    assert len(every) > 30
    for path, method, operation in every:
        where = f"{method} {path}"
        answers = operation["responses"]
        good = [status for status in answers if status.startswith("2")]
        # Two where the work may be done already: 200 has it, 202 has only begun.
        assert good == ["200", "202"] or len(good) == 1, where
        assert good == ["204"] or all(answers[status]["content"] for status in good), where
        for status, answer in answers.items():
            assert "X-Correlation-ID" in answer["headers"], where
            if status >= "400" and path.startswith("/api/"):
                assert list(answer["content"]) == ["application/problem+json"], where


def test_every_route_of_a_signed_in_caller_has_the_errors_they_may_meet(every: list[Operation]) -> None:
    for path, method, operation in every:
        answers = operation["responses"]
        if operation.get("security"):
            assert {"401", "429", "500", "503"} <= set(answers), f"{method} {path}"
            assert "RateLimit-Remaining" in answers["429"]["headers"]
            assert "Retry-After" in answers["429"]["headers"]
        if "429" in answers:
            assert {"Retry-After", "RateLimit-Limit", "RateLimit-Reset"} <= answers["429"]["headers"].keys()
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(answers), f"{method} {path}"
        if "{" in path and method != "post" and operation["operationId"] not in NEVER_MISSING:
            assert "404" in answers, f"{method} {path}"


def test_every_security_scheme_is_described(document: dict[str, Any], every: list[Operation]) -> None:
    schemes = document["components"]["securitySchemes"]
    used = {name for _, _, operation in every for each in operation.get("security", []) for name in each}
    assert used <= set(schemes)
    assert all(scheme.get("description") for scheme in schemes.values())


def test_every_parameter_is_bounded_and_none_is_there_twice(every: list[Operation]) -> None:
    for path, method, operation in every:
        names = [(each["in"], each["name"].lower()) for each in operation.get("parameters", [])]
        assert len(names) == len(set(names)), f"{method} {path}"


def test_every_post_of_a_signed_in_caller_honours_idempotency_keys_or_says_why_not(every: list[Operation]) -> None:
    posts = {
        operation["operationId"]: [each["name"] for each in operation.get("parameters", [])]
        for _, method, operation in every
        if method == "post" and operation.get("security")
    }
    assert len(posts) >= 8
    without = {name for name, parameters in posts.items() if "Idempotency-Key" not in parameters}
    assert without == NOT_REPLAYED.keys() & posts.keys()


VIEW = {"table": "payments", "name": "Twice"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/tables/views", VIEW),
        ("/api/v1/plugins/stripe/disable", None),
        ("/api/v1/plugins/stripe/enable", None),
        (
            "/api/v1/connections",
            {"kind": "stripe", "label": "Twice", "settings": {}, "credentials": {"api_key": "sk_test_123"}},
        ),
    ],
)
async def test_the_products_own_posts_do_their_work_once(signed_in: SignedIn, path: str, body: Any) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = [await signed_in.client.post(path, json=body, headers=headers) for _ in range(2)]
    assert first.is_success, first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    listed = path.rpartition("/plugins/")[0] or path
    if listed == path:
        assert len((await signed_in.client.get(path)).json()["items"]) == 1


def test_the_committed_document_is_this_one(document: dict[str, Any]) -> None:
    """The web app's types are made of it, and the product is tested with it: `./dev openapi` writes it anew."""
    committed = json.loads((Path(__file__).resolve().parents[3] / "frontend/openapi.json").read_bytes())
    assert committed == json.loads(json.dumps(document))


def test_every_error_answer_names_its_codes(every: list[Operation]) -> None:
    for path, method, operation in every:
        for status, answer in operation["responses"].items():
            if "application/problem+json" in answer.get("content", {}):
                codes = codes_of(answer["content"]["application/problem+json"]["schema"])
                assert codes, (path, method, status)
                assert {problem_catalogue()[code].status for code in codes} == {int(status)}, (path, method)


def test_every_id_in_a_path_is_found_by_some_answer(every: list[Operation]) -> None:
    linked = {
        link["operationId"]: link["parameters"].keys()
        for _, _, operation in every
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }
    for path, _, operation in every:
        wanted = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert linked.get(operation["operationId"], set()) == wanted, path
