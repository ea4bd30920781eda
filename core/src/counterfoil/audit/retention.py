"""Retention: a month that is old enough goes to the object store, is read back, and only then leaves the database."""

import asyncio
import gzip
import hashlib
import io
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import orjson

from counterfoil.audit import archives, seal_repository, service
from counterfoil.audit.models import AuditArchive
from counterfoil.audit.seal_repository import MonthSpan
from counterfoil.audit.seals import SealKeys
from counterfoil.audit.verification import verify_seals
from counterfoil.db.database import Database, UnitOfWork
from counterfoil.kit.clock import utc_now
from counterfoil.kit.ids import id_at, new_id
from counterfoil.objects import ObjectStore
from counterfoil.observability import get_logger

_LINES_AT_ONCE = 2_000
_CHUNK_BYTES = 256 * 1024

_log = get_logger(__name__)


class NotArchived(Exception):
    """A month cannot be archived as it is; nothing is purged then."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What the ticker does about events that are old enough."""

    database: Database
    keys: SealKeys
    store: ObjectStore
    days: int

    async def run(self) -> int:
        """Archive and drop what is old enough; how many months were dropped."""
        dropped = 0
        for month in await self._old_months():
            if await self._archive_month(month):
                async with self.database.unit_of_work(None) as uow:
                    driver = await uow.driver()
                    await seal_repository.take_time(driver)
                    await seal_repository.drop_month(driver, month)
                _log.info("audit.month_purged", month=f"{month:%Y-%m}")
                dropped += 1
        # Also for a month that was dropped just before a crash.
        await self._tell_purged()
        return dropped

    async def _old_months(self) -> list[date]:
        if self.days == 0:
            return []
        async with self.database.unit_of_work(None) as uow:
            months = await seal_repository.months(await uow.driver())
        oldest_kept = utc_now() - timedelta(days=self.days)
        return [month for month in months if _start(_next(month)) < oldest_kept]

    async def _archive_month(self, month: date) -> bool:
        """Whether every tenant's events of the month are archived now."""
        async with self.database.unit_of_work(None) as uow:
            driver = await uow.driver()
            await seal_repository.take_time(driver)
            tenant_ids = await seal_repository.unarchived_tenants(driver, month)
        refused = 0
        for tenant_id in tenant_ids:
            try:
                async with self.database.unit_of_work(tenant_id) as uow:
                    await self._archive(uow, month)
            except NotArchived as reason:
                refused += 1
                _log.error("audit.not_archived", tenant_id=str(tenant_id), month=f"{month:%Y-%m}", reason=str(reason))
        return not refused

    async def _archive(self, uow: UnitOfWork, month: date) -> None:
        driver = await uow.driver()
        await seal_repository.take_time(driver)
        span = await seal_repository.month_span(driver, low=_first_id(month), high=_first_id(_next(month)))
        first, last = await self._checked(uow, month, span)
        archive = AuditArchive(
            tenant_id=uow.tenant,
            id=new_id(),
            month=month,
            first_sequence=first,
            last_sequence=last,
            event_count=span.event_count,
            archived_at=utc_now(),
            key_id=self.keys.signing.key_id,
        )
        folder = f"{uow.tenant}/audit-archives/{month:%Y/%m}/{archive.id}"
        archive.events_key = f"{folder}/events.jsonl.gz"
        archive.seals_key = f"{folder}/seals.jsonl.gz"
        archive.manifest_key = f"{folder}/manifest.json"
        archive.events_sha256 = await self._put(archive.events_key, _events(uow, month, first=first, last=last))
        archive.seals_sha256 = await self._put(archive.seals_key, _seals(uow, first=first, last=last))
        await self._read_back(uow, archive)
        archive.signature = self.keys.signing.sign(archives.statement(archive))
        await self.store.put(archive.manifest_key, io.BytesIO(archives.manifest(archive)))
        uow.session.add(archive)
        await uow.session.flush()
        await service.record(
            uow,
            action="core.audit_month.archived",
            resource_type="audit_archive",
            resource_id=archive.id,
            payload={"month": f"{month:%Y-%m}", "events": archive.event_count, "manifest": archive.manifest_key},
        )

    async def _checked(self, uow: UnitOfWork, month: date, span: MonthSpan) -> tuple[int, int]:
        """The first and the last seal over these events, which are as they were sealed."""
        if any(archive.month == month for archive in await seal_repository.archives(uow)):
            raise NotArchived("it was archived with another number of events")
        if span.unsealed or span.first_sequence is None or span.last_sequence is None:
            raise NotArchived(f"{span.unsealed} of {span.event_count} events are in no seal")
        report = await verify_seals(
            uow, keys=self.keys, store=self.store, first=span.first_sequence, last=span.last_sequence
        )
        if not report.ok:
            raise NotArchived("; ".join(finding.detail for finding in report.findings[:5]))
        return span.first_sequence, span.last_sequence

    async def _put(self, key: str, lines: AsyncIterator[bytes]) -> bytes:
        """Store lines, compressed; the hash of the file."""
        with tempfile.TemporaryFile() as file:
            # The same lines give the same file, whenever they are written.
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0, filename="") as compressed:
                waiting: list[bytes] = []
                async for line in lines:
                    waiting.append(line)
                    if len(waiting) == _LINES_AT_ONCE:
                        await asyncio.to_thread(compressed.writelines, waiting)
                        waiting = []
                await asyncio.to_thread(compressed.writelines, waiting)
            digest = await asyncio.to_thread(_sha256, file)
            await self.store.put(key, file)
        return digest

    async def _read_back(self, uow: UnitOfWork, archive: AuditArchive) -> None:
        epochs = await _epochs(uow, first=archive.first_sequence, last=archive.last_sequence)
        rank = {epoch: number for number, epoch in enumerate(epochs)}
        try:
            async for _ in archives.leaves(self.store, archive, rank=rank):
                """Reading is the check."""
            async for _ in archives.lines(self.store, archive.seals_key, sha256=archive.seals_sha256):
                """Same."""
        except (archives.ArchiveMissing, archives.ArchiveAltered) as error:
            raise NotArchived(f"the object store does not give back what was written: {error}") from error

    async def _tell_purged(self) -> None:
        async with self.database.unit_of_work(None) as uow:
            purged = await seal_repository.purged_archives(await uow.driver())
        for tenant_id, archive_id in purged:
            async with self.database.unit_of_work(tenant_id) as uow:
                archive = await seal_repository.mark_purged(uow, archive_id, at=utc_now())
                if archive is not None:
                    await service.record(
                        uow,
                        action="core.audit_month.purged",
                        resource_type="audit_archive",
                        resource_id=archive_id,
                        payload={"month": f"{archive.month:%Y-%m}", "events": archive.event_count},
                    )


async def _events(uow: UnitOfWork, month: date, *, first: int, last: int) -> AsyncIterator[bytes]:
    lines = seal_repository.event_lines(
        await uow.driver(),
        low=_first_id(month),
        high=_first_id(_next(month)),
        epoch_order=await _epochs(uow, first=first, last=last),
    )
    async for line in lines:
        yield line.encode() + b"\n"


async def _epochs(uow: UnitOfWork, *, first: int, last: int) -> list[int]:
    """The epochs of some seals in the chain's order."""
    stretches = await seal_repository.stretches(await uow.driver(), first=first, last=last)
    return list(dict.fromkeys(stretch.epoch for stretch in stretches))


async def _seals(uow: UnitOfWork, *, first: int, last: int) -> AsyncIterator[bytes]:
    async for seal in seal_repository.seals(await uow.driver(), first=first, last=last):
        yield orjson.dumps(seal.public()) + b"\n"


def _sha256(file: io.BufferedRandom) -> bytes:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").digest()
    file.seek(0)
    return digest


def _next(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _start(month: date) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def _first_id(month: date) -> UUID:
    return id_at(int(_start(month).timestamp() * 1000))
