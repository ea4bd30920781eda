"""The small typed records that features and plugins register."""

from collections.abc import Awaitable, Callable
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


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Which failures of an attempt may pass by themselves, and when the next attempt comes.

    What is nobody's fault (a database or a Redis that is away, a worker that died, one that does not know the kind yet) is
    tried again whatever the policy says.

    Args:
        codes: of problems and of errors of sources.
        max_attempts: attempts in a row without committed progress, after which such a failure ends the job.
        base_s: the wait before the second attempt; it doubles from one to the next.
        cap_s: the longest wait. One that a source asks for is kept to in full, however long.
    """

    codes: frozenset[str] = frozenset({"source_unavailable", "source_rate_limited"})
    max_attempts: int = 5
    base_s: float = 1.0
    cap_s: float = 60.0

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
