"""The database in which two tenants have rows everywhere, and the application's role in it with one of them bound."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from counterfoil.config import Settings
from counterfoil.db.database import driver_url
from counterfoil.plugins.migrate import migrate

from .two_tenants import Connection, TwoTenants, fill


@pytest.fixture(scope="session")
async def apart(settings: Settings) -> Settings:
    """Settings of a migrated database that no other test looks into."""
    name = f"test_apart_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(driver_url(settings.database_admin_url.get_secret_value()))
    await admin.execute(f'CREATE DATABASE "{name}"')
    await admin.close()
    moved = {
        key: SecretStr(
            make_url(getattr(settings, key).get_secret_value()).set(database=name).render_as_string(hide_password=False)
        )
        for key in ("database_url", "database_admin_url")
    }
    made = settings.model_copy(update=moved)
    await migrate(made)
    return made


@pytest.fixture(scope="session")
async def two_tenants(apart: Settings) -> TwoTenants:
    admin = await asyncpg.connect(driver_url(apart.database_admin_url.get_secret_value()))
    try:
        return await fill(admin)
    finally:
        await admin.close()


@pytest.fixture
async def superuser(apart: Settings) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(driver_url(apart.database_admin_url.get_secret_value()))
    yield connection
    await connection.close()


@pytest.fixture
async def attacker(apart: Settings, two_tenants: TwoTenants) -> AsyncIterator[Connection]:
    """The application's role, logged in as itself, with the first tenant bound."""
    connection = await asyncpg.connect(
        driver_url(apart.database_url.get_secret_value()),
        server_settings={"app.current_tenant_id": str(two_tenants.a.tenant)},
    )
    yield connection
    await connection.close()
