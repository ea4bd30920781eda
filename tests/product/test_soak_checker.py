"""The soak's checker finds what it is there to find: each fault is planted, and found."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from tests.product.conftest import Product, free_port
from tests.soak.checker import Checker, Report, connect, tables
from tests.soak.gateway import Gateway
from tests.soak.load import Accepted, Company, Ledger
from tests.soak.stripe import Stripe
from tests.soak.vendors import Holdings

from counterfoil.cli.home import Home
from counterfoil.cli.services import demo_settings, read_settings

pytestmark = pytest.mark.xdist_group("product")


@dataclass(kw_only=True)
class Books:
    """A company whose books are right."""

    company: Company
    checker: Checker
    holdings: Holdings
    driver: "asyncpg.Connection[Any]"

    @property
    def tenant(self) -> str:
        return f"tenant_id = '{self.company.tenant_id}'"

    async def with_planted(self, *statements: str) -> Report:
        """What is found once these are done, as superuser past every trigger; then they are undone."""
        planting = self.driver.transaction()
        await planting.start()
        try:
            await self.driver.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                assert not (await self.driver.execute(statement)).endswith(" 0"), statement
            return await self.checker.check(self.driver, self.holdings)
        finally:
            await planting.rollback()


@pytest.fixture(scope="module")
def vendor(product: Product) -> Iterator[Stripe]:
    gateway = Gateway(free_port(), upstream=int(product.stripe.rpartition(":")[2]))
    yield Stripe(address=product.stripe, gateway=gateway)
    gateway.close()


@pytest.fixture(scope="module")
def company(product: Product, vendor: Stripe) -> Iterator[Company]:
    """One that has synced, has its evidence, has got webhooks, and has changed something."""
    ledger = Ledger()
    company = Company(product.url, f"checked-{free_port()}", ledger)
    company.connect(vendor)
    job_id = company.sync()
    while not company.call("GET", f"/jobs/{job_id}")["finished_at"]:
        company.stopping.wait(0.2)
    company.call("POST", "/tables/views", json={"table": "payments", "name": "Mine"})
    address = f"{product.url}/webhooks/stripe/{company.connection_id}"
    ledger.deliveries += [(company.tenant_id, event) for event in vendor.deliver(address, 3)]
    while any(company.call("GET", "/jobs", params={"status": status})["items"] for status in ("queued", "running")):
        company.stopping.wait(0.2)
    while company.call("GET", "/audit-events/verify")["unsealed"]["count"]:
        company.stopping.wait(0.2)
    yield company
    company.http.close()


@pytest.fixture
async def books(product: Product, vendor: Stripe, company: Company) -> AsyncIterator[Books]:
    home = Home(product.home)
    settings = demo_settings(
        read_settings().model_copy(update={"home": product.home}),
        home=home,
        postgres=home.postgres(),
        valkey=home.valkey(),
    )
    driver = await connect(product.home)
    checker = Checker(
        home=home.path,
        settings=settings,
        companies=[company],
        ledger=company.ledger,
        catalogue=await tables(driver),
    )
    holdings = await asyncio.to_thread(vendor.holdings)
    yield Books(company=company, checker=checker, holdings=holdings, driver=driver)
    await driver.close()


def says(report: Report, check: str, what: str) -> bool:
    return any(check in finding.check and what in finding.detail for finding in report.findings)


async def test_books_that_are_right_have_no_findings(books: Books) -> None:
    report = await books.checker.check(books.driver, books.holdings)
    assert report.findings == []
    assert report.rows_checked > 1000
    assert min(report.events_hashed, report.artifacts_checked, len(books.checker.ledger.deliveries)) > 0


@pytest.mark.parametrize(
    ("statement", "check", "what"),
    [
        ("DELETE FROM core.payments WHERE {row}", "rows of payments", "1 lost"),
        ("UPDATE core.payments SET deleted_at = now() WHERE {row}", "rows of payments", "1 lost"),
        (
            "INSERT INTO core.payments (id, {columns}) SELECT gen_random_uuid(), {columns} FROM core.payments WHERE {row}",
            "rows of payments",
            "1 doubled",
        ),
        ("UPDATE core.payments SET amount = amount + 0.01 WHERE {row}", "rows of payments", "1 with other values"),
        (
            "UPDATE core.payments SET source_id = 'ch_x' WHERE {row}",
            "rows of payments",
            "that the vendor does not have",
        ),
        ("UPDATE core.payments SET amount = amount + 0.01 WHERE {row}", "API of payments", "1 unlike the table"),
        (
            "UPDATE core.payout_lines SET payout_id = NULL WHERE {tenant} AND payout_id IS NOT NULL",
            "rows of payout_lines",
            "with other values",
        ),
        (
            (
                "INSERT INTO core.raw_records SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).*"
                " FROM core.raw_records r WHERE {tenant} AND stream = 'payouts'"
            ),
            "raw records",
            "doubled",
        ),
        (
            "UPDATE core.jobs SET status = 'queued', finished_at = NULL WHERE {tenant} AND kind = 'core.sync'",
            "jobs",
            "1 never ended",
        ),
        ("DELETE FROM core.jobs WHERE {tenant} AND kind = 'core.sync'", "jobs", "1 accepted and gone"),
        (
            """UPDATE core.jobs SET error = '{{"code": "internal_error"}}' WHERE {tenant} AND kind = 'core.sync'""",
            "jobs",
            "1 ended by a fault of ours",
        ),
        ("DELETE FROM core.audit_events WHERE {view_made}", "audit", "1 changes without an event"),
        ("DELETE FROM core.audit_events WHERE {view_made}", "audit chain, computed again", "are there"),
        (
            "UPDATE core.audit_events SET actor_label = 'Nobody' WHERE {view_made}",
            "audit chain, computed again",
            "not those that were sealed",
        ),
        ("UPDATE core.audit_seals SET signature = hash WHERE {tenant}", "audit chain, computed again", "not signed"),
        ("DELETE FROM core.audit_seals WHERE {tenant} AND sequence = 1", "audit chain, computed again", "is missing"),
        (
            (
                "INSERT INTO core.audit_events (tenant_id, id, occurred_at, actor_kind, actor_label, action, outcome,"
                " correlation_id, payload) SELECT tenant_id, gen_random_uuid(), occurred_at, actor_kind, actor_label, action,"
                " outcome, correlation_id, payload FROM core.audit_events WHERE {view_made}"
            ),
            "audit",
            "done twice",
        ),
        (
            "DELETE FROM core.audit_events WHERE {tenant} AND action = 'core.job.finished'",
            "audit",
            "jobs whose request and end",
        ),
        ("UPDATE core.webhook_receipts SET handled_at = NULL WHERE {tenant}", "webhooks", "nobody has handled"),
        ("DELETE FROM core.webhook_receipts WHERE {tenant}", "webhooks", "without a receipt"),
        ("UPDATE core.usage_counters SET value = value + 1 WHERE {tenant}", "usage", "1 tenants"),
        ("DELETE FROM core.objects WHERE {tenant}", "artifacts", "in the store and not in the index"),
        ("UPDATE core.objects SET key = key || 'x' WHERE {tenant}", "artifacts", "in the index and not in the store"),
        ("CREATE TABLE core.stage_left_behind (id integer)", "tables", "1 that nobody declared"),
    ],
)
async def test_a_planted_fault_is_found(books: Books, statement: str, check: str, what: str) -> None:
    source_id = min(books.holdings["payments"])
    # Generated ones are the database's own.
    columns = await books.driver.fetchval(
        "SELECT string_agg(attname, ', ') FROM pg_attribute"
        " WHERE attrelid = 'core.payments'::regclass AND attnum > 0 AND attgenerated = '' AND attname <> 'id'"
    )
    report = await books.with_planted(
        statement.format(
            columns=columns,
            tenant=books.tenant,
            row=f"{books.tenant} AND source_id = '{source_id}'",
            view_made=f"{books.tenant} AND action = 'core.saved_view.created'",
        )
    )
    assert says(report, check, what), report.findings


async def test_who_asks_for_a_pack_that_is_being_made_anyway_has_changed_nothing(books: Books) -> None:
    job_id = await books.driver.fetchval(
        f"SELECT id::text FROM core.jobs WHERE {books.tenant} AND kind = 'core.evidence'"  # noqa: S608  (an id of our own)
    )
    asked = Accepted(tenant_id=books.company.tenant_id, correlation_id=str(uuid4()), request="POST", job_id=job_id)
    books.checker.ledger.accepted.append(asked)
    try:
        assert (await books.checker.check(books.driver, books.holdings)).findings == []
    finally:
        books.checker.ledger.accepted.remove(asked)


async def test_a_file_that_is_gone_or_changed_is_found(books: Books) -> None:
    key = await books.driver.fetchval(f"SELECT key FROM core.objects WHERE {books.tenant} LIMIT 1")  # noqa: S608  (an id of our own)
    path = books.checker.home / "objects" / key
    content = path.read_bytes()
    try:
        path.write_bytes(content + b"x")
        changed = await books.checker.check(books.driver, books.holdings)
        path.unlink()
        gone = await books.checker.check(books.driver, books.holdings)
    finally:
        path.write_bytes(content)
    assert says(changed, "artifacts", "1 that are not what was stored")
    assert says(gone, "artifacts", "1 in the index and not in the store")


async def test_a_transaction_that_does_not_end_and_a_lock_that_is_waited_for_are_found(
    books: Books, product: Product
) -> None:
    holder, waiter = await connect(product.home), await connect(product.home)
    await holder.execute("BEGIN; SELECT pg_advisory_xact_lock(7)")
    waiting = asyncio.create_task(waiter.execute("SELECT pg_advisory_lock(7)"))
    while not await books.driver.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110  (PostgreSQL tells nobody)
        await asyncio.sleep(0.05)
    report = await books.checker.check(books.driver, books.holdings)
    await holder.close()
    await waiting
    await waiter.close()
    assert says(report, "locks", "1 that are waited for")
