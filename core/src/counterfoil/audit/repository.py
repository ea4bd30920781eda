"""The SQL of events: adding them, which is on every hot path, and finding them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import insert

from counterfoil.audit.models import AuditEvent
from counterfoil.db.database import UnitOfWork
from counterfoil.kit.ids import id_at
from counterfoil.web.csv_export import harmless_sql

Driver: TypeAlias = "asyncpg.Connection[Any]"
Row: TypeAlias = Mapping[str, Any]

# Built once, and past the ORM: a third of its time.
_ADD = insert(AuditEvent.__table__)  # type: ignore[arg-type]  # a Table, though declared as any FromClause
# An event gets its id in the moment it happens; ids lead to the right partitions, and this is how far the two may differ.
_ID_SLACK = timedelta(minutes=1)


async def add_event(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    await uow.session.execute(_ADD, values)


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Which events; every condition narrows. ``actor`` is an id or a label, ``action`` the beginning of one."""

    since: datetime | None = None
    until: datetime | None = None
    category: str | None = None
    action: str | None = None
    actor: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    outcome: str | None = None
    correlation_id: UUID | None = None
    job_id: UUID | None = None

    def conditions(self) -> tuple[list[str], list[Any]]:
        """SQL over ``e`` with numbered parameters, and their values."""
        found: list[tuple[str, Any]] = []
        if self.since is not None:
            found += [("e.occurred_at >= ${}", self.since), ("e.id >= ${}", _smallest_id(self.since - _ID_SLACK))]
        if self.until is not None:
            found += [("e.occurred_at < ${}", self.until), ("e.id < ${}", _smallest_id(self.until + _ID_SLACK))]
        if self.action is not None:
            found.append(("starts_with(e.action, ${})", self.action))
        if self.actor is not None:
            found.append(("${} IN (e.actor_id, e.actor_label)", self.actor))
        for name in ("category", "resource_type", "resource_id", "outcome", "correlation_id", "job_id"):
            if (value := getattr(self, name)) is not None:
                found.append((f"e.{name} = ${{}}", value))
        return (
            [condition.format(number) for number, (condition, _) in enumerate(found, start=1)],
            [value for _, value in found],
        )


def _smallest_id(instant: datetime) -> UUID:
    return id_at(max(0, int(instant.timestamp() * 1000)))


_SEAL_OF_EVENT = """
    LEFT JOIN LATERAL (
        SELECT s.sequence, s.from_xid, s.sealed_at FROM core.audit_seals s
        WHERE s.tenant_id = e.tenant_id AND s.epoch = e.epoch AND s.to_xid > e.transaction_id ORDER BY s.to_xid LIMIT 1
    ) s ON s.from_xid <= e.transaction_id
"""
_EVENT = f"""
    SELECT e.id, e.occurred_at, e.category, e.action, e.actor_kind, e.actor_id, e.actor_label, e.resource_type, e.resource_id,
           e.outcome, e.reason, e.correlation_id, e.job_id, e.client_ip, e.payload,
           s.sequence AS seal_sequence, s.sealed_at
    FROM core.audit_events e {_SEAL_OF_EVENT}
"""  # noqa: S608  (constants)


async def page(driver: Driver, wanted: EventFilter, *, before: UUID | None, limit: int) -> Sequence[Row]:
    """Events, newest first."""
    conditions, values = wanted.conditions()
    if before is not None:
        values.append(before)
        conditions.append(f"e.id < ${len(values)}")
    values.append(limit)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = await driver.fetch(f"{_EVENT} {where} ORDER BY e.id DESC LIMIT ${len(values)}", *values)
    return [dict(row) for row in rows]


async def find(driver: Driver, event_id: UUID) -> Row | None:
    row = await driver.fetchrow(f"{_EVENT} WHERE e.id = $1", event_id)
    return dict(row) if row else None


async def line(driver: Driver, event_id: UUID) -> str:
    """The event as it is hashed."""
    found: str = await driver.fetchval("SELECT core.audit_line(e) FROM core.audit_events e WHERE e.id = $1", event_id)
    return found


async def oldest(driver: Driver) -> datetime | None:
    """When the oldest event that is still in the database happened."""
    found: datetime | None = await driver.fetchval("SELECT occurred_at FROM core.audit_events ORDER BY id LIMIT 1")
    return found


_UTC = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
_TEXTS = ("actor_id", "actor_label", "resource_type", "resource_id", "reason", "client_ip")


def export_query(wanted: EventFilter) -> tuple[str, list[Any]]:
    """Newest first, for COPY. Texts that came from outside are made safe for spreadsheets."""
    conditions, values = wanted.conditions()
    texts = {name: f"{harmless_sql(f'e.{name}')} AS {name}" for name in _TEXTS}
    columns = [
        f"to_char(e.occurred_at AT TIME ZONE 'UTC', '{_UTC}') AS occurred_at",
        "e.id, e.category, e.action, e.actor_kind",
        *(texts[name] for name in _TEXTS[:4]),
        "e.outcome",
        *(texts[name] for name in _TEXTS[4:]),
        "e.correlation_id, e.job_id, e.payload, s.sequence AS seal_sequence",
    ]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT {', '.join(columns)} FROM core.audit_events e {_SEAL_OF_EVENT} {where} ORDER BY e.id DESC"  # noqa: S608  (our own names)
    return query, values
