"""``counterfoil openapi``: the description of the HTTP API, made without any server."""

import argparse
import json
from pathlib import Path

from counterfoil.app import create_app
from counterfoil.cli.output import say
from counterfoil.cli.services import throwaway_settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, help="file to write (default: standard output)")


def run(arguments: argparse.Namespace) -> int:
    text = json.dumps(create_app(throwaway_settings(), with_ui=False).openapi(), indent=2, ensure_ascii=False)
    if arguments.output:
        arguments.output.write_text(text + "\n")
    else:
        say(text)
    return 0
