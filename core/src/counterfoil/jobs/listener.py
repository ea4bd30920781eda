"""One LISTEN connection that comes back whenever the database does."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg

from counterfoil.db.database import driver_url
from counterfoil.observability import get_logger

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_PROBE_S = 30.0
_TIMEOUT_S = 10.0

_log = get_logger(__name__)


async def listen(url: str, channel: str, on_notice: Callable[[str], None], *, on_connected: Callable[[], None]) -> None:
    """Call ``on_notice(payload)`` for every notification, for ever.

    Args:
        url: as the application role.
        channel: what to listen to.
        on_notice: called in this loop.
        on_connected: called after each connect: what was notified before it is lost, so look for yourself.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            connection = await asyncpg.connect(
                driver_url(url), timeout=_TIMEOUT_S, server_settings={"application_name": f"counterfoil {channel}"}
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("listener.away", channel=channel, error=str(error))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            continue
        try:
            await connection.add_listener(channel, lambda _connection, _pid, _channel, payload: on_notice(str(payload)))
            pause_s = _FIRST_PAUSE_S
            on_connected()
            await _until_gone(connection)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("listener.lost", channel=channel, error=str(error))
        finally:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)
        await asyncio.sleep(_FIRST_PAUSE_S)


async def _until_gone(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _connection: gone.set())
    while not gone.is_set() and not connection.is_closed():
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROBE_S):
                await gone.wait()
        if not gone.is_set():
            # A peer that vanished without a word is only found by asking.
            await connection.execute("SELECT 1", timeout=_TIMEOUT_S)
