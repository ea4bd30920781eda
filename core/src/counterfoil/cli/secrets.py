"""``counterfoil secrets rotate``: puts every tenant's secrets under new keys while everything runs."""

import argparse
import asyncio
import getpass
import socket
import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from counterfoil.cli.errors import CommandError
from counterfoil.cli.output import say, warn
from counterfoil.cli.services import NEEDED, usable_settings
from counterfoil.config import Settings
from counterfoil.connections import rotation
from counterfoil.connections.rotation import StillInUse
from counterfoil.db import Database
from counterfoil.db.database import DatabaseUnavailable
from counterfoil.kit import context
from counterfoil.kit.clock import utc_now
from counterfoil.kit.context import Actor
from counterfoil.kit.sealing import CannotOpen, MasterKeys

_NEEDED = {name: NEEDED[name] for name in ("DATABASE_URL", "COUNTERFOIL_MASTER_KEYS")}
_SAY_EVERY_S = 5.0


@dataclass(kw_only=True)
class Tally:
    tenants: int = 0
    rewrapped: int = 0
    rotated: int = 0
    resealed: int = 0
    failed: list[str] = field(default_factory=list)


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    rotate = actions.add_parser("rotate", help="put every tenant's data keys under the first master key")
    rotate.add_argument(
        "--data-keys", action="store_true", help="make new data keys too, and seal every secret under them"
    )
    rotate.add_argument(
        "--older-than", type=int, default=0, metavar="DAYS", help="with --data-keys: leave younger data keys alone"
    )


def run(arguments: argparse.Namespace) -> int:
    with usable_settings(_NEEDED) as settings:
        operator = Actor(kind="operator", id=None, label=f"{getpass.getuser()}@{socket.gethostname()}")
        with context.bound(context.current_actor, operator):
            tally = asyncio.run(rotate(settings, data_keys=arguments.data_keys, older_than_days=arguments.older_than))
    say(
        f"{tally.tenants} tenants: {tally.rewrapped} data keys put under the first master key, "
        f"{tally.rotated} replaced, {tally.resealed} secrets sealed anew, {len(tally.failed)} tenants failed"
    )
    if not tally.failed:
        say("The other master keys are needed no longer, once every process runs with the first one in front.")
    return 1 if tally.failed else 0


async def rotate(settings: Settings, *, data_keys: bool, older_than_days: int = 0) -> Tally:
    """Go through all tenants; one that fails does not keep the next from its turn.

    Raises:
        CommandError: the database does not answer, or a master key is none.
    """
    try:
        keys = MasterKeys.parse(settings.master_keys.get_secret_value())
    except ValueError as error:
        raise CommandError(f"COUNTERFOIL_MASTER_KEYS: {error}") from error
    database = Database.connect(
        settings.database_url.get_secret_value(),
        pool_size=2,
        # Whoever holds a lock is a request or a job in the middle of something.
        server_settings={"application_name": "counterfoil secrets", "lock_timeout": "30s"},
    )
    tally = Tally()
    try:
        told_at = time.monotonic()
        for tenant_id, slug in await rotation.tenants(database):
            tally.tenants += 1
            try:
                await _rotate_tenant(
                    database, tenant_id, keys, tally, data_keys=data_keys, older_than_days=older_than_days
                )
            except (CannotOpen, StillInUse) as error:
                tally.failed.append(slug)
                warn(f"  {slug}: {error}")
            if time.monotonic() - told_at > _SAY_EVERY_S:
                told_at = time.monotonic()
                say(f"  {tally.tenants} tenants so far")
    except (DatabaseUnavailable, OSError) as error:
        raise CommandError(f"the database does not answer; run it again to go on: {error}") from error
    finally:
        await database.close()
    return tally


async def _rotate_tenant(
    database: Database, tenant_id: UUID, keys: MasterKeys, tally: Tally, *, data_keys: bool, older_than_days: int
) -> None:
    tally.rewrapped += await rotation.rewrap(database, tenant_id, keys)
    if data_keys:
        made_before = utc_now() - timedelta(days=older_than_days) if older_than_days else None
        if rotated := await rotation.rotate(database, tenant_id, keys, made_before=made_before):
            tally.rotated += 1
            tally.resealed += rotated.resealed
