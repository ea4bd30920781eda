"""What is in a pack."""

import asyncio
import csv
import io
import json
import shutil
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from core.tests.evidence.conftest import Desk
from core.tests.evidence.packs import Pack
from core.tests.ingest.scripted import T0, things

from counterfoil.config import Settings
from counterfoil.evidence import layout
from counterfoil.kit.ids import new_id
from counterfoil.worker import installed


async def test_a_pack_holds_what_the_run_read_and_wrote(desk: Desk, pack: Pack) -> None:
    raw = {line["source_id"]: line["payload"] for line in pack.lines("raw/things.jsonl")}
    assert raw == desk.bench.world.things
    rows = list(csv.DictReader(io.StringIO(pack.members["canonical/payments.csv"].decode(), newline="")))
    stored = await desk.bench.rows("payments")
    assert len(rows) == len(stored) == 34
    by_id = {row["id"]: row for row in rows}
    for row in stored:
        written = by_id[str(row["id"])]
        assert (written["amount"], written["status"]) == (str(row["amount"]), row["status"])
        assert written["content_hash"] == row["content_hash"].hex()
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert len(pack.members["canonical/payout_lines.csv"].splitlines()) == 41
    assert pack.members["canonical/payouts.csv"].count(b"\n") == 1


async def test_raw_records_are_in_the_order_they_landed_and_say_so(pack: Pack) -> None:
    changes = [line["change"] for line in pack.lines("raw/things.jsonl")]
    assert changes == sorted(set(changes))


async def test_the_manifest_says_whose_run_it_was_and_lists_every_file(desk: Desk, pack: Pack) -> None:
    manifest = pack.manifest
    assert manifest["format"] == "counterfoil.evidence/1"
    assert manifest["tenant"]["id"] == str(desk.session.tenant_id)
    assert manifest["connection"] == {
        "id": str(desk.bench.connection_id), "kind": "scripted", "label": "s", "account": {"id": "acct_s", "label": "Shop"},
    }  # fmt: skip
    assert (manifest["job"]["kind"], manifest["job"]["title"]) == ("core.sync", "Sync s")
    assert [(run["stream"], run["status"], run["landed"]) for run in manifest["streams"]] == [
        ("things", "succeeded", 34)
    ]
    assert [entry["path"] for entry in manifest["files"]] == [*pack.members][:-2]
    assert [*pack.members][-2:] == [layout.MANIFEST, layout.SIGNATURE]


async def test_counts_put_the_run_beside_what_is_in_the_pack(pack: Pack) -> None:
    counts = json.loads(pack.members["counts.json"])
    (stream,) = counts["streams"]
    assert (stream["read"], stream["landed"], stream["inserted"]) == (34, 34, 74)
    assert counts["rows_in_this_pack"]["raw/things.jsonl"] == 34
    assert counts["rows_in_this_pack"]["canonical/payout_lines.csv"] == 40


async def test_the_audit_events_of_the_job_are_in_it(pack: Pack) -> None:
    events = pack.lines("audit.jsonl")
    assert [event["action"] for event in events] == ["core.job.requested", "core.job.finished"]
    assert {event["resource_id"] for event in events} == {pack.manifest["job"]["id"]}


async def test_a_pack_holds_nothing_of_other_runs(desk: Desk) -> None:
    desk.bench.world.things = things(3)
    first = await desk.sync("things")
    desk.bench.world.things |= {"t0001": {"id": "t0001", "amount": "77"}, "new": {"id": "new", "amount": "5"}}
    second = await desk.sync("things", now=T0 + timedelta(hours=1))

    early, late = await desk.evidence(first), await desk.evidence(second)

    assert {line["source_id"] for line in early.lines("raw/things.jsonl")} == {"t0000", "t0002"}
    assert {line["source_id"] for line in late.lines("raw/things.jsonl")} == {"t0001", "new"}
    assert json.loads(early.members["counts.json"])["streams"][0]["inserted"] == 3


async def test_a_run_of_many_streams_has_a_file_for_each(desk: Desk) -> None:
    desk.bench.world.things = things(2)
    desk.bench.world.parents = {"p1": {"id": "p1", "children": ["c1", "c2"]}}
    pack = await desk.evidence(await desk.sync())
    assert {name for name in pack.members if name.startswith("raw/")} == {
        "raw/things.jsonl", "raw/parents.jsonl", "raw/children.jsonl",
    }  # fmt: skip
    assert pack.verify().verdict == "intact"


async def test_two_packs_of_one_state_differ_in_nothing_but_their_times(
    desk: Desk, admin: "asyncpg.Connection[Any]"
) -> None:
    desk.bench.world.things = things(50)
    job_id = await desk.sync("things")
    one = await desk.evidence(job_id)
    await admin.execute("DELETE FROM core.evidence_packs WHERE job_id = $1", job_id)
    other = await desk.evidence(job_id)

    times = {"as_of": None, "created_at": None}
    assert one.manifest | times == other.manifest | times
    kept = {name: body for name, body in one.members.items() if name not in layout.UNLISTED}
    assert kept == {name: body for name, body in other.members.items() if name not in layout.UNLISTED}


async def test_the_requests_of_the_job_are_in_it(desk: Desk, admin: "asyncpg.Connection[Any]") -> None:
    desk.bench.world.things = things(1)
    job_id = await desk.sync("things")
    for of_job, url in ((job_id, "https://vendor.test/a"), (new_id(), "https://vendor.test/b")):
        await admin.execute(
            "INSERT INTO core.api_calls (tenant_id, id, connection_id, kind, job_id, at, method, url, duration_ms,"
            " request_bytes, attempt) VALUES ($1, $2, $3, 'scripted', $4, now(), 'GET', $5, 1, 0, 1)",
            desk.session.tenant_id, new_id(), desk.bench.connection_id, of_job, url,
        )  # fmt: skip
    pack = await desk.evidence(job_id)
    assert [line["url"] for line in pack.lines("requests.jsonl")] == ["https://vendor.test/a"]
    assert pack.verify().verdict == "intact"


@pytest.mark.skipif(not all(map(shutil.which, ("openssl", "sha256sum"))), reason="needs OpenSSL and coreutils")
def test_a_pack_can_be_checked_as_its_readme_says_without_us(pack: Pack, tmp_path: Path) -> None:
    def succeeds(command: str, given: str = "") -> bool:
        done = subprocess.run(  # noqa: S602  (the README's own lines)
            command, shell=True, cwd=tmp_path, input=given, capture_output=True, text=True, check=False
        )
        return done.returncode == 0

    with zipfile.ZipFile(io.BytesIO(pack.content)) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "KEY.pem").write_text(pack.public_key_pem)
    signature = next(line for line in pack.members["README.txt"].decode().splitlines() if "openssl" in line)
    assert succeeds(signature)
    sums = "".join(f"{entry['sha256']}  {entry['path']}\n" for entry in pack.manifest["files"])
    assert succeeds("sha256sum --check --strict", sums)
    (tmp_path / "manifest.json").write_bytes(pack.members["manifest.json"].replace(b"succeeded", b"failed"))
    assert not succeeds(signature)


async def test_no_pack_is_made_of_what_is_no_finished_sync(desk: Desk, admin: "asyncpg.Connection[Any]") -> None:
    client = desk.session.client
    assert (await client.post(f"/api/v1/jobs/{new_id()}/evidence")).status_code == 404
    job_id = await desk.sync("things")
    await admin.execute("UPDATE core.jobs SET status = 'queued', finished_at = NULL WHERE id = $1", job_id)
    answer = await client.post(f"/api/v1/jobs/{job_id}/evidence")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_unfinished")
    await client.post(f"/api/v1/jobs/{job_id}/cancel")
    await admin.execute("DELETE FROM core.stream_runs WHERE job_id = $1", job_id)
    answer = await client.post(f"/api/v1/jobs/{job_id}/evidence")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_prove")


async def test_a_pack_that_was_asked_for_twice_is_made_once(desk: Desk) -> None:
    desk.bench.world.things = things(1)
    path = f"/api/v1/jobs/{await desk.sync('things')}/evidence"
    client = desk.session.client
    assert (await client.get(path)).json()["state"] == "absent"
    first, second = await client.post(path), await client.post(path)
    assert first.json()["job_id"] == second.json()["job_id"]
    assert (await client.get(path)).json()["state"] == "preparing"
    await desk.run(UUID(first.json()["job_id"]))
    ready = await client.get(path)
    again = await client.post(path)
    assert (again.status_code, again.json()) == (200, ready.json())
    assert ready.json()["state"] == "ready"


async def test_a_worker_has_what_the_job_asks_for(desk: Desk, settings: Settings) -> None:
    desk.bench.world.things = things(2)
    registry = installed()
    async with registry.resources(settings, desk.database) as desk.provided:
        assert (await desk.evidence(await desk.sync("things"))).verify().verdict == "intact"
    assert {"core.sync", "core.replay", "core.evidence"} <= registry.tasks.keys()


async def test_a_pack_waits_for_the_end_of_its_sync(desk: Desk, admin: "asyncpg.Connection[Any]") -> None:
    desk.bench.world.things = things(3)
    job_id = await desk.sync("things")
    asked = (await desk.session.client.post(f"/api/v1/jobs/{job_id}/evidence")).json()
    finished_at = await admin.fetchval("SELECT finished_at FROM core.jobs WHERE id = $1", job_id)
    await admin.execute("UPDATE core.jobs SET status = 'queued', finished_at = NULL WHERE id = $1", job_id)
    making = asyncio.create_task(desk.run(UUID(asked["job_id"])))
    await asyncio.sleep(0.7)
    assert not making.done()
    await admin.execute(
        "UPDATE core.jobs SET status = 'succeeded', finished_at = $2 WHERE id = $1", job_id, finished_at
    )
    assert (await making).status == "succeeded"
