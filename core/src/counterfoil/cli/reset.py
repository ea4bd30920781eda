"""``counterfoil reset``: removes a home's data."""

import argparse

from counterfoil.cli.errors import CommandError
from counterfoil.cli.home import Home
from counterfoil.cli.output import say
from counterfoil.cli.services import read_settings


def configure(_parser: argparse.ArgumentParser) -> None:
    """No arguments: the home is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    home = Home(read_settings().home)
    if not home.path.exists():
        say(f"Nothing to remove: {home.path} does not exist.")
        return 0
    if not home.claim():
        raise CommandError(f"Counterfoil runs on {home.path} (process {home.running_pid()}); stop it first")
    try:
        gone = home.remove()
    finally:
        home.give_up()
    say(f"Removed {home.path}." if gone else f"Removed the demo's data from {home.path}; what else is there stays.")
    return 0
