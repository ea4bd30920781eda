import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterfoil.cli.children import Child
from counterfoil.embedded.processes import is_alive

SLEEPS = "import time; time.sleep(600)"
IGNORES_REQUESTS_TO_END = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
HAS_A_CHILD_OF_ITS_OWN = (
    "import subprocess, sys, time;"
    " print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True); time.sleep(600)"
)
STARTS_A_CHILD = """
import os, sys
from pathlib import Path
from counterfoil.cli.children import Child
child = Child(name="sleeper", argv=[sys.executable, "-c", "import time; time.sleep(600)"], env=os.environ, log=Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
sys.stdin.read()
"""

LOOKS_AFTER_A_CHILD = """
import os, sys, time
from pathlib import Path
from counterfoil.cli.children import Child
child = Child(name="child", argv=[sys.executable, "-c", "pass"], env=os.environ, log=Path(sys.argv[1]))
child.start()
first = child.process
while child.process is first:
    child.look_after()
    time.sleep(0.05)
child.stop()
print("started again", file=sys.stderr, flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    """Start a child that runs this program."""
    started: list[Child] = []

    def start_one(program: str) -> Child:
        argv = [sys.executable, "-c", program]
        started.append(Child(name="child", argv=argv, env=dict(os.environ), log=tmp_path / "child.log"))
        started[-1].start()
        return started[-1]

    yield start_one
    for child in started:
        child.stop(timeout_s=1)


def pid_of(child: Child) -> int:
    assert child.pid is not None
    return child.pid


def look_after_until(child: Child, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        child.look_after()
        time.sleep(0.05)


def wait_for_output(child: Child) -> str:
    look_after_until(child, lambda: child.log.read_text() != "")
    return child.log.read_text()


def test_a_child_that_ends_is_started_again_and_a_line_says_so(
    start: Callable[[str], Child], capsys: pytest.CaptureFixture[str]
) -> None:
    child = start(SLEEPS)
    first = pid_of(child)
    os.kill(first, signal.SIGKILL)
    look_after_until(child, lambda: child.pid not in (None, first))
    said = capsys.readouterr().out
    assert f"child (process {first}) was ended by SIGKILL; starting it again in 0.5 s" in said
    assert f"child runs again (process {child.pid})" in said


def test_the_pause_grows_while_a_child_keeps_ending(
    start: Callable[[str], Child], capsys: pytest.CaptureFixture[str]
) -> None:
    child = start("raise SystemExit(3)")
    look_after_until(child, lambda: child.failures == 3)
    said = capsys.readouterr().out
    assert [f"in {pause} s" in said for pause in ("0.5", "1", "2")] == [True] * 3
    assert "ended with status 3" in said


def test_a_child_that_ignores_the_request_to_end_is_killed(start: Callable[[str], Child]) -> None:
    child = start(IGNORES_REQUESTS_TO_END)
    wait_for_output(child)
    pid = pid_of(child)
    child.stop(timeout_s=0.5)
    assert not is_alive(pid)


def test_children_of_a_killed_child_go_with_it(start: Callable[[str], Child]) -> None:
    child = start(HAS_A_CHILD_OF_ITS_OWN)
    grandchild = int(wait_for_output(child))
    first = pid_of(child)
    os.kill(first, signal.SIGKILL)
    look_after_until(child, lambda: child.pid not in (None, first))
    look_after_until(child, lambda: not is_running(grandchild))


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", STARTS_A_CHILD, str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Alive and no zombie: an orphan's remains wait for process 1, which is not ours."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_is_started_again_by_a_parent_whose_own_log_is_on_a_full_disk(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        parent = subprocess.run(  # noqa: S603  (this program)
            [sys.executable, "-c", LOOKS_AFTER_A_CHILD, str(tmp_path / "child.log")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert parent.stderr.splitlines()[0] == "started again", parent.stderr
