"""What `doctor` reads from a database."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


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
