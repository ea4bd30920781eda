"""``counterfoil beat``: the ticker."""

import argparse
import asyncio
import signal
from contextlib import suppress
from functools import partial

from counterfoil.cli.services import usable_settings
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.evidence.tasks import EVIDENCE
from counterfoil.evidence.upkeep import Upkeep
from counterfoil.jobs.ticker import Work, run_ticker
from counterfoil.observability import configure_logging
from counterfoil.webhooks.upkeep import tidy_receipts


def configure(_parser: argparse.ArgumentParser) -> None:
    """No arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    with usable_settings() as settings:
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(_tick_until_told(settings))
        return 0


def evidence_upkeep(settings: Settings, database: Database) -> Work:
    """What there is to do every hour for evidence packs."""
    return Upkeep(database=database, task=EVIDENCE if settings.evidence_auto else None).run


def receipts_upkeep(_settings: Settings, database: Database) -> Work:
    """What there is to do every hour for webhooks."""
    return partial(tidy_receipts, database)


_UPKEEP = {"evidence": evidence_upkeep, "receipts": receipts_upkeep}


async def _tick_until_told(settings: Settings) -> None:
    task = asyncio.create_task(run_ticker(settings, _UPKEEP))
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
