"""Many rows of many tenants in every table that grows, made by the database itself, so that millions take minutes.

One tenant has a fifth of all rows, two more have a tenth and a twentieth, and the others share the rest equally. Rows of one
tenant lie together in runs, as pages of a vendor's list land; the runs of different tenants are mixed. About one row in a
thousand is out of the ordinary: failed, open, refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from counterfoil.kit.ids import new_id

Admin = asyncpg.Connection

RUN_OF_ROWS = 20
_LARGE = 3

_IS_RARE = "n % 997 = 5"
_LATER = "now() - n * interval '90 days' / $3"
# Of the same moments as the partitions that surely exist.
_TIME_ID = "uuidv7(n * interval '-1 hour' / $3)"
_BIG_CONNECTION = "md5('connection' || t)::uuid"
_JOB = "md5('job' || t || (n % 50))::uuid"


def _job(number: str) -> str:
    return f"md5('job' || t || {number})::uuid"


_CANONICAL = {
    "id": "md5(n || 'row')::uuid",
    "source": "'stripe'",
    "source_account": "'acct_1'",
    "source_id": "'ch_' || md5(n::text)",
    "connection_id": _BIG_CONNECTION,
    "run_id": "md5('run' || n / 1000)::uuid",
    "raw_id": "md5(n || 'raw')::uuid",
    "dedupe_key": "'stripe:acct_1:row:ch_' || md5(n::text)",
    "content_hash": "decode(md5(n::text), 'hex')",
    "authority": "0",
    "source_created_at": f"CASE WHEN {_IS_RARE} THEN NULL ELSE {_LATER} END",
    "observed_at": "now()",
    "synced_at": "now()",
    "deleted_at": "CASE WHEN n % 997 = 6 THEN now() END",
    "currency": "(ARRAY['USD', 'USD', 'USD', 'EUR', 'EUR', 'GBP', 'JPY', 'KWD'])[1 + n % 8]",
    "description": "'Order ' || n || ' of ' || (ARRAY['shoes', 'a hat', 'two coats'])[1 + n % 3]",
}
_AMOUNT = "((n * 7919) % 10000000) / 100.0"

# What of each table is not simply some value of the column's type. ``n`` is the row's number, ``t`` its tenant, $3 how many rows
# there are. Parents come before their children.
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "payments": {
        **_CANONICAL,
        "status": f"CASE WHEN {_IS_RARE} THEN 'failed' ELSE (ARRAY['succeeded', 'succeeded', 'pending'])[1 + n % 3] END",
        "amount": _AMOUNT,
        "amount_refunded": f"CASE WHEN n % 10 = 0 THEN {_AMOUNT} END",
        "method": "(ARRAY['card', 'card', 'sepa_debit', NULL])[1 + n % 4]",
        "customer_ref": "'cus_' || n % 100000",
        "order_id": "md5('order' || n)::uuid",
    },
    "payout_lines": {
        **_CANONICAL,
        "kind": f"CASE WHEN {_IS_RARE} THEN 'dispute' ELSE (ARRAY['charge', 'charge', 'refund', 'fee'])[1 + n % 4] END",
        "gross": _AMOUNT,
        "fee": "0.59",
        "net": f"{_AMOUNT} - 0.59",
        "status": "'available'",
        "available_on": f"CASE WHEN n % 50 = 0 THEN NULL ELSE ({_LATER})::date END",
        "exchange_rate": "CASE WHEN n % 10 = 0 THEN 1.08 + (n % 100) / 1000.0 END",
        "payout_id": "md5('payout' || n / 200)::uuid",
    },
    "customers": {
        **_CANONICAL,
        "name": "'Customer ' || n",
        "email": "'person' || n || '@example.com'",
        "country": "(ARRAY['US', 'DE', 'FR', 'JP'])[1 + n % 4]",
        "tax_exempt": "CASE WHEN n % 20 = 0 THEN NULL ELSE n % 7 = 0 END",
        "orders_count": "n % 40",
        "lifetime_value": _AMOUNT,
    },
    "refunds": {**_CANONICAL, "status": "'succeeded'", "amount": _AMOUNT},
    "disputes": {**_CANONICAL, "status": "'won'", "amount": _AMOUNT},
    "invoices": {**_CANONICAL, "status": "'paid'", "total": _AMOUNT},
    "payouts": {**_CANONICAL, "status": "'paid'", "amount": _AMOUNT, "arrival_date": f"({_LATER})::date"},
    "fees": {**_CANONICAL, "kind": "'stripe_fee'", "amount": "0.59"},
    "raw_records": {
        "id": "md5(n || 'raw')::uuid",
        "connection_id": _BIG_CONNECTION,
        "stream": f"CASE WHEN {_IS_RARE} THEN 'payouts' ELSE 'charges' END",
        "change": "n",
        "source_id": "'ch_' || md5(n::text)",
        "payload": "jsonb_build_object('id', n, 'object', 'charge', 'status', 'succeeded')",
        "run_id": "md5('run' || n / 1000)::uuid",
    },
    "jobs": {
        "id": _TIME_ID,
        "kind": f"CASE WHEN {_IS_RARE} THEN 'core.rare' ELSE 'core.sync' END",
        "queue": "'sync'",
        "status": f"CASE WHEN {_IS_RARE} THEN 'failed' ELSE 'succeeded' END",
        "subject_type": "'connection'",
        "subject_id": _BIG_CONNECTION,
        "correlation_id": "md5('correlation' || n)::uuid",
        "finished_at": _LATER,
        "created_at": _LATER,
        "requested_by_kind": "'system'",
        "requested_by_label": "'schedule'",
    },
    "job_events": {"job_id": _JOB, "seq": "n", "level": "'info'", "message": "'line ' || n"},
    "stream_runs": {
        "job_id": _JOB,
        "connection_id": _BIG_CONNECTION,
        "stream": "(ARRAY['charges', 'payouts', 'refunds'])[1 + n % 3]",
        "mode": "CASE WHEN n % 100 = 7 THEN 'incremental' ELSE 'refresh' END",
        "status": "'succeeded'",
        "started_at": "now() - n * interval '90 days' / $3",
    },
    "webhook_receipts": {
        "id": _TIME_ID,
        "connection_id": _BIG_CONNECTION,
        "event_id": "'evt_' || n",
        "event_type": "'charge.updated'",
        "hints": "'[]'::jsonb",
        "handled_at": f"CASE WHEN {_IS_RARE} THEN NULL ELSE now() END",
    },
    "schema_notices": {
        "id": _TIME_ID,
        "connection_id": _BIG_CONNECTION,
        "stream": "'charges'",
        "path": "'field_' || n",
        "kind": "'appeared'",
        "acknowledged_at": f"CASE WHEN {_IS_RARE} THEN NULL ELSE now() END",
    },
    "api_calls": {
        "id": _TIME_ID,
        "connection_id": _BIG_CONNECTION,
        "job_id": _JOB,
        "correlation_id": "md5('correlation' || n / 100)::uuid",
        "at": "now() - n * interval '1 hour' / $3",
        "method": "'GET'",
        "url": "'https://api.example.com/v1/charges'",
        "status": f"CASE WHEN {_IS_RARE} THEN 500 ELSE 200 END",
    },
    "audit_events": {
        "id": _TIME_ID,
        "occurred_at": "now() - n * interval '1 hour' / $3",
        "actor_kind": "'user'",
        "actor_id": "md5('actor' || n % 50)",
        "actor_label": "'person' || n % 50 || '@example.com'",
        "action": f"CASE WHEN {_IS_RARE} THEN 'core.role.created' ELSE 'core.connection.updated' END",
        "resource_type": "'connection'",
        "resource_id": f"CASE WHEN n % 2 = 0 THEN ({_BIG_CONNECTION})::text ELSE md5(n::text) END",
        "outcome": f"CASE WHEN {_IS_RARE} THEN 'denied' ELSE 'ok' END",
        "correlation_id": "md5('correlation' || n / 10)::uuid",
        "job_id": f"CASE WHEN n % 10 = 3 THEN {_JOB} END",
    },
    "users": {"id": "md5('user' || n)::uuid", "email": "'member' || n || '@example.com'", "name": "'Member ' || n"},
    "memberships": {"id": _TIME_ID, "user_id": "md5('user' || n)::uuid"},
    "invitations": {
        "id": _TIME_ID,
        "email": "'invited' || n || '@example.com'",
        "roles": "ARRAY['finance']",
        "expires_at": "now() + interval '1 day'",
        "revoked_at": f"CASE WHEN {_IS_RARE} THEN NULL ELSE now() END",
    },
    "api_keys": {
        "kind": "'service'",
        "scopes": "ARRAY['tables.read']",
        "roles": "ARRAY['finance']",
        "key_hash": "decode(md5(n::text), 'hex')",
    },
    "saved_views": {
        "table_name": "'payments'",
        "name": "'view ' || n",
        "owner_id": "md5('user' || n)::uuid",
        "shared": "true",
        "filters": "'[]'::jsonb",
    },
    "connections": {
        "kind": "'stripe'",
        "plugin": "'stripe'",
        "label": "'shop ' || n",
        "status": "'active'",
        "auth_kind": "'api_key'",
    },
    "objects": {
        "id": "md5('object' || n)::uuid",
        "key": "t || '/' || n",
        "sha256": "repeat(md5(n::text), 2)",
        "size": "10",
        "media_type": "'text/plain'",
        "purpose": "'artifact'",
    },
    "job_artifacts": {"job_id": _JOB, "object_id": "md5('object' || n)::uuid", "name": "'file ' || n"},
    "evidence_packs": {"job_id": _job("n"), "object_id": "md5('object' || n)::uuid"},
    "usage_counters": {"metric": "'metric ' || n % 10", "day": "current_date - (n / 10)::int"},
    "cursor_states": {"connection_id": "md5(n || 'elsewhere')::uuid", "position": "'{}'::jsonb"},
    "roles": {"name": "'role_' || n"},
    "role_permissions": {"role": "'role_' || n", "permission": "'tables.read'"},
    "membership_roles": {"membership_id": "md5(n || 'membership')::uuid", "role": "'finance'"},
}
_OF_TYPE = {
    "uuid": "md5(n || 'id')::uuid",
    "text": "'text ' || n",
    "timestamp with time zone": "now()",
    "date": "current_date",
    "jsonb": "'{}'::jsonb",
    "bytea": r"'\x00'::bytea",
    "boolean": "false",
    "text[]": "'{}'::text[]",
}
_NUMBER = "1"


@dataclass(frozen=True, kw_only=True)
class Population:
    """Who is there: the one with the most rows first, then by size."""

    tenants: Sequence[UUID]

    @property
    def largest(self) -> UUID:
        return self.tenants[0]

    @property
    def small(self) -> UUID:
        return self.tenants[-1]


async def populate(
    admin: "Admin[Any]", rows: Mapping[str, int], *, tenants: int, largest: UUID, run_of_rows: int = RUN_OF_ROWS
) -> Population:
    """Fill tables past every policy, trigger and foreign key, and gather their statistics.

    Args:
        admin: a superuser's connection.
        rows: how many rows each table gets.
        tenants: how many share them.
        largest: the tenant that gets a fifth; it exists already, the others are made.
        run_of_rows: how many rows of one tenant lie together.
    """
    ids = [largest, *(new_id() for _ in range(tenants - 1))]
    await admin.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
    await admin.execute(
        "INSERT INTO core.tenants (id, name, slug, plan) SELECT id, id, 'tenant-' || id, 'pro'"
        " FROM unnest($1::uuid[]) id ON CONFLICT DO NOTHING",
        ids,
    )
    await admin.execute(
        "INSERT INTO core.connections (tenant_id, id, kind, plugin, label, status, auth_kind)"
        " SELECT t, md5('connection' || t)::uuid, 'stripe', 'stripe', 'Stripe', 'active', 'api_key' FROM unnest($1::uuid[]) t",
        ids,
    )
    for table, number in rows.items():
        await _fill(admin, table, number, ids, run_of_rows)
    await admin.execute("SET session_replication_role = origin")
    return Population(tenants=ids)


async def _fill(admin: "Admin[Any]", table: str, number: int, tenants: Sequence[UUID], run_of_rows: int) -> None:
    described = await admin.fetch(_DESCRIBED, f"core.{table}")
    given = COLUMNS[table]
    values = {"tenant_id": "t"} if any(row["name"] == "tenant_id" for row in described) else {}
    for row in described:
        name = row["name"]
        if name in given:
            values[name] = given[name]
        elif row["required"] and name != "tenant_id":
            values[name] = _OF_TYPE.get(row["type"], _NUMBER)
    dropped = await _drop_indexes(admin, table)
    await admin.execute(
        f"""
        INSERT INTO core.{table} ({", ".join(values)})
        SELECT {", ".join(values.values())} FROM (
            SELECT n, ($1::uuid[])[CASE
                WHEN cardinality($1::uuid[]) = 1 THEN 1 WHEN n / $2 % 20 < 4 THEN 1 WHEN n / $2 % 20 < 6 THEN 2 WHEN n / $2 % 20 < 7 THEN 3
                ELSE {_LARGE} + 1 + (n / $2 / 20 * 13 + n / $2 % 20 - 7) % greatest(cardinality($1::uuid[]) - {_LARGE}, 1) END] AS t
            FROM generate_series(1, $3::bigint) n OFFSET 0
        ) numbered
        """,  # noqa: S608  (our own names)
        tenants,
        run_of_rows,
        number,
        timeout=3600,
    )
    for definition in dropped:
        await admin.execute(definition, timeout=3600)
    await admin.execute(f"VACUUM ANALYZE core.{table}", timeout=3600)


async def _drop_indexes(admin: "Admin[Any]", table: str) -> list[str]:
    """Take a table's indexes away, but for those a foreign key needs, and tell how they are made.

    Built after the rows they take a fraction of the time, as when a revision brings them.
    """
    rows = await admin.fetch(_INDEXES, f"core.{table}")
    for row in rows:
        await admin.execute(row["drop"])
    return [row["create"] for row in rows]


_DESCRIBED = """
    SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type,
           a.attnotnull AND NOT a.atthasdef AND a.attgenerated = '' AS required
    FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
_INDEXES = """
    SELECT CASE WHEN k.oid IS NULL THEN format('DROP INDEX core.%I', c.relname)
                ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, k.conname) END AS drop,
           CASE WHEN k.oid IS NULL THEN replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
                ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', i.indrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
           END AS create
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
    WHERE i.indrelid = $1::text::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = i.indexrelid AND f.contype = 'f')
"""
