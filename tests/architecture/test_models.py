"""The models and the migrated database are the same thing, said twice."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

import counterfoil.app  # noqa: F401  (imports every model there is)
from counterfoil.config import Settings
from counterfoil.db.base import CoreBase
from counterfoil.db.database import sqlalchemy_url


def _is_core(name: str | None, kind: str, parents: dict[str, Any]) -> bool:
    if kind == "schema":
        return name == "core"
    if kind == "table":
        # Partitions belong to their parent, version tables to Alembic.
        return not (name or "").startswith(("audit_events_", "api_calls_")) and name != "alembic_version"
    return parents.get("schema_name") == "core"


async def test_the_models_describe_the_migrated_database(settings: Settings) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"include_schemas": True, "include_name": _is_core, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return [item for item in compare_metadata(context, CoreBase.metadata) if not _is_expressed_in_sql(item)]

    engine = create_async_engine(sqlalchemy_url(settings.database_admin_url.get_secret_value()))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


def _is_expressed_in_sql(difference: Any) -> bool:
    """Indexes and checks that only the migration spells out: partial and expression indexes have no portable model."""
    return isinstance(difference, tuple) and difference[0] in ("remove_index", "add_index")
