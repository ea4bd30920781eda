"""Whatever is killed, whenever: jobs finish by themselves, no row is lost, none is there twice."""

import os
import random
import signal
import time
from contextlib import suppress

import httpx2
import pytest
from tests.product.conftest import Person, Product
from tests.product.test_sync import assert_complete

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.faults, pytest.mark.timeout(420)]

KILLS = 25
VICTIMS = ("worker", "worker-child", "serve", "postgres", "worker-child", "beat", "pause")


def strike(product: Product, victim: str, rng: random.Random) -> None:
    if victim == "postgres":
        with suppress(OSError, ValueError, IndexError, ProcessLookupError):
            os.kill(product.postgres(), signal.SIGKILL)
        return
    pid = product.children().get("worker-child" if victim == "pause" else victim)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        if victim != "pause":
            os.kill(pid, signal.SIGKILL)
            return
        # Longer than the lease: when it wakes up, somebody else has its job.
        os.kill(pid, signal.SIGSTOP)
        time.sleep(4 + rng.random())
        os.kill(pid, signal.SIGCONT)


def test_a_sync_outlives_twenty_five_kills_with_every_row_exactly_once(
    product: Product, simulator: httpx2.Client
) -> None:
    seed = int(os.environ.get("COUNTERFOIL_TEST_SEED", "7"))
    rng = random.Random(seed)  # noqa: S311  (reproducible, not secret)
    simulator.put("/faults", json=[{"match": "/v1/", "kind": "slow", "delay_s": 0.05}]).raise_for_status()
    struck: list[str] = []
    rounds: list[tuple[Person, str]] = []
    while len(struck) < KILLS:
        person = product.newcomer("faults")
        job_id = person.sync(person.connect_stripe())
        rounds.append((person, job_id))
        while len(struck) < KILLS and not person.call("GET", f"/jobs/{job_id}")["finished_at"]:
            time.sleep(rng.uniform(0.2, 2.5))
            victim = VICTIMS[len(struck) % len(VICTIMS)]
            strike(product, victim, rng)
            struck.append(victim)
    simulator.delete("/faults").raise_for_status()
    for person, job_id in rounds:
        job = person.finished(job_id, within_s=180)
        assert (job["status"], job["reasons"]) == ("succeeded", []), (seed, struck, job)
        assert_complete(person, simulator)
    assert max(person.call("GET", f"/jobs/{job_id}")["attempts"] for person, job_id in rounds) > 1
