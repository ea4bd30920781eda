"""Every line of the log says whose work it was about."""

import json
import subprocess
import sys
from typing import Any

SCRIPT = """
import logging
from uuid import UUID
from counterfoil.kit import context
from counterfoil.observability import configure_logging, get_logger

configure_logging("json", "INFO")
log = get_logger("shop")
with (
    context.bound(context.current_tenant_id, UUID(int=1)),
    context.bound(context.current_correlation_id, UUID(int=2)),
    context.bound(context.current_job_id, UUID(int=3)),
):
    log.info("row.landed", rows=5)
    logging.getLogger("some.vendor").warning("said %s", "this")
    try:
        secret = "hunter2"
        raise RuntimeError("boom")
    except RuntimeError:
        log.exception("went.wrong")
log.info("afterwards")
log.debug("never shown")
"""


def lines() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)  # noqa: S603
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_lines_carry_tenant_correlation_and_job_while_the_work_lasts() -> None:
    landed, library, wrong, afterwards = lines()
    for line in (landed, library, wrong):
        assert [line[name][-1] for name in ("tenant_id", "correlation_id", "job_id")] == ["1", "2", "3"]
    assert (landed["event"], landed["rows"], landed["level"]) == ("row.landed", 5, "info")
    assert library["event"] == "said this"
    assert "tenant_id" not in afterwards


def test_a_trace_shows_where_and_never_the_values_of_variables() -> None:
    wrong = lines()[2]
    assert "RuntimeError: boom" in wrong["exception"]
    assert "hunter2" not in json.dumps(wrong).replace('secret = \\"hunter2\\"', "")
