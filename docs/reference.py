"""Writes the references in docs/reference/ from the code itself; `./dev docs` runs it, a test holds them to it."""

import argparse
import importlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

import counterfoil.app  # noqa: F401  (imports every model and every problem)
from counterfoil.cli import COMMANDS
from counterfoil.config import Settings
from counterfoil.db.base import CoreBase
from counterfoil.kit.errors import problem_catalogue
from counterfoil.plugins import hookspecs
from counterfoil.rbac.catalogue import PERMISSIONS, ROLES

FOLDER = Path(__file__).parent / "reference"
_NOTE = "<!-- Made by `./dev docs` from the code. Edit the code, then run it again. -->"


def hooks() -> str:
    """Every hook with its exact signature and what its docstring promises."""
    parts = [
        "# Hooks",
        "A plugin implements these in the module its entry point names, marked with `@hookimpl` from `counterfoil.sdk`.",
    ]
    for name, function in sorted(vars(hookspecs).items()):
        if hasattr(function, f"{hookspecs.PROJECT}_spec"):
            parts += [f"## {name}", f"```python\ndef {name}{_signature(function)}\n```", inspect.getdoc(function) or ""]
    return _page(parts)


def settings() -> str:
    """Every environment variable the processes read."""
    rows = [
        [f"`{field.alias or 'COUNTERFOIL_' + name.upper()}`", _default(field), field.description or ""]
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        [
            "# Settings",
            "Read from the environment when a process starts.",
            _table(["name", "default", "what it does"], rows),
        ]
    )


def permissions() -> str:
    """The permission matrix of the built-in roles."""
    header = ["permission", "what it allows", *ROLES]
    rows = [
        [f"`{name}`", meaning, *("yes" if name in held else "" for held in ROLES.values())]
        for name, meaning in PERMISSIONS.items()
    ]
    return _page(
        [
            "# Permissions",
            "What each built-in role may do. Plugins add permissions that begin with their own name.",
            _table(header, rows),
        ]
    )


def problems() -> str:
    """Every stable error code."""
    rows = [[f"`{code}`", str(kind.status), kind.title] for code, kind in sorted(problem_catalogue().items())]
    intro = "An error is `application/problem+json` (RFC 9457); its `code` is one of these and never changes."
    return _page(["# Problem codes", intro, _table(["code", "status", "title"], rows)])


def commands() -> str:
    """The command line, as its own help tells it."""
    parts = ["# Command line", "`counterfoil COMMAND --help` says the same."]
    for name, command in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=f"counterfoil {name}", description=command.sentence)
        importlib.import_module(f"counterfoil.cli.{command.module}").configure(parser)
        parts += _command(parser, level=2)
    return _page(parts)


def tables() -> str:
    """The tables of the schema ``core``, from the models."""
    parts = [
        "# Tables",
        "The schema `core`. A table is the tenant's when `tenant_id` leads its key: row-level security then holds it.",
    ]
    for table in sorted(CoreBase.metadata.tables.values(), key=lambda one: one.name):
        rows = [
            [f"`{column.name}`", _type(column), "" if column.nullable else "yes", _target(column)]
            for column in table.columns
        ]
        parts += [f"## {table.name}", _purpose(table), _table(["column", "type", "required", "refers to"], rows)]
    return _page(parts)


PAGES: dict[str, Callable[[], str]] = {
    "hooks.md": hooks,
    "settings.md": settings,
    "permissions.md": permissions,
    "problems.md": problems,
    "commands.md": commands,
    "tables.md": tables,
}


def _command(parser: argparse.ArgumentParser, *, level: int, purpose: str = "") -> list[str]:
    # Not its own help: every version of Python lays that out in another way.
    actions = parser._actions  # noqa: SLF001  (argparse has no public way to ask)
    below = [action for action in actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001  (same)
    rows = [
        [_argument(action), (action.help or "") % (vars(action) | {"prog": parser.prog})]
        for action in actions
        if action not in below and action.dest != "help"
    ]
    parts = [f"{'#' * level} {parser.prog}", parser.description or purpose]
    parts += [_table(["argument", "what it does"], rows)] if rows else []
    for group in below:
        purposes = {action.dest: action.help or "" for action in group._choices_actions}  # noqa: SLF001  (same)
        for name, inner in group.choices.items():
            sentence = purposes.get(name, "")
            parts += _command(inner, level=level + 1, purpose=f"{sentence[:1].upper()}{sentence[1:]}.")
    return parts


def _argument(action: argparse.Action) -> str:
    """As it is typed: an option with what goes after it."""
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    return ", ".join(f"`{name}`" if action.nargs == 0 else f"`{name} {value}`" for name in action.option_strings)


def _signature(function: Callable[..., Any]) -> str:
    return (
        str(inspect.signature(function)).replace("collections.abc.", "").replace("counterfoil.plugins.connector.", "")
    )


def _default(field: FieldInfo) -> str:
    value = field.default
    if (
        value is PydanticUndefined
        or value is None
        or value == ""
        or (isinstance(value, SecretStr) and not value.get_secret_value())
    ):
        return ""
    return f"`{value}`"


def _type(column: "Column[Any]") -> str:
    return column.type.compile(postgresql.dialect()).lower().replace("timestamp with time zone", "timestamptz")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def _target(column: "Column[Any]") -> str:
    return ", ".join(
        sorted({f"`{key.target_fullname.removeprefix('core.').rpartition('.')[0]}`" for key in column.foreign_keys})
    )


def _purpose(table: Table) -> str:
    for mapper in CoreBase.registry.mappers:
        if mapper.local_table is table:
            return inspect.getdoc(mapper.class_) or ""
    return ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join([_NOTE, *(part for part in parts if part)]) + "\n"


def main() -> None:
    """Write every page; a page nobody makes any more goes."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        if old.name not in PAGES:
            old.unlink()
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())


if __name__ == "__main__":
    main()
