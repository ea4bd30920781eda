"""The ``counterfoil`` command: one module per command, imported only when that command runs."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.cli.errors import CommandError
from counterfoil.embedded import EmbeddedError
from counterfoil.kit import memory


@dataclass(frozen=True, kw_only=True)
class Command:
    """``module`` offers ``configure(parser)`` and ``run(arguments) -> int``."""

    module: str
    help: str

    @property
    def sentence(self) -> str:
        return f"{self.help[0].upper()}{self.help[1:]}."


COMMANDS = {
    "up": Command(module="up", help="start everything on this machine, with a demo tenant"),
    "serve": Command(module="serve", help="run the API and the web app"),
    "worker": Command(module="worker", help="run jobs"),
    "beat": Command(
        module="beat",
        help="run the ticker, which publishes and recovers jobs, seals the audit log and drops what is old",
    ),
    "migrate": Command(module="migrate", help="create or update the database's roles and schemas"),
    "doctor": Command(module="doctor", help="check settings, database, Redis and folders, and say what to do"),
    "evidence": Command(module="evidence", help="check evidence packs, and show the key they are checked with"),
    "audit": Command(module="audit", help="verify the seals of the audit log"),
    "tenant": Command(module="tenant", help="show or change a tenant's plan, quotas and features"),
    "secrets": Command(module="secrets", help="rotate the keys that secrets are sealed under"),
    "reset": Command(module="reset", help="remove the demo's data"),
    "simulator": Command(module="simulator", help="serve a simulated vendor"),
    "openapi": Command(module="openapi", help="print the description of the HTTP API"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    memory.look_less_often()
    given = sys.argv[1:] if argv is None else list(argv)
    try:
        return _run(given)
    except (CommandError, EmbeddedError) as error:
        print(f"counterfoil {given[0]}: {error}", file=sys.stderr)  # noqa: T201  (a command line's own output)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(given: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="counterfoil", description="Sync, reconcile and audit commerce data.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND [options]")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.sentence)
        if name in given[:1]:
            module = importlib.import_module(f"counterfoil.cli.{command.module}")
            module.configure(sub)
            sub.set_defaults(run=module.run)
    arguments = parser.parse_args(given)
    return int(arguments.run(arguments))
