"""``counterfoil simulator KIND``: serves a simulated vendor on the loopback interface."""

import argparse
from datetime import datetime
from pathlib import Path

import uvicorn

from counterfoil.cli.errors import CommandError
from counterfoil.cli.home import WorldFile
from counterfoil.cli.output import say
from counterfoil.observability import configure_logging
from counterfoil.simulation.simulators import load_simulators
from counterfoil.simulation.world import World


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", help="the vendor, as `stripe`")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--world", type=Path, help="file that says which world to tell (default: one that begins now)")


def run(arguments: argparse.Namespace) -> int:
    simulators = load_simulators()
    if arguments.kind not in simulators:
        raise CommandError(f"no simulator {arguments.kind!r}; there are: {', '.join(simulators) or 'none'}")
    simulator = simulators[arguments.kind]
    file = WorldFile.read(arguments.world) if arguments.world else WorldFile.now()
    world = World.generate(seed=file.seed, orders=file.orders, as_of=datetime.fromisoformat(file.as_of), days=file.days)
    configure_logging("json", "INFO")
    say(f"{simulator.title} simulator on http://127.0.0.1:{arguments.port}")
    server = uvicorn.Server(
        uvicorn.Config(
            simulator.app(world),
            host="127.0.0.1",
            port=arguments.port,
            access_log=False,
            log_config=None,
            ws="none",
            timeout_graceful_shutdown=2,
        )
    )
    server.run()
    return 0 if server.started else 1
