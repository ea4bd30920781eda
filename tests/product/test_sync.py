"""Stripe's data from the vendor's API to the table, whole and in parts."""

import io
import time
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from tests.product.conftest import Person, Product

from counterfoil.evidence.verify import verify

pytestmark = pytest.mark.xdist_group("product")

TABLES = {"charges": "payments", "payouts": "payouts", "balance_transactions": "payout_lines"}


def assert_complete(person: Person, simulator: httpx2.Client) -> None:
    """The tables hold exactly what the vendor holds, and every complete payout is the sum of its lines."""
    expected = simulator.get("/expected").json()
    for name, table in TABLES.items():
        found = [row["source_id"] for row in person.rows(table)]
        assert len(found) == len(set(found)), table
        assert set(found) == set(expected[name]["ids"]), table
    members: dict[str, Decimal] = defaultdict(Decimal)
    for line in person.rows("payout_lines", filter="payout_id:is_null:false"):
        members[line["payout_id"]] += Decimal(line["net"])
    for payout in person.rows("payouts", filter="reconciliation_status:eq:completed"):
        assert members[payout["id"]] == Decimal(payout["amount"]), payout["source_id"]


@pytest.fixture
def person(product: Product) -> Person:
    return product.newcomer("sync")


def streams(job: dict[str, Any], name: str) -> dict[str, Any]:
    return {stream: totals[name] for stream, totals in job["result"]["streams"].items()}


def test_everything_arrives_and_a_second_sync_rewrites_no_row(person: Person, simulator: httpx2.Client) -> None:
    connection = person.connect_stripe()
    first = person.synced(connection)
    assert (first["status"], first["reasons"]) == ("succeeded", [])
    assert_complete(person, simulator)
    before = person.rows("payout_lines"), person.rows("payments"), person.rows("payouts")
    second = person.synced(connection)
    assert second["status"] == "succeeded"
    for name in ("rows_inserted", "rows_updated", "rows_deleted"):
        assert set(streams(second, name).values()) == {0}
    assert (person.rows("payout_lines"), person.rows("payments"), person.rows("payouts")) == before


def test_a_sync_that_brought_news_has_its_evidence_by_itself(person: Person) -> None:
    connection = person.connect_stripe()
    first, second = person.synced(connection), person.synced(connection)
    deadline = time.monotonic() + 60
    while (found := person.call("GET", f"/jobs/{first['id']}/evidence"))["state"] != "ready":
        assert (found["state"], time.monotonic() < deadline) == ("preparing", True), found
        time.sleep(0.25)
    pack, key = found["pack"], person.call("GET", "/evidence/key")["public_key"]
    for name in ("records", "rows"):
        assert 0 < pack[name]["in_this_pack"] == pack[name]["landed"]
    content = person.http.get(f"/jobs/{first['id']}/evidence/download").content
    report = verify(io.BytesIO(content), [key])
    assert (report.verdict, report.findings) == ("intact", [])
    assert report.audit.sealed > 0
    assert (report.audit.unsealed, report.audit.unproven) == (0, 0)
    assert person.call("GET", f"/jobs/{second['id']}/evidence")["state"] == "absent"


def test_new_activity_and_payouts_that_move_on_are_found_by_the_next_sync(
    person: Person, simulator: httpx2.Client
) -> None:
    connection = person.connect_stripe()
    person.synced(connection)
    simulator.post("/world/append", json={"orders": 15}).raise_for_status()
    simulator.post("/world/settle").raise_for_status()
    job = person.synced(connection)
    assert job["status"] == "succeeded"
    assert streams(job, "rows_inserted")["charges"] >= 10
    assert streams(job, "rows_updated")["payouts"] >= 1
    assert_complete(person, simulator)


def test_a_stream_that_fails_makes_the_run_partial_and_the_next_completes_it(
    person: Person, simulator: httpx2.Client
) -> None:
    connection = person.connect_stripe()
    stream = "balance_transactions"
    simulator.put("/faults", json=[{"match": f"/v1/{stream}", "kind": "status_403", "after": 10}]).raise_for_status()
    partial = person.synced(connection)
    assert (partial["status"], partial["attempts"]) == ("partial", 1)
    assert (stream, "source_forbidden") in {(reason["stream"], reason["code"]) for reason in partial["reasons"]}
    listed = {item["name"]: item for item in person.call("GET", f"/connections/{connection}/streams")["items"]}
    assert listed[stream]["last_run"]["status"] == "partial"
    assert listed[stream]["cursor"]["pending"] is True
    simulator.delete("/faults").raise_for_status()
    whole = person.synced(connection)
    assert (whole["status"], whole["reasons"]) == ("succeeded", [])
    assert_complete(person, simulator)


def test_an_outage_is_waited_out_by_the_job_which_reads_on_where_it_stopped(
    person: Person, simulator: httpx2.Client
) -> None:
    connection = person.connect_stripe()
    simulator.put("/faults", json=[{"match": "/v1/charges", "kind": "cut_page", "after": 10}]).raise_for_status()
    job_id = person.sync(connection, streams=["charges"])
    deadline = time.monotonic() + 60
    while (job := person.call("GET", f"/jobs/{job_id}"))["attempts"] != 1 or job["status"] != "queued":
        assert time.monotonic() < deadline, job
        time.sleep(0.25)
    assert job["progress"]["message"].startswith("Trying again in 15 s: ")
    assert job["progress"]["streams"]["charges"]["status"] == "waiting"
    simulator.delete("/faults").raise_for_status()
    done = person.finished(job_id)
    assert (done["status"], done["reasons"], done["attempts"]) == ("succeeded", [], 2)
    found = {row["source_id"] for row in person.rows("payments")}
    assert found == set(simulator.get("/expected").json()["charges"]["ids"])


def test_a_key_that_is_refused_fails_the_job_and_asks_for_a_new_one(person: Person) -> None:
    connection = person.connect_stripe("sk_test_wrong")
    job = person.synced(connection)
    assert job["status"] == "failed"
    assert person.call("GET", f"/connections/{connection}")["status"] == "needs_reauth"


def test_a_passing_limit_is_waited_out(person: Person, simulator: httpx2.Client) -> None:
    connection = person.connect_stripe()
    simulator.put("/faults", json=[{"match": "/v1/charges", "kind": "status_429", "times": 2}]).raise_for_status()
    assert person.synced(connection, streams=["charges"])["status"] == "succeeded"


def test_a_replay_leaves_every_row_as_it_was(person: Person) -> None:
    connection = person.connect_stripe()
    person.synced(connection, streams=["charges", "payouts"])
    rows: Callable[[], Any] = lambda: (person.rows("payments"), person.rows("payouts"))  # noqa: E731
    before = rows()
    job = person.finished(person.call("POST", f"/connections/{connection}/replay")["job_id"])
    assert job["status"] == "succeeded"
    assert rows() == before


def test_a_row_leads_back_to_its_record_run_and_job(person: Person) -> None:
    connection = person.connect_stripe()
    job = person.synced(connection, streams=["charges"])
    row = person.call("GET", "/tables/payments", params={"limit": 1})["items"][0]
    found = person.call("GET", f"/tables/payments/rows/{row['id']}")
    assert found["raw"]["payload"]["id"] == row["source_id"]
    assert found["lineage"]["connection"]["id"] == connection
    assert found["lineage"]["run"]["stream"] == "charges"
    assert found["lineage"]["job"]["id"] == job["id"]
