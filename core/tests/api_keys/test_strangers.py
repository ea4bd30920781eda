"""Guessing credentials: each look-up is counted for the network it came from, and whom the network is shared with goes on."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.testing.plugin import SignedIn

from .bearers import ME, make_key

BURST = 100


@pytest.fixture(scope="module")
async def fresh(settings: Settings) -> AsyncIterator[FastAPI]:
    """An API process that knows nobody yet."""
    app = create_app(settings, with_ui=False)
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def visitor(app: FastAPI, settings: Settings, address: str) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=settings.origin, timeout=30) as client:
        yield client


@contextmanager
def looked_up(app: FastAPI) -> Iterator[list[str]]:
    """The API keys the database was asked for meanwhile."""
    engine = app.state.provided[Database].engine.sync_engine
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "use_api_key" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def somewhere() -> str:
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


def made_up() -> dict[str, str]:
    return {"Authorization": f"Bearer cfk_p_{secrets.token_hex(4)}_{secrets.token_hex(32)}"}


async def use_up(client: httpx2.AsyncClient) -> list[int]:
    """Guess until told to stop."""
    statuses = []
    for _ in range(3 * BURST):
        statuses.append((await client.get(ME, headers=made_up())).status_code)
        if statuses[-1] == 429:
            break
    return statuses


async def test_guessed_keys_are_counted_by_network_and_then_not_even_looked_up(
    fresh: FastAPI, settings: Settings
) -> None:
    network = somewhere()
    async with visitor(fresh, settings, network) as client:
        statuses = await use_up(client)
        # One more is let through for every second this took.
        assert BURST <= len(statuses) <= BURST + 60
        assert set(statuses[:-1]) == {401}
        with looked_up(fresh) as asked:
            answers = [await client.get(ME, headers=made_up()) for _ in range(40)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(asked) <= len(answers) - len(refused) + 2 <= 6
        assert refused[0].json()["code"] == "rate_limited"
        assert 1 <= int(refused[0].headers["Retry-After"]) <= 2
        assert (refused[0].headers["RateLimit-Limit"], refused[0].headers["RateLimit-Remaining"]) == (str(BURST), "0")
    # The same customer of a provider is the same network; another is not.
    async with visitor(fresh, settings, network.replace("::1", "::2:3")) as client:
        assert 429 in [(await client.get(ME, headers=made_up())).status_code for _ in range(5)]
    async with visitor(fresh, settings, somewhere()) as client:
        assert (await client.get(ME, headers=made_up())).status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "cfk_", "cfk_p_short"])
@pytest.mark.parametrize("carrier", ["header", "cookie"])
async def test_whatever_is_no_credential_of_ours_is_counted(
    fresh: FastAPI, settings: Settings, token: str, carrier: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if carrier == "header" else {"Cookie": f"cf_access={token}"}
    async with visitor(fresh, settings, somewhere()) as client:
        answers = [await client.get(ME, headers=headers) for _ in range(3)]
    left = [int(answer.headers["RateLimit-Remaining"]) for answer in answers]
    assert {answer.status_code for answer in answers} == {401}
    assert left[0] - left[2] in (1, 2)
    assert BURST - 3 <= left[2] < BURST


async def test_guessing_keeps_nobody_out_who_shares_the_network(
    fresh: FastAPI, settings: Settings, signed_in: SignedIn
) -> None:
    key = {"Authorization": f"Bearer {(await make_key(signed_in.client, 'tables.read'))['key']}"}
    session = {"Authorization": signed_in.client.headers["Authorization"]}
    async with visitor(fresh, settings, somewhere()) as client:
        assert (await client.get(ME, headers=key)).status_code == 200
        assert (await use_up(client))[-1] == 429
        for _ in range(5):
            await client.get(ME, headers=made_up())
            assert (await client.get(ME, headers=key)).status_code == 200
            assert (await client.get(ME, headers=session)).status_code == 200


async def test_a_revoked_key_is_refused_as_such_and_counts_for_its_tenant(
    fresh: FastAPI, settings: Settings, signed_in: SignedIn
) -> None:
    made = await make_key(signed_in.client, "tables.read")
    await signed_in.client.delete(f"/api/v1/api-keys/{made['id']}")
    async with visitor(fresh, settings, somewhere()) as client:
        answer = await client.get(ME, headers={"Authorization": f"Bearer {made['key']}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_ended")
    assert answer.headers["RateLimit-Limit"] == str(settings.api_burst)
