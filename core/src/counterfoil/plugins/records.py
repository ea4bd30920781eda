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
class Task:
    """A kind of job.

    Args:
        name: ``<plugin>.<noun>``; the job's kind.
        title: what a person reads in the list of jobs.
        params: model of the parameters; unknown fields are refused.
        run: ``async (JobContext, params) -> Outcome``.
        queue: one of sync, recon, export, workspace, ai.
        max_idle_attempts: attempts in a row without committed progress before the job is given up.
        time_limit_s: seconds after which one attempt is cancelled.
    """

    name: str
    title: str
    params: type[BaseModel]
    run: Callable[[Any, Any], Awaitable[Outcome]]
    queue: str = "sync"
    max_idle_attempts: int = 5
    time_limit_s: float = 6 * 3600
