"""What must hold when all is quiet again: asked of the tables as superuser and of the API as the tenant, beside the vendor's world."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from tests.soak.chain import wrong_in_chains
from tests.soak.vendors import Holdings, plain

from counterfoil.cli.home import DATABASE, Home
from counterfoil.db import Database
from counterfoil.embedded.postgres import SUPERUSER
from counterfoil.objects.opening import open_store
from counterfoil.objects.service import PURPOSES, sweep_orphans
from counterfoil.webhooks.upkeep import tidy_receipts

if TYPE_CHECKING:
    from tests.soak.load import Company, Ledger

    from counterfoil.config import Settings

_SHOWN = 5
# Columns whose text is that of another row.
_REFERENCES = {
    "payout": "(SELECT p.source_id FROM core.payouts p WHERE p.tenant_id = t.tenant_id AND p.id = t.payout_id)"
}
_OUR_FAULT = {"internal_error", "task_unknown"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is not as it must be."""

    check: str
    detail: str


@dataclass(kw_only=True)
class Report:
    rows_checked: int = 0
    events_hashed: int = 0
    artifacts_checked: int = 0
    swept: int = 0
    jobs: dict[str, int] = field(default_factory=dict)
    attempts: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, check: str, what: str, cases: Sequence[object]) -> None:
        if cases:
            shown = ", ".join(str(case) for case in list(cases)[:_SHOWN])
            self.findings.append(Finding(check=check, detail=f"{len(cases)} {what}: {shown}"))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(kw_only=True)
class Checker:
    """Asks about these companies. Nothing may be under way meanwhile."""

    home: Path
    settings: Settings
    companies: Sequence[Company]
    ledger: Ledger
    catalogue: frozenset[str] = frozenset()
    report: Report = field(default_factory=Report)

    async def run(self, holdings: Holdings) -> Report:
        driver = await connect(self.home)
        try:
            return await self.check(driver, holdings)
        finally:
            await driver.close()

    async def check(self, driver: asyncpg.Connection[Any], holdings: Holdings) -> Report:
        self.report = Report()
        for company in self.companies:
            await self._rows(driver, company, holdings)
        for check in self._checks():
            await check(driver)
        return self.report

    def _checks(self) -> list[Callable[[asyncpg.Connection[Any]], Awaitable[None]]]:
        return [
            *(self._records, self._jobs, self._events, self._chain, self._receipts, self._usage),
            *(self._artifacts, self._tables, self._locks),
        ]

    @property
    def _tenants(self) -> list[UUID]:
        return [UUID(company.tenant_id) for company in self.companies]

    # -- what was synced -----------------------------------------------------------------------------------------------------

    async def _rows(self, driver: asyncpg.Connection[Any], company: Company, holdings: Holdings) -> None:
        for table, expected in holdings.items():
            columns = list(next(iter(expected.values()), {}))
            wanted = ", ".join(f"{_REFERENCES.get(name, 't.' + name)} AS {name}" for name in columns)
            rows = await driver.fetch(
                f"SELECT t.source_id, {wanted} FROM core.{table} t WHERE t.tenant_id = $1 AND t.deleted_at IS NULL",  # noqa: S608  (names of our own)
                UUID(company.tenant_id),
            )
            found = {row["source_id"]: {name: _text(row[name]) for name in columns} for row in rows}
            self.report.rows_checked += len(rows)
            self._compare(f"rows of {table}, {company.email}", [row["source_id"] for row in rows], found, expected)
            self._compare_api(company, table, found)

    def _compare(
        self,
        name: str,
        ids: list[str],
        found: dict[str, dict[str, str | None]],
        expected: dict[str, dict[str, str | None]],
    ) -> None:
        self.report.found(name, "lost", sorted(expected.keys() - found.keys()))
        self.report.found(name, "that the vendor does not have", sorted(found.keys() - expected.keys()))
        self.report.found(name, "doubled", [one for one, number in Counter(ids).items() if number > 1])
        changed = [
            f"{one} is {found[one]} and not {expected[one]}"
            for one in sorted(expected.keys() & found.keys())
            if found[one] != expected[one]
        ]
        self.report.found(name, "with other values", changed)

    def _compare_api(self, company: Company, table: str, found: dict[str, dict[str, str | None]]) -> None:
        shown: dict[str, dict[str, str | None]] = {}
        cursor: str | None = None
        while True:
            params = {"limit": 500, **({"cursor": cursor} if cursor else {})}
            page = company.call("GET", f"/tables/{table}", params=params)
            for row in page["items"]:
                names = [name for name in next(iter(found.values()), {}) if name not in _REFERENCES]
                shown[row["source_id"]] = {name: _text(_number(row[name], found, row, name)) for name in names}
            cursor = page["next_cursor"]
            if cursor is None:
                break
        told = {one: {name: row[name] for name in row if name not in _REFERENCES} for one, row in found.items()}
        differing = sorted(one for one in shown.keys() | told.keys() if shown.get(one) != told.get(one))
        self.report.found(f"API of {table}, {company.email}", "unlike the table", differing)

    async def _records(self, driver: asyncpg.Connection[Any]) -> None:
        doubled = await driver.fetch(
            "SELECT connection_id, stream, source_id FROM core.raw_records WHERE tenant_id = ANY ($1)"
            " GROUP BY 1, 2, 3 HAVING count(*) > 1",
            self._tenants,
        )
        self.report.found("raw records", "doubled", [tuple(row.values()) for row in doubled])

    # -- jobs ------------------------------------------------------------------------------------------------------------------

    async def _jobs(self, driver: asyncpg.Connection[Any]) -> None:
        jobs = await driver.fetch(
            "SELECT id, kind, status, attempts, error->>'code' AS code FROM core.jobs WHERE tenant_id = ANY ($1)",
            self._tenants,
        )
        self.report.jobs = dict(Counter(" ".join(filter(None, (j["kind"], j["status"], j["code"]))) for j in jobs))
        self.report.attempts = sum(job["attempts"] for job in jobs)
        known = {str(job["id"]) for job in jobs}
        self.report.found("jobs", "accepted and gone", sorted(self.ledger.jobs.keys() - known))
        unfinished = [f"{job['kind']} {job['id']}" for job in jobs if job["status"] in ("queued", "running")]
        self.report.found("jobs", "never ended", unfinished)
        broken = [f"{job['kind']} {job['id']}: {job['code']}" for job in jobs if job["code"] in _OUR_FAULT]
        self.report.found("jobs", "ended by a fault of ours", broken)

    # -- the audit log ---------------------------------------------------------------------------------------------------------

    async def _events(self, driver: asyncpg.Connection[Any]) -> None:
        """Each change that was accepted, and each job, is on record, and once."""
        rows = await driver.fetch(
            "SELECT correlation_id::text, action, resource_id, count(*) AS number FROM core.audit_events"
            " WHERE tenant_id = ANY ($1) AND job_id IS NULL AND outcome = 'ok' GROUP BY 1, 2, 3",
            self._tenants,
        )
        recorded = {row["correlation_id"] for row in rows}
        # Who asks for what is under way already gets that: its event is the first request's, which may have been a job's own.
        requested = await driver.fetch(
            "SELECT resource_id FROM core.audit_events WHERE tenant_id = ANY ($1) AND action = 'core.job.requested'",
            self._tenants,
        )
        under_way = {row["resource_id"] for row in requested}
        missing = [
            one for one in self.ledger.accepted if one.correlation_id not in recorded and one.job_id not in under_way
        ]
        self.report.found("audit", "changes without an event", missing)
        actions = Counter((row["correlation_id"], row["action"]) for row in rows)
        accepted = {one.correlation_id: one.request for one in self.ledger.accepted}
        twice = [(accepted[one], action) for (one, action), number in actions.items() if number > 1 and one in accepted]
        twice += [
            (accepted[r["correlation_id"]], r["action"])
            for r in rows
            if r["number"] > 1 and r["correlation_id"] in accepted
        ]
        self.report.found("audit", "requests that were done twice", twice)
        jobs = await driver.fetch(
            "SELECT j.id, count(*) FILTER (WHERE e.action = 'core.job.requested') AS requested,"
            " count(*) FILTER (WHERE e.action = 'core.job.finished') AS finished"
            " FROM core.jobs j LEFT JOIN core.audit_events e ON e.tenant_id = j.tenant_id"
            " AND e.resource_type = 'job' AND e.resource_id = j.id::text WHERE j.tenant_id = ANY ($1) GROUP BY 1",
            self._tenants,
        )
        odd = [str(job["id"]) for job in jobs if (job["requested"], job["finished"]) != (1, 1)]
        self.report.found("audit", "jobs whose request and end are not on record once each", odd)

    async def _chain(self, driver: asyncpg.Connection[Any]) -> None:
        key = self.companies[0].call("GET", "/evidence/key")["public_key"]
        self.report.events_hashed, wrong = await wrong_in_chains(driver, self._tenants, key)
        self.report.found("audit chain, computed again", "faults", wrong)
        for company in self.companies:
            told = company.call("GET", "/audit-events/verify", patience_s=120)
            self.report.found("audit chain, by the product", "findings", told["findings"])

    # -- what else it keeps ----------------------------------------------------------------------------------------------------

    async def _receipts(self, driver: asyncpg.Connection[Any]) -> None:
        """Each is handled, once the ticker has closed what belonged to jobs that people cancelled."""
        database = Database.connect(self.settings.database_url.get_secret_value(), pool_size=2, patience_s=10)
        await tidy_receipts(database)
        await database.close()
        rows = await driver.fetch(
            "SELECT tenant_id::text, event_id, handled_at FROM core.webhook_receipts WHERE tenant_id = ANY ($1)",
            self._tenants,
        )
        pending = [row["event_id"] for row in rows if row["handled_at"] is None]
        self.report.found("webhooks", "receipts nobody has handled", pending)
        known = Counter((row["tenant_id"], row["event_id"]) for row in rows)
        lost = sorted(set(self.ledger.deliveries) - known.keys())
        self.report.found("webhooks", "taken and without a receipt", lost)
        self.report.found("webhooks", "with two receipts", [one for one, number in known.items() if number > 1])

    async def _usage(self, driver: asyncpg.Connection[Any]) -> None:
        rows = await driver.fetch(
            "SELECT tenant_id::text, (SELECT coalesce(sum(value), 0) FROM core.usage_counters u"
            "  WHERE u.tenant_id = t.tenant_id AND metric = 'rows_landed') AS metered,"
            " (SELECT coalesce(sum(rows_inserted + rows_updated), 0) FROM core.stream_runs r"
            "  WHERE r.tenant_id = t.tenant_id) AS landed FROM unnest($1::uuid[]) AS t (tenant_id)",
            self._tenants,
        )
        differing = [tuple(row.values()) for row in rows if row["metered"] != row["landed"]]
        self.report.found("usage", "tenants whose metered rows are not those that landed", differing)

    async def _artifacts(self, driver: asyncpg.Connection[Any]) -> None:
        """Index and store name the same files, once what rolled-back transactions left has been swept up."""
        database = Database.connect(self.settings.database_url.get_secret_value(), pool_size=2, patience_s=10)
        store = open_store(self.settings)
        try:
            self.report.swept = await sweep_orphans(database, store, self._tenants, after=-timedelta(days=30))
        finally:
            await store.close()
            await database.close()
        rows = await driver.fetch("SELECT key, sha256 FROM core.objects WHERE tenant_id = ANY ($1)", self._tenants)
        indexed = {row["key"]: row["sha256"] for row in rows}
        root = self.home / "objects"
        stored = {
            path.relative_to(root).as_posix(): path
            for tenant_id, purpose in product(self._tenants, PURPOSES)
            for path in (root / str(tenant_id) / purpose).rglob("*")
            if path.is_file()
        }
        self.report.artifacts_checked = len(indexed)
        self.report.found("artifacts", "in the index and not in the store", sorted(indexed.keys() - stored.keys()))
        self.report.found("artifacts", "in the store and not in the index", sorted(stored.keys() - indexed.keys()))
        differing = [
            key
            for key in sorted(indexed.keys() & stored.keys())
            if hashlib.sha256(stored[key].read_bytes()).hexdigest() != indexed[key]
        ]
        self.report.found("artifacts", "that are not what was stored", differing)

    async def _tables(self, driver: asyncpg.Connection[Any]) -> None:
        self.report.found("tables", "that nobody declared", sorted(await tables(driver) - self.catalogue))
        orphans = await driver.fetch(
            "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname ~ '^pg_temp_' AND c.relkind = 'r' AND NOT EXISTS ("
            "  SELECT FROM pg_stat_get_backend_idset() AS id WHERE n.nspname = 'pg_temp_' || id)"
        )
        self.report.found("tables", "temporary ones that outlived their session", [row["name"] for row in orphans])

    async def _locks(self, driver: asyncpg.Connection[Any]) -> None:
        waiting = await driver.fetch("SELECT pid, locktype, mode FROM pg_locks WHERE NOT granted")
        self.report.found("locks", "that are waited for", [tuple(row.values()) for row in waiting])
        old = await driver.fetch(
            "SELECT pid, state, left(query, 80) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND xact_start < clock_timestamp() - interval '30 seconds' AND pid <> pg_backend_pid()"
        )
        self.report.found("locks", "transactions that do not end", [tuple(row.values()) for row in old])
        prepared = await driver.fetch("SELECT gid FROM pg_prepared_xacts")
        self.report.found("locks", "prepared transactions", [row["gid"] for row in prepared])


async def connect(home: Path) -> asyncpg.Connection[Any]:
    """As superuser, past every policy."""
    server = Home(home).postgres()
    return await asyncpg.connect(
        host=str(server.socket_folder), user=SUPERUSER, password=server.superuser_password, database=DATABASE
    )


async def tables(driver: asyncpg.Connection[Any]) -> frozenset[str]:
    """Every table that is not temporary, partitions apart, which come with time."""
    rows = await driver.fetch(
        "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'"
    )
    return frozenset(row["name"] for row in rows)


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return plain(value)
    return None if value is None else str(value)


def _number(value: Any, found: dict[str, dict[str, str | None]], row: dict[str, Any], name: str) -> Any:
    """Amounts come as text with the currency's places; a column is one if the table's is."""
    known = found.get(row["source_id"], {}).get(name)
    is_amount = known is not None and known.lstrip("-").replace(".", "", 1).isdigit()
    return Decimal(value) if is_amount and isinstance(value, str) else value
