"""Text that cannot be stored is refused on every route there is; the routes are found in the API's description."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn
from counterfoil.web.text import find_nul, find_repeated_name, holds_nul

JSON = {"Content-Type": "application/json"}
# Escaped and as bytes, each alone and at the end of a pair that is none.
UNSTORABLE = [rb"\u0000", rb"\ud800", rb"\udc00\ud800", b"\xed\xa0\x80", b"\xff"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route and method as the document describes it, its path filled in."""

    method: str
    path: str
    body: dict[str, Any] | None
    query: list[str]


def operations(app: FastAPI) -> Iterator[Operation]:
    document = app.openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            filled = path
            for parameter in operation.get("parameters", ()):
                filled = filled.replace(f"{{{parameter['name']}}}", str(new_id()))
            yield Operation(
                method=method.upper(),
                path=filled,
                body=_body(document, operation),
                query=[p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"],
            )


def _body(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return None
    schema = content["application/json"]["schema"]
    reference = schema.get("$ref") or next(one["$ref"] for one in schema["anyOf"] if "$ref" in one)
    found: dict[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return found


def _refused(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), answer.request.url
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-ID"]


@pytest.mark.parametrize("text", UNSTORABLE)
async def test_no_route_takes_it_in_any_field_of_its_body(app: FastAPI, signed_in: SignedIn, text: bytes) -> None:
    bodies = [operation for operation in operations(app) if operation.body]
    assert len(bodies) > 5
    for operation in bodies:
        for field in (operation.body or {})["properties"]:
            for value in (b'"%s"' % text, b'["a", "%s"]' % text, b'{"a": {"b%s": 1}}' % text):
                content = b'{"%s": %s}' % (field.encode(), value)
                _refused(
                    await signed_in.client.request(operation.method, operation.path, content=content, headers=JSON)
                )


@pytest.mark.parametrize("text", ["%00", "a%00b", "%ED%A0%80", "%ff"])
async def test_no_route_takes_it_in_its_query(app: FastAPI, signed_in: SignedIn, text: str) -> None:
    asked = [operation for operation in operations(app) if operation.query]
    assert len(asked) > 2
    for operation in asked:
        for name in operation.query:
            _refused(await signed_in.client.request(operation.method, f"{operation.path}?{name}={text}"))


async def test_no_route_takes_it_in_its_path(signed_in: SignedIn) -> None:
    for path in ("/api/v1/plugins/%00/enable", "/api/v1/tables/a%00b"):
        _refused(await signed_in.client.post(path))


async def test_the_field_is_named_where_it_can_be(signed_in: SignedIn) -> None:
    body = {"kind": "stripe", "label": "Books", "credentials": {"api_key": "sk\0"}}
    answer = await signed_in.client.post("/api/v1/connections", json=body)
    assert [error["path"] for error in answer.json()["errors"]] == ["credentials.api_key"]


async def test_a_backslash_before_an_escape_is_only_text(signed_in: SignedIn) -> None:
    body = {"kind": "stripe", "label": r"a \u0000 \ud800 😀", "credentials": {"api_key": "sk_test_x"}}
    answer = await signed_in.client.post("/api/v1/connections", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["label"] == body["label"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
async def test_it_is_found_under_every_name_that_json_goes_by(client: httpx2.AsyncClient, content_type: str) -> None:
    content = rb'{"email": "a@example.com", "password": "\ud800"}'
    _refused(await client.post("/api/v1/auth/login", content=content, headers={"Content-Type": content_type}))


@pytest.mark.parametrize("label", ["a\nb", "a\x1b[31m", "a\x85b"])
async def test_a_label_holds_no_control_characters(signed_in: SignedIn, label: str) -> None:
    body = {"kind": "stripe", "label": label, "credentials": {"api_key": "sk_test_x"}}
    answer = await signed_in.client.post("/api/v1/connections", json=body)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["label"]


async def test_a_body_nested_as_deep_as_can_be_is_looked_through(client: httpx2.AsyncClient) -> None:
    content = b"[" * 1000 + rb'"\u0000"' + b"]" * 1000
    _refused(await client.post("/api/v1/auth/login", content=content, headers=JSON))


_text = st.text(st.characters(codec="utf-8"), max_size=5)


@given(
    value=st.recursive(_text | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(_text, inner))
)
def test_it_is_found_wherever_it_is_and_nowhere_else(value: Any) -> None:
    assert holds_nul(value) == (r"\u0000" in json.dumps(value).replace(r"\\", ""))
    assert (find_nul(value) is None) != holds_nul(value)


_names = st.text(st.characters(codec="utf-8"), max_size=3)


@given(
    value=st.recursive(_names | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(_names, inner)),
    name=_names,
)
def test_a_name_that_is_there_twice_is_found_at_any_depth_and_no_other_is(value: Any, name: str) -> None:
    fine, quoted = json.dumps(value), json.dumps(name)
    assert find_repeated_name(fine.encode()) is None
    twice = f'[{fine}, {{"a": [{{{quoted}: {fine}, {quoted}: 1}}]}}]'
    assert find_repeated_name(twice.encode()) == name


async def test_of_two_fields_with_one_name_none_is_lost_silently(client: httpx2.AsyncClient) -> None:
    content = rb'{"email": "a@example.com", "\u0065mail": "b@example.com", "password": "x"}'
    answer = await client.post("/api/v1/auth/login", content=content, headers=JSON)
    _refused(answer)
    assert [error["path"] for error in answer.json()["errors"]] == ["email"]
