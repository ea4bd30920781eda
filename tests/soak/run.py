"""One soak from beginning to end: start, load, strikes, quiet, check."""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import shutil
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from tests.product.conftest import free_port, start, stop
from tests.soak.checker import Checker, Finding, Report, connect, tables
from tests.soak.gateway import FAIR, Gateway
from tests.soak.load import Company, Ledger, Unknown
from tests.soak.machine import Clock, NotPossible, SmallDisk
from tests.soak.scene import NothingThere, Scene, belonging_to
from tests.soak.strikes import LEASE_S, Strike, Struck, all_strikes
from tests.soak.vendors import Holdings, Stripe

from counterfoil.cli.services import demo_settings, read_settings

_CRASHES = ("request.failed", "job.crashed", "ticker.duty_broke", "worker.child_failed")
_QUIET_WITHIN_S = 420.0
_GONE_WITHIN_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long, how hard.

    ``orders`` and ``companies`` are the size of the world and how many read it at once; it changes for that part of the time.
    Without a number of strikes each kind is struck once.
    """

    seed: int
    seconds: float
    strikes: int | None = None
    companies: int = 4
    changes_until: float = 1.0
    orders: int = 400
    megabytes: int = 6144
    only: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Soak:
    plan: Plan
    folder: Path
    port: int
    keep_logs: Path | None = None
    struck: Counter[str] = field(default_factory=Counter)
    not_possible: dict[str, str] = field(default_factory=dict)
    nothing_there: Counter[str] = field(default_factory=Counter)
    ledger: Ledger = field(default_factory=Ledger)
    findings: list[Finding] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    _changed_s: float = 0.0
    _phase_began_s: float = field(default_factory=time.monotonic)

    def run(self) -> dict[str, Any]:
        """What was done and found, as JSON goes."""
        began = time.monotonic()
        home = self.folder / "home"
        disk = SmallDisk(home, megabytes=self.plan.megabytes)
        clock = Clock(self.folder)
        try:
            product = start(home, self.port, world={"orders": self.plan.orders}, **clock.environment)
            simulator = int(product.stripe.rpartition(":")[2])
            gateway = Gateway(free_port(), upstream=simulator)
            try:
                vendor = Stripe(address=product.stripe, gateway=gateway)
                scene = Scene(product=product, vendor=vendor, disk=disk, clock=clock)
                report = self._soaked(scene)
            finally:
                if clock.reason is None:
                    clock.set(0)
                disk.empty()
                stop(product)
                gateway.close()
            self._nobody_is_left(home)
            self._nothing_crashed(home)
        finally:
            self._keep_logs(home)
            disk.put_away()
        return self._result(report, time.monotonic() - began)

    def _soaked(self, scene: Scene) -> Report:
        catalogue = asyncio.run(_prepared(scene.product.home))
        companies = self._companies(scene)
        try:
            return self._told(scene, companies, catalogue)
        finally:
            for company in companies:
                company.http.close()

    def _told(self, scene: Scene, companies: list[Company], catalogue: frozenset[str]) -> Report:
        for company in companies:
            company.sync()
        self._passed("start")
        self._struck_under_load(scene, companies)
        self._passed("strikes")
        self._quiet(companies)
        self._passed("until all had ended")
        time.sleep(max(0.0, self._changed_s + scene.vendor.settles_s - time.monotonic()))
        self._passed("until the vendor had told everything")
        self._synced(companies)
        self._passed("last syncs")
        holdings = scene.vendor.holdings()
        home = scene.home
        settings = demo_settings(read_settings(), home=home, postgres=home.postgres(), valkey=home.valkey())
        checker = Checker(
            home=home.path, settings=settings, companies=companies, ledger=self.ledger, catalogue=catalogue
        )
        report = self._checked(checker, holdings)
        self._passed("check")
        self._only_known_processes(scene)
        return report

    def _passed(self, phase: str) -> None:
        now = time.monotonic()
        self.phases[phase] = round(now - self._phase_began_s, 1)
        self._phase_began_s = now

    def _companies(self, scene: Scene) -> list[Company]:
        names = [f"soak-{number}-{time.time_ns() % 10**9}" for number in range(self.plan.companies)]
        companies = [Company(scene.product.url, name, self.ledger) for name in names]
        for company in companies:
            company.connect(scene.vendor)
        return companies

    # -- load and strikes ------------------------------------------------------------------------------------------------------

    def _struck_under_load(self, scene: Scene, companies: list[Company]) -> None:
        over = threading.Event()
        threads = [
            threading.Thread(target=company.work, args=(random.Random(f"{self.plan.seed} {number}"),))  # noqa: S311
            for number, company in enumerate(companies)
        ]
        rng = random.Random(f"{self.plan.seed} vendor")  # noqa: S311
        threads.append(threading.Thread(target=self._vendor_lives, args=(scene, rng, over)))
        threads.append(threading.Thread(target=self._webhooks_come, args=(scene, companies, rng, over)))
        for thread in threads:
            thread.start()
        try:
            self._strike(scene, random.Random(self.plan.seed))  # noqa: S311
        finally:
            over.set()
            for company in companies:
                company.stopping.set()
            for thread in threads:
                thread.join(180)
        for company in companies:
            company.stopping.clear()

    def _vendor_lives(self, scene: Scene, rng: random.Random, over: threading.Event) -> None:
        until = time.monotonic() + self.plan.seconds * self.plan.changes_until
        while not over.wait(rng.uniform(2, 14)) and time.monotonic() < until:
            self._tried("the vendor's life", lambda: scene.vendor.live(rng))
            self._changed_s = time.monotonic()

    def _webhooks_come(self, scene: Scene, companies: list[Company], rng: random.Random, over: threading.Event) -> None:
        while not over.wait(rng.uniform(2, 8)):
            company = rng.choice(companies)
            self._tried("webhooks", partial(self._delivered, scene, company, rng))

    def _delivered(self, scene: Scene, company: Company, rng: random.Random) -> None:
        address = f"{scene.product.url}/webhooks/{scene.vendor.kind}/{company.connection_id}"
        taken = scene.vendor.deliver(address, rng.randint(1, 4))
        self.ledger.deliveries += [(company.tenant_id, event) for event in taken]

    def _tried(self, what: str, act: Any) -> None:
        # The simulator itself is killed now and then.
        with suppress(OSError):
            try:
                act()
            except Exception as error:  # noqa: BLE001  (the load goes on; what is wrong is counted)
                self.ledger.answered(f"{what}: {type(error).__name__}")

    def _strike(self, scene: Scene, rng: random.Random) -> None:
        kinds = [
            kind for kind in all_strikes(scene.vendor.faults()) if not self.plan.only or kind.name in self.plan.only
        ]
        # Each at least once, then by weight.
        deck = rng.sample(kinds, len(kinds))
        ends: list[tuple[float, int, Strike, Struck]] = []
        began, number = time.monotonic(), 0
        wanted = self.plan.strikes or len(kinds)
        pause = self.plan.seconds / wanted
        try:
            while self.struck.total() < wanted:
                number += 1
                due = began + number * pause * rng.uniform(0.97, 1.03)
                self._end_until(ends, due)
                busy = {strike.group for _, _, strike, _ in ends if strike.group}
                kind = deck.pop() if deck else rng.choices(kinds, [one.weight for one in kinds])[0]
                if kind.group in busy:
                    kind = rng.choice([one for one in kinds if one.group not in busy])
                struck = self._one(kind, scene, rng)
                if struck is not None:
                    heapq.heappush(ends, (time.monotonic() + struck.for_s, number, kind, struck))
        finally:
            self._end_until(ends, None)
            scene.vendor.ready()
            scene.vendor.gateway.change(FAIR)

    def _one(self, kind: Strike, scene: Scene, rng: random.Random) -> Struck | None:
        try:
            struck = kind.act(scene, rng)
        except NotPossible as why:
            self.not_possible[kind.name] = str(why)
            # Counted too, or a machine that can do little would never be through.
            self.struck["not possible"] += 1
            return None
        except (NothingThere, httpx2.TransportError):
            self.nothing_there[kind.name] += 1
            return None
        self.struck[kind.name] += 1
        return struck

    @staticmethod
    def _end_until(ends: list[tuple[float, int, Strike, Struck]], due: float | None) -> None:
        """End what is over by then; all of it without a time."""
        while ends and (due is None or ends[0][0] <= due):
            over_at, _, _, struck = heapq.heappop(ends)
            if due is not None:
                time.sleep(max(0.0, over_at - time.monotonic()))
            struck.end()
        if due is not None:
            time.sleep(max(0.0, due - time.monotonic()))

    # -- quiet -------------------------------------------------------------------------------------------------------------------

    @staticmethod
    def _quiet(companies: list[Company]) -> None:
        """Wait until everything accepted has ended, by itself."""
        deadline = time.monotonic() + _QUIET_WITHIN_S
        for company in companies:
            while time.monotonic() < deadline:
                waiting = [
                    job
                    for status in ("queued", "running")
                    for job in company.call("GET", "/jobs", params={"status": status, "limit": 50})["items"]
                ]
                if not waiting:
                    break
                time.sleep(0.5)

    def _synced(self, companies: list[Company]) -> None:
        """A sync after all that brings what is missing, and one more finds nothing left to write."""
        for attempt in ("the last sync", "a sync after the last"):
            jobs = {company.sync(): company for company in companies}
            for job_id, company in jobs.items():
                job = self._finished(company, job_id)
                if (job["status"], job["reasons"]) != ("succeeded", []):
                    self._found(attempt, f"{company.email}: {job['status']}, {job['reasons']}, {job['error']}")
        for company in companies:
            self._wait(lambda c=company: not self._pending(c))

    def _finished(self, company: Company, job_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 240
        while True:
            job: dict[str, Any] = company.call("GET", f"/jobs/{job_id}")
            if job["finished_at"] or time.monotonic() > deadline:
                return job
            time.sleep(0.25)

    @staticmethod
    def _pending(company: Company) -> list[Any]:
        found: list[Any] = [
            *company.call("GET", "/jobs", params={"status": "queued"})["items"],
            *company.call("GET", "/jobs", params={"status": "running"})["items"],
        ]
        if not found:
            report = company.call("GET", "/audit-events/verify", patience_s=120)
            found = [report["unsealed"]] if report["unsealed"]["count"] else []
        return found

    @staticmethod
    def _wait(is_so: Any, within_s: float = 90) -> None:
        deadline = time.monotonic() + within_s
        while not is_so() and time.monotonic() < deadline:
            time.sleep(0.25)

    @staticmethod
    def _checked(checker: Checker, holdings: Holdings) -> Report:
        report = asyncio.run(checker.run(holdings))
        # The sealer and autovacuum come by every few seconds: what is only theirs to do is looked at again.
        deadline = time.monotonic() + 60
        while report.findings and all(
            "outlived" in each.detail or "no seal" in each.detail for each in report.findings
        ):
            if time.monotonic() > deadline:
                break
            time.sleep(3)
            report = asyncio.run(checker.run(holdings))
        return report

    def _only_known_processes(self, scene: Scene) -> None:
        """Everything for this home descends from `up` or from a keeper."""
        parents = _parents()
        roots = {scene.product.process.pid, scene.keeper("postgres"), scene.keeper("valkey")}
        strangers = {
            pid: command for pid, command in belonging_to(scene.product.home).items() if not roots & _line(pid, parents)
        }
        if strangers:
            self._found("processes", f"{len(strangers)} that nobody looks after: {list(strangers.items())[:5]}")

    def _nobody_is_left(self, home: Path) -> None:
        deadline = time.monotonic() + _GONE_WITHIN_S
        while left := belonging_to(home):
            if time.monotonic() > deadline:
                self._found("processes", f"{len(left)} outlived the product: {list(left.items())[:5]}")
                return
            time.sleep(0.2)

    def _nothing_crashed(self, home: Path) -> None:
        """Nobody has logged an error that nobody foresaw."""
        crashes: Counter[str] = Counter()
        for log in home.glob("logs/*"):
            for line in log.read_text(errors="replace").splitlines():
                if any(f'"{event}"' in line for event in _CRASHES):
                    told = json.loads(line)
                    crashes[f"{log.stem}: {told['event']}: {told['exception'].strip().splitlines()[-1][:200]}"] += 1
        for text, number in crashes.most_common(20):
            self._found("logs", f"{number} times {text}")

    def _keep_logs(self, home: Path) -> None:
        if self.keep_logs is None:
            return
        self.keep_logs.mkdir(parents=True, exist_ok=True)
        for log in [*home.glob("logs/*"), *home.glob("*.log"), *home.glob("*/server.log")]:
            shutil.copy(log, self.keep_logs / f"{log.parent.name}-{log.name}")

    def _found(self, check: str, detail: str) -> None:
        self.findings.append(Finding(check=check, detail=detail))

    def _result(self, report: Report, took_s: float) -> dict[str, Any]:
        problems = Counter(text[:200] for text in self.ledger.problems)
        findings = [
            *self.findings,
            *report.findings,
            *(Finding(check="answers", detail=f"{number} times: {text}") for text, number in problems.most_common(20)),
        ]
        return {
            "seed": self.plan.seed,
            "seconds": round(took_s),
            "seconds_by_phase": self.phases,
            "lease_s": LEASE_S,
            "strikes": self.struck.total() - self.struck["not possible"],
            "strikes_by_kind": dict(sorted(self.struck.items())),
            "not_possible": self.not_possible,
            "nothing_there": dict(self.nothing_there),
            "changes_accepted": len(self.ledger.accepted),
            "answers_lost_sight_of": self.ledger.unknown,
            "answers": dict(self.ledger.answers.most_common()),
            "webhooks_taken": len(self.ledger.deliveries),
            **report.as_json(),
            "findings": [asdict(each) for each in findings],
        }


async def _prepared(home: Path) -> frozenset[str]:
    """The tables there are at the beginning."""
    driver = await connect(home)
    # What a crash of PostgreSQL left of temporary tables is for autovacuum to drop: within moments here.
    await driver.execute("ALTER SYSTEM SET autovacuum_naptime = '3s'")
    await driver.execute("SELECT pg_reload_conf()")
    found = await tables(driver)
    await driver.close()
    return found


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


def as_text(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=2, default=str)


__all__ = ["Plan", "Soak", "Unknown", "as_text"]
