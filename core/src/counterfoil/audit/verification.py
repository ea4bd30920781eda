"""Checking a tenant's chain: every seal against the one before, its events, its signature and what was anchored elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from counterfoil.audit import anchors, archives, merkle
from counterfoil.audit import seal_repository as repository
from counterfoil.audit.leaves import Leaf, Peekable, merged
from counterfoil.audit.models import AuditArchive
from counterfoil.audit.seal_repository import Driver, EpochState, SealRange, Stretch, Unsealed
from counterfoil.audit.seals import FIRST_PREVIOUS, Seal, SealKeys
from counterfoil.db.database import UnitOfWork
from counterfoil.kit.clock import utc_now
from counterfoil.objects import ObjectStore

_MAX_FINDINGS = 100
_MAX_UNSEALED = 100_000
# Among so few events it takes no time to try which one does not belong.
_FEW_EVENTS = 256
_NAMED_EVENTS = 20
_MAX_DAYS = 31
_MAX_ANCHORS = 200
_EVERYTHING = 2**62

FindingCode = Literal[
    "event_changed",
    "event_deleted",
    "event_inserted",
    "event_outside_seals",
    "seal_altered",
    "seal_missing",
    "seal_unlinked",
    "signature_invalid",
    "key_unknown",
    "chain_truncated",
    "anchor_differs",
    "anchor_missing",
    "archive_altered",
    "archive_missing",
]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as it was sealed.

    ``event_ids`` is the event itself where that can be told, else what is in the seal's window now, the first few.
    """

    code: FindingCode
    detail: str
    sequence: int | None = None
    event_ids: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Report:
    """What was checked, and what was found."""

    is_whole: bool = True
    seals: int = 0
    seals_archived: int = 0
    """Those whose events are in an archive that was not read: their chain and signatures were checked."""
    events: int = 0
    anchors: int = 0
    archives: int = 0
    first: Seal | None = None
    last: Seal | None = None
    newest: Seal | None = None
    unsealed: Unsealed = field(default_factory=lambda: Unsealed(count=0, oldest_at=None))
    findings: list[Finding] = field(default_factory=list)
    findings_left_out: int = 0

    @property
    def ok(self) -> bool:
        return not self.findings

    def found(
        self, code: FindingCode, detail: str, *, sequence: int | None = None, events: Sequence[Leaf] = ()
    ) -> None:
        if len(self.findings) >= _MAX_FINDINGS:
            self.findings_left_out += 1
            return
        ids = tuple(str(leaf.event_id) for leaf in events[:_NAMED_EVENTS])
        self.findings.append(Finding(code=code, detail=detail, sequence=sequence, event_ids=ids))


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much to check; everything by default."""

    since: datetime | None = None
    until: datetime | None = None
    max_seals: int = _EVERYTHING
    max_events: int = _EVERYTHING
    with_archives: bool = False

    @property
    def is_everything(self) -> bool:
        return replace(self, with_archives=False) == Extent()


async def verify(uow: UnitOfWork, *, keys: SealKeys, store: ObjectStore, extent: Extent | None = None) -> Report:
    """Check this tenant's chain. The log is only read."""
    check = _Check(driver=await uow.driver(), uow=uow, keys=keys, store=store, extent=extent or Extent())
    await check.run()
    return check.report


async def verify_seals(uow: UnitOfWork, *, keys: SealKeys, store: ObjectStore, first: int, last: int) -> Report:
    """Check a part of the chain with its events, those apart that are archived already."""
    check = _Check(driver=await uow.driver(), uow=uow, keys=keys, store=store, extent=Extent())
    archived = await check.check_archives()
    await check.check_chain(SealRange(first=first, last=last, is_whole=False), archived)
    return check.report


@dataclass(kw_only=True)
class _Check:
    driver: Driver
    uow: UnitOfWork
    keys: SealKeys
    store: ObjectStore
    extent: Extent
    report: Report = field(default_factory=Report)

    async def run(self) -> None:
        if self.extent.is_everything:
            await repository.take_time(self.driver)
        # Before the seals: the sealer moves it last, so all seals it tells of are there when they are read.
        epochs = await repository.epochs(self.driver)
        archived = await self.check_archives()
        chosen = await repository.seal_range(
            self.driver,
            since=self.extent.since,
            until=self.extent.until,
            max_seals=self.extent.max_seals,
            max_events=self.extent.max_events,
        )
        if chosen is not None:
            self.report.is_whole = chosen.is_whole
            await self.check_chain(chosen, archived)
        await self._check_strays(epochs)
        await self._check_anchors()
        self.report.newest = await repository.newest_seal(self.driver)
        current = next((epoch for epoch in epochs if epoch.is_current), None)
        self.report.unsealed = await repository.unsealed(self.driver, current, most=_MAX_UNSEALED)

    async def check_archives(self) -> list[AuditArchive]:
        """Those that are as they were signed."""
        sound = []
        for archive in await repository.archives(self.uow):
            if self.keys.vouches(archive.key_id, archive.signature, archives.statement(archive)):
                sound.append(archive)
            else:
                self.report.found(
                    "archive_altered", f"The record of the archive of {archive.month:%Y-%m} is not as signed."
                )
        return sound

    # -- the chain -----------------------------------------------------------------------------------------------------

    async def check_chain(self, chosen: SealRange, archived: list[AuditArchive]) -> None:
        previous = await repository.newest_seal(self.driver, before=chosen.first)
        stretches = await repository.stretches(self.driver, first=chosen.first, last=chosen.last)
        rank = {epoch: number for number, epoch in enumerate(dict.fromkeys(part.epoch for part in stretches))}
        opened = archived if self.extent.with_archives else []
        archived_until = 0 if self.extent.with_archives else max((each.last_sequence for each in archived), default=0)
        leaves = Peekable(
            merged([self._stored(stretches, rank), *(self._archived(archive, rank) for archive in opened)])
        )
        async for seal in repository.seals(self.driver, first=chosen.first, last=chosen.last):
            self._check_seal(seal, previous)
            inside = await leaves.take_below(rank[seal.epoch], seal.to_xid)
            if seal.sequence <= archived_until:
                self.report.seals_archived += 1
            else:
                inside = [leaf for leaf in inside if (leaf.rank, leaf.xid) >= (rank[seal.epoch], seal.from_xid)]
                await self._check_events(seal, inside)
            self.report.first = self.report.first or seal
            self.report.seals += 1
            self.report.last = previous = seal
        await leaves.drain()

    def _check_seal(self, seal: Seal, previous: Seal | None) -> None:
        sequence = seal.sequence
        before = previous.sequence if previous else 0
        if sequence != before + 1:
            self.report.found("seal_missing", f"Seals {before + 1} to {sequence - 1} are missing.", sequence=before + 1)
        elif seal.previous_hash != (previous.hash if previous else FIRST_PREVIOUS):
            self.report.found(
                "seal_unlinked", f"Seal {sequence} does not continue the seal before it.", sequence=sequence
            )
        elif seal.from_xid != (previous.to_xid if previous and previous.epoch == seal.epoch else 0):
            self.report.found(
                "seal_unlinked", f"Seal {sequence} leaves a gap after the one before it.", sequence=sequence
            )
        if seal.statement_hash != seal.hash:
            self.report.found(
                "seal_altered", f"Seal {sequence} says something else than was hashed.", sequence=sequence
            )
        if not self.keys.knows(seal.key_id):
            self.report.found(
                "key_unknown", f"Seal {sequence} was signed by a key that is none of ours.", sequence=sequence
            )
        elif not self.keys.vouches(seal.key_id, seal.signature, seal.statement):
            self.report.found("signature_invalid", f"Seal {sequence} is not as it was signed.", sequence=sequence)

    async def _check_events(self, seal: Seal, leaves: list[Leaf]) -> None:
        self.report.events += len(leaves)
        digests = [leaf.digest for leaf in leaves]
        root = await asyncio.to_thread(merkle.root, digests) if len(digests) > _FEW_EVENTS else merkle.root(digests)
        if root == seal.root and len(leaves) == seal.event_count:
            return
        counts = f"seal {seal.sequence} holds {seal.event_count} events, and {len(leaves)} are there"
        if len(leaves) < seal.event_count:
            self.report.found(
                "event_deleted", f"An event was deleted: {counts}.", sequence=seal.sequence, events=leaves
            )
        elif len(leaves) > seal.event_count:
            named = _intruder(leaves, seal) or leaves
            self.report.found(
                "event_inserted", f"An event was inserted: {counts}.", sequence=seal.sequence, events=named
            )
        else:
            detail = f"An event of seal {seal.sequence} was changed, or their order was."
            self.report.found("event_changed", detail, sequence=seal.sequence, events=leaves)

    async def _check_strays(self, epochs: list[EpochState]) -> None:
        for event_id in await repository.strays(self.driver, epochs):
            detail = f"Event {event_id} should be sealed by now and is in no seal: it was inserted later, or its seal is gone."
            leaf = Leaf(0, 0, event_id.bytes, b"")
            self.report.found("event_outside_seals", detail, events=[leaf])

    async def _stored(self, stretches: list[Stretch], rank: dict[int, int]) -> AsyncIterator[Leaf]:
        for stretch in stretches:
            for xid, event_id, digest in await repository.leaves(self.driver, stretch):
                yield Leaf(rank[stretch.epoch], xid, event_id, digest)

    async def _archived(self, archive: AuditArchive, rank: dict[int, int]) -> AsyncIterator[Leaf]:
        self.report.archives += 1
        try:
            async for leaf in archives.leaves(self.store, archive, rank=rank):
                yield leaf
        except archives.ArchiveMissing as missing:
            self.report.found("archive_missing", f"The archive of {archive.month:%Y-%m} is gone: {missing}.")
        except archives.ArchiveAltered as altered:
            self.report.found("archive_altered", f"The archive of {archive.month:%Y-%m} was changed: {altered}.")

    # -- the anchors ---------------------------------------------------------------------------------------------------

    async def _check_anchors(self) -> None:
        first, last = self.report.first, self.report.last
        # In this order: a seal anchored meanwhile must look neither lost nor too new.
        expected = {}
        if first is not None and last is not None:
            expected = await repository.anchored(self.driver, first=first.sequence, last=last.sequence)
        newest = await repository.newest_seal(self.driver)
        days = None if self.extent.is_everything else _days(first, last, newest)
        listed = await anchors.listed(self.store, self.uow.tenant, days)
        newest = await repository.newest_seal(self.driver)
        end = newest.sequence if newest else 0
        if listed and listed[-1].sequence > end:
            detail = f"The chain ends with seal {end}, but seal {listed[-1].sequence} has been anchored: later seals are gone."
            self.report.found("chain_truncated", detail, sequence=end + 1)
        keys = {anchor.key for anchor in listed}
        for sequence, (key, sealed_on) in expected.items():
            if key not in keys and (days is None or sealed_on in days):
                self.report.found("anchor_missing", f"The anchor of seal {sequence} is gone: {key}.", sequence=sequence)
        chosen = listed if days is None else listed[-_MAX_ANCHORS:]
        for anchor in chosen:
            if anchor.sequence <= end:
                await self._check_anchor(anchor)
        self.report.anchors = len(chosen)

    async def _check_anchor(self, anchor: anchors.Anchor) -> None:
        seal = await repository.newest_seal(self.driver, before=anchor.sequence + 1)
        content = await anchors.read(self.store, anchor.key)
        # A seal that is missing in between has been found already.
        if seal is not None and seal.sequence == anchor.sequence and content != seal.public():
            detail = f"Seal {anchor.sequence} is not the one that was anchored: the chain was made anew."
            self.report.found("anchor_differs", detail, sequence=anchor.sequence)


def _intruder(leaves: list[Leaf], seal: Seal) -> list[Leaf]:
    """The one event without which the seal fits."""
    if len(leaves) != seal.event_count + 1 or len(leaves) > _FEW_EVENTS:
        return []
    digests = [leaf.digest for leaf in leaves]
    return [leaf for at, leaf in enumerate(leaves) if merkle.root(digests[:at] + digests[at + 1 :]) == seal.root]


def _days(first: Seal | None, last: Seal | None, newest: Seal | None) -> list[date]:
    """The days whose anchors to look at: those of the checked seals, and those after the newest."""
    today = utc_now().date()
    days = set(anchors.days_between(newest.sealed_at.date() if newest else date.min, today, most=_MAX_DAYS))
    if first is not None and last is not None:
        days |= set(anchors.days_between(first.sealed_at.date(), last.sealed_at.date(), most=_MAX_DAYS))
    return sorted(days)
