"""What goes into a pack, section by section, in this order."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from counterfoil.audit.seals import SealKeys
from counterfoil.connections.models import Connection
from counterfoil.evidence import layout, proofs, readme, repository
from counterfoil.evidence.content import Content, Landed, Tally
from counterfoil.evidence.layout import encode
from counterfoil.evidence.repository import Driver, Holdings
from counterfoil.ingest.models import StreamRun
from counterfoil.jobs.models import Job
from counterfoil.tenancy.models import Tenant


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The finished job a pack is about."""

    tenant: Tenant
    connection: Connection
    job: Job
    runs: Sequence[StreamRun]

    @property
    def run_ids(self) -> list[UUID]:
        return [run.id for run in self.runs]

    @property
    def began(self) -> datetime:
        return min(run.started_at for run in self.runs)


@dataclass(frozen=True, kw_only=True)
class Making:
    """A pack that is being written: what it is about, where that is found, and the rows in each file so far by path."""

    subject: Subject
    held: Holdings
    keys: SealKeys
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def content(self) -> Content:
        landed = Landed.of_result(self.subject.job.result)
        return Content(
            records=Tally(landed=landed.records if landed else None, in_this_pack=self._rows_below("raw/")),
            rows=Tally(landed=landed.rows if landed else None, in_this_pack=self._rows_below("canonical/")),
        )

    def _rows_below(self, folder: str) -> int:
        return sum(count for path, count in self.counts.items() if path.startswith(folder))


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A file with one line for every row of a query; JSON lines have a single column of JSON."""

    path: str
    query: str
    arguments: tuple[Any, ...]
    form: Literal["csv", "jsonl"]


@dataclass(frozen=True, kw_only=True)
class Text:
    """A file that is there already."""

    path: str
    content: bytes


Part = Rows | Text
Section = Callable[[Driver, Making], Awaitable[list[Part]]]


async def canonical(_driver: Driver, making: Making) -> list[Part]:
    """Every canonical table, those without a row of these runs too: that nothing was written is a statement."""
    parts: list[Part] = []
    for table in repository.CANONICAL:
        query, arguments = making.held.canonical(table)
        parts.append(Rows(path=f"canonical/{table.name}.csv", query=query, arguments=arguments, form="csv"))
    return parts


async def raw(_driver: Driver, making: Making) -> list[Part]:
    """The vendor's records of each stream, in the order they landed: of those that were read, and those told of in passing."""
    parts: list[Part] = []
    for stream in sorted({run.stream for run in making.subject.runs} | making.held.records.keys()):
        query, arguments = making.held.raw(stream)
        parts.append(Rows(path=f"raw/{stream}.jsonl", query=query, arguments=arguments, form="jsonl"))
    return parts


async def requests(_driver: Driver, making: Making) -> list[Part]:
    """What was asked of the vendor; the log of it is dropped after a while."""
    job_id = making.subject.job.id
    return [Rows(path="requests.jsonl", query=repository.REQUESTS, arguments=(job_id,), form="jsonl")]


async def audit_events(driver: Driver, making: Making) -> list[Part]:
    """Who asked for the job and what became of it, and where each event is in the sealed log."""
    job = making.subject.job
    arguments = (job.correlation_id, str(job.id))
    document = await proofs.document(driver, job, making.keys)
    return [
        Rows(path=layout.AUDIT, query=repository.AUDIT, arguments=arguments, form="jsonl"),
        Text(path=layout.PROOFS, content=encode(document)),
    ]


async def counts(_driver: Driver, making: Making) -> list[Part]:
    """What the vendor said there was, what landed of it, and what of that is in here."""
    document = {
        "streams": [
            {
                "stream": run.stream,
                "status": run.status,
                "expected": run.expected,
                "landed": run.landed,
                "read": run.rows_read,
                "inserted": run.rows_inserted,
                "updated": run.rows_updated,
                "unchanged": run.rows_unchanged,
                "deleted": run.rows_deleted,
            }
            for run in making.subject.runs
        ],
        "content": making.content.public(),
        "rows_in_this_pack": dict(making.counts),
    }
    return [Text(path="counts.json", content=encode(document))]


async def instructions(_driver: Driver, making: Making) -> list[Part]:
    return [Text(path="README.txt", content=readme.text(making.content).encode())]


SECTIONS: tuple[Section, ...] = (canonical, raw, requests, audit_events, counts, instructions)
