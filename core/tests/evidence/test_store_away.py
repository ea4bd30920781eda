"""Making a pack while the object store does not take it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from core.tests.evidence.conftest import Desk, with_settings
from core.tests.ingest.scripted import things

from counterfoil.config import Settings
from counterfoil.objects import DirectoryStore, ObjectStore


async def test_a_pack_that_cannot_be_stored_is_tried_again_and_says_why_it_waits(
    desk: Desk, settings: Settings, admin: "asyncpg.Connection[Any]", tmp_path: Path
) -> None:
    root = tmp_path / "objects"
    root.write_text("not a folder")
    desk.provided = with_settings(desk.provided, settings)
    desk.provided.add(DirectoryStore(root), ObjectStore)
    desk.bench.world.things = things(3)
    job_id = await desk.sync("things")
    path = f"/api/v1/jobs/{job_id}/evidence"
    pack_job = UUID((await desk.session.client.post(path)).json()["job_id"])
    await desk.seal()
    waiting = await desk.run(pack_job)
    assert (waiting.status, waiting.attempts) == ("queued", 1)
    assert waiting.waits_for is not None
    assert waiting.waits_for["code"] == "object_store_unavailable"

    root.unlink()
    await admin.execute("UPDATE core.jobs SET run_after = now() WHERE id = $1", pack_job)
    assert (await desk.run(pack_job)).status == "succeeded"
