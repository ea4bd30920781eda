"""The database roles. Requests and jobs are never an owner and never bypass row-level security."""

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

OWNER, APP, READ_ONLY, SYSTEM = "counterfoil_owner", "counterfoil_app", "counterfoil_ro", "counterfoil_system"

_ROLES = {
    OWNER: "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    SYSTEM: "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    APP: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    READ_ONLY: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
}
_TIMEOUTS = {
    APP: {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s", "lock_timeout": "5s"},
    READ_ONLY: {
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "60s",
        "default_transaction_read_only": "on",
    },
}


async def ensure_roles(connection: AsyncConnection, *, app_url: str) -> None:
    """Create what is missing and set what must hold; an existing role keeps its password.

    Args:
        connection: as a role that may create roles.
        app_url: the application's address; its password becomes that of a newly made application role.
    """
    existing = set((await connection.execute(text("SELECT rolname FROM pg_roles"))).scalars())
    quote = connection.dialect.identifier_preparer.quote
    for role, attributes in _ROLES.items():
        if role not in existing:
            await _create_role(connection, role, attributes, app_url)
    for role, settings in _TIMEOUTS.items():
        for name, value in settings.items():
            await connection.execute(text(f"ALTER ROLE {role} SET {name} = '{value}'"))
    # SET without INHERIT: the owner may hand a function to the system role, yet gains none of its policies.
    await connection.execute(text(f"GRANT {SYSTEM} TO {OWNER} WITH INHERIT FALSE, SET TRUE"))
    await connection.execute(text(f"GRANT {OWNER} TO CURRENT_USER WITH SET TRUE"))
    database = quote(str((await connection.execute(text("SELECT current_database()"))).scalar_one()))
    await connection.execute(text(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"))
    await connection.execute(text("REVOKE ALL ON SCHEMA public FROM PUBLIC"))
    await connection.execute(text(f"GRANT CREATE ON DATABASE {database} TO {OWNER}"))
    await connection.execute(text(f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {APP}"))
    await connection.execute(text(f"GRANT CONNECT ON DATABASE {database} TO {READ_ONLY}"))


async def _create_role(connection: AsyncConnection, role: str, attributes: str, app_url: str) -> None:
    url = make_url(app_url)
    password = str(url.password) if role == APP and url.username == APP and url.password else None
    secret = f" PASSWORD '{_escaped(password)}'" if password else ""
    # Not text(): a password may hold a colon, which would read as a bound parameter.
    await connection.exec_driver_sql(f"CREATE ROLE {role} {attributes}{secret}")


def _escaped(password: str) -> str:
    if "\\" in password or "\0" in password:
        msg = "a database password may hold neither a backslash nor a NUL"
        raise ValueError(msg)
    return password.replace("'", "''")
