"""A company with something of everything, as what an attacker is after."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.product.conftest import PASSWORD, Person, Product

from counterfoil.cli.home import DATABASE, Home

# What changes by itself: the sealer's work, and what tells when somebody was last here.
_RESTLESS = {"core.audit_seals", "core.sessions"}
# Refusals are put on the record of the company they happened in.
_ONLY = {"core.audit_events": "AND outcome <> 'denied'", "core.usage_counters": "AND false"}


def sql(product: Product, statement: str) -> str:
    """As the owner of the database, past every policy."""
    return Home(product.home).postgres().run_sql(statement, database=DATABASE)


@dataclass(kw_only=True)
class Victim:
    """The company, ids of its things by the name of the path parameter, and words nobody else may ever see."""

    product: Product
    owner: Person
    tenant_id: str
    ids: dict[str, str]
    marks: list[str]
    cursors: dict[str, str] = field(default_factory=dict)

    def snapshot(self) -> dict[str, str]:
        """A hash of the company's rows, by table."""
        tables = sql(
            self.product,
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped"
            " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' ORDER BY 1",
        ).splitlines()
        wanted = [table for table in tables if table not in _RESTLESS]
        assert len(wanted) >= 30
        union = " UNION ALL ".join(
            f"SELECT '{table}', md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), ''))"  # noqa: S608  (names from the catalogue)
            f" FROM {table} t WHERE tenant_id = '{self.tenant_id}' {_ONLY.get(table, '')}"
            for table in wanted
        )
        return dict(line.split("|") for line in sql(self.product, union).splitlines())


def make_victim(product: Product) -> Victim:
    owner = product.newcomer("victim")
    mark = secrets.token_hex(8)
    me = owner.call("GET", "/auth/me")
    tenant_id = me["tenant"]["id"]
    connection = owner.connect_stripe()
    owner.call("PATCH", f"/connections/{connection}", json={"label": f"Books {mark}"})
    job = owner.synced(connection)
    assert job["status"] == "succeeded", job
    owner.call("POST", f"/jobs/{job['id']}/evidence")
    _until_ready(owner, job["id"])
    view = owner.call("POST", "/tables/views", json={"table": "payments", "name": f"View {mark}", "shared": True})
    role = owner.call(
        "POST", "/users/roles", json={"name": f"r{mark}", "title": f"Role {mark}", "permissions": ["jobs.read"]}
    )
    key = owner.call("POST", "/api-keys", json={"name": f"Key {mark}", "scopes": ["tables.read"]})
    invited = owner.call("POST", "/users", json={"email": f"invited-{mark}@example.com", "roles": ["readonly"]})
    first = {table: owner.call("GET", f"/tables/{table}", params={"limit": 1}) for table in ("payments", "payouts")}
    records = owner.call("GET", f"/connections/{connection}/streams/charges/records", params={"limit": 1})
    calls = owner.call("GET", f"/connections/{connection}/api-calls", params={"limit": 1})
    events = owner.call("GET", "/audit-events", params={"limit": 1})
    sessions = owner.call("GET", "/auth/sessions")["items"]
    ids = {
        "connection_id": connection,
        "job_id": job["id"],
        "view_id": view["id"],
        "role_id": role["id"],
        "key_id": key["id"],
        "invitation_id": invited["id"],
        "user_id": me["user"]["id"],
        "session_id": sessions[0]["id"],
        "row_id": first["payments"]["items"][0]["id"],
        "record_id": records["items"][0]["id"],
        "call_id": calls["items"][0]["id"],
        "event_id": events["items"][0]["id"],
        "correlation_id": job["correlation_id"],
        "notice_id": _notice(product, tenant_id, connection),
        "artifact_id": _artifact(product, tenant_id, job["id"]),
    }
    cursors = {
        "/api/v1/tables/payments": first["payments"]["next_cursor"],
        "/api/v1/audit-events": events["next_cursor"],
        "/api/v1/jobs": owner.call("GET", "/jobs", params={"limit": 1})["next_cursor"],
    }
    marks = [
        mark,
        owner.email,
        first["payments"]["items"][0]["source_id"],
        records["items"][0]["source_id"],
        *ids.values(),
    ]
    return Victim(product=product, owner=owner, tenant_id=tenant_id, ids=ids, marks=marks, cursors=cursors)


def _until_ready(owner: Person, job_id: str) -> None:
    found = owner.call("GET", f"/jobs/{job_id}/evidence")
    if found["state"] != "ready":
        owner.finished(found["job_id"])


def _notice(product: Product, tenant_id: str, connection: str) -> str:
    made = str(uuid4())
    sql(
        product,
        "INSERT INTO core.schema_notices (tenant_id, id, connection_id, stream, path, kind, sample_type, run_id)"  # noqa: S608  (ids of our own)
        f" VALUES ('{tenant_id}', '{made}', '{connection}', 'charges', 'new_field', 'appeared', 'string', '{uuid4()}')",
    )
    return made


def _artifact(product: Product, tenant_id: str, job_id: str) -> str:
    made = str(uuid4())
    sql(
        product,
        "INSERT INTO core.job_artifacts (tenant_id, id, job_id, object_id, name)"  # noqa: S608  (same)
        f" SELECT tenant_id, '{made}', '{job_id}', id, 'rows.csv' FROM core.objects WHERE tenant_id = '{tenant_id}' LIMIT 1",
    )
    return made


def someone(product: Product, victim: Victim, *, roles: list[str]) -> tuple[Person, str]:
    """A member of the victim's company with a token, and the id of their account."""
    invited = victim.owner.call(
        "POST", "/users", json={"email": f"m-{secrets.token_hex(6)}@example.com", "roles": roles}
    )
    person = Person(product)
    product.people.append(person)
    body: dict[str, Any] = {
        "token": invited["link"].partition("#token=")[2],
        "email": invited["email"],
        "password": PASSWORD,
        "full_name": "Mallory",
        "token_delivery": "body",
    }
    session = person.call("POST", "/auth/invitations/accept", json=body)["session"]
    person.http.cookies.clear()
    person.http.headers["Authorization"] = f"Bearer {session['access_token']}"
    return person, str(person.call("GET", "/auth/me")["user"]["id"])
