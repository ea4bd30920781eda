"""Writing a pack: one pass over a snapshot, in memory that does not grow with it."""

import asyncio
import hashlib
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, BinaryIO

from counterfoil.audit.seals import SealKeys
from counterfoil.db.database import Database
from counterfoil.evidence import layout, repository
from counterfoil.evidence.content import Content
from counterfoil.evidence.layout import encode
from counterfoil.evidence.repository import Driver
from counterfoil.evidence.sections import SECTIONS, Making, Rows, Subject, Text
from counterfoil.kit.clock import utc_now
from counterfoil.kit.signing import SealKey

_BLOCK_BYTES = 256 * 1024

OnFile = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What a pack says about itself, and what was signed."""

    manifest: bytes
    signature: bytes
    as_of: datetime
    content: Content


async def pack(database: Database, subject: Subject, file: BinaryIO, *, keys: SealKeys, on_file: OnFile) -> Packed:
    """Write a whole pack into a file.

    Args:
        database: where the rows are.
        subject: the finished job.
        file: empty, seekable.
        keys: one signs the manifest, and they are those that sealed the audit log.
        on_file: told of every file that is complete.
    """
    with zipfile.ZipFile(file, "w") as archive:
        async with repository.snapshot(database, subject.tenant.id) as driver:
            as_of = await repository.instant(driver)
            held = await repository.holdings(driver, subject.connection.id, subject.run_ids, since=subject.began)
            making = Making(subject=subject, held=held, keys=keys)
            writer = _Writer(archive, making.counts)
            for section in SECTIONS:
                for part in await section(driver, making):
                    if isinstance(part, Text):
                        writer.add(part.path, part.content)
                    else:
                        await writer.copy(driver, part)
                    await on_file(part.path)
        manifest = encode(_manifest(making, writer, as_of=as_of, key=keys.signing))
        signature = keys.signing.sign(manifest)
        writer.add(layout.MANIFEST, manifest)
        writer.add(layout.SIGNATURE, signature)
    return Packed(manifest=manifest, signature=signature, as_of=as_of, content=making.content)


def _manifest(making: Making, writer: "_Writer", *, as_of: datetime, key: SealKey) -> dict[str, Any]:
    subject = making.subject
    tenant, connection, job = subject.tenant, subject.connection, subject.job
    return {
        "format": layout.FORMAT,
        "tenant": {"id": tenant.id, "name": tenant.name, "slug": tenant.slug},
        "connection": {
            "id": connection.id,
            "kind": connection.kind,
            "label": connection.label,
            "account": {"id": connection.external_account_id, "label": connection.external_account_label},
        },
        "job": {
            "id": job.id,
            "kind": job.kind,
            "title": job.title,
            "params": job.params,
            "status": job.status,
            "reasons": job.reasons,
            "correlation_id": job.correlation_id,
            "requested_by": {
                "kind": job.requested_by_kind,
                "id": job.requested_by_id,
                "label": job.requested_by_label,
            },
            "created_at": _time(job.created_at),
            "started_at": _time(job.started_at),
            "finished_at": _time(job.finished_at),
        },
        "streams": [
            {
                "run_id": run.id,
                "stream": run.stream,
                "mode": run.mode,
                "status": run.status,
                "reason": run.reason,
                "expected": run.expected,
                "landed": run.landed,
                "first_position": run.first_position,
                "last_position": run.last_position,
                "started_at": _time(run.started_at),
                "finished_at": _time(run.finished_at),
            }
            for run in subject.runs
        ],
        "content": making.content.public(),
        "as_of": _time(as_of),
        "created_at": _time(utc_now()),
        "software": {"name": "counterfoil", "version": version("counterfoil")},
        "signing": {"algorithm": "Ed25519", "key_id": key.key_id, "public_key": key.public_key},
        "files": [asdict(entry) for entry in writer.entries],
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


@dataclass(frozen=True, kw_only=True)
class _Entry:
    path: str
    sha256: str
    size: int


class _Member:
    """A file in the archive that is being written."""

    def __init__(self, archive_file: Any) -> None:
        self._file = archive_file
        self._waiting = bytearray()
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) >= _BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        self.digest.update(self._waiting)
        self.size += len(self._waiting)
        self._file.write(self._waiting)
        self._waiting = bytearray()


class _Writer:
    def __init__(self, archive: zipfile.ZipFile, counts: dict[str, int]) -> None:
        self._archive = archive
        self._counts = counts
        self.entries: list[_Entry] = []

    def add(self, path: str, content: bytes) -> None:
        with self._member(path) as member:
            member.write(content)

    async def copy(self, driver: Driver, rows: Rows) -> None:
        # A line of JSON has no control characters: with two of those for quote and delimiter, CSV leaves it as it is.
        form = {"header": True} if rows.form == "csv" else {"delimiter": "\x02", "quote": "\x01"}
        with self._member(rows.path) as member:

            async def output(data: bytes) -> None:
                member.write(data)
                # Compressing takes its time, and a job that is told to stop has to notice.
                await asyncio.sleep(0)

            done = await driver.copy_from_query(
                rows.query, *rows.arguments, output=output, format="csv", encoding="utf-8", **form
            )
        self._counts[rows.path] = int(done.removeprefix("COPY "))

    @contextmanager
    def _member(self, path: str) -> Iterator[_Member]:
        if not layout.is_member_name(path):
            msg = f"not a name for a file of a pack: {path!r}"
            raise ValueError(msg)
        info = zipfile.ZipInfo(path, date_time=layout.DATE_TIME)
        info.create_system, info.external_attr = layout.UNIX, layout.ATTRIBUTES
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(info, "w", force_zip64=True) as archive_file:
            member = _Member(archive_file)
            yield member
            member.flush()
        self.entries.append(_Entry(path=path, sha256=member.digest.hexdigest(), size=member.size))
