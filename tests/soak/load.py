"""People at work: syncs, exports, evidence, webhooks, changes. What the product accepted of it is written down, to be asked for later."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
from tests.product.conftest import PASSWORD

from counterfoil.evidence.verify import verify

if TYPE_CHECKING:
    from random import Random

    from tests.soak.vendors import Vendor

_PATIENCE_S = 60.0
_AGAIN_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A change the product has said yes to."""

    tenant_id: str
    correlation_id: str
    request: str
    job_id: str | None = None


@dataclass(kw_only=True)
class Ledger:
    """What was asked and how it was answered; several threads write."""

    accepted: list[Accepted] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    deliveries: list[tuple[str, str]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, status: str) -> None:
        with self._lock:
            self.answers[status] += 1

    def accept(self, one: Accepted) -> None:
        with self._lock:
            self.accepted.append(one)
            if one.job_id is not None:
                self.jobs[one.job_id] = one.tenant_id

    def lost_sight(self) -> None:
        with self._lock:
            self.unknown += 1

    def problem(self, text: str) -> None:
        with self._lock:
            self.problems.append(text)


class Refused(Exception):
    """The product has said no; the answer says why."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
        self.answer = answer


class Unknown(Exception):
    """No answer for so long that nobody knows what has become of the request."""


class Company:
    """A tenant with a connection, and the program of its owner."""

    def __init__(self, url: str, name: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self.url = url
        self.http = httpx2.Client(base_url=f"{url}/api/v1", timeout=30)
        self.email = f"{name}@example.com"
        self.stopping = threading.Event()
        session = self._joined(name)
        self.tenant_id = str(session["tenant"]["id"])
        self.http.cookies.clear()
        self.http.headers["Authorization"] = f"Bearer {session['access_token']}"
        every = [one["name"] for one in self.call("GET", "/users/permissions")["items"]]
        # A key, because a token does not outlast a clock that is set.
        key = self.call("POST", "/api-keys", json={"name": "The program's", "scopes": every})
        self.http.headers["Authorization"] = f"Bearer {key['key']}"
        self.connection_id = ""

    def connect(self, vendor: Vendor) -> None:
        self.connection_id = str(self.call("POST", "/connections", json=vendor.connection())["id"])

    def _joined(self, name: str) -> Any:
        body = {
            "tenant_name": f"Company {name}",
            "tenant_slug": name,
            "email": self.email,
            "password": PASSWORD,
            "full_name": "Sol Soak",
        }
        return self.http.post("/auth/register", json=body).raise_for_status().json()

    def call(self, method: str, path: str, *, patience_s: float = _PATIENCE_S, **parts: Any) -> Any:
        """The JSON of the answer, asked for until there is one.

        Raises:
            Refused: the answer is no.
            Unknown: there is none for too long, or it is time to stop.
        """
        answer = self.ask(method, path, patience_s=patience_s, **parts)
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, *, patience_s: float = _PATIENCE_S, **parts: Any) -> httpx2.Response:
        correlation_id, deadline, is_repeated = str(uuid4()), time.monotonic() + patience_s, False
        headers = {"X-Correlation-ID": correlation_id}
        if method == "POST" and not path.startswith("/auth/"):
            headers["Idempotency-Key"] = correlation_id
        while True:
            try:
                answer = self.http.request(method, path, headers=headers, **parts)
            except httpx2.TransportError as error:
                self.ledger.answered(type(error).__name__)
            else:
                self.ledger.answered(str(answer.status_code))
                if self._is_final(answer, path):
                    break
            if time.monotonic() > deadline or self.stopping.is_set():
                self.ledger.lost_sight()
                raise Unknown
            is_repeated = True
            time.sleep(_AGAIN_S)
        if not answer.is_success:
            # The first try may have done it, and its answer was lost.
            raise Unknown if is_repeated and method == "DELETE" else Refused(answer)
        # A POST that is answered with 200 has found everything as it was asked for.
        if method in {"PATCH", "DELETE"} or (method == "POST" and answer.status_code != httpx2.codes.OK):
            self._accepted(answer, f"{method} {path}", correlation_id)
        return answer

    def _is_final(self, answer: httpx2.Response, path: str) -> bool:
        if answer.status_code == httpx2.codes.INTERNAL_SERVER_ERROR:
            self.ledger.problem(f"500: {answer.request.method} {path}: {answer.text[:400]}")
        in_progress = answer.status_code == httpx2.codes.CONFLICT and "idempotency_in_progress" in answer.text
        passing = answer.status_code == httpx2.codes.TOO_MANY_REQUESTS or answer.is_server_error
        return not (in_progress or passing)

    def _accepted(self, answer: httpx2.Response, request: str, correlation_id: str) -> None:
        body = answer.json() if answer.content else {}
        job_id = body.get("job_id") if answer.status_code == httpx2.codes.ACCEPTED else None
        self.ledger.accept(
            Accepted(tenant_id=self.tenant_id, correlation_id=correlation_id, request=request, job_id=job_id)
        )

    # -- what the program does ---------------------------------------------------------------------------------------------

    def work(self, rng: Random) -> None:
        """Until told to stop, one thing after the other."""
        names, weights = list(_ACTIONS), [weight for weight, _ in _ACTIONS.values()]
        while not self.stopping.is_set():
            name = rng.choices(names, weights)[0]
            try:
                _ACTIONS[name][1](self, rng)
            except Refused as refusal:
                self.ledger.answered(f"{name}: {refusal.answer.status_code}")
            except Unknown:
                self.ledger.answered(f"{name}: unknown")
            except Exception as error:  # noqa: BLE001  (a finding about the soak or the product, and the load goes on)
                self.ledger.problem(f"{name}: {type(error).__name__}: {error}")
            self.stopping.wait(rng.uniform(0.1, 1.2))

    def sync(self, rng: Random | None = None) -> str:
        mode = "incremental" if rng is None or rng.random() < 0.8 else rng.choice(["backfill", "full"])
        body = {"mode": mode}
        return str(self.call("POST", f"/connections/{self.connection_id}/sync", json=body)["job_id"])

    def replay(self, _rng: Random) -> None:
        self.call("POST", f"/connections/{self.connection_id}/replay", json={})

    def replay_job(self, rng: Random) -> None:
        self.call("POST", f"/jobs/{self._some_job(rng)}/replay")

    def cancel(self, rng: Random) -> None:
        self.call("POST", f"/jobs/{self._some_job(rng)}/cancel")

    def evidence(self, rng: Random) -> None:
        job_id = self._some_job(rng, kind="core.sync")
        self.call("POST", f"/jobs/{job_id}/evidence")

    def download(self, rng: Random) -> None:
        job_id = self._some_job(rng, kind="core.sync")
        if self.call("GET", f"/jobs/{job_id}/evidence")["state"] == "ready":
            self.check_pack(job_id)

    def check_pack(self, job_id: str) -> None:
        key = self.call("GET", "/evidence/key")["public_key"]
        content = self.ask("GET", f"/jobs/{job_id}/evidence/download").content
        report = verify(io.BytesIO(content), [key])
        if (report.verdict, report.findings) != ("intact", []):
            self.ledger.problem(f"the pack of job {job_id} is {report.verdict}: {report.findings[:3]}")

    def export(self, rng: Random) -> None:
        table = rng.choice(["payments", "payout_lines", "customers"])
        self.ask("GET", f"/tables/{table}/export.{rng.choice(['csv', 'csv', 'xlsx'])}")

    def read(self, rng: Random) -> None:
        table = rng.choice(["payments", "payouts", "fees"])
        page = self.call("GET", f"/tables/{table}", params={"limit": 20, "sort": "-source_created_at"})
        if page["items"]:
            self.call("GET", f"/tables/{table}/rows/{rng.choice(page['items'])['id']}")
        self.call("GET", f"/tables/{table}/aggregate", params={"group": "currency"})

    def view(self, rng: Random) -> None:
        made = self.call("POST", "/tables/views", json={"table": "payments", "name": f"View {uuid4()}"})
        if rng.random() < 0.6:
            self.call("PATCH", f"/tables/views/{made['id']}", json={"name": f"View {uuid4()}"})
        if rng.random() < 0.6:
            self.call("DELETE", f"/tables/views/{made['id']}")

    def key(self, _rng: Random) -> None:
        made = self.call("POST", "/api-keys", json={"name": "A short one", "scopes": ["tables.read"]})
        self.call("DELETE", f"/api-keys/{made['id']}")

    def rename(self, _rng: Random) -> None:
        self.call("PATCH", f"/connections/{self.connection_id}", json={"label": f"Stripe {uuid4()}"})

    def look(self, rng: Random) -> None:
        self.call("GET", f"/jobs/{self._some_job(rng)}")
        self.call("GET", "/audit-events", params={"limit": 10})
        self.call("GET", f"/connections/{self.connection_id}/streams")

    def check_audit(self, _rng: Random) -> None:
        report = self.call("GET", "/audit-events/verify")
        if not report["ok"]:
            self.ledger.problem(f"the audit log of {self.tenant_id} is not whole: {report['findings'][:3]}")

    def log_in(self, _rng: Random) -> None:
        with httpx2.Client(base_url=f"{self.url}/api/v1", timeout=30) as other, suppress(httpx2.TransportError):
            answer = other.post("/auth/login", json={"email": self.email, "password": PASSWORD})
            self.ledger.answered(f"log-in: {answer.status_code}")

    def _some_job(self, rng: Random, **params: str) -> str:
        jobs = self.call("GET", "/jobs", params={"limit": 20, **params})["items"]
        if not jobs:
            raise Unknown
        return str(rng.choice(jobs)["id"])


_ACTIONS: dict[str, tuple[float, Any]] = {
    "sync": (6, Company.sync),
    "read": (4, Company.read),
    "look": (3, Company.look),
    "export": (2, Company.export),
    "evidence": (1.5, Company.evidence),
    "download": (1.5, Company.download),
    "view": (3, Company.view),
    "key": (1, Company.key),
    "rename": (1, Company.rename),
    "replay": (0.7, Company.replay),
    "replay job": (0.5, Company.replay_job),
    "cancel": (0.7, Company.cancel),
    "check audit": (0.5, Company.check_audit),
    "log in": (0.5, Company.log_in),
}
