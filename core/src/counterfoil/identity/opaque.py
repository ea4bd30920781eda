"""Opaque tokens: 256 random bits for their bearer, a hash for the database, and an address that carries one."""

import hashlib
import secrets
from typing import Literal

_BYTES = 32


def new_token() -> str:
    return secrets.token_urlsafe(_BYTES)


def hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def link(origin: str, page: Literal["accept-invitation", "reset-password"], token: str) -> str:
    """A one-time link. The token stands in the fragment, which no server and no log ever gets to see."""
    return f"{origin}/{page}/#token={token}"
