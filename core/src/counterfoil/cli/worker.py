"""``counterfoil worker``: runs jobs from named queues."""

import argparse

from counterfoil.cli.services import usable_settings
from counterfoil.jobs.models import QUEUES
from counterfoil.worker import run_worker


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queues", default=",".join(QUEUES), help="comma separated (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, help="jobs side by side (default: COUNTERFOIL_WORKER_CONCURRENCY)")


def run(arguments: argparse.Namespace) -> int:
    with usable_settings() as settings:
        queues = [name.strip() for name in arguments.queues.split(",") if name.strip()]
        return run_worker(settings, queues=queues, concurrency=arguments.concurrency)
