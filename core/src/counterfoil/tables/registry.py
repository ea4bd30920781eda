"""The set of tables that exist, and who may see which."""

from collections.abc import Collection, Iterable

from counterfoil.kit.errors import NotFound
from counterfoil.tables.definitions import CORE_TABLES
from counterfoil.tables.records import Table


class TableRegistry:
    """The tables of this installation, by name."""

    def __init__(self, tables: Iterable[Table] = CORE_TABLES) -> None:
        self._tables: dict[str, Table] = {}
        for table in tables:
            if table.name in self._tables:
                raise ValueError(f"two tables are called {table.name!r}")
            self._tables[table.name] = table

    def visible(self, permissions: Collection[str]) -> tuple[Table, ...]:
        return tuple(table for table in self._tables.values() if table.permission in permissions)

    def find(self, name: str, permissions: Collection[str]) -> Table:
        """The table of that name.

        Raises:
            NotFound: there is none, or none these permissions show.
        """
        table = self._tables.get(name)
        if table is None or table.permission not in permissions:
            raise NotFound("There is no such table.")
        return table
