"""A vendor calls, with and without its signature; what it is about is asked for, and never believed."""

import asyncio
import time

import pytest

from counterfoil.db import Database
from counterfoil.jobs import repository as jobs
from counterfoil.kit.ids import new_id

from .conftest import Hooked


async def test_a_signed_event_has_what_it_is_about_fetched_and_landed(hooked: Hooked) -> None:
    hooked.vendor.charges_now["ch_1"] = {"id": "ch_1", "amount": "7"}
    answer = await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]], "object": {"amount": "666"}})
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    [job] = await hooked.jobs()
    [receipt] = await hooked.receipts()
    assert (receipt["event_id"], receipt["handled_at"], receipt["job_id"]) == ("evt_1", None, job["id"])
    done = await hooked.run(job["id"])
    assert done["status"] == "succeeded"
    assert done["result"]["receipts"] == 1
    assert done["result"]["streams"]["charges"]["rows_inserted"] == 1
    assert await hooked.amounts() == {"ch_1": "7"}
    [receipt] = await hooked.receipts()
    assert receipt["handled_at"] is not None
    assert await hooked.audited("core.webhook.received") == 1


async def test_the_same_event_again_is_answered_alike_and_does_nothing(hooked: Hooked) -> None:
    event = {"id": "evt_1", "about": [["charges", "ch_1"]], "at": 1.0}
    assert [(await hooked.deliver(event)).status_code for _ in range(3)] == [200, 200, 200]
    assert len(await hooked.receipts()) == 1
    assert len(await hooked.jobs()) == 1


async def test_events_that_come_while_a_job_waits_are_its_too(hooked: Hooked) -> None:
    hooked.vendor.charges_now = {name: {"id": name, "amount": "1"} for name in ("a", "b")}
    about = [["a"], ["b"], ["a"]]
    for number, names in enumerate(about):
        await hooked.deliver({"id": f"evt_{number}", "about": [["charges", name] for name in names]})
    [job] = await hooked.jobs()
    await hooked.run(job["id"])
    assert sorted(hooked.vendor.fetched) == ["a", "b"]
    assert all(receipt["handled_at"] for receipt in await hooked.receipts())


async def test_an_event_that_comes_while_a_job_runs_gets_another(hooked: Hooked, database: Database) -> None:
    await hooked.deliver({"id": "evt_1", "about": [["charges", "a"]]})
    [job] = await hooked.jobs()
    assert await jobs.claim_now(database, hooked.who.tenant_id, job["id"], owner="test", lease_s=30)
    await hooked.deliver({"id": "evt_2", "about": [["charges", "b"]]})
    assert len(await hooked.jobs()) == 2


async def test_a_job_cannot_begin_behind_the_back_of_an_event_that_counts_on_it(
    hooked: Hooked, database: Database
) -> None:
    from counterfoil.webhooks import repository  # noqa: PLC0415  (looked at here only)

    await hooked.deliver({"id": "evt_1", "about": [["charges", "a"]]})
    [job] = await hooked.jobs()
    async with database.unit_of_work(hooked.who.tenant_id) as receiving:
        assert str(await repository.waiting_job(receiving, hooked.id)) == job["id"]  # type: ignore[arg-type]  # text will do
        claiming = asyncio.create_task(
            jobs.claim_now(database, hooked.who.tenant_id, job["id"], owner="test", lease_s=30)
        )
        await asyncio.sleep(0.3)
        assert not claiming.done()
    assert await claiming is not None


async def test_an_old_event_brings_what_is_so_today(hooked: Hooked) -> None:
    hooked.vendor.charges_now["ch_1"] = {"id": "ch_1", "amount": "7"}
    await hooked.deliver({"id": "evt_2", "about": [["charges", "ch_1"]]})
    await hooked.run((await hooked.jobs())[0]["id"])
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]], "at": 1.0, "object": {"amount": "1"}})
    await hooked.run((await hooked.jobs())[0]["id"])
    assert await hooked.amounts() == {"ch_1": "7"}


async def test_what_is_gone_at_the_vendor_is_tombstoned(hooked: Hooked) -> None:
    hooked.vendor.charges_now["ch_1"] = {"id": "ch_1", "amount": "7"}
    await hooked.deliver({"id": "evt_1", "about": [["charges", "ch_1"]]})
    await hooked.run((await hooked.jobs())[0]["id"])
    hooked.vendor.charges_now.clear()
    await hooked.deliver({"id": "evt_2", "about": [["charges", "ch_1"]]})
    await hooked.run((await hooked.jobs())[0]["id"])
    assert await hooked.amounts() == {}


async def test_an_event_about_nothing_that_can_be_fetched_is_only_put_on_record(hooked: Hooked) -> None:
    about = [["ghosts", "1"], ["charges", ""], ["charges", "a\0"], ["charges", "x" * 300]]
    assert (await hooked.deliver({"id": "evt_1", "about": about})).status_code in {200, 422}
    assert (await hooked.deliver({"id": "evt_2", "about": about[:2]})).status_code == 200
    assert await hooked.jobs() == []
    assert all(receipt["handled_at"] for receipt in await hooked.receipts())


async def test_a_bad_signature_is_refused_leaves_no_receipt_and_a_few_lines_in_the_trail(hooked: Hooked) -> None:
    for number in range(8):
        answer = await hooked.deliver({"id": f"evt_{number}"}, secret="guessed")
        assert (answer.status_code, answer.json()["code"]) == (400, "signature_invalid")
    assert await hooked.receipts() == []
    assert await hooked.jobs() == []
    assert await hooked.audited("core.webhook.refused") == 5


@pytest.mark.parametrize("odd", [rb"\u0000", rb"\ud800"])
async def test_text_that_cannot_be_stored_is_taken_in_where_only_the_vendor_reads_it(
    hooked: Hooked, odd: bytes
) -> None:
    """Refused, it would be sent again for days."""
    body = b'{"id": "evt_1", "type": "x", "at": 1, "about": [["charges", "ch_1"]], "note": "%s"}' % odd
    assert (await hooked.deliver(body)).status_code == 200
    [receipt] = await hooked.receipts()
    assert receipt["event_id"] == "evt_1"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"id": 7, "type": "x", "at": 1}'])
async def test_a_signed_body_that_makes_no_sense_is_refused(hooked: Hooked, body: bytes) -> None:
    answer = await hooked.deliver(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_unreadable")


async def test_whatever_is_hidden_answers_the_same_and_as_slowly(hooked: Hooked) -> None:
    made = {"kind": "acme_deaf", "label": "D", "settings": {}, "credentials": {"key": "k"}}
    deaf = (await hooked.who.client.post("/api/v1/connections", json=made)).json()["id"]
    gone = (await hooked.who.client.post("/api/v1/connections", json={**made, "label": "E"})).json()["id"]
    await hooked.who.client.delete(f"/api/v1/connections/{gone}")
    said = set()

    async def knock(path: str) -> None:
        began = time.monotonic()
        answer = await hooked.deliver({"id": "evt_1"}, path=path)
        assert time.monotonic() - began >= 0.1
        problem = answer.json()
        said.add((answer.status_code, problem["code"], problem["detail"], problem["title"]))

    for path in (
        f"/webhooks/acme/{new_id()}",
        f"/webhooks/stripe/{hooked.id}",
        f"/webhooks/acme_deaf/{deaf}",
        f"/webhooks/acme_deaf/{gone}",
    ):
        await knock(path)
    await hooked.who.client.post("/api/v1/plugins/acme/disable")
    await knock(hooked.path)
    assert said == {(404, "webhook_not_found", "Nothing listens here", "Nothing listens here")}


async def test_a_body_that_is_too_large_is_refused(hooked: Hooked) -> None:
    answer = await hooked.deliver({"id": "x" * 1_100_000})
    assert answer.status_code == 413


async def test_the_address_and_whether_a_secret_is_set_can_be_looked_up(hooked: Hooked) -> None:
    answer = (await hooked.who.client.get(f"/api/v1/connections/{hooked.id}/webhooks")).json()
    assert (answer["supported"], answer["secret_set"]) == (True, True)
    assert answer["url"].endswith(hooked.path)
    made = {"kind": "acme", "label": "B", "settings": {}, "credentials": {"key": "k"}}
    other = (await hooked.who.client.post("/api/v1/connections", json=made)).json()["id"]
    answer = (await hooked.who.client.get(f"/api/v1/connections/{other}/webhooks")).json()
    assert (answer["supported"], answer["secret_set"], answer["items"]) == (True, False, [])


async def test_receipts_come_in_pages_newest_first(hooked: Hooked) -> None:
    for number in range(5):
        await hooked.deliver({"id": f"evt_{number}"})
    seen, cursor = [], ""
    while True:
        query: dict[str, str | int] = {"limit": 2, "cursor": cursor}
        answer = (await hooked.who.client.get(f"/api/v1/connections/{hooked.id}/webhooks", params=query)).json()
        seen += [item["event_id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"evt_{number}" for number in reversed(range(5))]
