"""What a key looks like: ``cfk_<kind>_<prefix>_<secret>``. People recognize it by kind and prefix; only its hash is stored."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["personal", "service"]

_MARK = "cfk_"
_LETTERS: dict[Kind, str] = {"personal": "p", "service": "s"}
_PREFIX_BYTES = 4
_SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key as it is shown, once."""

    prefix: str
    key: str = field(repr=False)

    @property
    def key_hash(self) -> bytes:
        return hashed(self.key)


def new_key(kind: Kind) -> NewKey:
    prefix = secrets.token_hex(_PREFIX_BYTES)
    return NewKey(prefix=prefix, key=f"{_MARK}{_LETTERS[kind]}_{prefix}_{secrets.token_hex(_SECRET_BYTES)}")


def is_api_key(token: str) -> bool:
    return token.startswith(_MARK)


def hashed(key: str) -> bytes:
    """A plain hash will do: unlike a password, the secret is random, and long."""
    return hashlib.sha256(key.encode(errors="backslashreplace")).digest()
