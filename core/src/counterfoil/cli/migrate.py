"""``counterfoil migrate``: roles, the core's schema, then each plugin's."""

import argparse
import asyncio

from counterfoil.cli.errors import CommandError
from counterfoil.cli.output import say
from counterfoil.cli.services import NEEDED_TO_MIGRATE, usable_settings
from counterfoil.config import Settings
from counterfoil.db.migrate import DatabaseTooOld
from counterfoil.plugins.errors import BundledPluginBroken
from counterfoil.plugins.migrate import LineageReport
from counterfoil.plugins.migrate import migrate as run_migrations


def configure(_parser: argparse.ArgumentParser) -> None:
    """No arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    with usable_settings(NEEDED_TO_MIGRATE) as settings:
        reports = migrate(settings)
    for report in reports:
        say(describe(report))
    # A third party's plugin in quarantine is reported, and must not stop a roll-out: a broken one of ours raises.
    return 0


def migrate(settings: Settings) -> list[LineageReport]:
    """Bring roles and schemas up to date.

    Raises:
        CommandError: with the reason in words, when it cannot be done.
    """
    try:
        return asyncio.run(run_migrations(settings))
    except (BundledPluginBroken, DatabaseTooOld, OSError) as error:
        raise CommandError(f"migrations: {error}") from error


def describe(report: LineageReport) -> str:
    if report.status == "quarantined":
        return f"{report.schema}: left as it is, the plugin is in quarantine: {report.reason}"
    if report.before == report.after:
        return f"{report.schema}: up to date ({report.after})"
    return f"{report.schema}: {report.before or 'new'} -> {report.after}"
