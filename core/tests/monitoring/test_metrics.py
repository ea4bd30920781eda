"""`/metrics`: closed without its token, and true when it opens."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from counterfoil.config import Settings
from counterfoil.kit.ids import new_id
from counterfoil.testing.plugin import SignedIn

TOKEN = "a token of more than twenty characters"


@pytest.fixture
def open_to_monitoring(app: FastAPI, settings: Settings) -> Iterator[None]:
    provided = app.state.provided
    provided.add(settings.model_copy(update={"metrics_token": SecretStr(TOKEN)}))
    yield
    provided.add(settings)


async def figures(client: httpx2.AsyncClient) -> dict[tuple[str, ...], float]:
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_without_a_token_there_is_no_such_route(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.usefixtures("open_to_monitoring")
@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
async def test_only_who_has_the_token_is_let_in(client: httpx2.AsyncClient, given: str | None) -> None:
    headers = {"Authorization": given} if given is not None else {}
    answer = await client.get("/metrics", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.usefixtures("open_to_monitoring")
async def test_a_signed_in_person_is_not_whoever_runs_the_installation(signed_in: SignedIn) -> None:
    assert (await signed_in.client.get("/metrics")).status_code == 401


@pytest.mark.usefixtures("open_to_monitoring")
async def test_requests_are_counted_by_route_and_never_by_what_was_asked_for(
    client: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    before = await figures(client)
    missing = new_id()
    for _ in range(3):
        assert (await signed_in.client.get(f"/api/v1/jobs/{missing}")).status_code == 404
    assert (await client.get(f"/api/v1/{missing}")).status_code == 404
    after = await figures(client)
    key = ("counterfoil_http_requests_total", "GET", "/api/v1/jobs/{job_id}", "404")
    assert after[key] - before.get(key, 0) == 3
    timed = ("counterfoil_http_request_duration_seconds_count", "GET", "/api/v1/jobs/{job_id}")
    assert after[timed] - before.get(timed, 0) == 3
    assert not any(str(missing) in label for labels in after for label in labels)


@pytest.mark.usefixtures("open_to_monitoring")
async def test_jobs_that_wait_are_counted_across_tenants(
    client: httpx2.AsyncClient, sign_in: Any, admin: "asyncpg.Connection[Any]"
) -> None:
    waiting = ("counterfoil_jobs", "sync", "queued")
    before = (await figures(client)).get(waiting, 0)
    for who in (await sign_in(), await sign_in()):
        made = {"kind": "stripe", "label": "S", "settings": {}, "credentials": {"api_key": "sk_test_x"}}
        connection = (await who.client.post("/api/v1/connections", json=made)).json()["id"]
        assert (await who.client.post(f"/api/v1/connections/{connection}/sync")).status_code == 202
        await admin.execute(
            "UPDATE core.jobs SET created_at = now() - interval '1 h' WHERE tenant_id = $1", who.tenant_id
        )
    found = await figures(client)
    assert found[waiting] - before == 2
    assert found["counterfoil_job_oldest_seconds", "sync", "queued"] >= 3600
    assert found["counterfoil_audit_unsealed_seconds",] >= 0
    assert found["counterfoil_database_connections", "in_use"] >= 0
