"""What goes into a pack, section by section, in this order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from counterfoil.commerce.models import RECORDS
from counterfoil.connections.models import Connection
from counterfoil.evidence import repository
from counterfoil.evidence.layout import encode
from counterfoil.evidence.readme import README
from counterfoil.evidence.repository import Driver
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
# The rows in each file so far, by path.
Counts = Mapping[str, int]
Section = Callable[[Driver, Subject, Counts], Awaitable[list[Part]]]


async def canonical(_driver: Driver, subject: Subject, _counts: Counts) -> list[Part]:
    """Every canonical table, those without a row of these runs too: that nothing was written is a statement."""
    arguments = (subject.connection.id, subject.run_ids)
    tables = sorted((record.__table__ for record in RECORDS), key=lambda table: str(table.name))  # type: ignore[attr-defined]  # mapped classes have one
    return [
        Rows(
            path=f"canonical/{table.name}.csv",
            query=repository.canonical_rows(table),
            arguments=arguments,
            form="csv",
        )
        for table in tables
    ]


async def raw(_driver: Driver, subject: Subject, _counts: Counts) -> list[Part]:
    """The vendor's records of each stream, in the order they landed."""
    return [
        Rows(
            path=f"raw/{stream}.jsonl",
            query=repository.RAW,
            arguments=(subject.connection.id, stream, subject.run_ids),
            form="jsonl",
        )
        for stream in sorted({run.stream for run in subject.runs})
    ]


async def requests(_driver: Driver, subject: Subject, _counts: Counts) -> list[Part]:
    """What was asked of the vendor; the log of it is dropped after a while."""
    return [Rows(path="requests.jsonl", query=repository.REQUESTS, arguments=(subject.job.id,), form="jsonl")]


async def audit_events(_driver: Driver, subject: Subject, _counts: Counts) -> list[Part]:
    """Who asked for the job and what became of it."""
    arguments = (subject.job.correlation_id, str(subject.job.id))
    return [Rows(path="audit.jsonl", query=repository.AUDIT, arguments=arguments, form="jsonl")]


async def counts(_driver: Driver, subject: Subject, written: Counts) -> list[Part]:
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
            for run in subject.runs
        ],
        "rows_in_this_pack": dict(written),
    }
    return [Text(path="counts.json", content=encode(document))]


async def readme(_driver: Driver, _subject: Subject, _counts: Counts) -> list[Part]:
    return [Text(path="README.txt", content=README.encode())]


SECTIONS: tuple[Section, ...] = (readme, canonical, raw, requests, audit_events, counts)
