"""Checking that a pack's audit events are in signed seals: from its files and public keys alone."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

from counterfoil.audit import merkle
from counterfoil.audit.seals import Seal
from counterfoil.evidence import layout
from counterfoil.kit import signing

# What foreign JSON does to a reader that expects ours.
_FOREIGN = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)

# A file, and what is wrong with it.
OnFinding = Callable[[str, str], None]


@dataclass(kw_only=True)
class AuditReport:
    """How many events are in a seal, were too young for one, and are said to be in one without a proof."""

    sealed: int = 0
    unsealed: int = 0
    unproven: int = 0
    keys: list[str] = field(default_factory=list)
    """The ids of the keys that signed the seals."""


@dataclass(frozen=True, kw_only=True)
class _Event:
    id: UUID
    epoch: int
    transaction_id: int
    digest: bytes


def check(audit: bytes, proofs: bytes, *, tenant_id: str, public_keys: Iterable[str], found: OnFinding) -> AuditReport:
    """Check each event against the seal it is said to be in.

    Args:
        audit: the events, a line each, as they were hashed.
        proofs: of these events, in the same order.
        tenant_id: whose seals they have to be.
        public_keys: whose signatures count, besides those of keys that the pack itself names: its signer vouches for these.
        found: told of whatever does not fit.
    """
    report = AuditReport()
    try:
        document = json.loads(proofs)
        keys = {signing.key_id_of(key): key for key in public_keys} | _named_keys(document)
        seals = {seal.sequence: seal for seal in _sound_seals(document, tenant_id, keys, found)}
        claims = list(document["events"])
    except _FOREIGN:
        found(layout.PROOFS, "these are no proofs this program knows")
        return report
    report.keys = sorted({seal.key_id for seal in seals.values()})
    lines = audit.split(b"\n")[:-1] if audit.endswith(b"\n") else audit.split(b"\n") if audit else []
    for number, (line, claim) in enumerate(zip_longest(lines, claims), 1):
        if line is None or claim is None:
            found(layout.PROOFS, f"{len(claims)} proofs do not belong to {len(lines)} events")
            break
        try:
            _check_event(_event(line), claim, seals, report)
        except _Unfit as unfit:
            found(layout.AUDIT, f"event {number}: {unfit}")
        except _FOREIGN:
            found(layout.AUDIT, f"event {number}: it and its proof are not as they are written")
    return report


class _Unfit(Exception):
    """An event does not fit what is said of it."""


def _check_event(event: _Event, claim: dict[str, Any], seals: Mapping[int, Seal], report: AuditReport) -> None:
    said = (UUID(claim["id"]), int(claim["epoch"]), int(claim["transaction_id"]))
    if said != (event.id, event.epoch, event.transaction_id):
        raise _Unfit("the proof is of another event")
    covering = [seal.sequence for seal in seals.values() if _covers(seal, event)]
    if claim["seal"] is None:
        if covering:
            raise _Unfit(f"it is said to be in no seal, but has to be in seal {covering[0]}")
        report.unsealed += 1
        return
    if claim["seal"] not in covering:
        raise _Unfit(f"there is no sound seal {claim['seal']} over its transaction")
    if claim["path"] is None:
        report.unproven += 1
        return
    seal = seals[claim["seal"]]
    steps = [merkle.Step(side=step["side"], digest=bytes.fromhex(step["digest"])) for step in claim["path"]]
    if [step.side for step in steps] != list(_sides(claim["leaf_index"], seal.event_count)):
        raise _Unfit(f"the path is not that of leaf {claim['leaf_index']} of {seal.event_count}")
    if merkle.root_from_path(event.digest, steps) != seal.root:
        raise _Unfit(f"it is not what was sealed: the path does not lead to the root of seal {seal.sequence}")
    report.sealed += 1


def _covers(seal: Seal, event: _Event) -> bool:
    return seal.epoch == event.epoch and seal.from_xid <= event.transaction_id < seal.to_xid


def _sides(index: int, count: int) -> Iterator[str]:
    """On which side the neighbours of a leaf stand: the place in a tree of that size that a path speaks of."""
    if not 0 <= index < count:
        raise _Unfit(f"there is no leaf {index} among {count}")
    while count > 1:
        neighbour = index ^ 1
        if neighbour < count:
            yield "left" if neighbour < index else "right"
        index, count = index // 2, (count + 1) // 2


def _event(line: bytes) -> _Event:
    document = json.loads(line)
    return _Event(
        id=UUID(document["id"]),
        epoch=int(document["epoch"]),
        transaction_id=int(document["transaction_id"]),
        digest=hashlib.sha256(line).digest(),
    )


def _named_keys(document: dict[str, Any]) -> dict[str, str]:
    keys = [signing.parse_public_key(each["public_key"]) for each in document["keys"]]
    return {signing.key_id_of(key): key for key in keys}


def _sound_seals(document: dict[str, Any], tenant_id: str, keys: Mapping[str, str], found: OnFinding) -> Iterator[Seal]:
    for each in document["seals"]:
        seal, sequence = _seal(each), each["sequence"]
        if seal.statement != each["statement"].encode() or (seal.sequence, seal.key_id) != (sequence, each["key_id"]):
            found(layout.PROOFS, f"seal {sequence} does not say what seals say")
        elif str(seal.tenant_id) != tenant_id:
            found(layout.PROOFS, f"seal {sequence} is somebody else's")
        elif seal.statement_hash != seal.hash:
            found(layout.PROOFS, f"seal {sequence} says something else than was hashed")
        elif seal.key_id not in keys:
            found(layout.PROOFS, f"seal {sequence} was signed with the unknown key {seal.key_id}")
        elif not signing.verify(keys[seal.key_id], seal.signature, seal.statement):
            found(layout.PROOFS, f"seal {sequence} is not as it was signed")
        else:
            yield seal


def _seal(each: dict[str, Any]) -> Seal:
    said = json.loads(each["statement"])
    return Seal(
        tenant_id=UUID(said["tenant_id"]),
        sequence=int(said["sequence"]),
        epoch=int(said["epoch"]),
        from_xid=int(said["from_xid"]),
        to_xid=int(said["to_xid"]),
        event_count=int(said["event_count"]),
        root=bytes.fromhex(said["root"]),
        previous_hash=bytes.fromhex(said["previous_hash"]),
        key_id=str(said["key_id"]),
        sealed_at=datetime.fromisoformat(said["sealed_at"]),
        hash=bytes.fromhex(each["hash"]),
        signature=bytes.fromhex(each["signature"]),
    )
