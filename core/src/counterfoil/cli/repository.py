"""What commands ask a database directly, with the administrator's address."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from counterfoil.db.connection import TENANT_SETTING
from counterfoil.db.roles import OWNER, SYSTEM


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    version: int
    user: str
    is_superuser: bool
    bypasses_row_security: bool
    pgvector: str | None
    roles: frozenset[str]


async def server_facts(connection: AsyncConnection) -> ServerFacts:
    row = (
        await connection.execute(
            text(
                "SELECT current_setting('server_version_num')::int / 10000 AS version, current_user::text AS name,"
                " rolsuper, rolbypassrls,"
                " (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS pgvector,"
                " ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'counterfoil%') AS roles"
                " FROM pg_roles WHERE rolname = current_user"
            )
        )
    ).one()
    return ServerFacts(
        version=row.version,
        user=row.name,
        is_superuser=row.rolsuper,
        bypasses_row_security=row.rolbypassrls,
        pgvector=row.pgvector,
        roles=frozenset(row.roles),
    )


async def tenant_of_slug(session: AsyncSession, slug: str) -> UUID | None:
    """The id of a tenant; only the system role sees more of them than one."""
    await session.execute(text(f"SET LOCAL ROLE {SYSTEM}"))
    found: UUID | None = await session.scalar(text("SELECT id FROM core.tenants WHERE slug = :slug"), {"slug": slug})
    return found


async def act_as_owner(session: AsyncSession, tenant_id: UUID) -> None:
    """For the rest of the transaction: may write what the application may only read, of this one tenant."""
    await session.execute(text(f"SET LOCAL ROLE {OWNER}"))
    await session.execute(
        text("SELECT set_config(:name, :value, true)"), {"name": TENANT_SETTING, "value": str(tenant_id)}
    )
