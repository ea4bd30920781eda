"""What a seal says, and the keys that vouch for it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import orjson

from counterfoil.config import Settings
from counterfoil.kit.signing import SealKey, key_id_of, parse_public_key, verify

FIRST_PREVIOUS = bytes(32)
_PURPOSE = "counterfoil audit seal 1"


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A row of ``core.audit_seals``. Everything but hash, signature and anchor is signed."""

    tenant_id: UUID
    sequence: int
    epoch: int
    from_xid: int
    to_xid: int
    event_count: int
    root: bytes
    previous_hash: bytes
    key_id: str
    sealed_at: datetime
    hash: bytes = b""
    signature: bytes = b""
    anchor_key: str | None = None

    @property
    def statement(self) -> bytes:
        """What is signed: JSON without spaces, names in order, numbers that may be large as text."""
        return orjson.dumps(
            {
                "purpose": _PURPOSE,
                "tenant_id": str(self.tenant_id),
                "sequence": self.sequence,
                "epoch": str(self.epoch),
                "from_xid": str(self.from_xid),
                "to_xid": str(self.to_xid),
                "event_count": self.event_count,
                "root": self.root.hex(),
                "previous_hash": self.previous_hash.hex(),
                "key_id": self.key_id,
                "sealed_at": self.sealed_at,
            },
            option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z,
        )

    @property
    def statement_hash(self) -> bytes:
        return hashlib.sha256(self.statement).digest()

    def public(self) -> dict[str, Any]:
        """For files outside the database: the statement, its hash and its signature."""
        statement: dict[str, Any] = orjson.loads(self.statement)
        return statement | {"hash": self.hash.hex(), "signature": self.signature.hex()}


class SealKeys:
    """The key that signs, and the public halves of those that may have signed."""

    def __init__(self, signing: SealKey, former: tuple[str, ...] = ()) -> None:
        self.signing = signing
        self.public = {key_id_of(key): key for key in (signing.public_key, *former)}

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Raises ``ValueError`` for a key that cannot be one; the message does not repeat it."""
        former = [key for key in (part.strip() for part in settings.former_seal_keys.split(",")) if key]
        return cls(SealKey.parse(settings.seal_key.get_secret_value()), tuple(parse_public_key(key) for key in former))

    def sign(self, seal: Seal) -> Seal:
        seal = replace(seal, key_id=self.signing.key_id)
        return replace(seal, hash=seal.statement_hash, signature=self.signing.sign(seal.statement))

    def knows(self, key_id: str) -> bool:
        return key_id in self.public

    def vouches(self, key_id: str, signature: bytes, content: bytes) -> bool:
        """Whether a key of ours signed exactly this."""
        return self.knows(key_id) and verify(self.public[key_id], signature, content)
