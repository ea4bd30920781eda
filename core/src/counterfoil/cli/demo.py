"""The demo tenant, made through the same HTTP API everybody else uses."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx2

from counterfoil.cli.errors import CommandError
from counterfoil.cli.output import say
from counterfoil.simulation.simulators import DemoConnection

EMAIL = "demo@example.com"
_TENANT = {"tenant_name": "Demo Shop", "tenant_slug": "demo", "email": EMAIL, "full_name": "Demo Admin"}
_SYNC_PATIENCE_S = 180.0
_FINAL = {"succeeded", "partial", "failed", "cancelled"}
Pause = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class DemoTenant:
    tenant_id: str
    email: str


class DemoClient:
    """A client of the API, logged in as the demo's administrator."""

    def __init__(self, origin: str) -> None:
        self._http = httpx2.Client(base_url=f"{origin}/api/v1", headers={"Origin": origin}, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        self._http.close()

    def open_session(self, password: str) -> DemoTenant:
        """Log in, or register when the tenant is not there yet."""
        answer = self._http.post("/auth/login", json={"email": EMAIL, "password": password})
        if answer.status_code == httpx2.codes.UNAUTHORIZED:
            answer = self._http.post("/auth/register", json={**_TENANT, "password": password})
        session = _checked(answer)
        self._http.headers["Authorization"] = f"Bearer {session['access_token']}"
        # The token is enough; without the cookies nothing depends on which of the two wins.
        self._http.cookies.clear()
        return DemoTenant(tenant_id=session["tenant"]["id"], email=session["user"]["email"])

    def connect(self, wanted: DemoConnection, *, pause: Pause) -> None:
        """Add the connection to a simulator, test it and sync it; what is there already is left alone."""
        self._enable(wanted.kind)
        connection = self._find(wanted.kind) or self._post(
            "/connections",
            {
                "kind": wanted.kind,
                "label": wanted.label,
                "settings": wanted.settings,
                "credentials": wanted.credentials,
            },
        )
        path = f"/connections/{connection['id']}"
        if connection.get("last_synced_at"):
            return
        verdict = self._post(f"{path}/test")
        if not verdict["ok"]:
            raise CommandError(f"the demo's connection {wanted.label!r} does not work: {verdict['error']}")
        job = self._wait_for(self._post(f"{path}/sync", {})["job_id"], pause=pause)
        if job["status"] != "succeeded":
            say(f"  the first sync of {wanted.label} {_state(job)}")

    def point_at(self, wanted: DemoConnection) -> None:
        """Give the connection a simulator's new address."""
        connection = self._find(wanted.kind)
        if connection and connection["settings"] != wanted.settings:
            _checked(self._http.patch(f"/connections/{connection['id']}", json={"settings": wanted.settings}))

    def _enable(self, kind: str) -> None:
        for provider in self._get("/connections/providers")["items"]:
            if provider["kind"] == kind and not provider["available"]:
                self._post(f"/plugins/{provider['plugin']}/enable")

    def _find(self, kind: str) -> dict[str, Any] | None:
        return next((item for item in self._get("/connections")["items"] if item["kind"] == kind), None)

    def _wait_for(self, job_id: str, *, pause: Pause) -> dict[str, Any]:
        deadline = time.monotonic() + _SYNC_PATIENCE_S
        while True:
            job = self._get(f"/jobs/{job_id}")
            if job["status"] in _FINAL or time.monotonic() > deadline:
                return job
            pause(0.3)

    def _get(self, path: str) -> dict[str, Any]:
        return _checked(self._http.get(path))

    def _post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return _checked(self._http.post(path, json=body))


def is_answering(origin: str) -> bool:
    """Whether the API takes requests."""
    try:
        return httpx2.get(f"{origin}/health/ready", timeout=2).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def _state(job: Mapping[str, Any]) -> str:
    if job["status"] not in _FINAL:
        return "is still running"
    return f"ended as {job['status']}: {job.get('error') or job.get('reasons')}"


def _checked(answer: httpx2.Response) -> dict[str, Any]:
    if answer.is_success:
        body: dict[str, Any] = answer.json()
        return body
    raise CommandError(
        f"making the demo failed: {answer.request.url} answered {answer.status_code} {answer.text[:500]}"
    )
