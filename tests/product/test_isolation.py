"""Every route of the API with another company's ids, as a stranger, a rival and a former member: nothing is read, changed or guessed."""

import json
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.product.conftest import Person, Product
from tests.product.victim import Victim, make_victim, someone, sql

pytestmark = pytest.mark.xdist_group("product")

NAMED = {"stream": "charges", "table": "payments", "name": "stripe", "kind": "stripe"}
# Bodies that get past the validation, for the routes whose path has an id or that take one.
BODIES: dict[str, Any] = {
    "updateRole": {"title": "Taken over"},
    "updateMember": {"status": "disabled"},
    "setMemberRoles": {"roles": ["owner"]},
    "renameApiKey": {"name": "Taken over"},
    "resetCursor": {"to": "beginning"},
    "updateConnection": {"label": "Taken over"},
    "updateView": {"name": "Taken over"},
    "syncConnection": {},
    "replayConnection": {},
    "createView": {"table": "payments", "name": "Mine"},
    "createRole": {"name": "mine", "title": "Mine", "permissions": []},
    "createApiKey": {"name": "Mine", "scopes": ["tables.read"]},
    "inviteUser": {"email": "friend@example.com", "roles": ["readonly"]},
    "createConnection": {"kind": "stripe", "label": "Mine", "settings": {}, "credentials": {"api_key": "sk_test_x"}},
    "updateTenant": {"name": "Mine"},
    "savePluginSettings": {"settings": {}},
    "updateMe": {"full_name": "Mallory"},
    "changePassword": {"current_password": "not the password", "new_password": "a new one of good length"},
}
# About the session at hand: the attack would be over after them.
ENDING = {"logout", "refresh", "endOtherSessions", "switchTenant"}
OPEN = {
    *("register", "login", "refresh", "logout", "forgotPassword", "resetPassword"),
    *("previewInvitation", "acceptInvitation", "receiveWebhook", "healthLive", "healthReady", "getMetrics"),
}
# Of each question, in turns; few enough for the rival's limit of requests.
_ASKED = 9
# An id that nothing carries has an empty timeline: the same answer as for somebody else's.
EMPTY_FOR_OTHERS = {"getTimeline"}


@dataclass(frozen=True, kw_only=True)
class Operation:
    name: str
    method: str
    path: str
    body: Any

    @property
    def takes_an_id(self) -> bool:
        return bool(re.findall(r"{(\w+)}", self.path)) and any(
            p not in NAMED for p in re.findall(r"{(\w+)}", self.path)
        )

    def at(self, ids: dict[str, str]) -> str:
        return re.sub(r"{(\w+)}", lambda found: NAMED.get(found[1]) or ids[found[1]], self.path)


@pytest.fixture(scope="module")
def victim(product: Product) -> Victim:
    return make_victim(product)


@pytest.fixture(scope="module")
def rival(product: Product) -> Person:
    """The owner of another company, who may do everything there."""
    return product.newcomer("rival")


@pytest.fixture(scope="module")
def every(product: Product) -> list[Operation]:
    document = httpx2.get(f"{product.url}/api/v1/openapi.json").json()
    found = [
        Operation(
            name=operation["operationId"], method=method.upper(), path=path, body=BODIES.get(operation["operationId"])
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(found) > 80
    return found


@pytest.fixture
def untouched(victim: Victim) -> Iterator[None]:
    """Whatever a test does, the company's rows are afterwards what they were."""
    before = victim.snapshot()
    yield
    after = victim.snapshot()
    assert {table for table in before if before[table] != after[table]} == set()


def send(
    client: httpx2.Client, operation: Operation, path: str, headers: dict[str, str] | None = None
) -> httpx2.Response:
    body = {"json": operation.body} if operation.body is not None else {}
    # At the root: a person's client has the prefix of the API in its address.
    url = httpx2.URL(str(client.base_url)).copy_with(path=path)
    return client.request(operation.method, url, headers=headers, **body)


def told(answer: httpx2.Response) -> str:
    """All that an answer says, without what we said ourselves."""
    return f"{answer.headers} {answer.text}"


def leaks(answer: httpx2.Response, victim: Victim, *, sent: str) -> list[str]:
    return [mark for mark in victim.marks if mark in told(answer) and mark not in sent]


def likeness(answer: httpx2.Response) -> tuple[Any, ...]:
    """What could tell two answers apart, ids aside."""
    body = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", answer.text)
    varying = {"date", "x-correlation-id", "ratelimit-remaining", "ratelimit-reset", "content-length"}
    return answer.status_code, body, sorted(name for name in answer.headers if name not in varying)


@pytest.mark.usefixtures("untouched")
def test_a_rival_gets_nothing_from_another_companys_ids_and_cannot_tell_them_from_invented_ones(
    victim: Victim, rival: Person, every: list[Operation]
) -> None:
    invented = {name: str(uuid4()) for name in victim.ids}
    tried = 0
    for operation in every:
        if not operation.takes_an_id or operation.name == "receiveWebhook":
            continue
        path = operation.at(victim.ids)
        answer = send(rival.http, operation, path)
        where = f"{operation.method} {path}: {answer.status_code} {answer.text[:300]}"
        wanted = 200 if operation.name in EMPTY_FOR_OTHERS else 404
        assert answer.status_code == wanted, where
        assert leaks(answer, victim, sent=path) == [], where
        assert likeness(answer) == likeness(send(rival.http, operation, operation.at(invented))), where
        tried += 1
    assert tried >= 40


def test_another_companys_id_takes_as_long_as_an_invented_one(
    victim: Victim, rival: Person, every: list[Operation]
) -> None:
    """Of the same class, that is: a median of many, asked in turns, within half as much and a millisecond.

    What is far off is timed again, twice: the machine has moods, and what an id tells by its time it tells each time.
    """
    asked = [
        operation
        for operation in every
        if operation.takes_an_id and operation.method == "GET" and operation.name not in EMPTY_FOR_OTHERS
    ]
    for _ in range(3):
        asked = [operation for operation in asked if tells_by_time(victim, rival, operation)]
    assert [operation.name for operation in asked] == []


def tells_by_time(victim: Victim, rival: Person, operation: Operation) -> bool:
    seconds: dict[str, list[float]] = {"theirs": [], "nobodys": []}
    for turn in range(_ASKED):
        asked = [("theirs", victim.ids), ("nobodys", {name: str(uuid4()) for name in victim.ids})]
        for whose, ids in asked if turn % 2 else reversed(asked):
            began = time.perf_counter()
            assert send(rival.http, operation, operation.at(ids)).status_code == 404
            seconds[whose].append(time.perf_counter() - began)
    theirs, nobodys = (statistics.median(taken) for taken in seconds.values())
    return not nobodys / 1.5 - 0.001 < theirs < nobodys * 1.5 + 0.001


@pytest.mark.usefixtures("untouched")
def test_a_rivals_own_lists_files_and_figures_hold_nothing_of_another_company(
    victim: Victim, rival: Person, every: list[Operation]
) -> None:
    for operation in every:
        if (
            operation.takes_an_id
            or operation.name in OPEN | ENDING
            or (operation.method != "GET" and not operation.body)
        ):
            continue
        answer = send(rival.http, operation, operation.at({}))
        assert answer.status_code < 500, f"{operation.name}: {answer.text[:300]}"
        assert leaks(answer, victim, sent="") == [], operation.name


@pytest.mark.usefixtures("untouched")
def test_ids_cursors_and_filters_of_another_company_find_nothing(victim: Victim, rival: Person) -> None:
    ids = victim.ids
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/tables/payments", {"filter": f"connection_id:eq:{ids['connection_id']}", "count": "true"}),
        ("/tables/payments", {"filter": f"id:eq:{ids['row_id']}"}),
        ("/tables/payments/aggregate", {"measure": "count", "filter": f"connection_id:eq:{ids['connection_id']}"}),
        ("/tables/payments/export.csv", {"filter": f"connection_id:eq:{ids['connection_id']}"}),
        ("/audit-events", {"job_id": ids["job_id"]}),
        ("/audit-events", {"correlation_id": ids["correlation_id"]}),
        ("/audit-events/export.csv", {"resource_id": ids["connection_id"]}),
        *(
            (path.removeprefix("/api/v1"), {"cursor": cursor, "limit": 500})
            for path, cursor in victim.cursors.items()
            if cursor
        ),
    ]
    assert len(asked) >= 9
    for path, params in asked:
        answer = rival.http.get(path, params=params)
        assert answer.status_code == 200, f"{path} {params}: {answer.text[:300]}"
        assert leaks(answer, victim, sent=json.dumps(params)) == [], path
        if "json" in answer.headers["content-type"] and "items" in answer.json() and "filter" in params:
            counted = [item["values"]["count"] for item in answer.json()["items"] if "values" in item]
            assert counted == [0] or answer.json()["items"] == []
            assert answer.json().get("total", 0) == 0


@pytest.mark.usefixtures("untouched")
def test_a_rival_cannot_enter_the_company(victim: Victim, rival: Person) -> None:
    answer = rival.http.post("/auth/switch-tenant", json={"tenant_id": victim.tenant_id, "token_delivery": "body"})
    invented = rival.http.post("/auth/switch-tenant", json={"tenant_id": str(uuid4()), "token_delivery": "body"})
    assert answer.status_code in (403, 404)
    assert likeness(answer) == likeness(invented)


@pytest.mark.parametrize("who", ["nobody", "an ended key", "a revoked key", "a disabled member", "a made up token"])
def test_who_is_not_let_in_is_let_in_nowhere(
    victim: Victim, product: Product, every: list[Operation], who: str
) -> None:
    headers = _credential(victim, product, who)
    before = victim.snapshot()
    with httpx2.Client(base_url=product.url, timeout=30) as client:
        tried = 0
        for operation in every:
            # Somebody who is disabled here is still a person with sessions, and may be a member elsewhere.
            if operation.name in OPEN or (who == "a disabled member" and "/auth/" in operation.path):
                continue
            path = operation.at(victim.ids)
            answer = send(client, operation, path, headers)
            where = f"{operation.method} {path}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code == 401, where
            assert leaks(answer, victim, sent=path) == [], where
            tried += 1
        assert tried >= 70
    assert victim.snapshot() == before


def _credential(victim: Victim, product: Product, who: str) -> dict[str, str]:
    if who == "nobody":
        return {}
    if who == "a made up token":
        return {"Authorization": "Bearer cf_live_" + "x" * 40}
    if who == "a disabled member":
        member, user_id = someone(product, victim, roles=["admin"])
        victim.owner.call("PATCH", f"/users/{user_id}", json={"status": "disabled"})
        return {"Authorization": member.http.headers["Authorization"]}
    made = victim.owner.call("POST", "/api-keys", json={"name": who, "scopes": ["tables.read", "connections.manage"]})
    if who == "a revoked key":
        victim.owner.call("DELETE", f"/api-keys/{made['id']}")
    else:
        sql(product, f"UPDATE core.api_keys SET expires_at = now() - interval '1 second' WHERE id = '{made['id']}'")  # noqa: S608
    return {"Authorization": f"Bearer {made['key']}"}


def test_a_member_whose_roles_were_taken_does_nothing_more_with_a_token_of_before(
    victim: Victim, product: Product, every: list[Operation]
) -> None:
    member, user_id = someone(product, victim, roles=["admin"])
    nothing = victim.owner.call(
        "POST", "/users/roles", json={"name": f"n{uuid4().hex[:20]}", "title": "Nothing", "permissions": []}
    )
    victim.owner.call("PUT", f"/users/{user_id}/roles", json={"roles": [nothing["name"]]})
    before = victim.snapshot()
    refused = 0
    for operation in every:
        if operation.name in OPEN | ENDING or "/auth/" in operation.path:
            continue
        answer = send(member.http, operation, operation.at(victim.ids))
        where = f"{operation.method} {operation.path}: {answer.status_code} {answer.text[:300]}"
        if operation.method != "GET":
            assert answer.status_code == 403, where
        assert leaks(answer, victim, sent=operation.at(victim.ids)) == [] or answer.status_code == 200, where
        refused += answer.status_code == 403
    assert refused >= 60
    assert victim.snapshot() == before
