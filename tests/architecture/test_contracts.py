"""Promises that hold over everything there is: problem codes, routes, committed files."""

import re
import subprocess
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

from counterfoil.kit.errors import Problem, problem_catalogue

ROOT = Path(__file__).resolve().parents[2]
OPEN_TO_ANYBODY = {
    "register",
    "login",
    "refresh",
    "logout",
    "forgotPassword",
    "resetPassword",
    "previewInvitation",
    "acceptInvitation",
    "receiveWebhook",
    "healthLive",
    "healthReady",
}


def _problems() -> list[type[Problem]]:
    found, pending = [], [Problem]
    while pending:
        problem = pending.pop()
        found.append(problem)
        pending.extend(problem.__subclasses__())
    return [problem for problem in found if problem.__module__.startswith("counterfoil")]


def test_every_problem_has_a_code_of_its_own(app: FastAPI) -> None:
    assert app is not None
    codes = [problem.code for problem in _problems()]
    assert sorted(codes) == sorted(set(codes))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", code) for code in codes)
    assert len(problem_catalogue()) == len(codes)


def test_every_route_has_a_name_a_tag_and_an_answer_for_errors(app: FastAPI) -> None:
    document = app.openapi()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) >= 24
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"]), operation["operationId"]
        assert operation["tags"], operation["operationId"]
        assert operation.get("summary") or operation.get("description"), operation["operationId"]


def test_every_route_but_the_listed_ones_asks_who_is_calling(app: FastAPI) -> None:
    document = app.openapi()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            is_open = operation["operationId"] in OPEN_TO_ANYBODY
            assert bool(operation.get("security")) != is_open, path


def test_routes_are_async_and_nothing_waits_in_a_thread(app: FastAPI) -> None:
    import inspect  # noqa: PLC0415  (used once)

    for route in app.routes:
        if isinstance(route, APIRoute):
            assert inspect.iscoroutinefunction(route.endpoint), route.path


def test_no_committed_lock_or_setting_names_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607  (whichever git there is)
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    locks = [name for name in listed if re.search(r"lock|requirements.*\.txt$|\.npmrc$|pip\.conf$", Path(name).name)]
    assert {"requirements.txt", "frontend/package-lock.json"} <= set(locks)
    for name in locks:
        # npm notes where to fund a package that is added; it does without, so take such entries out.
        assert "://" not in (ROOT / name).read_text(), name
