"""Identifiers: time-ordered for things that happen, derived for things the vendor already named."""

import hashlib
import secrets
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as DriverUUID  # noqa: N811  (beside the other one)

from counterfoil.kit.clock import utc_now

_VERSION_7 = 0x7
_VERSION_8 = 0x8
_VARIANT = 0b10


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits, so that ids sort by creation."""
    return id_at(int(utc_now().timestamp() * 1000), secrets.randbits(74))


def id_at(unix_ms: int, random_bits: int = 0) -> UUID:
    """The UUIDv7 of an instant; with no random bits it is the smallest id of that millisecond (a partition bound)."""
    value = (unix_ms & 0xFFFF_FFFF_FFFF) << 80
    value |= _VERSION_7 << 76
    value |= ((random_bits >> 62) & 0xFFF) << 64
    value |= _VARIANT << 62
    value |= random_bits & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)


def derived_id(*parts: str) -> UUID:
    """The UUIDv8 of a natural key: the same parts give the same id on every machine and in every replay."""
    octets = bytearray(hashlib.blake2b("|".join(parts).encode(), digest_size=16).digest())
    octets[6] = octets[6] & 0x0F | _VERSION_8 << 4
    octets[8] = octets[8] & 0x3F | _VARIANT << 6
    # A UUID in every respect, but made and sent twice as fast: a sync makes several for each record.
    return DriverUUID(bytes(octets))
