"""What the application's own role, with one tenant bound and any SQL it likes, gets of another tenant: nothing.

Tables, columns, references and functions come from the catalogue, so that what is added tomorrow is attacked too.
"""

# ruff: noqa: S608  (names from the catalogue)

import io
import json
from typing import Any

import asyncpg
import pytest

from counterfoil.db.roles import OWNER, READ_ONLY, SYSTEM
from counterfoil.kit.ids import new_id

from .two_tenants import Connection, Relation, TwoTenants, insert, rows_of

# A function that any role may make for itself, so cheap that the planner would like to call it before the policy's condition.
LEAK = """
    CREATE FUNCTION pg_temp.leak(line text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
    AS $$ BEGIN RAISE NOTICE 'saw %', line; RETURN true; END $$
"""
# People belong to no tenant: who is known by id may be made a member of any (an invitation accepted does just that).
OF_PEOPLE = {
    "memberships_user_id_fkey",
    "api_keys_user_id_fkey",
    "invitations_invited_by_fkey",
    "invitations_accepted_by_fkey",
}


def _readings(relation: Relation) -> dict[str, str]:
    columns = ", ".join(f't."{name}"' for name in relation.read)
    line, table = f"ROW({columns})::text", relation.sql
    readings = {
        "select": f"SELECT {line} FROM {table} t",
        "aggregate": f"SELECT string_agg({line}, ';'), count(*)::text FROM {table} t",
        "self join": f"SELECT {line}, other::text FROM {table} t CROSS JOIN (SELECT {columns} FROM {table} t) other",
        "outer join": f"SELECT {line} FROM core.tenants own FULL JOIN {table} t ON true",
        "window": f"SELECT last_value({line}) OVER () FROM {table} t",
        "returning": f"INSERT INTO scratch VALUES ('x') RETURNING (SELECT string_agg({line}, ';') FROM {table} t)",
        "leaky function": f"SELECT {line} FROM {table} t WHERE pg_temp.leak({line})",
    }
    if relation.kind != "v":
        readings["sample"] = f"SELECT {line} FROM {table} t TABLESAMPLE BERNOULLI (100)"
    if relation.may_update and relation.kind != "v":
        readings["for update"] = f"SELECT {line} FROM {table} t FOR UPDATE"
    return readings


async def test_the_other_tenant_has_rows_in_every_table(superuser: Connection, two_tenants: TwoTenants) -> None:
    """Otherwise everything below would pass for want of anything to find."""
    owned = [relation for relation in two_tenants.relations if relation.owner]
    assert len(owned) >= 35
    assert {relation.name for relation in two_tenants.relations} - {relation.name for relation in owned} == {"epochs"}
    for side in (two_tenants.a, two_tenants.b):
        assert [one.name for one in owned if not await rows_of(superuser, one, side)] == []


async def test_no_way_of_reading_shows_a_row_of_another_tenant(
    attacker: Connection, superuser: Connection, two_tenants: TwoTenants
) -> None:
    notices: list[str] = []
    attacker.add_log_listener(lambda _, message: notices.append(str(message)))
    await attacker.execute(LEAK)
    await attacker.execute("CREATE TEMP TABLE scratch (word text)")
    found = []
    for relation in two_tenants.relations:
        if not relation.may_read:
            continue
        own = len(await rows_of(superuser, relation, two_tenants.a))
        for way, statement in _readings(relation).items():
            shown = " ".join(str(tuple(row)) for row in await attacker.fetch(statement))
            assert two_tenants.a.shows_in(shown), f"{relation.name}, {way}: not even its own rows, so it proves nothing"
            if two_tenants.b.shows_in(shown):
                found.append(f"{relation.name}: {way}")
        plan = await attacker.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT {', '.join(relation.read)} FROM {relation.sql}"
        )
        assert json.loads(plan)[0]["Plan"]["Actual Rows"] == own, relation.name
        stored = [column.name for column in relation.written if column.may_read]
        copied = io.BytesIO()
        if relation.kind == "v":
            await attacker.copy_from_query(f"SELECT * FROM {relation.sql}", output=copied)
        else:
            await attacker.copy_from_table(relation.name, schema_name="core", columns=stored, output=copied)
        # Under row-level security COPY of a partitioned table means ONLY the parent, which is empty.
        assert two_tenants.a.shows_in(copied.getvalue().decode()) or relation.kind == "p", relation.name
        if two_tenants.b.shows_in(copied.getvalue().decode()):
            found.append(f"{relation.name}: copy")
    assert found == []
    assert any(two_tenants.a.shows_in(notice) for notice in notices)
    assert [notice for notice in notices if two_tenants.b.shows_in(notice)] == []


async def _refused(connection: Connection, statement: str, *values: Any) -> str:
    """Why the database refused, by privilege or by policy; empty if it did not."""
    attempt = connection.transaction()
    await attempt.start()
    try:
        await connection.execute(statement, *values)
    except asyncpg.InsufficientPrivilegeError as error:
        return str(error)
    finally:
        await attempt.rollback()
    return ""


async def test_rows_of_another_tenant_cannot_be_changed_or_deleted(
    attacker: Connection, two_tenants: TwoTenants
) -> None:
    tried = 0
    for relation in two_tenants.relations:
        column = next((one.name for one in relation.written if one.may_update), None)
        statements = [f'UPDATE {relation.sql} SET "{column}" = "{column}"'] if column else []
        statements += [f"DELETE FROM {relation.sql}"] if relation.may_delete else []
        for statement in statements:
            tried += 1
            done = await attacker.execute(f"{statement} WHERE {relation.owner}", two_tenants.b.tenant)
            assert done.endswith(" 0"), f"{statement}: {done}"
    assert tried >= 50


async def test_no_row_can_be_written_for_or_moved_to_another_tenant(
    attacker: Connection, superuser: Connection, two_tenants: TwoTenants
) -> None:
    """With a row that the table is known to take, so that only the policy can be what refuses it."""
    tried = 0
    for relation in two_tenants.relations:
        if not relation.may_insert:
            continue
        for then in ("", "ON CONFLICT DO NOTHING"):
            tried += 1
            row = (await rows_of(superuser, relation, two_tenants.b))[0]
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await insert(attacker, relation, row, then)
        owner = "id" if relation.name == "tenants" else "tenant_id"
        moved = await _refused(attacker, f"UPDATE {relation.sql} SET {owner} = $1", two_tenants.b.tenant)
        # Where rows can be changed at all it is the policy that says no; elsewhere the privilege is missing.
        assert "row-level security" in moved or "permission denied" in moved, f"{relation.name}: {moved}"
    assert tried >= 60


_REFERENCES = """
    SELECT c.conname AS name, split_part(c.conrelid::regclass::text, '.', 2) AS child, split_part(c.confrelid::regclass::text, '.', 2) AS parent,
           (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k(number, place)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS columns,
           (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY k(number, place)
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number) AS keys
    FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0 AND c.connamespace = 'core'::regnamespace
"""


async def test_a_reference_does_not_tell_whether_another_tenant_has_an_id(
    attacker: Connection, superuser: Connection, two_tenants: TwoTenants
) -> None:
    by_name = {relation.name: relation for relation in two_tenants.relations}
    references = await superuser.fetch(_REFERENCES)
    referencing = {(one["child"], column) for one in references for column in one["columns"]}
    tells, tried = set(), 0
    for one in references:
        child, parent = by_name[one["child"]], by_name[one["parent"]]
        pairs = [
            (column, key) for column, key in zip(one["columns"], one["keys"], strict=True) if column != "tenant_id"
        ]
        if not child.may_insert or not pairs:
            continue
        tried += 1
        template = (await rows_of(superuser, child, two_tenants.a))[0]
        for column in child.written:
            is_free = column.name != "tenant_id" and (child.name, column.name) not in referencing
            if is_free and template[column.name] is not None:
                fresh = {"uuid": str(new_id()), "text": f"fresh {new_id()}", "bytea": f"\\x{new_id().hex}"}
                template[column.name] = fresh.get(column.type, template[column.name])
        theirs = (await rows_of(superuser, parent, two_tenants.b))[0]
        types = {column.name: column.type for column in child.columns}
        existing = {column: theirs[key] for column, key in pairs}
        invented = {column: str(new_id()) if types[column] == "uuid" else "invented" for column, _ in pairs}
        answers = [await _answer(attacker, child, {**template, **values}) for values in (existing, invented)]
        if answers[0] != answers[1]:
            tells.add(one["name"])
        else:
            assert answers[0] == ("23503", one["name"]), (
                f"{child.name}: refused for another reason, so it proves nothing"
            )
    assert tried >= 15
    assert tells == OF_PEOPLE


async def _answer(connection: Connection, relation: Relation, row: dict[str, str | None]) -> tuple[str, str | None]:
    attempt = connection.transaction()
    await attempt.start()
    try:
        await insert(connection, relation, row)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate), getattr(error, "constraint_name", None)
    finally:
        await attempt.rollback()
    return "", None


@pytest.mark.parametrize("role", [OWNER, SYSTEM, READ_ONLY])
async def test_the_application_cannot_become_anybody_else(attacker: Connection, role: str) -> None:
    for statement in (f"SET ROLE {role}", f"SET SESSION AUTHORIZATION {role}"):
        assert "permission denied" in await _refused(attacker, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE core.mine (id uuid)",
        "CREATE VIEW core.mine AS SELECT 1",
        "CREATE FUNCTION core.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "CREATE TABLE public.mine (id uuid)",
        "ALTER TABLE core.jobs DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON core.jobs USING (true)",
        "DROP POLICY tenant ON core.jobs",
        "SET session_replication_role = replica",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY core.jobs TO PROGRAM 'cat'",
    ],
)
async def test_the_application_cannot_open_what_is_shut(attacker: Connection, statement: str) -> None:
    assert await _refused(attacker, statement)


async def test_row_security_cannot_be_switched_off(attacker: Connection, two_tenants: TwoTenants) -> None:
    await attacker.execute("SET row_security = off")
    for relation in two_tenants.relations:
        if relation.may_read:
            said = await _refused(attacker, f"SELECT {relation.read[0]} FROM {relation.sql}")
            assert "row-level security" in said, relation.name


async def test_statistics_show_nothing_of_any_row(
    attacker: Connection, superuser: Connection, two_tenants: TwoTenants
) -> None:
    kept = await superuser.fetch("SELECT s::text AS line FROM pg_stats s WHERE schemaname = 'core'")
    assert any(two_tenants.b.shows_in(row["line"]) for row in kept)
    assert (
        await attacker.fetch("SELECT FROM pg_stats WHERE schemaname = 'core' AND tablename <> 'alembic_version'") == []
    )
    assert await attacker.fetch("SELECT FROM pg_stats_ext WHERE schemaname = 'core'") == []
    for catalogue in ("pg_statistic", "pg_statistic_ext_data", "pg_authid"):
        assert "permission denied" in await _refused(attacker, f"SELECT * FROM {catalogue}")


async def test_notices_carry_ids_and_nothing_else(
    attacker: Connection, superuser: Connection, two_tenants: TwoTenants
) -> None:
    """Any session may listen; so what a job's change tells must be worth nothing to who is not its tenant."""
    heard: list[str] = []
    channels = ("counterfoil_jobs", "counterfoil_job_events")
    for channel in channels:
        await attacker.add_listener(channel, lambda *said: heard.append(str(said[-1])))
    b = two_tenants.b
    await superuser.execute(
        "UPDATE core.jobs SET event_seq = event_seq + 1, published_at = published_at WHERE tenant_id = $1", b.tenant
    )
    await attacker.fetchval("SELECT 1")
    ids = {f"{b.tenant}:{job}" for job in b.ids["jobs"]}
    assert ids <= set(heard)
    assert set(heard) == ids | {""}


async def test_the_statements_of_other_roles_are_hidden(attacker: Connection, superuser: Connection) -> None:
    await superuser.fetchval("SELECT 'a secret in a statement'")
    pid = await superuser.fetchval("SELECT pg_backend_pid() /* a secret in a statement */")
    seen = await attacker.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", pid)
    assert seen == "<insufficient privilege>"
