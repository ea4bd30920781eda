"""Audit events and their seals as packs hold them, made without a database."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from counterfoil.audit import merkle
from counterfoil.audit.seals import FIRST_PREVIOUS, Seal, SealKeys
from counterfoil.evidence import layout
from counterfoil.evidence.layout import encode
from counterfoil.kit.ids import new_id
from counterfoil.kit.signing import SealKey

KEY = SealKey.parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
OTHER = SealKey.parse("//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=")
TENANT = UUID("00000000-0000-7000-8000-000000000001")
EPOCH = 7_400_000_000_000_000_000
# Other events of the tenant, in the same seal.
STRANGERS = [hashlib.sha256(bytes([number])).digest() for number in range(4)]


def event(action: str, transaction_id: int) -> dict[str, Any]:
    return {"id": str(new_id()), "epoch": str(EPOCH), "transaction_id": str(transaction_id), "action": action}


def line(of: dict[str, Any]) -> bytes:
    return json.dumps(of, separators=(",", ":")).encode()


def seal(leaves: Sequence[bytes], key: SealKey = KEY, **changes: Any) -> Seal:
    """Over everything before transaction 20."""
    made = Seal(
        tenant_id=TENANT, sequence=5, epoch=EPOCH, from_xid=3, to_xid=20, event_count=len(leaves),
        root=merkle.root(leaves), previous_hash=FIRST_PREVIOUS, key_id=key.key_id, sealed_at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    return SealKeys(key).sign(replace(made, **changes))


def public(of: Seal) -> dict[str, Any]:
    return {
        "sequence": of.sequence, "key_id": of.key_id, "hash": of.hash.hex(), "signature": of.signature.hex(),
        "statement": of.statement.decode(),
    }  # fmt: skip


def audited(events: Sequence[dict[str, Any]], key: SealKey = KEY) -> dict[str, bytes]:
    """Both files: events before transaction 20 are in a seal, with strangers before, between and after them."""
    inside = [each for each in events if int(each["transaction_id"]) < 20]
    leaves = [STRANGERS[0]]
    for each in inside:
        leaves += [hashlib.sha256(line(each)).digest(), STRANGERS[len(leaves) % 4]]
    claims = []
    for each in events:
        place = 1 + 2 * inside.index(each) if each in inside else None
        path = [] if place is None else merkle.path(leaves, place)
        claims.append(
            {name: each[name] for name in ("id", "epoch", "transaction_id")}
            | {
                "seal": None if place is None else 5,
                "leaf_index": place,
                "path": None if place is None else [{"side": s.side, "digest": s.digest.hex()} for s in path],
            }
        )
    document = {
        "events": claims,
        "seals": [public(seal(leaves, key))],
        "keys": [{"id": key.key_id, "public_key": key.public_key}],
    }
    return {layout.AUDIT: b"".join(line(each) + b"\n" for each in events), layout.PROOFS: encode(document)}
