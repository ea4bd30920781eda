"""The audit chain, computed once more from the rows as docs/audit-logging.md describes it, with none of the product's code."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    import asyncpg

_TEXTS = ("actor_kind", "actor_id", "actor_label", "action", "resource_type", "resource_id", "outcome", "reason")


async def wrong_in_chains(
    driver: asyncpg.Connection[Any], tenant_ids: Sequence[UUID], public_key: str
) -> tuple[int, list[str]]:
    """How many events were hashed, and what is not as it was sealed."""
    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key))
    seals = await driver.fetch(
        "SELECT * FROM core.audit_seals WHERE tenant_id = ANY ($1) ORDER BY tenant_id, sequence", tenant_ids
    )
    hashed, wrong = 0, []
    for tenant_id, chain in groupby(seals, key=lambda seal: seal["tenant_id"]):
        events = await driver.fetch(
            "SELECT *, payload::text AS payload_text FROM core.audit_events WHERE tenant_id = $1"
            " ORDER BY epoch, transaction_id, id",
            tenant_id,
        )
        hashed += len(events)
        wrong += [f"tenant {tenant_id}: {text}" for text in _wrong_in_chain(list(chain), events, key)]
    return hashed, wrong


def _wrong_in_chain(
    seals: Sequence[asyncpg.Record], events: Sequence[asyncpg.Record], key: Ed25519PublicKey
) -> Iterator[str]:
    previous, expected, sealed = bytes(32), 1, 0
    for seal in seals:
        number = seal["sequence"]
        if number != expected:
            yield f"seal {expected} is missing"
        expected = number + 1
        if seal["previous_hash"] != previous:
            yield f"seal {number} does not continue the one before"
        previous = seal["hash"]
        inside = [
            event
            for event in events
            if event["epoch"] == seal["epoch"] and seal["from_xid"] <= event["transaction_id"] < seal["to_xid"]
        ]
        sealed += len(inside)
        if len(inside) != seal["event_count"]:
            yield f"seal {number} is over {seal['event_count']} events, and {len(inside)} are there"
        elif _root([hashlib.sha256(_line(event).encode()).digest() for event in inside]) != seal["root"]:
            yield f"the events of seal {number} are not those that were sealed"
        statement = _statement(seal)
        if hashlib.sha256(statement).digest() != seal["hash"]:
            yield f"seal {number} is not what was hashed"
        try:
            key.verify(seal["signature"], statement)
        except InvalidSignature:
            yield f"seal {number} is not signed by the product's key"
    if sealed != len(events):
        yield f"{len(events) - sealed} events are in no seal, or in two"


def _line(event: asyncpg.Record) -> str:
    ids = {name: None if event[name] is None else str(event[name]) for name in ("correlation_id", "job_id")}
    return (
        f'{{"tenant_id":"{event["tenant_id"]}","id":"{event["id"]}","occurred_at":"{_instant(event["occurred_at"])}",'
        f'"epoch":"{event["epoch"]}","transaction_id":"{event["transaction_id"]}",'
        + "".join(f'"{name}":{_json(event[name])},' for name in _TEXTS)
        + f'"correlation_id":{_json(ids["correlation_id"])},"job_id":{_json(ids["job_id"])},'
        f'"client_ip":{_json(event["client_ip"])},"payload":{event["payload_text"]}}}'
    )


def _statement(seal: asyncpg.Record) -> bytes:
    content = {
        "purpose": "counterfoil audit seal 1",
        "tenant_id": str(seal["tenant_id"]),
        "sequence": seal["sequence"],
        "epoch": str(seal["epoch"]),
        "from_xid": str(seal["from_xid"]),
        "to_xid": str(seal["to_xid"]),
        "event_count": seal["event_count"],
        "root": seal["root"].hex(),
        "previous_hash": seal["previous_hash"].hex(),
        "key_id": seal["key_id"],
        "sealed_at": seal["sealed_at"].isoformat().replace("+00:00", "Z"),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _root(leaves: Sequence[bytes]) -> bytes:
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\x01" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def _json(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=False)


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
