"""The small typed records that features and plugins register."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a part of a run is not complete; machine-readable, so that nothing partial ever looks green."""

    stream: str
    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"stream": self.stream, "code": self.code, "detail": self.detail}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended when nothing was raised."""

    status: Literal["succeeded", "partial", "failed"] = "succeeded"
    result: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


# The requests themselves were repeated before. An answer that was cut or makes no sense is mostly the same the next time.
_ATTEMPTS = {
    "source_unavailable": 5,
    "source_rate_limited": 5,
    "source_malformed": 2,
    "object_store_unavailable": 5,
}


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Which failures of an attempt may pass by themselves, and when the next attempt comes.

    An attempt that fails so counts even if it has brought the job nearer to its end: what lands little by little between one
    fault and the next would otherwise be tried for ever. What is nobody's fault (a database or a Redis that is away, a
    worker that died, one that does not know the kind yet) is tried again whatever the policy says.

    Args:
        attempts: by the code of a problem or of an error of a source, the attempts there are in all; other codes have one.
        base_s: the wait before the second attempt; it doubles from one to the next.
        cap_s: the longest wait. One that a source asks for is kept to in full, however long.
    """

    attempts: Mapping[str, int] = field(default_factory=lambda: dict(_ATTEMPTS))
    base_s: float = 15.0
    cap_s: float = 120.0

    def allows_another(self, code: str, attempt: int) -> bool:
        """Whether the given attempt (the first is 1), having failed so, is followed by another."""
        return attempt < self.attempts.get(code, 1)

    def wait_s(self, attempt: int, *, at_least_s: float | None = None) -> float:
        """Seconds from the given attempt (the first is 1) to the next."""
        return max(min(self.cap_s, self.base_s * 2.0 ** (attempt - 1)), at_least_s or 0.0)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A kind of job.

    Args:
        name: ``<plugin>.<noun>``; the job's kind.
        title: what a person reads in the list of jobs.
        params: model of the parameters; unknown fields are refused.
        run: ``async (JobContext, params) -> Outcome``.
        queue: one of sync, recon, export, workspace, ai, evidence.
        max_idle_attempts: attempts in a row without committed progress before the job is given up.
        time_limit_s: seconds after which one attempt is cancelled.
        permission: what starting such a job takes, and therefore running a finished one again.
        retry: which failures are tried again.
    """

    name: str
    title: str
    params: type[BaseModel]
    run: Callable[[Any, Any], Awaitable[Outcome]]
    queue: str = "sync"
    max_idle_attempts: int = 5
    time_limit_s: float = 6 * 3600
    permission: str = "jobs.run"
    retry: RetryPolicy = RetryPolicy()
