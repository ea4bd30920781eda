"""A vendor that calls while its own API does not answer."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from counterfoil.cli.beat import receipts_upkeep
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.webhooks import repository

from .conftest import Hooked


@pytest.mark.parametrize(("error", "closed"), [("forbidden", "source_forbidden"), ("unauthorized", None)])
async def test_what_is_refused_is_partial_and_waits_for_the_next_delivery_where_that_helps(
    hooked: Hooked, error: str, closed: str | None
) -> None:
    hooked.vendor.error = error
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    done = await hooked.run((await hooked.jobs())[0]["id"])
    assert (done["status"], done["attempts"]) == ("partial", 1)
    [receipt] = await hooked.receipts()
    assert (receipt["error"], receipt["handled_at"] is not None) == (closed, closed is not None)
    hooked.vendor.error, hooked.vendor.charges_now = None, {"ch_1": {"id": "ch_1", "amount": "7"}}
    await hooked.deliver({"id": "evt_2", "about": [["charges", "ch_2"]]})
    await hooked.run((await hooked.jobs())[0]["id"])
    assert await hooked.amounts() == ({} if closed else {"ch_1": "7"})


async def test_an_outage_is_waited_out_by_the_same_job_and_what_comes_meanwhile_joins_it(hooked: Hooked) -> None:
    hooked.vendor.charges_now = {name: {"id": name, "amount": "7"} for name in ("ch_1", "ch_2")}
    hooked.vendor.error = "down"
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    [job] = await hooked.jobs()
    waiting = await hooked.run(job["id"])
    assert waiting["status"] == "queued"
    assert waiting["progress"]["message"] == "Trying again in 15 s: no answer"
    assert waiting["progress"]["streams"]["charges"]["status"] == "waiting"
    log = (await hooked.who.client.get(f"/api/v1/jobs/{job['id']}/log")).json()["items"]
    assert [line["message"] for line in log] == ["Trying again in 15 s: no answer"]
    assert [receipt["handled_at"] for receipt in await hooked.receipts()] == [None]
    await hooked.deliver({"id": "evt_2", "about": [["charges", "ch_2"]]})
    assert [one["id"] for one in await hooked.jobs()] == [job["id"]]
    hooked.vendor.error = None
    done = await hooked.run(job["id"])
    assert (done["status"], done["reasons"], done["attempts"]) == ("succeeded", [], 2)
    assert await hooked.amounts() == {"ch_1": "7", "ch_2": "7"}
    assert all(receipt["handled_at"] and not receipt["error"] for receipt in await hooked.receipts())


async def test_with_its_attempts_used_up_a_job_closes_what_it_could_not_fetch_and_says_why(hooked: Hooked) -> None:
    hooked.vendor.error = "down"
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    [job] = await hooked.jobs()
    statuses = [(await hooked.run(job["id"]))["status"] for _ in range(5)]
    assert statuses == ["queued"] * 4 + ["partial"]
    [receipt] = await hooked.receipts()
    assert (receipt["error"], receipt["handled_at"] is not None) == ("source_unavailable", True)
    [run] = await runs(hooked)
    assert (run["status"], run["finished_at"] is not None) == ("partial", True)


async def test_what_was_refused_before_the_outage_ended_is_not_forgotten(hooked: Hooked) -> None:
    hooked.vendor.charges_now["ch_1"] = {"id": "ch_1", "amount": "7"}
    hooked.vendor.error = "some"
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    await hooked.deliver({"id": "evt_2", "about": [["charges", "ch_2"]]})
    [job] = await hooked.jobs()
    assert (await hooked.run(job["id"]))["status"] == "queued"
    hooked.vendor.error = None
    done = await hooked.run(job["id"])
    assert (done["status"], [reason["code"] for reason in done["reasons"]]) == ("partial", ["source_forbidden"])
    assert await hooked.amounts() == {"ch_1": "7"}
    assert {one["event_id"]: one["error"] for one in await hooked.receipts()} == {
        "evt_1": None,
        "evt_2": "source_forbidden",
    }


async def test_a_vendor_that_cannot_even_say_whose_account_it_is_is_waited_for_too(hooked: Hooked) -> None:
    hooked.vendor.error = "unreachable"
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    [job] = await hooked.jobs()
    for _ in range(4):
        waiting = await hooked.run(job["id"])
        assert waiting["status"] == "queued"
    assert waiting["progress"]["message"] == "Trying again in 120 s: nobody there"
    ended = await hooked.run(job["id"])
    assert (ended["status"], ended["error"]) == ("failed", {"code": "source_unavailable", "detail": "nobody there"})
    [receipt] = await hooked.receipts()
    assert (receipt["error"], receipt["handled_at"] is not None) == ("source_unavailable", True)


async def test_what_comes_while_a_job_gives_up_has_a_job_of_its_own(hooked: Hooked) -> None:
    hooked.vendor.error = "unreachable"
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    [job] = await hooked.jobs()
    for _ in range(4):
        await hooked.run(job["id"])

    async def meanwhile() -> None:
        await hooked.deliver({"id": "evt_2", "about": [["charges", "ch_1"]]})

    hooked.vendor.meanwhile = meanwhile
    assert (await hooked.run(job["id"]))["status"] == "failed"
    assert {one["event_id"]: one["error"] for one in await hooked.receipts()} == {
        "evt_1": "source_unavailable",
        "evt_2": None,
    }
    hooked.vendor.error = hooked.vendor.meanwhile = None
    hooked.vendor.charges_now["ch_1"] = {"id": "ch_1", "amount": "7"}
    [other] = [one for one in await hooked.jobs() if one["id"] != job["id"]]
    assert (await hooked.run(other["id"]))["status"] == "succeeded"
    assert await hooked.amounts() == {"ch_1": "7"}


async def test_a_vendor_that_does_not_answer_at_all_is_not_asked_for_every_record(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.webhooks.tasks.AT_A_TIME", 2)
    hooked.vendor.error = "down"
    for number in range(5):
        await hooked.deliver({"id": f"evt_{number}", "about": [["charges", f"ch_{number}"]]})
    [job] = await hooked.jobs()
    for _ in range(5):
        hooked.vendor.fetched.clear()
        ended = await hooked.run(job["id"])
        assert hooked.vendor.fetched == ["ch_0", "ch_1"]
    assert ended["status"] == "partial"
    assert {receipt["error"] for receipt in await hooked.receipts()} == {"source_unavailable"}


async def test_what_a_cancelled_job_was_to_ask_for_is_closed_and_says_so(
    hooked: Hooked, settings: Settings, database: Database
) -> None:
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    [job] = await hooked.jobs()
    assert (await hooked.who.client.post(f"/api/v1/jobs/{job['id']}/cancel")).status_code == 200
    [pending] = await hooked.receipts()
    assert pending["handled_at"] is None
    assert await receipts_upkeep(settings, database)() >= 1
    [closed] = await hooked.receipts()
    assert (closed["error"], closed["handled_at"] is not None) == ("cancelled", True)


@pytest.mark.parametrize(
    ("code", "closed"),
    [("attempts_exhausted", True), ("internal_error", True), ("source_unauthorized", False), ("quota_exceeded", False)],
)
async def test_what_a_job_that_was_given_up_leaves_is_closed_and_what_waits_for_somebody_is_not(
    hooked: Hooked,
    settings: Settings,
    database: Database,
    admin: "asyncpg.Connection[Any]",
    *,
    code: str,
    closed: bool,
) -> None:
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    [job] = await hooked.jobs()
    await admin.execute(
        "UPDATE core.jobs SET status = 'failed', finished_at = now(), error = jsonb_build_object('code', $2::text) WHERE id = $1",
        UUID(job["id"]), code,
    )  # fmt: skip
    await receipts_upkeep(settings, database)()
    [receipt] = await hooked.receipts()
    assert (receipt["error"], receipt["handled_at"] is not None) == (code if closed else None, closed)


async def test_what_came_long_ago_goes_also_of_a_connection_that_was_deleted(
    hooked: Hooked, settings: Settings, database: Database
) -> None:
    for number in range(3):
        await hooked.deliver({"id": f"evt_{number}", "about": [["charges", "ch_1"]]})
    await hooked.admin.execute(
        "UPDATE core.webhook_receipts SET id = uuidv7(interval '-31 days') WHERE event_id <> 'evt_2' AND tenant_id = $1",
        hooked.who.tenant_id,
    )
    answer = await hooked.who.client.delete(f"/api/v1/connections/{hooked.id}")
    assert answer.status_code == 204, answer.text
    assert await receipts_upkeep(settings, database)() >= 2
    query = "SELECT event_id FROM core.webhook_receipts WHERE tenant_id = $1"
    assert [row["event_id"] for row in await hooked.admin.fetch(query, hooked.who.tenant_id)] == ["evt_2"]


async def test_too_many_pending_are_closed(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    hooked.vendor.error = "unauthorized"
    for number in range(2, 6):
        await hooked.deliver({"id": f"evt_{number}", "about": [["charges", "ch_1"]]})
    monkeypatch.setattr(repository, "MOST_PENDING", 3)
    await hooked.run((await hooked.jobs())[0]["id"])
    await hooked.deliver({"id": "evt_6", "about": [["charges", "ch_1"]]})
    left = {receipt["event_id"]: receipt["error"] for receipt in await hooked.receipts()}
    assert left == {
        "evt_6": None,
        "evt_5": None,
        "evt_4": None,
        "evt_3": "too_many_pending",
        "evt_2": "too_many_pending",
    }


async def runs(hooked: Hooked) -> list[dict[str, Any]]:
    query = "SELECT * FROM core.stream_runs WHERE tenant_id = $1"
    return [dict(row) for row in await hooked.admin.fetch(query, hooked.who.tenant_id)]
