"""Where the audit events of a job are in the sealed log: what ``inclusion`` checks later, without us."""

import asyncio
from typing import Any
from uuid import UUID

from counterfoil.audit import merkle, seal_repository
from counterfoil.audit.seal_repository import Stretch
from counterfoil.audit.seals import Seal, SealKeys
from counterfoil.evidence import repository
from counterfoil.evidence.repository import Driver, SealedEvent
from counterfoil.jobs.models import Job

Path = list[merkle.Step]


async def document(driver: Driver, job: Job, keys: SealKeys) -> dict[str, Any]:
    """The proofs of a job's events in their order, the seals they lead to, and the keys that signed those.

    An event without a seal was too young for one. One with a seal but without a path cannot be proven: what the database
    holds is not, or no longer all, that was sealed.
    """
    events = await repository.sealed_events(driver, job.correlation_id, job.id)
    seals: dict[int, Seal] = {}
    placed: dict[UUID, tuple[int, Path]] = {}
    for sequence in sorted({event.sequence for event in events if event.sequence is not None}):
        seal = await seal_repository.newest_seal(driver, before=sequence + 1)
        if seal is not None and seal.sequence == sequence:
            seals[sequence] = seal
            placed |= await _places(driver, seal, [event for event in events if event.sequence == sequence])
    return {
        "events": [_event(event, placed.get(event.id)) for event in events],
        "seals": [_seal(seal) for seal in seals.values()],
        "keys": [
            {"id": key_id, "public_key": keys.public[key_id]}
            for key_id in sorted({seal.key_id for seal in seals.values()})
            if keys.knows(key_id)
        ],
    }


async def _places(driver: Driver, seal: Seal, events: list[SealedEvent]) -> dict[UUID, tuple[int, Path]]:
    """The leaf of each event in its seal and the way from there to the root; of none, where that is not the root sealed."""
    window = Stretch(epoch=seal.epoch, low=seal.from_xid, high=seal.to_xid)
    digests: list[bytes] = []
    places: dict[bytes, int] = {}
    for place, (_, event_id, digest) in enumerate(await seal_repository.leaves(driver, window)):
        places[event_id] = place
        digests.append(digest)
    if await asyncio.to_thread(merkle.root, digests) != seal.root:
        return {}
    return {
        event.id: (places[event.id.bytes], await asyncio.to_thread(merkle.path, digests, places[event.id.bytes]))
        for event in events
    }


def _event(event: SealedEvent, place: tuple[int, Path] | None) -> dict[str, Any]:
    index, path = place or (None, None)
    return {
        "id": str(event.id),
        # As text, like in the seals: they are larger than what every reader of JSON keeps exact.
        "epoch": str(event.epoch),
        "transaction_id": str(event.transaction_id),
        "seal": event.sequence,
        "leaf_index": index,
        "path": None if path is None else [{"side": step.side, "digest": step.digest.hex()} for step in path],
    }


def _seal(seal: Seal) -> dict[str, Any]:
    return {
        "sequence": seal.sequence,
        "key_id": seal.key_id,
        "hash": seal.hash.hex(),
        "signature": seal.signature.hex(),
        "statement": seal.statement.decode(),
    }
