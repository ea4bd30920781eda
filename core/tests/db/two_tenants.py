"""A database of its own in which two tenants have rows in every table, made from the catalogue alone.

Constraints would refuse rows made from column types, and none of them is what keeps tenants apart: triggers and references
rest while the rows are written, and checks are dropped. Policies, grants, uniques and references stay as migrated.
"""

# ruff: noqa: S608  (names from the catalogue)

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from counterfoil.db.roles import APP
from counterfoil.kit.ids import new_id

Connection: TypeAlias = "asyncpg.Connection[Any]"
Row: TypeAlias = dict[str, str | None]

# The first half of a table's rows leaves out what has a time: nothing revoked, used, published or finished.
ROWS, HALF = 12, 6
# What only the database knows: the transaction a row was written in.
OWN_DEFAULT = frozenset({"transaction_id", "epoch"})
_RELATIONS = """
    SELECT c.relname AS name, c.relkind::text AS kind,
           has_any_column_privilege($1, c.oid, 'SELECT') AS may_read, has_any_column_privilege($1, c.oid, 'UPDATE') AS may_update,
           has_table_privilege($1, c.oid, 'INSERT') AS may_insert, has_table_privilege($1, c.oid, 'DELETE') AS may_delete
    FROM pg_class c WHERE c.relnamespace = 'core'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
        AND c.relname <> 'alembic_version'
    ORDER BY c.relname
"""
_COLUMNS = """
    SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AS is_required, a.attgenerated <> '' AS is_generated,
           has_column_privilege($2, a.attrelid, a.attnum, 'SELECT') AS may_read,
           has_column_privilege($2, a.attrelid, a.attnum, 'UPDATE') AS may_update
    FROM pg_attribute a WHERE a.attrelid = ('core.' || $1)::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_CHECKS = """
    SELECT conrelid::regclass::text AS relation, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS rule
    FROM pg_constraint WHERE contype = 'c' AND coninhcount = 0 AND connamespace = 'core'::regnamespace AND conrelid <> 0
"""
_ONE_OF = re.compile(r"\((\w+) = ANY \(ARRAY\[([^\]]+)\]")


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    type: str
    is_required: bool
    is_generated: bool
    may_read: bool
    may_update: bool


@dataclass(frozen=True, kw_only=True)
class Relation:
    name: str
    kind: str
    may_read: bool
    may_update: bool
    may_insert: bool
    may_delete: bool
    columns: tuple[Column, ...]

    @property
    def sql(self) -> str:
        return f'core."{self.name}"'

    @property
    def read(self) -> list[str]:
        return [column.name for column in self.columns if column.may_read]

    @property
    def written(self) -> list[Column]:
        return [column for column in self.columns if not column.is_generated]

    @property
    def owner(self) -> str | None:
        """The condition that a row is the tenant's whose id is ``$1``; None where rows belong to nobody."""
        names = {column.name for column in self.columns}
        if "tenant_id" in names:
            return "tenant_id = $1"
        if self.name == "tenants":
            return "id = $1"
        person = {"users": "id"}.get(self.name, "user_id")
        return f"{person} IN (SELECT user_id FROM core.memberships WHERE tenant_id = $1)" if person in names else None


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two tenants: its ids, and the word that is in every text of its rows."""

    tenant: UUID
    word: str
    ids: dict[str, list[UUID]]

    def shows_in(self, text: str) -> bool:
        ids = (str(one) for ids in self.ids.values() for one in ids)
        return self.word in text or self.word.encode().hex() in text or any(one in text for one in ids)


@dataclass(frozen=True, kw_only=True)
class TwoTenants:
    relations: list[Relation]
    a: Side
    b: Side


async def relations_of(admin: Connection) -> list[Relation]:
    return [
        Relation(**row, columns=tuple(Column(**column) for column in await admin.fetch(_COLUMNS, row["name"], APP)))
        for row in await admin.fetch(_RELATIONS, APP)
    ]


async def fill(admin: Connection) -> TwoTenants:
    relations = await relations_of(admin)
    allowed: dict[tuple[str, str], list[str]] = {}
    for check in await admin.fetch(_CHECKS):
        for column, values in _ONE_OF.findall(check["rule"]):
            # Some checks name only a few of a column's values; the longest list has them all.
            key, found = (check["relation"].removeprefix("core."), column), re.findall(r"'([^']+)'", values)
            allowed[key] = max(found, allowed.get(key, []), key=len)
        await admin.execute(f"ALTER TABLE {check['relation']} DROP CONSTRAINT IF EXISTS {check['name']}")
    sides = [_side(relations, word) for word in ("oursours", "theirstheirs")]
    await admin.execute("SET session_replication_role = replica")
    for relation in relations:
        for side in sides if relation.kind != "v" and relation.name != "epochs" else ():
            for number in range(1 if relation.name == "tenants" else ROWS):
                await insert(admin, relation, _row(relation, side, number, allowed), "ON CONFLICT DO NOTHING")
    await admin.execute("RESET session_replication_role")
    await admin.execute("ANALYZE")
    return TwoTenants(relations=relations, a=sides[0], b=sides[1])


async def insert(connection: Connection, relation: Relation, row: Row, then: str = "") -> None:
    columns = [column for column in relation.written if column.name in row]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(f"${place}::text::{column.type}" for place, column in enumerate(columns, 1))
    await connection.execute(
        f"INSERT INTO {relation.sql} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values}) {then}",
        *(row[column.name] for column in columns),
    )


async def rows_of(admin: Connection, relation: Relation, side: Side) -> list[Row]:
    """What a tenant has, each value as text."""
    names = ", ".join(f'"{column.name}"::text' for column in relation.written)
    found = await admin.fetch(f"SELECT {names} FROM {relation.sql} WHERE {relation.owner}", side.tenant)
    return [dict(row) for row in found]


def _side(relations: list[Relation], word: str) -> Side:
    tenant = new_id()
    ids = {relation.name: [new_id() for _ in range(ROWS)] for relation in relations}
    return Side(tenant=tenant, word=word, ids={**ids, "tenants": [tenant] * ROWS, "families": [new_id()] * ROWS})


def _row(relation: Relation, side: Side, number: int, allowed: dict[tuple[str, str], list[str]]) -> Row:
    row: Row = {}
    for column in relation.written:
        if relation.name == "audit_events" and column.name in OWN_DEFAULT:
            continue
        values = allowed.get((relation.name, column.name))
        row[column.name] = (
            values[number % len(values)]
            if values and column.type == "text"
            else _value(relation.name, column, side, number)
        )
    return row


def _value(table: str, column: Column, side: Side, number: int) -> str | None:
    if column.type == "uuid":
        return str(side.ids[parent_of(column.name, table, side)][number])
    if column.type == "timestamp with time zone":
        now = datetime.now(UTC)
        ahead = column.name.startswith("expires") or column.name.endswith("ends_at")
        if ahead:
            return (now + timedelta(hours=1)).isoformat()
        # A lease that ran out is the one a job is reaped for.
        past = column.is_required or number >= HALF or column.name == "lease_until"
        return (now - timedelta(days=200)).isoformat() if past else None
    if column.name == "anchor_key":
        return None
    word = f"{side.word}-{table}-{column.name}-{number}"
    values = {
        "text": f"{word}@example.com" if "email" in column.name else word,
        "text[]": f'{{"{word}"}}',
        "jsonb": json.dumps({"word": word}),
        "bytea": "\\x" + word.encode().hex(),
        "date": datetime.now(UTC).date().isoformat(),
        "boolean": "true",
    }
    return values.get(column.type, str(number + 1))


def parent_of(name: str, table: str, side: Side) -> str:
    """The table whose id a uuid column or argument of this name holds, told from the name."""
    if name == "id":
        return table
    if "family" in name:
        return "families"
    if "tenant" in name:
        return "tenants"
    if any(part in name for part in ("user", "owner", "_by")):
        return "users"
    stem = name.removesuffix("_id").removeprefix("wanted_")
    return next((one for one in (f"{stem}s", stem) if one in side.ids), table)
