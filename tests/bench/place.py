"""A migrated database of its own with one tenant, for a bench."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
from sqlalchemy import insert, make_url

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.db.database import driver_url
from counterfoil.db.roles import APP
from counterfoil.embedded import EmbeddedPostgres
from counterfoil.kit.ids import new_id
from counterfoil.plugins.migrate import migrate
from counterfoil.tenancy.models import Tenant
from counterfoil.testing.plugin import make_settings


@dataclass(frozen=True, kw_only=True)
class Place:
    """``admin`` is past every policy, ``database`` the application's own way in."""

    settings: Settings
    postgres: EmbeddedPostgres
    database: Database
    admin: "asyncpg.Connection[Any]"
    tenant_id: UUID


def serve(at: Place, *, redis_url: str, port: int, **more: str) -> "subprocess.Popen[bytes]":
    """`counterfoil serve` as a process of its own."""
    secret = at.settings
    env = {
        **os.environ,
        "DATABASE_URL": secret.database_url.get_secret_value(),
        "REDIS_URL": redis_url,
        "COUNTERFOIL_MASTER_KEYS": secret.master_keys.get_secret_value(),
        "COUNTERFOIL_JWT_KEYS": secret.jwt_keys.get_secret_value(),
        "COUNTERFOIL_SEAL_KEY": secret.seal_key.get_secret_value(),
        "COUNTERFOIL_HOME": str(secret.home),
        "COUNTERFOIL_ENVIRONMENT": "demo",
        "COUNTERFOIL_PORT": str(port),
        "COUNTERFOIL_LOG_LEVEL": "WARNING",
        **more,
    }
    return subprocess.Popen([sys.executable, "-m", "counterfoil.cli", "serve"], env=env)


def keep_stdout_for_json() -> None:
    """In a process of its own: what Celery says of its end is no part of the bench's output."""
    os.dup2(2, 1)


def is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).is_success
    except httpx2.TransportError:
        return False


def until_ready(port: int) -> None:
    while not is_ready(port):
        time.sleep(0.02)


@asynccontextmanager
async def place(folder: Path, *, options: Mapping[str, str] | None = None, **settings: Any) -> AsyncIterator[Place]:
    """Args: a folder other accounts may enter; ``options``: settings of the server; the rest: settings of the product."""
    with EmbeddedPostgres(folder / "postgres", options={"max_connections": "40", **(options or {})}) as postgres:
        password, admin_url = os.urandom(12).hex(), postgres.superuser_url()
        app_url = make_url(admin_url).set(username=APP, password=password).render_as_string(hide_password=False)
        made = make_settings(database_admin_url=admin_url, database_url=app_url, home=folder, **settings)
        await migrate(made)
        admin = await asyncpg.connect(driver_url(admin_url))
        await admin.execute(f"ALTER ROLE {APP} PASSWORD '{password}'")
        database, tenant_id = Database.connect(app_url), new_id()
        async with database.unit_of_work(tenant_id) as uow:
            await uow.session.execute(insert(Tenant).values(id=tenant_id, name="Bench", slug="bench", plan="pro"))
        try:
            yield Place(settings=made, postgres=postgres, database=database, admin=admin, tenant_id=tenant_id)
        finally:
            await database.close()
            await admin.close()
