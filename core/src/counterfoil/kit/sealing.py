"""Secrets at rest: master keys wrap one data key per tenant, and values are sealed to the very place they are stored in.

A sealed value is ``format (1 byte) | data key version (4 bytes) | nonce (12) | AES-256-GCM ciphertext and tag``. Its associated data
names tenant, table, column and row, so a ciphertext copied anywhere else does not open. Dropping a tenant's data key shreds
everything sealed under it.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = b"\x01"
_KEY_VERSION_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = len(_FORMAT) + _KEY_VERSION_BYTES
_DATA_KEY_BYTES = 32


class CannotOpen(Exception):
    """A sealed value or key does not open: wrong place, wrong key, or altered. Says nothing about the content."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a sealed value lives. ``table`` is qualified, as in ``core.connections``."""

    tenant_id: UUID
    table: str
    column: str
    row_id: UUID

    @property
    def associated_data(self) -> bytes:
        return "|".join((str(self.tenant_id), self.table, self.column, str(self.row_id))).encode()


class MasterKeys:
    """The operator's keys. The first wraps, all unwrap: to rotate, put a new one in front and re-wrap."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Keys are Fernet keys: 32 random bytes in URL-safe base64.

        Raises:
            ValueError: there is none, or one is malformed; the message does not repeat it.
        """
        if not keys:
            raise ValueError("at least one master key is needed")
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise ValueError("a master key is not 32 bytes in URL-safe base64") from None
        self._wrapping = MultiFernet(fernets)
        self.ids = tuple(hashlib.sha256(b"counterfoil master key\0" + key.encode()).hexdigest()[:16] for key in keys)
        self.current_id = self.ids[0]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the comma separated form of the environment."""
        return cls([key.strip() for key in text.split(",") if key.strip()])

    def wrap(self, data_key: bytes) -> bytes:
        return self._wrapping.encrypt(data_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Raises ``CannotOpen`` when none of the keys made it."""
        try:
            return self._wrapping.decrypt(wrapped)
        except InvalidToken:
            raise CannotOpen("none of the configured master keys opens this tenant's data key") from None

    def rewrap(self, wrapped: bytes) -> bytes:
        """The same data key under the first master key; the values sealed with it stay as they are."""
        try:
            return self._wrapping.rotate(wrapped)
        except InvalidToken:
            raise CannotOpen("none of the configured master keys opens this tenant's data key") from None


@dataclass(frozen=True, kw_only=True)
class DataKey:
    """A tenant's key, unwrapped. ``version`` counts the keys the tenant has had."""

    version: int
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, *, version: int = 1) -> Self:
        return cls(version=version, secret=secrets.token_bytes(_DATA_KEY_BYTES))

    def seal(self, value: bytes, place: Place) -> bytes:
        header = _FORMAT + self.version.to_bytes(_KEY_VERSION_BYTES, "big")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + AESGCM(self.secret).encrypt(nonce, value, header + place.associated_data)

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Raises ``CannotOpen`` unless this key sealed exactly this value for exactly this place."""
        header, nonce = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        if key_version(sealed) != self.version:
            raise CannotOpen("sealed under another data key")
        try:
            return AESGCM(self.secret).decrypt(
                nonce, sealed[_HEADER_BYTES + _NONCE_BYTES :], header + place.associated_data
            )
        except InvalidTag:
            raise CannotOpen("altered, or sealed for another place") from None


def key_version(sealed: bytes) -> int:
    """Which of the tenant's data keys sealed this.

    Raises:
        CannotOpen: it is no sealed value at all.
    """
    if len(sealed) < _HEADER_BYTES + _NONCE_BYTES or sealed[:1] != _FORMAT:
        raise CannotOpen("not a sealed value of a format this code knows")
    return int.from_bytes(sealed[1:_HEADER_BYTES], "big")
