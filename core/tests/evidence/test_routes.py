"""Who may have evidence, and what is on record about it."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from core.tests.evidence.conftest import Desk
from core.tests.ingest.scripted import things
from fastapi import FastAPI

from counterfoil.audit.seals import SealKeys
from counterfoil.config import Settings
from counterfoil.kit.ids import new_id
from counterfoil.kit.signing import SealKey
from counterfoil.testing.plugin import SignedIn

SignIn = Callable[[], Awaitable[SignedIn]]


async def _as(role: str, session: SignedIn, admin: "asyncpg.Connection[Any]") -> httpx2.AsyncClient:
    await admin.execute("UPDATE core.membership_roles SET role = $2 WHERE tenant_id = $1", session.tenant_id, role)
    return session.client


def _flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


async def test_a_download_is_a_file_and_leaves_its_mark(desk: Desk, admin: "asyncpg.Connection[Any]") -> None:
    desk.bench.world.things = things(3)
    job_id = await desk.sync("things")
    pack = await desk.evidence(job_id)
    path = f"/api/v1/jobs/{job_id}/evidence"

    answer = await desk.session.client.get(f"{path}/download")

    assert answer.content == pack.content
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="evidence-{job_id}.zip"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["content-length"]) == len(pack.content)
    shown = (await desk.session.client.get(path)).json()["pack"]
    rows = await admin.fetch(
        "SELECT action, actor_label, payload FROM core.audit_events"
        " WHERE resource_type = 'evidence_pack' AND resource_id = $1 ORDER BY id",
        shown["id"],
    )
    assert [row["action"] for row in rows] == ["core.evidence.created", *["core.evidence.downloaded"] * 2]
    assert {row["actor_label"] for row in rows} == {desk.session.email}
    assert {json.loads(row["payload"])["sha256"] for row in rows} == {shown["sha256"]}
    assert shown["retention_until"] > shown["created_at"]


async def test_what_is_not_what_was_stored_is_not_sent(
    desk: Desk, admin: "asyncpg.Connection[Any]", settings: Settings
) -> None:
    desk.bench.world.things = things(3)
    job_id = await desk.sync("things")
    await desk.evidence(job_id)
    key = await admin.fetchval("SELECT key FROM core.objects WHERE tenant_id = $1", desk.session.tenant_id)
    path: Path = settings.home.resolve() / "objects" / key
    await asyncio.to_thread(_flip_a_bit, path)
    for _ in ("changed", "gone"):
        answer = await desk.session.client.get(f"/api/v1/jobs/{job_id}/evidence/download")
        assert (answer.status_code, answer.json()["code"]) == (500, "object_damaged")
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def test_another_tenant_finds_neither_job_nor_pack(desk: Desk, sign_in: SignIn) -> None:
    desk.bench.world.things = things(1)
    job_id = await desk.sync("things")
    await desk.evidence(job_id)
    stranger = (await sign_in()).client
    path = f"/api/v1/jobs/{job_id}/evidence"
    for answer in (await stranger.get(path), await stranger.post(path), await stranger.get(f"{path}/download")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_nobody_gets_in_without_signing_in(client: httpx2.AsyncClient) -> None:
    path = f"/api/v1/jobs/{new_id()}/evidence"
    for answer in (
        await client.get(path),
        await client.post(path),
        await client.get(f"{path}/download"),
        await client.get("/api/v1/evidence/key"),
    ):
        assert answer.status_code == 401


async def test_the_keys_of_earlier_packs_are_told_beside_the_current_one(desk: Desk, app: FastAPI) -> None:
    path = "/api/v1/evidence/key"
    now = (await desk.session.client.get(path)).json()
    assert (now["is_current"], now["former"]) == (True, [])
    keys, former = app.state.provided[SealKeys], SealKey.parse(base64.b64encode(bytes(32)).decode())
    app.state.provided.add(SealKeys(keys.signing, (former.public_key,)))
    rotated = (await desk.session.client.get(path)).json()
    assert rotated["former"] == [
        {
            "algorithm": "Ed25519",
            "key_id": former.key_id,
            "public_key": former.public_key,
            "public_key_pem": former.public_key_pem,
            "is_current": False,
        }
    ]
    assert rotated | {"former": []} == now


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("admin", True), ("finance", True), ("ops", False), ("developer", False), ("readonly", False)],
)
async def test_evidence_is_for_those_who_keep_the_books(
    desk: Desk, admin: "asyncpg.Connection[Any]", role: str, *, allowed: bool
) -> None:
    desk.bench.world.things = things(1)
    job_id = await desk.sync("things")
    client = await _as(role, desk.session, admin)
    path = f"/api/v1/jobs/{job_id}/evidence"
    asked = await client.post(path)
    assert asked.status_code == (202 if allowed else 403)
    assert (await client.get(path)).status_code == (200 if allowed else 403)
    # 404: there is no pack yet.
    assert (await client.get(f"{path}/download")).status_code == (404 if allowed else 403)
    assert (await client.get("/api/v1/evidence/key")).status_code == 200


async def test_a_pack_that_failed_says_why_and_may_be_tried_again(desk: Desk, admin: "asyncpg.Connection[Any]") -> None:
    desk.bench.world.things = things(1)
    job_id = await desk.sync("things")
    path = f"/api/v1/jobs/{job_id}/evidence"
    client = desk.session.client
    asked = (await client.post(path)).json()
    await admin.execute("UPDATE core.stream_runs SET mode = 'replay' WHERE job_id = $1", job_id)
    await desk.run(UUID(asked["job_id"]))
    failed = (await client.get(path)).json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "nothing_to_prove")
    await admin.execute("UPDATE core.stream_runs SET mode = 'incremental' WHERE job_id = $1", job_id)
    again = await client.post(path)
    assert (again.status_code, again.json()["state"]) == (202, "preparing")
    assert again.json()["job_id"] != asked["job_id"]
