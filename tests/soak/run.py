"""One soak from beginning to end: start, load, strikes, quiet, check."""

from __future__ import annotations

import asyncio
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

from tests.product.conftest import free_port, start, stop
from tests.soak.aftermath import last_syncs, left_behind, strangers, wait_for_quiet
from tests.soak.checker import Checker, Finding, Report, connect, tables
from tests.soak.gateway import Gateway
from tests.soak.load import Company, Ledger
from tests.soak.machine import Clock, SmallDisk
from tests.soak.scene import Scene
from tests.soak.strikes import LEASE_S, all_strikes
from tests.soak.striking import Striker
from tests.soak.vendors import Holdings, Vendor

from counterfoil.cli.services import demo_settings, read_settings


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
    haste: float = 1.0
    only: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Soak:
    plan: Plan
    vendor: type[Vendor]
    folder: Path
    port: int
    keep_logs: Path | None = None
    striker: Striker | None = None
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
            address = json.loads((home / "demo.json").read_text())["simulators"][self.vendor.kind]
            gateway = Gateway(free_port(), upstream=int(address.rpartition(":")[2]))
            try:
                vendor = self.vendor(address=address, gateway=gateway)
                scene = Scene(product=product, vendor=vendor, disk=disk, clock=clock)
                report = self._soaked(scene)
            finally:
                if clock.reason is None:
                    clock.set(0)
                disk.empty()
                stop(product)
                gateway.close()
            self.findings += left_behind(home)
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
        wait_for_quiet(companies)
        self._passed("until all had ended")
        time.sleep(max(0.0, self._changed_s + scene.vendor.settles_s - time.monotonic()))
        self._passed("until the vendor had told everything")
        self.findings += last_syncs(companies)
        wait_for_quiet(companies)
        self._passed("last syncs")
        holdings = scene.vendor.holdings()
        home = scene.home
        settings = demo_settings(read_settings(), home=home, postgres=home.postgres(), valkey=home.valkey())
        checker = Checker(
            home=home.path, settings=settings, companies=companies, ledger=self.ledger, catalogue=catalogue
        )
        report = self._checked(checker, holdings)
        self._passed("check")
        self.findings += strangers(scene)
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
            self.striker = self._striker(scene)
            self.striker.run()
        finally:
            over.set()
            for company in companies:
                company.stopping.set()
            for thread in threads:
                thread.join(180)
        for company in companies:
            company.stopping.clear()

    def _striker(self, scene: Scene) -> Striker:
        every = all_strikes(scene.vendor.faults())
        kinds = [kind for kind in every if not self.plan.only or kind.name in self.plan.only]
        return Striker(
            scene=scene,
            kinds=kinds,
            wanted=self.plan.strikes or len(kinds),
            seconds=self.plan.seconds,
            rng=random.Random(self.plan.seed),  # noqa: S311
            haste=self.plan.haste,
        )

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

    def _keep_logs(self, home: Path) -> None:
        if self.keep_logs is None:
            return
        self.keep_logs.mkdir(parents=True, exist_ok=True)
        for log in [*home.glob("logs/*"), *home.glob("*.log"), *home.glob("*/server.log")]:
            shutil.copy(log, self.keep_logs / f"{log.parent.name}-{log.name}")

    def _result(self, report: Report, took_s: float) -> dict[str, Any]:
        problems = Counter(text[:200] for text in self.ledger.problems)
        findings = [
            *self.findings,
            *report.findings,
            *(Finding(check="answers", detail=f"{number} times: {text}") for text, number in problems.most_common(20)),
        ]
        struck = self.striker
        if struck is None:
            raise RuntimeError("nothing was struck")
        return {
            "seed": self.plan.seed,
            "seconds": round(took_s),
            "seconds_by_phase": self.phases,
            "lease_s": LEASE_S,
            "strikes": struck.total,
            "kinds": sorted(kind.name for kind in struck.kinds),
            "strikes_by_kind": dict(sorted(struck.struck.items())),
            "not_possible": struck.not_possible,
            "nothing_there": dict(struck.nothing_there),
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
