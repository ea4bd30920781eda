"""Fixtures. Nothing here stands in for a service: PostgreSQL and Valkey are real, embedded unless an address is given."""

import base64
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI

from counterfoil.app import create_app
from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import driver_url
from counterfoil.db.roles import APP
from counterfoil.embedded import EmbeddedPostgres, EmbeddedValkey
from counterfoil.embedded.locks import FileLock
from counterfoil.kit import memory
from counterfoil.kit.ids import new_id
from counterfoil.observability import configure_logging
from counterfoil.plugins.migrate import migrate
from counterfoil.testing.documented import Documented

PASSWORD = "correct horse battery staple"  # noqa: S105  (of throw-away accounts)
ORIGIN = "http://counterfoil.test"

MakeTenant = Callable[[], Coroutine[Any, Any, UUID]]


@dataclass(frozen=True, kw_only=True)
class Services:
    """Addresses of the real servers behind a test run."""

    admin_url: str
    redis_url: str
    app_password: str
    folder: Path


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A client that acts as the owner of a tenant of its own."""

    client: httpx2.AsyncClient
    tenant_id: UUID
    user_id: UUID
    email: str


def pytest_configure(config: pytest.Config) -> None:
    # Late, because of two plugins with a fixture of one name the later one wins, and this one has to.
    config.pluginmanager.import_plugin("counterfoil.testing.one_loop")
    configure_logging("console", "WARNING")
    memory.look_less_often()


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Services]:
    """Servers shared by all workers of the run; the last one out stops them."""
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    with FileLock(folder / "services.lock").held():
        password_file = folder / "app-password"
        if not password_file.exists():
            password_file.write_text(secrets.token_urlsafe(24))
    password = password_file.read_text()
    given = os.environ.get("COUNTERFOIL_TEST_ADMIN_URL"), os.environ.get("COUNTERFOIL_TEST_REDIS_URL")
    if given[0] and given[1]:
        yield Services(admin_url=given[0], redis_url=given[1], app_password=password, folder=folder)
        return
    with (
        EmbeddedPostgres(folder / "postgres", options={"fsync": "off", "max_connections": "200"}) as postgres,
        EmbeddedValkey(folder / "valkey") as valkey,
    ):
        yield Services(admin_url=postgres.superuser_url(), redis_url=valkey.url(), app_password=password, folder=folder)


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The xdist worker, or ``master`` without xdist."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))


def _with_database(url: str, database: str, *, user: str | None = None, password: str | None = None) -> str:
    from sqlalchemy import make_url  # noqa: PLC0415  (only needed while a run is set up)

    parsed = make_url(url).set(database=database)
    if user is not None:
        parsed = parsed.set(username=user, password=password)
    return parsed.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
async def settings(services: Services, worker_id: str, anyio_backend: object) -> Settings:  # noqa: ARG001  (session-wide loop)
    """Settings of a freshly migrated database of this worker's own."""
    name = f"test_{worker_id}_{secrets.token_hex(4)}"
    with FileLock(services.folder / "roles.lock").held():
        connection = await asyncpg.connect(driver_url(services.admin_url))
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()
        made = make_settings(
            database_url=_with_database(services.admin_url, name, user=APP, password=services.app_password),
            database_admin_url=_with_database(services.admin_url, name),
            redis_url=services.redis_url,
            home=services.folder / "home",
        )
        await migrate(made)
        # A database given from outside may know the role from an earlier run, with another password.
        connection = await asyncpg.connect(driver_url(services.admin_url))
        await connection.execute(f"ALTER ROLE {APP} PASSWORD '{services.app_password}'")
        await connection.close()
    return made


def make_settings(**values: Any) -> Settings:
    """Complete settings with fresh keys; anything can be overridden."""
    defaults: dict[str, Any] = {
        "master_keys": Fernet.generate_key().decode(),
        "jwt_keys": f"test:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "seal_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "environment": "demo",
        "public_url": ORIGIN,
        "allow_private_networks": True,
        "job_lease_s": 2.0,
        "reap_interval_s": 0.5,
        "republish_after_s": 3.0,
        "log_format": "console",
        # A test run registers hundreds of people from one address.
        "login_burst": 100_000,
    }
    return Settings(**{**defaults, **values})


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The application's own view of the database: never an owner, never past row-level security."""
    database = Database.connect(settings.database_url.get_secret_value())
    yield database
    await database.close()


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A superuser's connection, to look where the application may not."""
    connection = await asyncpg.connect(driver_url(settings.database_admin_url.get_secret_value()))
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def make_tenant(database: Database) -> MakeTenant:
    async def make() -> UUID:
        from sqlalchemy import insert  # noqa: PLC0415  (keeps the import cost out of plugin load)

        from counterfoil.tenancy.models import Tenant  # noqa: PLC0415  (same)

        tenant_id = new_id()
        async with database.unit_of_work(tenant_id) as uow:
            await uow.session.execute(
                insert(Tenant).values(id=tenant_id, name="Test", slug=f"t-{tenant_id.hex[-12:]}", plan="pro")
            )
        return tenant_id

    return make


@pytest.fixture
async def tenant(make_tenant: MakeTenant) -> UUID:
    return await make_tenant()


@pytest.fixture
async def other_tenant(make_tenant: MakeTenant) -> UUID:
    return await make_tenant()


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The whole product as one ASGI application, started."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Nobody in particular: no token, no cookie."""
    async with _client(app) as client:
        yield client


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[Callable[[], Coroutine[Any, Any, SignedIn]]]:
    """Makes signed-in owners, each of a new tenant."""
    clients: list[httpx2.AsyncClient] = []

    async def make() -> SignedIn:
        client = _client(app)
        clients.append(client)
        return await register(client)

    yield make
    for client in clients:
        await client.aclose()


async def register(client: httpx2.AsyncClient) -> SignedIn:
    """Make the client act as the owner of a new tenant."""
    unique = new_id().hex[-12:]
    answer = await client.post(
        "/api/v1/auth/register",
        json={
            "tenant_name": "Acme",
            "tenant_slug": f"acme-{unique}",
            "email": f"owner-{unique}@example.com",
            "password": PASSWORD,
            "full_name": "Olive Owner",
        },
    )
    session = _entered(client, answer)
    return SignedIn(
        client=client,
        tenant_id=UUID(session["tenant"]["id"]),
        user_id=UUID(session["user"]["id"]),
        email=session["user"]["email"],
    )


async def log_in(client: httpx2.AsyncClient, email: str) -> None:
    """Make the client act as somebody registered, with tokens as fresh as can be."""
    _entered(client, await client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD}))


def _entered(client: httpx2.AsyncClient, answer: httpx2.Response) -> dict[str, Any]:
    session: dict[str, Any] = answer.raise_for_status().json()
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    return session


@pytest.fixture
async def signed_in(sign_in: Callable[[], Coroutine[Any, Any, SignedIn]]) -> SignedIn:
    return await sign_in()


def _client(app: FastAPI) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Documented(app)), base_url=ORIGIN, timeout=30)
