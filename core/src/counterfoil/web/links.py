"""Links of the OpenAPI document: which answers tell the ids that other operations take. A route names them once, where it answers."""

from collections.abc import Iterator
from typing import Any

FOUND = "x-found"


def finds(status: int, /, **pointers: str) -> dict[int | str, dict[str, Any]]:
    """For a route's OpenAPI entry: where its answer of this status has ids, by the path parameter that takes them.

    Written ``responses={**finds(201, view_id="/id"), **problem_responses(403)}``.
    """
    return {status: {FOUND: pointers}}


def add_links(operations: list[dict[str, Any]]) -> None:
    """Link every answer that finds something to all operations whose other path parameters are known by then.

    Args:
        operations: all there are; ``FOUND`` is taken out of their answers.
    """
    takers = [(operation, set(_path_parameters(operation))) for operation in operations]
    for operation in operations:
        known = {name: f"$request.path.{name}" for name in _path_parameters(operation)}
        for answer in operation["responses"].values():
            found = {name: f"$response.body#{pointer}" for name, pointer in answer.pop(FOUND, {}).items()}
            links = {
                taker["operationId"]: {
                    "operationId": taker["operationId"],
                    "parameters": {name: (known | found)[name] for name in sorted(wanted)},
                }
                for taker, wanted in takers
                if wanted & found.keys() and wanted <= known.keys() | found.keys()
            }
            if links:
                answer["links"] = links


def _path_parameters(operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            yield parameter["name"]
