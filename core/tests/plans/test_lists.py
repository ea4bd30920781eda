"""No list of the product reads on and on: asked every way it can be, it looks at no more rows than a page needs.

The tables are small, and the plans those of large ones: with sequential scans ruled out the planner has to find an index, and
what no index finds shows in the rows it looks at. ``./dev bench plans`` asks the same of ten million rows.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.db.database import driver_url
from counterfoil.plugins.migrate import migrate
from counterfoil.testing.asking import (
    METRICS_TOKEN,
    QUESTIONS,
    Asked,
    Plans,
    ask,
    explained,
    get_routes,
    known_of,
    offences,
    unanswered,
)
from counterfoil.testing.plugin import ORIGIN, Services, register
from counterfoil.testing.population import COLUMNS, populate

PLANNER = {"enable_seqscan": "off", "enable_bitmapscan": "off", "random_page_cost": "1.1"}
# A page is fifty rows and one; some lists join a second table to each.
MOST_ROWS = 250
TENANTS = 20
ROWS = 5_000
# What a tenant has only some of, whatever it does.
FEW = {"roles": 60, "role_permissions": 60, "membership_roles": 60, "connections": 200, "cursor_states": 200}


@dataclass(frozen=True, kw_only=True)
class Answers:
    asked: list[Asked]
    routes: set[str]


@pytest.fixture(scope="module")
async def answers(services: Services, settings: Settings) -> AsyncIterator[Answers]:
    """Every question's plans, of a database of its own: no other test is to be explained."""
    name = f"plans_{secrets.token_hex(4)}"
    urls = {
        which: make_url(getattr(settings, which).get_secret_value()).set(database=name).render_as_string(False)
        for which in ("database_url", "database_admin_url")
    }
    made = Settings.model_validate({**settings.model_dump(), **urls, "metrics_token": METRICS_TOKEN})
    async with connected(services.admin_url) as server:
        await server.execute(f'CREATE DATABASE "{name}"')
        try:
            await migrate(made)
            async with connected(urls["database_admin_url"]) as admin, explained(admin, **PLANNER) as plans:
                app = create_app(made)
                async with app.router.lifespan_context(app):
                    yield await answered(app, admin, plans)
        finally:
            await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(driver_url(url))
    try:
        yield connection
    finally:
        await connection.close()


async def answered(app: FastAPI, admin: "asyncpg.Connection[Any]", plans: Plans) -> Answers:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN, timeout=60) as client:
        tenant_id = (await register(client)).tenant_id
        await populate(admin, dict.fromkeys(COLUMNS, ROWS) | FEW, tenants=TENANTS, largest=tenant_id, run_of_rows=5)
        routes = get_routes(app)
        known = await known_of(admin, tenant_id)
        return Answers(
            asked=[asked async for asked in ask(client, plans, routes, known)],
            routes={route.operation for route in routes},
        )


def test_every_route_is_asked(answers: Answers) -> None:
    assert answers.routes == set(QUESTIONS)
    silent = {asked.operation for asked in answers.asked} - {asked.operation for asked in answers.asked if asked.plans}
    # These tell what this installation is, not what is in a table.
    assert silent <= {"healthLive", "healthReady"}


def test_every_question_is_answered(answers: Answers) -> None:
    found = unanswered(answers.asked)
    assert not found, "\n".join(found)


def test_no_question_looks_at_more_rows_than_its_answer_needs(answers: Answers) -> None:
    found = [
        f"{each.operation} {dict(each.parameters)}: {each.look} in {each.query[:200]}"
        for each in offences(answers.asked, most_rows=MOST_ROWS)
    ]
    assert not found, "\n".join(found)
