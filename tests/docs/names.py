"""What the code has names for, and where the documentation names something."""

import argparse
import ast
import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson

import counterfoil.app  # noqa: F401  (imports every model and every problem)
from counterfoil.cli import COMMANDS
from counterfoil.config import Settings
from counterfoil.db.base import CoreBase
from counterfoil.kit.errors import problem_catalogue
from counterfoil.rbac.catalogue import PERMISSIONS

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
REFERENCES = sorted((ROOT / "docs/reference").glob("*.md"))
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *GUIDES, *DECISIONS, *sorted((ROOT / "plugins").glob("*/README.md")), ROOT / "frontend/README.md"]

_IGNORED = {".venv", "node_modules", "__pycache__", ".git", ".next", "out", "_ui"}
_METHODS = r"(GET|POST|PUT|PATCH|DELETE)"


def of_page(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def spans(text: str) -> list[str]:
    """What stands in backticks within a line, blocks left out."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", prose)]


@cache
def sources() -> str:
    """All Python there is, but for tests, and the manifests of plugins."""
    folders = [ROOT / "core/src", ROOT / "migrations/src", *(ROOT / "plugins").glob("*/src")]
    files = [path for folder in folders for kind in ("*.py", "*.toml") for path in folder.rglob(kind)]
    return "\n".join(path.read_text() for path in files)


@cache
def words() -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", sources()))


@cache
def files() -> frozenset[str]:
    """Every file and folder by its path, as it is and from below any folder above it."""
    found: set[str] = set()
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if not _IGNORED.intersection(parts):
            found.update("/".join(parts[at:]) for at in range(len(parts)))
    return frozenset(found)


@cache
def settings() -> dict[str, str]:
    """Environment variable -> field."""
    return {field.alias or f"COUNTERFOIL_{name.upper()}": name for name, field in Settings.model_fields.items()}


@cache
def routes() -> frozenset[tuple[str, str]]:
    """Method and path, with empty braces for every parameter."""
    paths = orjson.loads((ROOT / "frontend/openapi.json").read_bytes())["paths"]
    return frozenset((method.upper(), template(path)) for path, item in paths.items() for method in item)


def template(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


@cache
def log_events() -> dict[str, set[str]]:
    """Every event that is logged, with the levels it is logged at."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "core/src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="_log"), attr=level), args=[ast.Constant(value=str(event)), *_]
                ):
                    found.setdefault(event, set()).add(level)
    return found


@cache
def tables() -> dict[str, list[str]]:
    """Core's tables, each with its columns."""
    return {table.name: [column.name for column in table.columns] for table in CoreBase.metadata.tables.values()}


def is_audit_action(name: str) -> bool:
    """Also one that is put together, as ``core.api_key.{verb}``."""
    if not name.startswith("core."):
        return False
    written = set(re.findall(r"\"(core\.[a-z_{}]+\.[a-z_{}]+)\"", sources()))
    return any(re.fullmatch(re.sub(r"\{\w+\}", "[a-z_]+", action), name) for action in written)


def is_dotted_name(name: str) -> bool:
    """A permission, a log event, an audit action, a kind of job, a table, a column or a file."""
    owner, _, member = name.rpartition(".")
    return (
        name in PERMISSIONS
        or name in log_events()
        or is_audit_action(name)
        or f'"{name}"' in sources()
        or (owner == "core" and member in tables())
        or member in tables().get(owner.removeprefix("core."), ())
        or name in files()
        or _is_of_python(owner, member)
    )


def _is_of_python(owner: str, member: str) -> bool:
    """A module of ours, or an attribute of a class the plugins know."""
    try:
        importlib.import_module(f"{owner}.{member}")
    except ImportError:
        return hasattr(getattr(importlib.import_module("counterfoil.sdk"), owner, None), member)
    return True


@cache
def commands() -> dict[str, frozenset[str]]:
    """``evidence verify`` and the like, each with its options."""
    found: dict[str, frozenset[str]] = {}
    for name, command in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=name)
        importlib.import_module(f"counterfoil.cli.{command.module}").configure(parser)
        _collect(parser, found)
    return found


def _collect(parser: argparse.ArgumentParser, found: dict[str, frozenset[str]]) -> None:
    actions = parser._actions  # noqa: SLF001  (argparse has no public way to ask)
    found[parser.prog] = frozenset(option for action in actions for option in action.option_strings)
    for action in actions:
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  (same)
            choices: dict[str, Any] = action.choices
            for inner in choices.values():
                _collect(inner, found)


def unknown_in_command(line: str) -> list[str]:
    """What a line that begins with ``counterfoil`` names and the command line does not know."""
    given = re.sub(r"[\[\]]", " ", line).split()[1:]
    known = commands()
    if not given or given[0] not in known:
        return given[:1]
    path = given[0]
    if len(given) > 1 and f"{path} {given[1]}" in known:
        path = f"{path} {given[1]}"
    elif len(given) > 1 and any(name.startswith(f"{path} ") for name in known) and not given[1].startswith("-"):
        return given[:2]
    return [option for option in given if option.startswith("--") and option.partition("=")[0] not in known[path]]


def is_route(span: str) -> bool:
    """``METHOD /path``, or a path alone: a route, or what several routes begin with."""
    found = re.fullmatch(rf"(?:{_METHODS} )?(/\S*)", span)
    if found is None:
        return False
    method, path = found[1], template(found[2].partition("?")[0])
    if method:
        return (method, path) in routes()
    below = f"{path.rstrip('/')}/"
    return path == "/api/v1/openapi.json" or any(known == path or known.startswith(below) for _, known in routes())


def is_code(word: str) -> bool:
    return word in problem_catalogue()
