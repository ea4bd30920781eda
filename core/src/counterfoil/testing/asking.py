"""Asks every GET route, and judges how the database answered: by the plans of the very statements the application sent.

The server itself tells the plans (auto_explain), of what definer functions do inside too, with the rows really looked at.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import orjson
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.pool import Pool

from counterfoil.db.roles import APP
from counterfoil.tables.definitions import CORE_TABLES

Parameters = Mapping[str, Any]

METRICS_TOKEN = "of-an-installation-whose-plans-are-judged"  # noqa: S105  (of throw-away databases)
"""What the application's settings have to have, or ``/metrics`` is no route."""

_MARK = "plan:\n"
_EXPLAINED = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """One node of a plan that reads a table: how many rows it looked at, whether it used them or not."""

    kind: str
    table: str
    index: str | None
    rows: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One statement as it was sent."""

    query: str
    looks: tuple[Look, ...]
    buffers: int

    @property
    def rows(self) -> int:
        return max((look.rows for look in self.looks), default=0)


@dataclass(kw_only=True)
class Asked:
    """One request and the plans of its statements; ``problem`` is why there was no answer."""

    operation: str
    parameters: Parameters
    plans: list[Plan]
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Offence:
    """A look at more rows than an answer needs."""

    operation: str
    parameters: Parameters
    query: str
    look: Look


def offences(asked: Sequence[Asked], *, most_rows: int, most_settings: int | None = None) -> list[Offence]:
    """The worst first.

    Args:
        asked: the questions with their plans.
        most_rows: what a page needs.
        most_settings: what is let through of people and settings, where a plan bounds their number. The planner takes every
            tenant for an average one, and reads and sorts the few it expects.
    """
    found = [
        Offence(operation=each.operation, parameters=each.parameters, query=plan.query, look=look)
        for each in asked
        for plan in each.plans
        for look in plan.looks
        if look.rows > _bound(look.table, most_rows, most_settings) and (each.operation, look.table) not in ACCEPTED
    ]
    return sorted(found, key=lambda offence: -offence.look.rows)


def _bound(table: str, most_rows: int, most_settings: int | None) -> int:
    return most_settings if most_settings is not None and table in PEOPLE_AND_SETTINGS else most_rows


def unanswered(asked: Sequence[Asked]) -> list[str]:
    """Questions whose answer was a problem: little was found out by them."""
    return [
        f"{each.operation} {dict(each.parameters)}: {each.problem}"
        for each in asked
        if each.problem is not None and each.operation not in WITHOUT_AN_ANSWER
    ]


class Plans:
    """Everything the server told since it was last asked for."""

    def __init__(self) -> None:
        self._told: list[str] = []

    def take(self) -> list[Plan]:
        told, self._told = self._told, []
        return [plan_of(orjson.loads(message.partition(_MARK)[2])) for message in told]

    def hear(self, _connection: Any, message: Any) -> None:
        if _MARK in message.message:
            self._told.append(message.message)


@asynccontextmanager
async def explained(admin: "asyncpg.Connection[Any]", **more: str) -> AsyncIterator[Plans]:
    """Within the block every new connection of the application to this database tells its plans.

    Args:
        admin: a superuser's connection to the database.
        more: settings of the planner beside these.
    """
    plans, name = Plans(), await admin.fetchval("SELECT current_database()")

    def listen(connection: Any, _record: Any) -> None:
        connection.driver_connection.add_log_listener(plans.hear)

    for setting, value in {**_EXPLAINED, **more}.items():
        await admin.execute(f"ALTER ROLE {APP} IN DATABASE \"{name}\" SET {setting} = '{value}'")
    event.listen(Pool, "connect", listen)
    try:
        yield plans
    finally:
        event.remove(Pool, "connect", listen)
        await admin.execute(f'ALTER ROLE {APP} IN DATABASE "{name}" RESET ALL')


def plan_of(document: Mapping[str, Any]) -> Plan:
    root = document["Plan"]
    looks = tuple(
        Look(
            kind=node["Node Type"],
            table=node["Relation Name"],
            index=node.get("Index Name"),
            rows=round(_rows_looked_at(node)),
        )
        for node in _nodes(root)
        if "Relation Name" in node and "Scan" in node["Node Type"]
    )
    buffers = root.get("Shared Hit Blocks", 0) + root.get("Shared Read Blocks", 0)
    return Plan(query=re.sub(r"\s+", " ", document["Query Text"]).strip(), looks=looks, buffers=buffers)


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _rows_looked_at(node: Mapping[str, Any]) -> float:
    thrown_away = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node.get("Actual Rows", 0) + thrown_away) * node.get("Actual Loops", 0))


# -- the questions -----------------------------------------------------------------------------------------------------

_RARE_TIME = "2026-01-01T00:00:00Z"
# By operation of the OpenAPI document. A parameter of the path is filled in from what the tenant has; each set of the query's is
# asked for, and the page behind the first where there is one. Filters ask for what is rare: that is where a list without an
# index reads on and on.
QUESTIONS: Mapping[str, Sequence[Parameters]] = {
    "me": [{}],
    "listMyTenants": [{}],
    "listMySessions": [{}],
    "listMembers": [{}],
    "listInvitations": [{}],
    "getTenant": [{}],
    "getPlan": [{}],
    "getUsage": [{}],
    "listPermissions": [{}],
    "listRoles": [{}],
    "getRole": [{}],
    "getMember": [{}],
    "listApiKeys": [{}],
    "listPlugins": [{}],
    "getPlugin": [{}],
    "getPluginSettings": [{}],
    "listStreams": [{}],
    "listCursors": [{}],
    "listSchemaNotices": [{}, {"open": "true"}],
    "listRawRecords": [{}, {"source_id": "ch_1"}],
    "getRawRecord": [{}],
    "listApiCalls": [{}, {"status": "5xx"}, {"status": "none"}, {"status": "3xx"}, {"job_id": "{job_id}"}],
    "getApiCall": [{}],
    "getConnectionBudget": [{}],
    "listWebhooks": [{}],
    "listProviders": [{}],
    "listConnections": [{}],
    "getConnection": [{}],
    "listJobs": [{}, {"status": "failed"}, {"status": "running"}, {"kind": "core.rare"}, {"kind": "core.none"}],
    "getJob": [{}],
    "streamJobEvents": [{}],
    "getJobLog": [{}],
    "listJobArtifacts": [{}],
    "downloadJobArtifact": [{}],
    "listViews": [{}, {"table": "payments"}],
    "getView": [{}],
    "getEvidence": [{}],
    "downloadEvidence": [{}],
    "getEvidenceKey": [{}],
    "listTables": [{}],
    "listRows": [
        {},
        {"sort": "amount"},
        {"sort": "-amount", "filter": "amount:gte:99000"},
        {"filter": "amount:lt:0"},
        {"filter": "amount:eq:1.005"},
        {"filter": "source_id:eq:ch_none"},
        {"filter": "id:eq:0192f0c1-2345-7abc-8def-0123456789ab"},
        {"filter": "source_created_at:lt:2001-01-01T00:00:00Z"},
        {"sort": "source_created_at", "filter": "source_created_at:is_null:true"},
    ],
    "aggregateRows": [{"filter": "source_created_at:lt:2001-01-01T00:00:00Z"}],
    "exportRowsAsCsv": [{"filter": "source_created_at:lt:2001-01-01T00:00:00Z"}],
    "exportRowsAsXlsx": [{"filter": "source_created_at:lt:2001-01-01T00:00:00Z"}],
    "getRow": [{}],
    "listAuditEvents": [
        {},
        {"from": _RARE_TIME},
        {"resource_type": "connection", "resource_id": "{connection_id}"},
        {"correlation_id": "{correlation_id}"},
        {"job_id": "{job_id}"},
    ],
    "exportAuditEvents": [{"to": _RARE_TIME}],
    "verifyAuditEvents": [{"from": _RARE_TIME, "to": "2026-01-02T00:00:00Z"}],
    "getAuditRetention": [{}],
    "getAuditEvent": [{}],
    "getTimeline": [{}],
    "healthLive": [{}],
    "healthReady": [{}],
    "getMetrics": [{}],
}
PEOPLE_AND_SETTINGS = frozenset(
    {"users", "memberships", "membership_roles", "roles", "role_permissions", "api_keys", "saved_views", "connections"}
)
# Where a look may find more rows than a page, and why that is bounded all the same.
ACCEPTED: Mapping[tuple[str, str], str] = {
    **{
        ("listTables", table.source.name): "Counts up to 10,001 rows and says “more than” from there on."
        for table in CORE_TABLES
    },
    ("getPlan", "memberships"): "Counted against the plan, which bounds them.",
    ("getPlan", "api_keys"): "Counted against the plan, which bounds them.",
}
_HEADERS = {"getMetrics": {"Authorization": f"Bearer {METRICS_TOKEN}"}}
# Routes that end with a problem after all their statements, in a tenant whose files and secrets nobody has made.
WITHOUT_AN_ANSWER = frozenset({"downloadJobArtifact", "downloadEvidence", "getConnectionBudget", "listWebhooks"})
_KNOWN = {
    "connection_id": "SELECT md5('connection' || $1::uuid)::uuid",
    "record_id": "SELECT id FROM core.raw_records WHERE tenant_id = $1 AND stream = 'charges' LIMIT 1",
    "call_id": "SELECT id FROM core.api_calls WHERE tenant_id = $1 LIMIT 1",
    "job_id": "SELECT job_id FROM core.evidence_packs WHERE tenant_id = $1 LIMIT 1",
    "artifact_id": "SELECT id FROM core.job_artifacts WHERE tenant_id = $1 AND job_id = $2 LIMIT 1",
    "view_id": "SELECT id FROM core.saved_views WHERE tenant_id = $1 AND shared LIMIT 1",
    "event_id": "SELECT id FROM core.audit_events WHERE tenant_id = $1 LIMIT 1",
    "correlation_id": "SELECT correlation_id FROM core.audit_events WHERE tenant_id = $1 AND correlation_id IS NOT NULL LIMIT 1",
    "user_id": "SELECT user_id FROM core.memberships WHERE tenant_id = $1 LIMIT 1",
    "role_id": "SELECT id FROM core.roles WHERE tenant_id = $1 LIMIT 1",
    "row_id": "SELECT id FROM core.payments WHERE tenant_id = $1 AND deleted_at IS NULL LIMIT 1",
}


@dataclass(frozen=True, kw_only=True)
class Route:
    operation: str
    path: str


def get_routes(app: FastAPI) -> list[Route]:
    """Every GET route of the OpenAPI document: none can be forgotten."""
    paths = app.openapi()["paths"]
    return [
        Route(operation=methods["get"]["operationId"], path=path) for path, methods in paths.items() if "get" in methods
    ]


async def known_of(admin: "asyncpg.Connection[Any]", tenant_id: UUID) -> dict[str, str]:
    """One of everything a populated tenant has, by the names of the parameters."""
    found: dict[str, str] = {"table": "payments", "stream": "charges", "name": "stripe"}
    for name, query in _KNOWN.items():
        values = [tenant_id, UUID(found["job_id"])] if "$2" in query else [tenant_id]
        found[name] = str(await admin.fetchval(query, *values))
        if name == "job_id":
            # The job that files, packs and events are of has to be one of those there are.
            await admin.execute(
                "UPDATE core.jobs SET id = $2 WHERE (tenant_id, id) ="
                " (SELECT tenant_id, id FROM core.jobs WHERE tenant_id = $1 AND kind = 'core.sync' LIMIT 1)",
                tenant_id,
                UUID(found[name]),
            )
    return found


async def ask(
    client: httpx2.AsyncClient, plans: Plans, routes: Sequence[Route], known: Mapping[str, str]
) -> AsyncIterator[Asked]:
    """Every question, one after the other."""
    for route in routes:
        for asked_for in QUESTIONS[route.operation]:
            parameters = {name: str(value).format(**known) for name, value in asked_for.items()}
            address = route.path.format(**known)
            for _ in range(2):
                plans.take()
                answer = await client.get(address, params=parameters, headers=_HEADERS.get(route.operation))
                done = Asked(operation=route.operation, parameters=dict(parameters), plans=plans.take())
                if not answer.is_success:
                    done.problem = f"{answer.status_code} {answer.text[:300]}"
                yield done
                cursor = _cursor_of(answer)
                if cursor is None:
                    break
                parameters = {**parameters, "cursor": cursor}


def _cursor_of(answer: httpx2.Response) -> str | None:
    if "json" not in answer.headers.get("content-type", ""):
        return None
    content = answer.json()
    return content.get("next_cursor") if isinstance(content, dict) else None
