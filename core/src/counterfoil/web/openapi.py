"""What FastAPI cannot know: the problem schema, headers every answer carries, idempotency keys, and what any route may answer."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from counterfoil.kit.errors import problem_catalogue
from counterfoil.web.idempotency import HEADER, LONGEST_KEY, REPLAYED
from counterfoil.web.links import add_links
from counterfoil.web.problems import CODES, MEDIA_TYPE, ProblemOut

_EXAMPLE_ID = "0192f0c1-2345-7abc-8def-0123456789ab"
_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Chosen by the caller, one for each thing to do. Sent again within 24 hours, the same request does "
    f"nothing and gets its first answer, with `{REPLAYED}: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    "example": _EXAMPLE_ID,
}
_HEADERS: dict[str, Any] = {
    "X-Correlation-ID": {
        "description": "Names this request in logs, jobs and audit events",
        "schema": {"type": "string", "format": "uuid"},
        "example": _EXAMPLE_ID,
    },
    "RateLimit-Limit": {"description": "Requests at once", "schema": {"type": "integer"}, "example": 1200},
    "RateLimit-Remaining": {"description": "Requests left of them", "schema": {"type": "integer"}, "example": 1187},
    "RateLimit-Reset": {
        "description": "Seconds until all of them are there again",
        "schema": {"type": "integer"},
        "example": 1,
    },
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}, "example": 3},
    REPLAYED: {
        "description": "The answer is that of the first request with this idempotency key",
        "schema": {"type": "string", "const": "true"},
    },
}
# What FastAPI would answer to wrong fields, had it not been told otherwise.
_FRAMEWORKS_OWN = "HTTPValidationError"
_ALWAYS = ("X-Correlation-ID",)
_SAFE = {"get", "head"}
# Refusals of every change: from another site's page, and after the plan has ended.
_OF_WHO_CHANGES = ("plan_expired", "trial_expired")
_COUNTED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_PROBLEM_EXAMPLE = {
    "type": "urn:counterfoil:problem:not_found",
    "title": "Not found",
    "status": 404,
    "detail": "There is no such row.",
    "code": "not_found",
    "correlation_id": _EXAMPLE_ID,
    "errors": [],
}


def described(app: FastAPI) -> dict[str, Any]:
    """The application's OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        _add_components(document["components"])
        replaying = set(_replaying(app))
        for path, method, operation in operations(document):
            _complete(operation, path=path, method=method, replays=(path, method) in replaying)
        add_links([operation for _, _, operation in operations(document)])
        app.openapi_schema = document
    return app.openapi_schema


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of everything in a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _add_components(components: dict[str, Any]) -> None:
    schema = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"].update(schema.pop("$defs", {}) | {"ProblemOut": schema | {"examples": [_PROBLEM_EXAMPLE]}})
    components["headers"] = _HEADERS
    for name in (_FRAMEWORKS_OWN, "ValidationError"):
        components["schemas"].pop(name, None)


def _complete(operation: dict[str, Any], *, path: str, method: str, replays: bool) -> None:
    """What any route of its kind may answer, and the headers of its answers."""
    is_authenticated = bool(operation.get("security"))
    responses: dict[str, Any] = operation["responses"]
    if _FRAMEWORKS_OWN in str(responses.get("422")):
        responses["422"] = {CODES: []}
    if replays:
        operation["parameters"] = [*operation.get("parameters", []), _IDEMPOTENCY_KEY]
    kind = _codes_of_its_kind(
        operation,
        is_api=path.startswith("/api/"),
        changes=method not in _SAFE,
        replays=replays,
    )
    for number, codes in kind.items():
        answer = responses.setdefault(str(number), {})
        answer[CODES] = [*answer.get(CODES, ()), *codes]
    for status, response in responses.items():
        if CODES in response:
            response.update(_problems(response.pop(CODES)))
        is_counted = status == "429" or (is_authenticated and status != "401")
        names = [*_ALWAYS, *(_COUNTED if is_counted else ())]
        names += ["Retry-After"] if status in {"429", "503"} else []
        names += [REPLAYED] if replays and status.startswith("2") else []
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        response["headers"] = headers | response.get("headers", {})
    operation["responses"] = dict(sorted(responses.items()))


def _codes_of_its_kind(
    operation: dict[str, Any], *, is_api: bool, changes: bool, replays: bool
) -> dict[int, list[str]]:
    """Codes that follow from what a route takes and who may call it, by status."""
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    codes: dict[int, list[str]] = (
        {500: ["internal_error"], 503: ["unavailable", "database_unavailable"]} if is_api else {}
    )
    if operation.get("security"):
        codes |= {401: ["unauthenticated"], 429: ["rate_limited"], 503: ["unavailable", "database_unavailable"]}
    if operation.get("security") and is_api:
        codes[401] += ["inactive_member", "api_key_ended"]
        codes |= {403: ["permission_denied", "origin_mismatch", *_OF_WHO_CHANGES]} if changes else {}
    if parameters or "requestBody" in operation:
        codes[422] = ["invalid_input"]
    if "requestBody" in operation:
        codes |= {413: ["payload_too_large"], 415: ["unsupported_encoding", "unsupported_media_type"]}
    if "cursor" in parameters:
        codes[422].append("invalid_cursor")
    if "If-Match" in parameters:
        codes[412] = ["precondition_failed"]
    if replays:
        codes[409] = ["idempotency_in_progress"]
        codes[422].append("idempotency_key_reused")
        codes[503].append("answer_locked")
    return codes


def _problems(codes: list[str]) -> dict[str, Any]:
    """An error answer with its codes: people read them in the description, programs in the schema."""
    catalogue, codes = problem_catalogue(), sorted(set(codes))
    narrowed = {"type": "object", "properties": {"code": {"type": "string", "enum": codes}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/ProblemOut"}, narrowed]}
    return {
        "description": "; ".join(f"`{code}`: {catalogue[code].title}" for code in codes),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _replaying(app: FastAPI) -> Iterator[tuple[str, str]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and "POST" in (route.methods or ()) and any(_gates_with_replay(route.dependant)):
            yield str(context.path_format), "post"


def _gates_with_replay(dependant: Dependant) -> Iterator[bool]:
    for dependency in dependant.dependencies:
        yield getattr(dependency.call, "replays", None) is not None
        yield from _gates_with_replay(dependency)
