"""After the strikes: everything accepted comes to its end, a sync brings what is missing, and nobody is left behind."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.soak.checker import Finding
from tests.soak.load import Refused, Unknown
from tests.soak.scene import Scene, belonging_to

if TYPE_CHECKING:
    from tests.soak.load import Company

# What is logged when something happens that nobody foresaw.
_CRASHES = ("request.failed", "job.crashed", "ticker.duty_broke", "worker.child_failed")
_QUIET_WITHIN_S = 420.0
_SYNCED_WITHIN_S = 240.0
_SEALED_WITHIN_S = 90.0
_GONE_WITHIN_S = 30.0
_CHANGES = ("rows_inserted", "rows_updated", "rows_deleted")


def wait_until(is_so: Callable[[], bool], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.25)
    return True


def wait_for_quiet(companies: Sequence[Company]) -> None:
    """Until everything accepted has ended by itself, with its webhooks handled and its events sealed; the checker says if not."""
    deadline = time.monotonic() + _QUIET_WITHIN_S
    for company in companies:
        wait_until(lambda one=company: not _unfinished(one), within_s=deadline - time.monotonic())  # type: ignore[misc]
    for company in companies:
        wait_until(lambda one=company: _is_sealed(one), within_s=_SEALED_WITHIN_S)  # type: ignore[misc]


def last_syncs(companies: Sequence[Company]) -> Iterator[Finding]:
    """One that brings what is missing, and one more that finds nothing left to write."""
    for check, brings_news in (("the last sync", True), ("a sync after the last", False)):
        try:
            asked = {company.sync(): company for company in companies}
        except (Refused, Unknown) as error:
            yield Finding(check=check, detail=f"it was not accepted: {error}")
            return
        for job_id, company in asked.items():
            job = _finished(company, job_id)
            if (job["status"], job["reasons"]) != ("succeeded", []):
                yield Finding(check=check, detail=f"{company.email}: {job['status']}, {job['reasons']}, {job['error']}")
                continue
            written = sum(total[name] for total in job["result"]["streams"].values() for name in _CHANGES)
            if written and not brings_news:
                yield Finding(check=check, detail=f"{company.email}: wrote {written} rows that were there already")


def strangers(scene: Scene) -> Iterator[Finding]:
    """Everything that runs for this home descends from `up` or from a keeper."""
    parents = _parents()
    roots = {scene.product.process.pid, scene.keeper("postgres"), scene.keeper("valkey")}
    unknown = {
        pid: command for pid, command in belonging_to(scene.product.home).items() if not roots & _line(pid, parents)
    }
    if unknown:
        yield Finding(check="processes", detail=f"{len(unknown)} that nobody looks after: {list(unknown.items())[:5]}")


def left_behind(home: Path) -> Iterator[Finding]:
    """Once the product has stopped, nothing of it runs, and nobody has logged an error that nobody foresaw."""
    if not wait_until(lambda: not belonging_to(home), within_s=_GONE_WITHIN_S):
        left = list(belonging_to(home).items())
        yield Finding(check="processes", detail=f"{len(left)} outlived the product: {left[:5]}")
    crashes: Counter[str] = Counter()
    for log in home.glob("logs/*"):
        for line in log.read_text(errors="replace").splitlines():
            if any(f'"{event}"' in line for event in _CRASHES) and (told := _told(line)):
                crashes[f"{log.stem}: {told}"] += 1
    for text, number in crashes.most_common(20):
        yield Finding(check="logs", detail=f"{number} times {text}")


def _told(line: str) -> str | None:
    """What went wrong; None where a kill or a full disk cut the line: it was the strike's, and nobody can tell what else."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return f"{told['event']}: {told['exception'].strip().splitlines()[-1][:200]}"


def _unfinished(company: Company) -> list[Any]:
    return [
        job
        for status in ("queued", "running")
        for job in company.call("GET", "/jobs", params={"status": status, "limit": 1})["items"]
    ]


def _is_sealed(company: Company) -> bool:
    report = company.call("GET", "/audit-events/verify", patience_s=120)
    return not report["unsealed"]["count"]


def _finished(company: Company, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = {}

    def is_finished() -> bool:
        job.update(company.call("GET", f"/jobs/{job_id}"))
        return bool(job["finished_at"])

    wait_until(is_finished, within_s=_SYNCED_WITHIN_S)
    return job


def _parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return found


def _line(pid: int, parents: dict[int, int]) -> set[int]:
    """A process and those it descends from."""
    line = {pid}
    while (pid := parents.get(pid, 0)) and pid not in line:
        line.add(pid)
    return line
