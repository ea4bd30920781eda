"""Redis: what is shared between processes and may be lost at any time."""

from redis.asyncio import Redis


def connect(url: str) -> Redis:
    """A client that sets no time-outs of its own: bound each call with ``asyncio.timeout``.

    Before Python 3.12 redis-py's own go through ``asyncio.wait_for``, which loses a cancellation that comes at the wrong
    moment.
    """
    return Redis.from_url(url, socket_timeout=None, socket_connect_timeout=None)
