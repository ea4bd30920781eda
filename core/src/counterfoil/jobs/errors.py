"""What can go wrong with a job: problems a caller sees, and signals between a job and its runner."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from counterfoil.db.database import DatabaseUnavailable
from counterfoil.kit.errors import Conflict, Problem

# What a loop that must go on catches around a unit of work.
DATABASE_TROUBLE = (
    DatabaseUnavailable,
    DBAPIError,
    PoolTimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)


class JobAlreadyFinished(Conflict):
    status, code, title = 409, "job_finished", "The job has finished already"


class JobUnfinished(Conflict):
    status, code, title = 409, "job_unfinished", "The job has not finished yet"


class JobInProgress(Conflict):
    status, code, title = 409, "job_in_progress", "A job of this kind is under way with other options"


class JobParamsInvalid(Problem):
    status, code, title = 422, "job_params_invalid", "The job's parameters are not valid"


class TaskUnknown(Problem):
    status, code, title = 503, "task_unknown", "No worker knows this kind of job"


class TimeLimitExceeded(Problem):
    status, code, title = 504, "time_limit_exceeded", "The job ran longer than its limit"


class AttemptsExhausted(Problem):
    status, code, title = 500, "attempts_exhausted", "The job was interrupted too often without making progress"


class LostLease(Exception):
    """Somebody else has the job now: stop at once, write nothing."""


class JobCancelled(Exception):
    """A person asked for the job to end."""
