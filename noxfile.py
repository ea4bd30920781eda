"""The tasks of this repository, run by ``./dev TASK`` inside its .venv. The first docstring line of each is its help."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

import nox
from nox.command import CommandFailed

nox.options.default_venv_backend = "none"
nox.options.sessions = []

ROOT = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
FRONTEND = ROOT / "frontend"
SOURCES = ["core/src", "migrations/src", *(str(path.relative_to(ROOT)) for path in ROOT.glob("plugins/*/src"))]
TESTS = [
    str(folder.relative_to(ROOT))
    for folder in (*ROOT.glob("*/tests"), *ROOT.glob("plugins/*/tests"), ROOT / "tests")
    if any(folder.rglob("*.py"))
]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# By package, what each brings. With a compiler the soak can set the product's clock.
COMPILER = {"gcc": ("cc",), "libc6-dev": ("cc",)}
SYSTEM_PROGRAMS = {"chromium": CHROMIUM_NAMES, "bubblewrap": ("bwrap",), **COMPILER}


def end_with_descendants(_signum: int, _frame: FrameType | None) -> NoReturn:
    """On SIGTERM take the builds and tests that run with us: nox alone would leave them behind."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    ours = [os.getpid()]
    for pid in ours:
        ours += parents.get(pid, [])
    for pid in ours[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    sys.exit(128 + signal.SIGTERM)


signal.signal(signal.SIGTERM, end_with_descendants)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (a task's output is for the person who ran it)


def become(*argv: str) -> NoReturn:
    """Replace this process: Ctrl-C and SIGTERM then reach the product, with nothing in between to outlive it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(argv[0], argv)  # noqa: S606  (no shell is the point)


def counterfoil(session: nox.Session, command: str) -> NoReturn:
    os.environ.setdefault("COUNTERFOIL_ENVIRONMENT", "demo")
    become(str(BIN / "counterfoil"), command, *session.posargs)


# -- running the product -----------------------------------------------------------------------------------------------


@nox.session
def up(session: nox.Session) -> None:
    """Start everything on this machine with a demo tenant: databases, API, web app, worker, simulators."""
    build_ui(session)
    counterfoil(session, "up")


@nox.session
def reset(session: nox.Session) -> None:
    """Remove the demo's data: databases, secrets, logs. Refuses while `up` runs."""
    counterfoil(session, "reset")


@nox.session
def serve(session: nox.Session) -> None:
    """Run the API and the web app alone (as `counterfoil serve`)."""
    counterfoil(session, "serve")


@nox.session
def worker(session: nox.Session) -> None:
    """Run one job worker alone (as `counterfoil worker`)."""
    counterfoil(session, "worker")


@nox.session
def beat(session: nox.Session) -> None:
    """Run the ticker alone (as `counterfoil beat`): it publishes and recovers jobs, seals the audit log, drops what is old."""
    counterfoil(session, "beat")


@nox.session
def doctor(session: nox.Session) -> None:
    """Check settings, databases and migrations, and say what to do about what is wrong."""
    counterfoil(session, "doctor")


# -- checking ----------------------------------------------------------------------------------------------------------


@nox.session
def test(session: nox.Session) -> None:
    """Run everything that must pass: lint, web build, web tests, all Python and browser tests; or pytest with arguments."""
    if session.posargs:
        run_pytest(session, *session.posargs)
        return
    browser_missing = provide_system_programs(session)
    parts: list[tuple[str, Callable[[], None]]] = [
        # Lint has one processor to itself, and what the web app needs the other.
        ("web build", lambda: build_ui(session)),
        ("web tests", lambda: run_web_tests(session)),
        ("lint, beside", begun_beside("lint")),
        # By file, because loadgroup does not group: pytest 9.2 ignores what pytest-xdist 3.8 does to a test's id.
        ("python tests", lambda: run_pytest(session, "-n", "2", "--dist", "loadfile")),
    ]
    report, failed = [], [browser_missing] if browser_missing else []
    for name, part in parts:
        began = time.monotonic()
        say(f"\n=== {name} ===")
        try:
            part()
        except CommandFailed:
            failed.append(name)
        outcome = "FAILED" if name in failed else "ok"
        report.append(f"{name:<14} {outcome:<7} {time.monotonic() - began:6.0f} s")
    say("\n" + "\n".join(report))
    if failed:
        session.error("failed: " + ", ".join(failed))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, types and layers: ruff, mypy, import-linter."""
    run_lint(session)


@nox.session
def types(session: nox.Session) -> None:
    """Check types alone: mypy, strict."""
    run_mypy(session)


@nox.session(name="format")
def format_code(session: nox.Session) -> None:
    """Format the Python code and apply ruff's safe fixes."""
    session.run("ruff", "check", "--fix", ".")
    session.run("ruff", "format", ".")


@nox.session
def web(session: nox.Session) -> None:
    """Build the web app into the API's package, when it is not current."""
    build_ui(session)


@nox.session(name="web-test")
def web_test(session: nox.Session) -> None:
    """Check and test the web app: biome, tsc, vitest."""
    run_web_tests(session)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: `./dev bench NAME [options]` prints JSON, each figure beside a peer's of the same run; alone it lists the names."""
    names = sorted(path.stem for path in (ROOT / "tests/bench").glob("*.py") if "__main__" in path.read_text())
    name, *options = session.posargs or [""]
    if name not in names:
        for each in names:
            say(
                f"{each:<10} {ast.get_docstring(ast.parse((ROOT / f'tests/bench/{each}.py').read_text()))}".split("\n")[
                    0
                ]
            )
        return
    os.chdir(ROOT)
    become(sys.executable, "-m", f"tests.bench.{name}", *options)


@nox.session
def soak(session: nox.Session) -> None:
    """Strike a product under load at random for an hour, then check that nothing is lost; `./dev soak --help` lists options."""
    install_system_programs(session, COMPILER)
    os.chdir(ROOT)
    become(sys.executable, "-m", "tests.soak", *session.posargs)


# -- making files that are committed -----------------------------------------------------------------------------------


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements.txt anew from the pyproject files; `./dev lock --upgrade` takes newer versions."""
    session.run("uv", "lock", *session.posargs)
    target = ROOT / "requirements.txt"
    export = ["--all-packages", "--no-emit-workspace", "--no-header", "--no-annotate", "--quiet"]
    session.run("uv", "export", *export, "--output-file", str(target), silent=True)
    # Hashes say what is installed; where it comes from is each machine's own setting.
    if "://" in target.read_text():
        session.error("requirements.txt names an address")


@nox.session
def openapi(session: nox.Session) -> None:
    """Write frontend/openapi.json, from which the web app's types are made."""
    session.run("counterfoil", "openapi", "--output", str(FRONTEND / "openapi.json"))


@nox.session
def docs(session: nox.Session) -> None:
    """Write docs/reference/ anew from the code."""
    session.run("python", "docs/reference.py")


# -- how ---------------------------------------------------------------------------------------------------------------


def begun_beside(task: str) -> Callable[[], None]:
    """Begin a task in a process of its own; whoever calls the result waits for it, and its output is shown then."""
    output = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
    process = subprocess.Popen(  # noqa: S603  (our own task)
        [sys.executable, "-m", "nox", "--no-error-on-missing-interpreters", "-f", __file__, "-s", task],
        stdout=output,
        stderr=subprocess.STDOUT,
    )

    def end() -> None:
        failed = process.wait() != 0
        output.seek(0)
        say(output.read().decode(errors="replace"))
        if failed:
            raise CommandFailed(return_code=process.returncode)

    return end


def run_lint(session: nox.Session) -> None:
    """All of them, whichever fails: one run shows everything there is to mend."""
    checks: list[Callable[[], object]] = [
        lambda: session.run("ruff", "check", "."),
        lambda: session.run("ruff", "format", "--check", "."),
        lambda: run_mypy(session),
        lambda: session.run("lint-imports"),
    ]
    failures: list[CommandFailed] = []
    for check in checks:
        try:
            check()
        except CommandFailed as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def run_mypy(session: nox.Session) -> None:
    # Explicit bases give every test file a name of its own; without them two test_routes.py would clash.
    bases = os.pathsep.join([*SOURCES, "."])
    flags = ["--namespace-packages", "--explicit-package-bases"]
    session.run("mypy", *flags, *SOURCES, *TESTS, "noxfile.py", "docs/reference.py", env={"MYPYPATH": bases})


def run_pytest(session: nox.Session, *arguments: str) -> None:
    session.run(sys.executable, "-m", "pytest", *arguments)


def build_ui(session: nox.Session) -> None:
    build = [sys.executable, str(FRONTEND / "build_ui.py")]
    if subprocess.run([*build, "--check"], check=False, capture_output=True).returncode:  # noqa: S603  (our script)
        session.run(*build)


def run_web_tests(session: nox.Session) -> None:
    install_web_packages(session)
    with session.chdir(FRONTEND):
        for script in ("lint", "typecheck", "test"):
            session.run("npm", "run", "--silent", script)


def install_web_packages(session: nox.Session) -> None:
    """``npm install`` with the committed lock; ``npm ci`` rejects a lock that was made on another platform."""
    wanted, installed = FRONTEND / "package-lock.json", FRONTEND / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
        return
    with session.chdir(FRONTEND):
        session.run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error")


def install_system_programs(session: nox.Session, programs: Mapping[str, tuple[str, ...]]) -> None:
    """Install the missing ones where that is ours to do (root on Debian)."""
    missing = [package for package, names in programs.items() if not any(map(shutil.which, names))]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        session.log(f"installing {' '.join(missing)}")
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        with contextlib.suppress(CommandFailed):  # nox has shown why; what is still missing fails below
            session.run("apt-get", "update", "-qq", silent=True)
            session.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, env=quiet, silent=True)


def provide_system_programs(session: nox.Session) -> str:
    """Chromium, bubblewrap and a compiler. Returns what is wrong, or nothing."""
    install_system_programs(session, SYSTEM_PROGRAMS)
    if any(map(shutil.which, CHROMIUM_NAMES)):
        return ""
    session.warn("No Chromium found: the browser tests will fail. On Debian: apt-get install chromium")
    return "no browser"
